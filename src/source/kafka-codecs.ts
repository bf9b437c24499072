import { promisify } from 'node:util'
import { gunzip, gunzipSync } from 'node:zlib'
import { Fault } from '../fault/fault.ts'
import { CodecMemory, inTurns, type Room } from './codec-memory.ts'
import { lz4Room, unlz4 } from './lz4.ts'
import { requireLikely, snappyBlocks, snappyRoom, unsnappy } from './snappy.ts'
import { unzstd, zstdBound } from './zstd.ts'

/*
 * The event loop must not stand still for longer than some milliseconds. LZ4, Snappy and Zstandard are decompressed here,
 * and what is larger than that in turns with everything else; gzip beside the loop, but for what is so small that the way
 * there and back costs more than the work. The figures are in docs/performance.md.
 */

const gunzipped = promisify(gunzip)

/** gzip does not say in advance what comes out, but no more than so many times as much. */
const gzipAtOnceBytes = 16 * 1024
const gzipGrowth = 1_032
/** Room for what a consumer takes at once and a batch beyond it; it doubles where that is too little. */
const firstRoom = { input: 1024 * 1024, output: 2 * 1024 * 1024 }
/** More than this is not kept for the next batches. */
const mostKeptBytes = 16 * 1024 * 1024

/** By the number that a record batch carries. */
const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What came out, or why nothing did, with the codec's name. */
export type Decompressed = { readonly bytes: Uint8Array } | { readonly failure: string }

/**
 * Decompresses the records of batches, one batch after another. What comes out of LZ4 and Snappy lies in memory that is
 * used again and again: fresh memory outside of V8's heap makes V8 collect all of its heap each time some of it has come
 * together, and that takes longer than the decompressing.
 */
export class Unpacker {
  #memory: CodecMemory | null = null

  /**
   * What cannot be decompressed, or would take more than `limit` bytes, is told as a failure. The size is known or bounded
   * from the headers before any of it is made. The bytes are good until `release`. One call at a time.
   *
   * @throws Fault where the codecs themselves cannot run
   */
  async unpack(codec: number, bytes: Buffer, limit: number): Promise<Decompressed> {
    const name = codecNames[codec]
    if (name === undefined) return { failure: `compressed with codec ${codec}, which is not known` }
    if (codec === 0) return { bytes }
    try {
      const made = this.#decode(name, bytes, limit)
      // What is there at once costs no turn of the loop.
      return { bytes: made instanceof Promise ? await made : made }
    } catch (error) {
      if (error instanceof Fault) throw error
      if ((error as { code?: unknown }).code !== tooLarge)
        return { failure: `compressed with ${name}, which does not decompress` }
      const mebibytes = Math.round(limit / 1024 / 1024)
      return { failure: `compressed with ${name} and larger than ${mebibytes} MiB when decompressed` }
    }
  }

  /** What was decompressed is needed no longer, and is overwritten from now on. */
  release(): void {
    if (this.#memory !== null && this.#memory.bytes.length > mostKeptBytes) this.#memory = null
    this.#memory?.rewind()
  }

  #decode(name: string, bytes: Buffer, limit: number): Uint8Array | Promise<Uint8Array> {
    if (name === 'gzip') return unzip(bytes, limit)
    if (name === 'zstd') return inTurns(unzstd(bytes, within(limit, zstdBound(bytes))))
    if (name === 'lz4') return inTurns(unlz4(bytes, this.#withRoom(lz4Room(bytes), limit)))
    const blocks = snappyBlocks(bytes)
    const room = snappyRoom(blocks)
    within(limit, room.output)
    requireLikely(blocks)
    return inTurns(unsnappy(blocks, this.#withRoom(room, limit)))
  }

  /** Where there is too little room there is a new memory: what came out before stays good in the old one. */
  #withRoom(room: Room, limit: number): CodecMemory {
    within(limit, room.output)
    if (this.#memory?.fits(room) === true) return this.#memory
    const isKept = room.output < mostKeptBytes
    this.#memory = new CodecMemory({
      input: Math.max(firstRoom.input, room.input),
      // Room for a batch as large beside it, or the next one would not fit again.
      output: Math.max(firstRoom.output, isKept ? room.output * 2 : room.output),
    })
    return this.#memory
  }
}

/** As zlib says it. */
const tooLarge = 'ERR_BUFFER_TOO_LARGE'

function within(limit: number, bound: number): number {
  if (bound > limit) throw Object.assign(new Error('too large'), { code: tooLarge })
  return bound
}

function unzip(bytes: Buffer, limit: number): Uint8Array | Promise<Uint8Array> {
  // The size stands at the end, modulo 4 GiB and not to be relied on: where it is true all comes out in one piece.
  const told = bytes.length >= 4 ? bytes.readUInt32LE(bytes.length - 4) : 0
  const chunkSize = Math.max(Math.min(told, limit, bytes.length * gzipGrowth) + 1, 1024)
  const options = { maxOutputLength: limit, chunkSize }
  return bytes.length <= gzipAtOnceBytes ? gunzipSync(bytes, options) : gunzipped(bytes, options)
}
