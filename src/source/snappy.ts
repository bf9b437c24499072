import { type CodecMemory, type Room, type Steps, stepBytes } from './codec-memory.ts'

/*
 * Snappy, as one block or in the frame of the Java client ("xerial"), which holds a block for each 32 KiB or so.
 *
 * Source: the Snappy format description; of the frame, snappy-java's SnappyOutputStream.
 */

const frameMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const frameHeaderBytes = 16
/** The best that a block can do: 64 bytes out of a copy that takes 3. */
const mostOut = 64
const mostOutOf = 3
const longestBlock = 0xffff_ffff

export interface SnappyBlock {
  readonly bytes: Buffer
  /** What comes out of it, by its own word; 0 where it says nothing. */
  readonly length: number
  /** Where its content begins, behind that word; 0 where there is none. */
  readonly from: number
}

export function snappyBlocks(bytes: Buffer): readonly SnappyBlock[] {
  if (!bytes.subarray(0, frameMagic.length).equals(frameMagic)) return [blockOf(bytes)]
  const blocks: SnappyBlock[] = []
  // A last length that is not whole is left alone, as by the Java client.
  for (let at = frameHeaderBytes; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    at += 4
    blocks.push(blockOf(bytes.subarray(at, at + length)))
    at += length
  }
  return blocks
}

/** A block begins with the length of what comes out, as a varint. */
function blockOf(bytes: Buffer): SnappyBlock {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? 0x80
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return length > longestBlock ? { bytes, length: 0, from: 0 } : { bytes, length, from: i + 1 }
  }
  return { bytes, length: 0, from: 0 }
}

/** What decompressing them takes: for the largest block, and for all that comes out. */
export function snappyRoom(blocks: readonly SnappyBlock[]): Room {
  let input = 0
  let output = 0
  for (const { bytes, length } of blocks) {
    input = Math.max(input, bytes.length)
    output += length
  }
  return { input, output }
}

/**
 * An untrue word must not take memory.
 *
 * @throws Error where less must come out of a block than it says
 */
export function requireLikely(blocks: readonly SnappyBlock[]): void {
  for (const { bytes, length, from } of blocks) {
    if (from === 0 || length * mostOutOf > bytes.length * mostOut) throw new Error('a block that says what cannot be')
  }
}

/**
 * @param blocks that are likely
 * @param memory with the room that `snappyRoom` asks for
 * @throws Error for blocks that are broken
 */
export function* unsnappy(blocks: readonly SnappyBlock[], memory: CodecMemory): Steps<Uint8Array> {
  let out = memory.out
  let pause = out + stepBytes
  for (const { bytes, length, from } of blocks) {
    const lowest = out
    const outEnd = out + length
    const end = memory.put(bytes)
    for (let at = memory.inputAt + from; at < end; ) {
      if (memory.codecs.snappyBlock(at, end, lowest, out, outEnd, pause) === 0) throw new Error('a broken block')
      at = memory.codecs.inputAt.value
      out = memory.codecs.outputAt.value
      if (out < pause) continue
      yield
      pause = out + stepBytes
    }
    if (out !== outEnd) throw new Error('a block that is shorter than it says')
  }
  return memory.take(out)
}
