import { Decompress, decompress } from 'fzstd'
import type { Steps } from './codec-memory.ts'

/*
 * Zstandard. Node 20 has none of its own, and fzstd is JavaScript, with some 200 MB/s.
 *
 * Source: RFC 8878, section 3.1.1.
 */

/** 10 ms for so much. */
const atOnceBytes = 2 * 1024 * 1024
/** No block of Zstandard holds more, compressed or not. Source: RFC 8878, section 3.1.1.2. */
const largestBlock = 128 * 1024
const magic = 0xfd2fb528

/** The most that can come out. */
export function zstdBound(bytes: Buffer): number {
  let sum = 0
  for (const { bound } of blocksOf(bytes)) sum += bound
  return sum
}

/** @throws Error for what is broken */
export function* unzstd(bytes: Buffer, bound: number): Steps<Uint8Array> {
  if (bound <= atOnceBytes) return decompress(bytes)
  // The memory is used only as far as it is filled.
  const out = Buffer.allocUnsafeSlow(bound)
  let filled = 0
  const stream = new Decompress((part) => {
    out.set(part, filled)
    filled += part.length
  })
  for (const { from, to } of piecesOf(bytes)) {
    stream.push(bytes.subarray(from, to), to === bytes.length)
    yield
  }
  return out.subarray(0, filled)
}

/** Where a block ends, and the most that comes out of it. */
interface Block {
  readonly end: number
  readonly bound: number
}

/** Walks the headers of frames and blocks. */
function* blocksOf(bytes: Buffer): Generator<Block> {
  for (let at = 0; at + 5 <= bytes.length; ) {
    if (bytes.readUInt32LE(at) !== magic) {
      // A frame to skip, or rubbish, which the decoder will find.
      if (at + 8 > bytes.length) break
      at += 8 + bytes.readUInt32LE(at + 4)
      continue
    }
    const descriptor = bytes[at + 4] ?? 0
    const isSingle = (descriptor & 0x20) !== 0
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
    const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    at += 5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes
    for (let isLast = false; !isLast && at + 3 <= bytes.length; ) {
      const header = bytes.readUIntLE(at, 3)
      const size = header >> 3
      const type = (header >> 1) & 3
      isLast = (header & 1) === 1
      // A block of one repeated byte stores that byte alone.
      at += 3 + (type === 1 ? 1 : size)
      yield { end: at, bound: type === 2 ? largestBlock : size }
    }
    if ((descriptor & 4) !== 0) at += 4
  }
}

/** Cuts the bytes where blocks end, so that little enough comes out of each piece. */
function* piecesOf(bytes: Buffer): Generator<{ from: number; to: number }> {
  let from = 0
  let bound = 0
  for (const block of blocksOf(bytes)) {
    bound += block.bound
    if (bound < atOnceBytes || block.end >= bytes.length) continue
    yield { from, to: block.end }
    from = block.end
    bound = 0
  }
  yield { from, to: bytes.length }
}
