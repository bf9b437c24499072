import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import { Decompress, decompress as unzstd } from 'fzstd'
import { decompressFrame, decompressFrameSync } from 'lz4-napi'
import { uncompress, uncompressSync } from 'snappy'

/*
 * The event loop must not stand still for longer than some milliseconds, so what grows large is decompressed beside it.
 * For what stays small the way there and back costs more than the work: 16 KiB take 12 to 75 us here and 55 to 220 us
 * there. The figures are in docs/performance.md.
 */

const gunzipped = promisify(gunzip)

/** What comes out of so much is decompressed at once. */
const atOnceBytes = 256 * 1024
/** gzip does not say in advance what comes out, but no more than so many times as much. */
const gzipAtOnceBytes = 16 * 1024
const gzipGrowth = 1_032
/** To copy more than this takes longer than the memory costs. */
const snappyCopyBytes = 4 * 1024 * 1024
/** Zstandard is decompressed by JavaScript at some 200 MB/s: 10 ms for so much. */
const zstdAtOnceBytes = 2 * 1024 * 1024

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
    const bound = sizeBound(name, bytes)
    if (bound > limit) return { failure: tooLarge(name, limit) }
    return { bytes: asBuffer(await decode(name, bytes, bound, limit)) }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') return { failure: tooLarge(name, limit) }
    return { failure: `compressed with ${name}, which does not decompress` }
  }
}

function tooLarge(name: string, limit: number): string {
  return `compressed with ${name} and larger than ${Math.round(limit / 1024 / 1024)} MiB when decompressed`
}

/** Promises are awaited by the caller; a value that is there at once costs no turn of the loop. */
function decode(name: string, bytes: Buffer, bound: number, limit: number): Uint8Array | Promise<Uint8Array> {
  if (name === 'gzip') return unzip(bytes, limit)
  if (name === 'lz4') return bound <= atOnceBytes ? decompressFrameSync(bytes) : decompressFrame(bytes)
  // Node 20 has no zstd of its own.
  if (name === 'zstd') return bound <= zstdAtOnceBytes ? unzstd(bytes) : unzstdInTurns(bytes, bound)
  return unsnap(bytes, bound)
}

function unzip(bytes: Buffer, limit: number): Uint8Array | Promise<Uint8Array> {
  // The size stands at the end, modulo 4 GiB and not to be relied on: where it is true all comes out in one piece.
  const told = bytes.length >= 4 ? bytes.readUInt32LE(bytes.length - 4) : 0
  const chunkSize = Math.max(Math.min(told, limit, bytes.length * gzipGrowth) + 1, 1024)
  const options = { maxOutputLength: limit, chunkSize }
  return bytes.length <= gzipAtOnceBytes ? gunzipSync(bytes, options) : gunzipped(bytes, options)
}

async function unsnap(bytes: Buffer, bound: number): Promise<Uint8Array> {
  const blocks = snappyBlocks(bytes)
  const [only] = blocks
  if (only !== undefined && blocks.length === 1) return unsnapBlock(only, bound)
  const out = new Growing(bound)
  for (const block of blocks) out.add(await unsnapBlock(block, bound))
  return out.bytes()
}

/** Small ones into memory of Node's: what the addon gives is memory of its own, which is slow to come and late to go. */
async function unsnapBlock(block: Buffer, bound: number): Promise<Uint8Array> {
  const options = { copyOutputData: bound <= snappyCopyBytes }
  return asBuffer(bound <= atOnceBytes ? uncompressSync(block, options) : await uncompress(block, options))
}

async function unzstdInTurns(bytes: Buffer, bound: number): Promise<Uint8Array> {
  const out = new Growing(bound)
  const stream = new Decompress((part) => out.add(part))
  for (const { from, to } of zstdPieces(bytes)) {
    stream.push(bytes.subarray(from, to), to === bytes.length)
    await turn()
  }
  return out.bytes()
}

/** What comes out piece by piece. The memory is used only as far as it is filled. */
class Growing {
  readonly #bytes: Buffer
  #filled = 0

  /** @param bound of what can come */
  constructor(bound: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bound)
  }

  add(part: Uint8Array): void {
    this.#bytes.set(part, this.#filled)
    this.#filled += part.length
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#filled)
  }
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

/** Where a block of Zstandard ends, and the most that comes out of it. */
interface ZstdBlock {
  readonly end: number
  readonly bound: number
}

function zstdBound(bytes: Buffer): number {
  let sum = 0
  for (const { bound } of zstdBlocks(bytes)) sum += bound
  return sum
}

/** Walks the headers of frames and blocks. Source: RFC 8878, section 3.1.1. */
function* zstdBlocks(bytes: Buffer): Generator<ZstdBlock> {
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
      // A block of one repeated byte stores that byte alone.
      at += 3 + (type === 1 ? 1 : size)
      yield { end: at, bound: type === 2 ? largestZstdBlock : size }
    }
    if ((descriptor & 4) !== 0) at += 4
  }
}

/** Cuts the bytes where blocks end, so that little enough comes out of each piece. */
function* zstdPieces(bytes: Buffer): Generator<{ from: number; to: number }> {
  let from = 0
  let bound = 0
  for (const block of zstdBlocks(bytes)) {
    bound += block.bound
    if (bound < zstdAtOnceBytes || block.end >= bytes.length) continue
    yield { from, to: block.end }
    from = block.end
    bound = 0
  }
  yield { from, to: bytes.length }
}

function asBuffer(bytes: Uint8Array | string): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
