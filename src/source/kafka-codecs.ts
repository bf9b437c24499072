import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappy'

const gunzipped = promisify(gunzip)

/** By the number that a record batch carries. */
const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What came out, or why nothing did, with the codec's name. */
export type Decompressed = { readonly bytes: Buffer } | { readonly failure: string }

/**
 * Decompresses the records of a batch. Never throws: what cannot be decompressed, or would take more than `limit` bytes,
 * is told as a failure. The size is known or bounded from the headers before any of it is made.
 */
export async function decompressed(codec: number, bytes: Buffer, limit: number): Promise<Decompressed> {
  const name = codecNames[codec]
  if (name === undefined) return { failure: `compressed with codec ${codec}, which is not known` }
  if (codec === 0) return { bytes }
  try {
    if (sizeBound(name, bytes) > limit) return { failure: tooLarge(name, limit) }
    return { bytes: await decode(name, bytes, limit) }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return { failure: tooLarge(name, limit) }
    return { failure: `compressed with ${name}, which does not decompress` }
  }
}

function tooLarge(name: string, limit: number): string {
  return `compressed with ${name} and larger than ${Math.round(limit / 1024 / 1024)} MiB when decompressed`
}

async function decode(name: string, bytes: Buffer, limit: number): Promise<Buffer> {
  if (name === 'gzip') return gunzipped(bytes, { maxOutputLength: limit })
  if (name === 'lz4') return asBuffer(await decompressFrame(bytes))
  // Node 20 has no zstd of its own.
  if (name === 'zstd') return asBuffer(unzstd(bytes))
  const blocks = await Promise.all(snappyBlocks(bytes).map((block) => uncompress(block)))
  return blocks.length === 1 && blocks[0] !== undefined ? asBuffer(blocks[0]) : Buffer.concat(blocks.map(asBuffer))
}

/** The most that can come out; 0 where the decoder itself keeps to a limit. */
function sizeBound(name: string, bytes: Buffer): number {
  if (name === 'snappy') return snappyBlocks(bytes).reduce((sum, block) => sum + snappyLength(block), 0)
  if (name === 'lz4') return lz4Bound(bytes)
  return name === 'zstd' ? zstdBound(bytes) : 0
}

/** The Java client wraps snappy blocks in a frame of its own ("xerial"); librdkafka does not. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHeaderBytes = 16

/** Source of the frame: the snappy-java SnappyOutputStream format. */
function snappyBlocks(bytes: Buffer): Buffer[] {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return [bytes]
  const blocks: Buffer[] = []
  for (let at = xerialHeaderBytes; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    at += 4
    blocks.push(bytes.subarray(at, at + length))
    at += length
  }
  return blocks
}

/** A snappy block begins with the length of what comes out, as a varint. */
function snappyLength(block: Buffer): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  return length
}

/** An LZ4 block cannot grow by more than this. Source: the LZ4 block format, "Metadata". */
const lz4Growth = 255

/** Source: the LZ4 frame format, version 1.6. */
function lz4Bound(bytes: Buffer): number {
  const flags = bytes[4] ?? 0
  const largestBlock = 64 * 1024 * 4 ** Math.max(0, (((bytes[5] ?? 0) >> 4) & 7) - 4)
  const checksumBytes = (flags & 0x10) === 0 ? 0 : 4
  let bound = 0
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4)
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32LE(at)
    if (size === 0) break
    const stored = size & 0x7fffffff
    bound += size >>> 31 === 1 ? stored : Math.min(largestBlock, stored * lz4Growth)
    at += 4 + stored + checksumBytes
  }
  return bound
}

/** No block of Zstandard holds more, compressed or not. Source: RFC 8878, section 3.1.1.2. */
const largestZstdBlock = 128 * 1024
const zstdMagic = 0xfd2fb528

/** Walks the headers of frames and blocks. Source: RFC 8878, section 3.1.1. */
function zstdBound(bytes: Buffer): number {
  let bound = 0
  for (let at = 0; at + 5 <= bytes.length; ) {
    if (bytes.readUInt32LE(at) !== zstdMagic) {
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
      bound += type === 2 ? largestZstdBlock : size
      // A block of one repeated byte stores that byte alone.
      at += 3 + (type === 1 ? 1 : size)
    }
    if ((descriptor & 4) !== 0) at += 4
  }
  return bound
}

function asBuffer(bytes: Uint8Array | string): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
