// Words and names that the host has met: raw bytes, as they stand in the records.

import { isSame } from './scan'

// ---- words: few, short, one byte each in the shape of a record ----

const mostWords = 4096
const wordTable: usize = heap.alloc(mostWords * 2 * 4)
memory.fill(wordTable, 0, mostWords * 2 * 4)
let words = 0

// @ts-ignore: decorator
@inline
function bytesHash(at: usize, length: i32, seed: u64): u64 {
  let h = (seed ^ <u64>length) * 0x9e3779b97f4a7c15
  let i = 0
  for (; i + 8 <= length; i += 8) {
    h = (h ^ load<u64>(at + i)) * 0xff51afd7ed558ccd
    h ^= h >> 32
  }
  if (i < length) {
    const rest = load<u64>(at + i) & ((<u64>1 << ((<u64>(length - i)) << 3)) - 1)
    h = (h ^ rest) * 0xff51afd7ed558ccd
    h ^= h >> 32
  }
  return h
}

/** Kind of the word, or 0 when it has none. Eight bytes before the text: slot, length, kind. */
export function findWord(slot: usize, at: usize, length: i32): i32 {
  let i = <u32>bytesHash(at, length, slot) & (mostWords * 2 - 1)
  while (true) {
    const word = <usize>load<u32>(wordTable + (<usize>i << 2))
    if (word == 0) return 0
    if (load<u16>(word) == <u16>slot && <i32>load<u16>(word, 2) == length && isSame(word + 8, at, length)) {
      return load<u8>(word, 4)
    }
    i = (i + 1) & (mostWords * 2 - 1)
  }
}

/** False when there is no more room. */
export function addWord(slot: i32, at: usize, length: i32, kind: i32): bool {
  if (words == mostWords) return false
  words++
  const word = heap.alloc(8 + length + 8)
  store<u16>(word, <u16>slot)
  store<u16>(word, <u16>length, 2)
  store<u8>(word, <u8>kind, 4)
  memory.copy(word + 8, at, length)
  let i = <u32>bytesHash(at, length, <u64>slot) & (mostWords * 2 - 1)
  while (load<u32>(wordTable + (<usize>i << 2)) != 0) i = (i + 1) & (mostWords * 2 - 1)
  store<u32>(wordTable + (<usize>i << 2), <u32>word)
  return true
}

// ---- pairs: tenant and API of one plan of names, as many as there are series ----

/** Hash and address of each pair. */
let pairTable: usize = 0
let pairMask: u32 = 0
let pairs: u32 = 0
/** Where the next pair goes, and what is left there. */
let room: usize = 0
let roomLeft: usize = 0

const chunkBytes: usize = 1 << 18
const pairHeader: usize = 12

function growPairs(): void {
  const before = pairTable
  const size = pairMask + 1
  const grown = before == 0 ? 1024 : size * 2
  pairTable = heap.alloc(<usize>grown * 8)
  memory.fill(pairTable, 0, <usize>grown * 8)
  pairMask = grown - 1
  if (before == 0) return
  for (let i: u32 = 0; i < size; i++) {
    const entry = load<u64>(before + (<usize>i << 3))
    if (entry != 0) place(entry)
  }
}

function place(entry: u64): void {
  let i = <u32>entry & pairMask
  while (load<u64>(pairTable + (<usize>i << 3)) != 0) i = (i + 1) & pairMask
  store<u64>(pairTable + (<usize>i << 3), entry)
}

// @ts-ignore: decorator
@inline
function pairHash(names: u32, tenant: usize, tenantLength: i32, api: usize, apiLength: i32): u32 {
  const h = bytesHash(tenant, tenantLength, names)
  return <u32>(bytesHash(api, apiLength, h) >> 8)
}

/** Addresses of the pairs by number, in pieces. */
const pieceSize: u32 = 65_536
const pieces: usize = memory.data(1024, 16)

/** Number of the pair; a new one gets the next. */
export function pairOf(names: u32, tenant: usize, tenantLength: i32, api: usize, apiLength: i32): i32 {
  if (pairs * 2 >= pairMask) growPairs()
  const hash = pairHash(names, tenant, tenantLength, api, apiLength)
  const lengths = <u32>tenantLength | (<u32>apiLength << 16)
  let i = hash & pairMask
  while (true) {
    const entry = load<u64>(pairTable + (<usize>i << 3))
    if (entry == 0) break
    if (<u32>entry == hash) {
      const at = <usize>(entry >> 32)
      if (
        load<u32>(at, 4) == lengths &&
        load<u32>(at, 8) == names &&
        isSame(at + pairHeader, tenant, tenantLength) &&
        isSame(at + pairHeader + tenantLength, api, apiLength)
      ) {
        return load<i32>(at)
      }
    }
    i = (i + 1) & pairMask
  }
  return addPair(hash, names, tenant, tenantLength, api, apiLength)
}

function addPair(hash: u32, names: u32, tenant: usize, tenantLength: i32, api: usize, apiLength: i32): i32 {
  const bytes = (pairHeader + tenantLength + apiLength + 8 + 7) & ~7
  if (bytes > roomLeft) {
    room = heap.alloc(chunkBytes)
    roomLeft = chunkBytes
  }
  const at = room
  room += bytes
  roomLeft -= bytes
  const number = pairs++
  const piece = pieces + (<usize>(number / pieceSize) << 2)
  if (load<u32>(piece) == 0) store<u32>(piece, <u32>heap.alloc(pieceSize * 4))
  store<u32>(<usize>load<u32>(piece) + (<usize>(number % pieceSize) << 2), <u32>at)
  store<u32>(at, number)
  store<u32>(at, <u32>tenantLength | (<u32>apiLength << 16), 4)
  store<u32>(at, names, 8)
  memory.copy(at + pairHeader, tenant, tenantLength)
  memory.copy(at + pairHeader + tenantLength, api, apiLength)
  place(<u64>hash | (<u64>at << 32))
  return <i32>number
}

/** Where a pair stands: its number, the lengths of tenant and API in one word, the pair of slots, then the bytes of both. */
export function pairAt(number: u32): usize {
  const piece = <usize>load<u32>(pieces + (<usize>(number / pieceSize) << 2))
  return <usize>load<u32>(piece + (<usize>(number % pieceSize) << 2))
}

export function pairCount(): u32 {
  return pairs
}
