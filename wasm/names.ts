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

// ---- names: each different text has a number ----

/** Four bytes each: hash, number, address and length of the text. An address of 0 is a free place. */
const nameBytes: usize = 16
let nameTable: usize = 0
let nameMask: u32 = 0
/** 0 is the empty text, where a record has no such name. */
let names: u32 = 1
/** Where the next text goes, and what is left there. */
let room: usize = 0
let roomLeft: usize = 0
const chunkBytes: usize = 1 << 18

/** Eight bytes a name or a pair, by number, in pieces. */
const pieceSize: u32 = 65_536
const namePieces: usize = memory.data(1024, 16)
const pairPieces: usize = memory.data(1024, 16)

// @ts-ignore: decorator
@inline
function placeIn(pieces: usize, number: u32): usize {
  return <usize>load<u32>(pieces + (<usize>(number / pieceSize) << 2)) + (<usize>(number % pieceSize) << 3)
}

function newPlaceIn(pieces: usize, number: u32): usize {
  const piece = pieces + (<usize>(number / pieceSize) << 2)
  if (load<u32>(piece) == 0) store<u32>(piece, <u32>heap.alloc(pieceSize * 8))
  return placeIn(pieces, number)
}

function growNames(): void {
  const before = nameTable
  const size = nameMask + 1
  const grown: u32 = before == 0 ? 1024 : size * 2
  nameTable = heap.alloc(<usize>grown * nameBytes)
  memory.fill(nameTable, 0, <usize>grown * nameBytes)
  nameMask = grown - 1
  if (before == 0) return
  for (let at = before; at < before + <usize>size * nameBytes; at += nameBytes) {
    if (load<u32>(at, 8) == 0) continue
    let i = load<u32>(at) & nameMask
    while (load<u32>(nameTable + <usize>i * nameBytes, 8) != 0) i = (i + 1) & nameMask
    v128.store(nameTable + <usize>i * nameBytes, v128.load(at))
  }
}

/** Number of a text that is not empty; a new one gets the next. */
// @ts-ignore: decorator
@inline
function nameOf(at: usize, length: i32): u32 {
  const hash = <u32>(bytesHash(at, length, 0) >> 8)
  let i = hash & nameMask
  while (nameTable != 0) {
    const entry = nameTable + <usize>i * nameBytes
    const text = <usize>load<u32>(entry, 8)
    if (text == 0) break
    if (load<u32>(entry) == hash && load<i32>(entry, 12) == length && isSame(text, at, length)) return load<u32>(entry, 4)
    i = (i + 1) & nameMask
  }
  return addName(hash, at, length)
}

function addName(hash: u32, at: usize, length: i32): u32 {
  if (nameTable == 0 || names * 2 >= nameMask) growNames()
  const bytes = (<usize>length + 8 + 7) & ~7
  if (bytes > roomLeft) {
    room = heap.alloc(chunkBytes)
    roomLeft = chunkBytes
  }
  const text = room
  room += bytes
  roomLeft -= bytes
  memory.copy(text, at, length)
  const number = names++
  const place = newPlaceIn(namePieces, number)
  store<u32>(place, <u32>text)
  store<i32>(place, length, 4)
  let i = hash & nameMask
  while (load<u32>(nameTable + <usize>i * nameBytes, 8) != 0) i = (i + 1) & nameMask
  const entry = nameTable + <usize>i * nameBytes
  store<u32>(entry, hash)
  store<u32>(entry, number, 4)
  store<u32>(entry, <u32>text, 8)
  store<i32>(entry, length, 12)
  return number
}

/** Where address and length of a name's text stand, by its number from 1 on. */
export function nameAt(number: u32): usize {
  return placeIn(namePieces, number)
}

// ---- pairs: tenant and API of one plan of names, as many as there are series ----

/**
 * Of each pair: the pair of slots and the numbers of tenant and API in one word of eight bytes (0 for a free place), its
 * number, the generation in which the host came to know it, and the number of the cell in which it was counted last.
 */
const pairBytes: usize = 32
let pairTable: usize = 0
let pairMask: u32 = 0
let pairs: u32 = 0
/** The pair that `pairOf` gave last. */
let foundPair: usize = 0
/** All that the host knew before is forgotten when it rises. */
let generation: u32 = 1
/** By pair the slice in which it was asked for quotas, while anybody asks. */
let askedIn: usize = 0
let askedRoom: u32 = 0

// @ts-ignore: decorator
@inline
function pairHash(key: u64): u32 {
  return <u32>((key * 0x9e3779b97f4a7c15) >> 32)
}

function growPairs(): void {
  const before = pairTable
  const size = pairMask + 1
  const grown: u32 = before == 0 ? 1024 : size * 2
  pairTable = heap.alloc(<usize>grown * pairBytes)
  memory.fill(pairTable, 0, <usize>grown * pairBytes)
  pairMask = grown - 1
  if (before == 0) return
  for (let at = before; at < before + <usize>size * pairBytes; at += pairBytes) {
    if (load<u64>(at) != 0) memory.copy(freePlace(load<u64>(at)), at, pairBytes)
  }
}

function freePlace(key: u64): usize {
  let i = pairHash(key) & pairMask
  while (load<u64>(pairTable + <usize>i * pairBytes) != 0) i = (i + 1) & pairMask
  return pairTable + <usize>i * pairBytes
}

/** Number of the pair; a new one gets the next. */
export function pairOf(slots: u32, tenant: usize, tenantLength: i32, api: usize, apiLength: i32): i32 {
  const tenantNumber: u32 = tenantLength == 0 ? 0 : nameOf(tenant, tenantLength)
  const apiNumber: u32 = apiLength == 0 ? 0 : nameOf(api, apiLength)
  const key = (<u64>slots + 1) | (<u64>tenantNumber << 16) | (<u64>apiNumber << 40)
  if (pairs * 2 >= pairMask) growPairs()
  let i = pairHash(key) & pairMask
  while (true) {
    const entry = pairTable + <usize>i * pairBytes
    const known = load<u64>(entry)
    if (known == key) {
      foundPair = entry
      return load<i32>(entry, 8)
    }
    if (known == 0) break
    i = (i + 1) & pairMask
  }
  foundPair = freePlace(key)
  const number = pairs++
  store<u64>(foundPair, key)
  store<u32>(foundPair, number, 8)
  store<u32>(foundPair, 0, 12)
  store<u32>(foundPair, 0, 16)
  store<u64>(newPlaceIn(pairPieces, number), key)
  return <i32>number
}

/** Where a pair's word stands: the pair of slots plus one in 16 bits, then the numbers of tenant and API in 24 bits each. */
export function pairAt(number: u32): usize {
  return placeIn(pairPieces, number)
}

export function pairCount(): u32 {
  return pairs
}

/** Finds the pair of a value that was read before. */
export function find(pair: u32): void {
  const key = load<u64>(pairAt(pair))
  let i = pairHash(key) & pairMask
  while (load<u64>(pairTable + <usize>i * pairBytes) != key) i = (i + 1) & pairMask
  foundPair = pairTable + <usize>i * pairBytes
}

export function forgetKnown(): void {
  generation++
}

/** From now on records of the pair are counted without a word. */
export function know(pair: u32): void {
  find(pair)
  store<u32>(foundPair, generation, 12)
  if (pair < askedRoom) store<i32>(askedIn + (<usize>pair << 2), -1)
}

/** Whether the host knows the pair that was found last. */
// @ts-ignore: decorator
@inline
export function isKnown(): bool {
  return load<u32>(foundPair, 12) == generation
}

/** Where the number of the last cell stands, of the pair that was found last. */
// @ts-ignore: decorator
@inline
export function lastCell(): usize {
  return foundPair + 16
}

/** Once for each slice, for a pair that is known. */
export function isToBeAsked(pair: u32, slice: i32, known: bool): bool {
  if (pair >= askedRoom) growAsked(pair)
  const at = askedIn + (<usize>pair << 2)
  if (known && load<i32>(at) == slice) return false
  store<i32>(at, slice)
  return true
}

function growAsked(pair: u32): void {
  const grown = max<u32>(4096, pair * 2)
  const before = askedIn
  askedIn = heap.alloc(<usize>grown << 2)
  memory.fill(askedIn, 0xff, <usize>grown << 2)
  if (before != 0) memory.copy(askedIn, before, <usize>askedRoom << 2)
  askedRoom = grown
}
