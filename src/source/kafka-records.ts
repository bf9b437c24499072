import { crc32c } from '@node-rs/crc32'
import { Fault } from '../fault/fault.ts'
import { Unpacker } from './kafka-codecs.ts'
import type { Packed, RecordFraming, Unreadable } from './source.ts'
import { Varints } from './varints.ts'

/** What a fetch brought of one partition, read as far as whole batches reach. */
export interface Records {
  /** One for each record batch that has values, in the order of their offsets. */
  readonly packed: readonly Packed[]
  /** Where to go on: past markers, aborted records and offsets that compaction took. */
  readonly next: number
  /** Batches that could not be read and were passed over. */
  readonly unreadable: readonly Unreadable[]
  /** Offset of a batch with a wrong checksum, before which reading ended: ask for it once more. Null where all is well. */
  readonly doubted: number | null
}

/** Producers whose transactions were given up, from which offset on. */
export type Aborted = readonly { readonly producerId: bigint; readonly first: number }[]

/** A batch may grow to this when it is decompressed; brokers take batches of 1 MiB unless told otherwise. */
export const largestBatchBytes = 128 * 1024 * 1024
/** Once so much has come out of one answer the rest of it is left to the next. */
export const enoughBytes = 64 * 1024 * 1024

/** What is told of a batch whose checksum is wrong, however often it is asked for. */
export const wrongChecksum = 'a batch whose checksum is wrong'

/** Bytes of a batch before its records, with the base offset and length that come first. */
const headerBytes = 61
const lengthEndsAt = 12
const crcAt = 17
const crcEndsAt = 21
const currentMagic = 2
const codecMask = 7

/** The records of one batch as they came. */
export interface StoredRecords {
  readonly codec: number
  readonly bytes: Buffer
  readonly framing: RecordFraming
  /** What the batch takes in the input. */
  readonly batchBytes: number
}

/**
 * The record batches of a fetch. Aborted records and control records are left out, as for a Kafka consumer that reads
 * committed records only.
 *
 * A wrong checksum may come from the way here or from the broker's disk. So reading ends before such a batch, and only
 * one that is wrong again, after another fetch, is passed over.
 *
 * Source of the layout: Apache Kafka, "Message format", record batch, magic 2.
 */
export class FetchedRecords {
  readonly from: number
  readonly #bytes: Buffer
  readonly #aborted: Aborted
  readonly #doubtedBefore: number | null
  #next: number
  #doubted: number | null = null

  /**
   * @param from the offset that was asked for; a batch may begin before it
   * @param options the transactions that were given up, and what the last fetch of these records said of itself
   */
  constructor(bytes: Buffer, from: number, options: { aborted?: Aborted; doubted?: number | null } = {}) {
    this.#bytes = bytes
    this.from = from
    this.#aborted = options.aborted ?? []
    this.#doubtedBefore = options.doubted ?? null
    this.#next = from
  }

  /** Where to go on behind what was given so far: past markers, aborted records and offsets that compaction took. */
  get next(): number {
    return this.#next
  }

  /** Offset of a batch with a wrong checksum, before which reading ended: ask for it once more. Null where all is well. */
  get doubted(): number | null {
    return this.#doubted
  }

  /** What there is, in the order of the offsets. To be walked once. */
  *batches(): Generator<StoredRecords | Unreadable> {
    const bytes = this.#bytes
    const filter = new AbortFilter(this.#aborted)
    for (let at = 0, end = batchEnd(bytes, at); end !== null; at = end, end = batchEnd(bytes, at)) {
      const batch = headerOf(bytes, at)
      const batchBytes = end - at
      if (crc32c(bytes.subarray(at + crcEndsAt, end)) !== bytes.readUInt32BE(at + crcAt)) {
        if (batch.base !== this.#doubtedBefore) {
          this.#doubted = batch.base
          return
        }
        const lo = Math.max(this.from, batch.base)
        const hi = lastOfBroken(bytes, batch, lo, end)
        this.#next = hi + 1
        yield { lo, hi, bytes: batchBytes, reason: wrongChecksum }
        // It may have ended a transaction. What the broker says of those with the next fetch does not depend on it.
        return
      }
      this.#next = Math.max(this.#next, batch.last + 1)
      if (batch.last < this.from || !filter.keeps(batch, bytes, at) || batch.count <= 0) continue
      const stored = { codec: batch.attributes & codecMask, bytes: bytes.subarray(at + headerBytes, end) }
      yield { ...stored, framing: framingOf(batch, this.from), batchBytes }
    }
  }
}

/**
 * All that can be read of a fetch, in memory of its own.
 *
 * @param options as for `FetchedRecords`; `limit` is the size of the largest batch
 */
export async function readRecords(
  bytes: Buffer,
  from: number,
  options: { aborted?: Aborted; limit?: number; doubted?: number | null } = {},
): Promise<Records> {
  const fetched = new FetchedRecords(bytes, from, options)
  const unpacker = new Unpacker()
  const packed: Packed[] = []
  const unreadable: Unreadable[] = []
  let grown = 0
  for (const one of fetched.batches()) {
    const part = await unpackedFrom(one, unpacker, options.limit)
    if ('reason' in part) unreadable.push(part)
    else {
      packed.push({ ...part, bytes: Buffer.from(part.bytes) })
      grown += part.bytes.length
    }
    unpacker.release()
    if (grown >= enoughBytes) break
  }
  return { packed, next: fetched.next, unreadable, doubted: fetched.doubted }
}

/** The records of a batch, good until the unpacker releases them, or why they cannot be had. */
export async function unpackedFrom(
  one: StoredRecords | Unreadable,
  unpacker: Unpacker,
  limit = largestBatchBytes,
): Promise<Packed | Unreadable> {
  if ('reason' in one) return one
  const { codec, bytes, framing, batchBytes } = one
  const content = await unpacker.unpack(codec, bytes, limit)
  if ('bytes' in content) return { bytes: content.bytes, framing }
  const { base, last, from } = framing
  return { lo: Math.max(from, base), hi: last, bytes: batchBytes, reason: content.failure }
}

/** Where to go on after a fetch, should all of it be as its headers say. */
export function offsetAfter(bytes: Buffer, from: number): number {
  let next = from
  for (let at = 0, end = batchEnd(bytes, at); end !== null; at = end, end = batchEnd(bytes, at)) {
    next = Math.max(next, headerOf(bytes, at).last + 1)
  }
  return next
}

/** Where the batch ends, or null when it was cut off: it comes whole with the next fetch. */
function batchEnd(bytes: Buffer, at: number): number | null {
  if (at + headerBytes > bytes.length) return null
  const length = bytes.readInt32BE(at + lengthEndsAt - 4)
  const magic = bytes.readInt8(at + 16)
  if (magic !== currentMagic) {
    const message = `records of format ${magic}, from before Kafka 0.11, cannot be read; have the brokers convert them`
    throw new Fault('kafka-refused', message, { retryable: false })
  }
  if (length < headerBytes - lengthEndsAt) {
    throw new Fault('kafka-unreachable', 'the records of an answer are damaged', { retryable: true })
  }
  const end = at + lengthEndsAt + length
  return end > bytes.length ? null : end
}

interface BatchHeader {
  readonly base: number
  readonly last: number
  readonly attributes: number
  readonly firstMs: number
  readonly maxMs: number
  readonly producerId: bigint
  readonly count: number
}

function headerOf(bytes: Buffer, at: number): BatchHeader {
  const base = Number(bytes.readBigInt64BE(at))
  return {
    base,
    attributes: bytes.readInt16BE(at + 21),
    last: base + bytes.readInt32BE(at + 23),
    firstMs: Number(bytes.readBigInt64BE(at + 27)),
    maxMs: Number(bytes.readBigInt64BE(at + 35)),
    producerId: bytes.readBigInt64BE(at + 43),
    count: bytes.readInt32BE(at + 57),
  }
}

function framingOf({ base, last, count, attributes, firstMs, maxMs }: BatchHeader, from: number): RecordFraming {
  const appendedMs = (attributes & logAppendTime) === 0 ? null : maxMs
  return { kind: 'records', base, last, count, firstMs, appendedMs, from }
}

/**
 * The last offset of a batch that is not what was written, so that its own word for it counts for little. The offset of
 * the batch behind it is told outside of what is damaged; without one, the number of records must agree, or one offset
 * alone is passed over.
 */
function lastOfBroken(bytes: Buffer, { base, last, count }: BatchHeader, lo: number, end: number): number {
  const following = end + 8 <= bytes.length ? Number(bytes.readBigInt64BE(end)) - 1 : null
  return Math.max(lo, following ?? (last - base + 1 === count ? last : lo))
}

const logAppendTime = 0x08
const transactional = 0x10
const control = 0x20

/** Knows which batches belong to a transaction that was given up. */
class AbortFilter {
  readonly #waiting: { readonly producerId: bigint; readonly first: number }[]
  readonly #open = new Set<bigint>()

  constructor(aborted: Aborted) {
    this.#waiting = [...aborted].sort((a, b) => a.first - b.first)
  }

  keeps(batch: BatchHeader, bytes: Buffer, at: number): boolean {
    while (this.#waiting[0] !== undefined && this.#waiting[0].first <= batch.last) {
      const { producerId } = this.#waiting.shift() ?? { producerId: -1n }
      this.#open.add(producerId)
    }
    if ((batch.attributes & control) !== 0) {
      if (isAbortMarker(bytes, at + headerBytes)) this.#open.delete(batch.producerId)
      return false
    }
    return (batch.attributes & transactional) === 0 || !this.#open.has(batch.producerId)
  }
}

/** A control record's key is a version and a type, and type 0 ends a transaction that was given up. */
function isAbortMarker(bytes: Buffer, at: number): boolean {
  const varints = new Varints(bytes, at)
  varints.next()
  varints.at++
  varints.next()
  varints.next()
  return varints.next() >= 4 && bytes.readInt16BE(varints.at + 2) === 0
}
