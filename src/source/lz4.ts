import { type CodecMemory, type Room, type Steps, stepBytes } from './codec-memory.ts'

/*
 * Frames of LZ4, as Kafka's clients write them: blocks that stand alone or refer back to those before them, checksums of
 * header, blocks and content where they are there. No dictionaries, no legacy frames; neither do brokers take those. What
 * follows the first frame is not looked at, as in Kafka's own clients.
 *
 * Source: the LZ4 frame format, version 1.6.
 */

const magic = 0x184d2204
/** An LZ4 block cannot grow by more than this. Source: the LZ4 block format, "Metadata". */
const growth = 255
const storedAsIs = 0x8000_0000
const smallestHeaderBytes = 7
const smallestBlockBytes = 64 * 1024

interface Header {
  readonly isLinked: boolean
  readonly hasBlockChecksum: boolean
  readonly hasContentChecksum: boolean
  readonly contentBytes: bigint | null
  readonly largestBlock: number
  /** Where the blocks begin. */
  readonly end: number
}

function headerOf(bytes: Buffer): Header {
  const flags = bytes[4] ?? 0
  const sizeBytes = (flags & 0x08) === 0 ? 0 : 8
  const dictionaryBytes = (flags & 0x01) === 0 ? 0 : 4
  return {
    isLinked: (flags & 0x20) === 0,
    hasBlockChecksum: (flags & 0x10) !== 0,
    hasContentChecksum: (flags & 0x04) !== 0,
    contentBytes: sizeBytes > 0 && bytes.length >= 14 ? bytes.readBigUInt64LE(6) : null,
    largestBlock: smallestBlockBytes * 4 ** Math.max(0, (((bytes[5] ?? 0) >> 4) & 7) - 4),
    end: smallestHeaderBytes + sizeBytes + dictionaryBytes,
  }
}

/** What decompressing a frame needs at most: for its largest block, and for all that comes out. */
export function lz4Room(bytes: Buffer): Room {
  const { largestBlock, hasBlockChecksum, end } = headerOf(bytes)
  let input = smallestBlockBytes
  let output = 0
  for (let at = end; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    if (size === 0) break
    const stored = size & ~storedAsIs
    input = Math.max(input, Math.min(stored, largestBlock))
    output += size >= storedAsIs ? stored : Math.min(largestBlock, stored * growth)
    at += 4 + stored + (hasBlockChecksum ? 4 : 0)
  }
  return { input, output }
}

/**
 * @param memory with the room that `lz4Room` asks for
 * @throws Error for a frame that is broken
 */
export function* unlz4(bytes: Buffer, memory: CodecMemory): Steps<Uint8Array> {
  const header = headerOf(bytes)
  checkHeader(bytes, header, memory)
  const start = memory.out
  let at = header.end
  let out = start
  let pause = start + stepBytes
  for (;;) {
    const size = bytes.readUInt32LE(at)
    at += 4
    if (size === 0) break
    const stored = size & ~storedAsIs
    const block = bytes.subarray(at, at + stored)
    at += stored
    requireThat(block.length === stored && stored <= header.largestBlock)
    const end = memory.put(block)
    if (header.hasBlockChecksum) {
      requireThat(bytes.readUInt32LE(at) === memory.hash(memory.inputAt, end))
      at += 4
    }
    if (size >= storedAsIs) {
      memory.bytes.set(block, out)
      out += stored
    } else {
      const lowest = header.isLinked ? start : out
      const outEnd = Math.min(out + header.largestBlock, memory.outEnd)
      out = memory.codecs.lz4Block(memory.inputAt, end, lowest, out, outEnd)
      requireThat(out !== 0)
    }
    if (out >= pause) {
      yield
      pause = out + stepBytes
    }
  }
  requireThat(header.contentBytes === null || header.contentBytes === BigInt(out - start))
  if (header.hasContentChecksum) requireThat(bytes.readUInt32LE(at) === (yield* hashOf(memory, start, out)))
  return memory.take(out)
}

function checkHeader(bytes: Buffer, { end }: Header, memory: CodecMemory): void {
  requireThat(bytes.length >= end && bytes.readUInt32LE(0) === magic)
  const flags = bytes.readUInt8(4)
  const sizes = bytes.readUInt8(5)
  // Version 1, without the reserved bit and without a dictionary; of the sizes of blocks, 64 KiB to 4 MiB.
  requireThat(flags >> 6 === 1 && (flags & 0x03) === 0 && (sizes & 0x8f) === 0 && sizes >> 4 >= 4)
  const hash = memory.hash(memory.inputAt, memory.put(bytes.subarray(4, end - 1)))
  requireThat(bytes.readUInt8(end - 1) === ((hash >>> 8) & 0xff))
}

function* hashOf({ codecs }: CodecMemory, start: number, end: number): Steps<number> {
  codecs.hashBegin()
  let at = start
  while (end - at >= stepBytes) {
    at = codecs.hashOn(at, at + stepBytes)
    yield
  }
  return codecs.hashEnd(codecs.hashOn(at, end), end) >>> 0
}

function requireThat(isTrue: boolean): void {
  if (!isTrue) throw new Error('a broken frame')
}
