// Decompresses blocks of LZ4 and Snappy, and checks LZ4's checksums. A module of its own, with a memory that the host
// (src/source/codec-memory.ts) lays out: addresses come from there, and behind what may be read or written stand
// `marginBytes` that nobody uses. Copies go into that margin, 16 bytes at a time, because to count them would cost more.
// Nothing is taken from beyond the input, and nothing that lies outside of the output is referred to.

/** The first address that the host may use. */
export const firstFree: usize = (__heap_base + 63) & ~63
export const marginBytes: usize = 64

const broken: usize = 0

/** By offset below 16: the bytes that 16 repetitions of the last so many begin with. */
const patterns: usize = memory.data(256, 16)
/** By offset below 16: how many of these bytes are whole repetitions. */
const steps: usize = memory.data(16, 16)

for (let offset: usize = 1; offset < 16; offset++) {
  for (let i: usize = 0; i < 16; i++) store<u8>(patterns + (offset << 4) + i, <u8>(i % offset))
  store<u8>(steps + offset, <u8>(16 - (16 % offset)))
}

/** A long run goes by the engine's own copy, which is slow to begin. */
const longRun: usize = 1024

// @ts-ignore: decorator
@inline
function copyLiterals(to: usize, from: usize, length: usize): void {
  v128.store(to, v128.load(from))
  if (length <= 16) return
  if (length > longRun) {
    memory.copy(to, from, length)
    return
  }
  const end = to + length
  do {
    to += 16
    from += 16
    v128.store(to, v128.load(from))
  } while (to + 16 < end)
}

/** Repeats what was written `offset` bytes ago; the two may overlap. */
// @ts-ignore: decorator
@inline
function copyMatch(to: usize, offset: usize, length: usize): void {
  const end = to + length
  let from = to - offset
  if (offset >= 16) {
    v128.store(to, v128.load(from))
    if (length <= 16) return
    do {
      to += 16
      from += 16
      v128.store(to, v128.load(from))
    } while (to + 16 < end)
    return
  }
  const pattern = i8x16.swizzle(v128.load(from), v128.load(patterns + (offset << 4)))
  const step = <usize>load<u8>(steps + offset)
  do {
    v128.store(to, pattern)
    to += step
  } while (to < end)
}

/**
 * Decompresses one block of LZ4. Source: the LZ4 block format.
 *
 * @param lowest what matches may refer back to: the beginning of the block, or of the frame where blocks are linked
 * @returns where the output ends, 0 for a block that is broken or does not fit
 */
export function lz4Block(at: usize, end: usize, lowest: usize, out: usize, outEnd: usize): usize {
  while (at < end) {
    const token = <usize>load<u8>(at++)
    let length = token >> 4
    if (length == 15) {
      let more: usize
      do {
        if (at >= end || length > outEnd - out) return broken
        more = <usize>load<u8>(at++)
        length += more
      } while (more == 255)
    }
    if (length > end - at || length > outEnd - out) return broken
    copyLiterals(out, at, length)
    at += length
    out += length
    // The last sequence has no match.
    if (at == end) return out
    if (end - at < 2) return broken
    const offset = <usize>load<u16>(at)
    at += 2
    if (offset == 0 || offset > out - lowest) return broken
    length = (token & 15) + 4
    if (length == 19) {
      let more: usize
      do {
        if (at >= end || length > outEnd - out) return broken
        more = <usize>load<u8>(at++)
        length += more
      } while (more == 255)
    }
    if (length > outEnd - out) return broken
    copyMatch(out, offset, length)
    out += length
  }
  return broken
}

/** Where `snappyBlock` came to. */
export let inputAt: usize = 0
export let outputAt: usize = 0

/**
 * Decompresses a block of Snappy behind its length, until the input ends or `pause` is passed; then it goes on from
 * `inputAt` and `outputAt`. Source: the Snappy format description.
 *
 * @param lowest where the output began
 * @returns false where it is broken or does not fit
 */
export function snappyBlock(at: usize, end: usize, lowest: usize, out: usize, outEnd: usize, pause: usize): bool {
  while (at < end && out < pause) {
    const tag = <usize>load<u8>(at++)
    let length = tag >> 2
    let offset: usize
    const kind = tag & 3
    if (kind == 0) {
      if (length >= 60) {
        const bytes = length - 59
        if (bytes > end - at) return false
        length = <usize>load<u32>(at) & (<usize>0xffffffff >> ((4 - bytes) << 3))
        at += bytes
      }
      // One less than the length is written; the highest number would not have room for it.
      if (length >= end - at || length >= outEnd - out) return false
      length++
      copyLiterals(out, at, length)
      at += length
      out += length
      continue
    }
    if (kind == 1) {
      if (at >= end) return false
      offset = ((tag >> 5) << 8) | <usize>load<u8>(at++)
      length = (length & 7) + 4
    } else if (kind == 2) {
      if (end - at < 2) return false
      offset = <usize>load<u16>(at)
      at += 2
      length++
    } else {
      if (end - at < 4) return false
      offset = <usize>load<u32>(at)
      at += 4
      length++
    }
    if (offset == 0 || offset > out - lowest || length > outEnd - out) return false
    copyMatch(out, offset, length)
    out += length
  }
  inputAt = at
  outputAt = out
  return true
}

// ---- xxHash, 32 bits, seed 0. Source: the xxHash specification, "XXH32 algorithm description". ----

const prime1: u32 = 0x9e3779b1
const prime2: u32 = 0x85ebca77
const prime3: u32 = 0xc2b2ae3d
const prime4: u32 = 0x27d4eb2f
const prime5: u32 = 0x165667b1

let lane1: u32 = 0
let lane2: u32 = 0
let lane3: u32 = 0
let lane4: u32 = 0
let hashed: u32 = 0

export function hashBegin(): void {
  lane1 = prime1 + prime2
  lane2 = prime2
  lane3 = 0
  lane4 = 0 - prime1
  hashed = 0
}

// @ts-ignore: decorator
@inline
function round(lane: u32, input: u32): u32 {
  return rotl<u32>(lane + input * prime2, 13) * prime1
}

/** Takes what is there as far as it makes up 16 bytes. @returns where the rest begins */
export function hashOn(at: usize, end: usize): usize {
  const from = at
  let a = lane1
  let b = lane2
  let c = lane3
  let d = lane4
  for (; end - at >= 16; at += 16) {
    a = round(a, load<u32>(at))
    b = round(b, load<u32>(at, 4))
    c = round(c, load<u32>(at, 8))
    d = round(d, load<u32>(at, 12))
  }
  lane1 = a
  lane2 = b
  lane3 = c
  lane4 = d
  hashed += <u32>(at - from)
  return at
}

/** Takes the last bytes, less than 16. @returns the hash */
export function hashEnd(at: usize, end: usize): u32 {
  let hash =
    hashed == 0 ? prime5 : rotl<u32>(lane1, 1) + rotl<u32>(lane2, 7) + rotl<u32>(lane3, 12) + rotl<u32>(lane4, 18)
  hash += hashed + <u32>(end - at)
  for (; end - at >= 4; at += 4) hash = rotl<u32>(hash + load<u32>(at) * prime3, 17) * prime4
  for (; at < end; at++) hash = rotl<u32>(hash + <u32>load<u8>(at) * prime5, 11) * prime1
  hash = (hash ^ (hash >> 15)) * prime2
  hash = (hash ^ (hash >> 13)) * prime3
  return hash ^ (hash >> 16)
}
