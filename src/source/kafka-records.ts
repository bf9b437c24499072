import { Fault } from '../fault/fault.ts'
import { decompressed } from './kafka-codecs.ts'
import type { RawValue, Unreadable } from './source.ts'

/** What a fetch brought of one partition, read as far as whole batches reach. */
export interface Records {
  readonly values: readonly RawValue[]
  /** Where to go on: past markers, aborted records and offsets that compaction took. */
  readonly next: number
  /** Batches that could not be read and were passed over. */
  readonly unreadable: readonly Unreadable[]
}

/** Producers whose transactions were given up, from which offset on. */
export type Aborted = readonly { readonly producerId: bigint; readonly first: number }[]

/** A batch may grow to this when it is decompressed; brokers take batches of 1 MiB unless told otherwise. */
export const largestBatchBytes = 128 * 1024 * 1024

/** Bytes of a batch before its records, with the base offset and length that come first. */
const headerBytes = 61
const lengthEndsAt = 12
const currentMagic = 2

/**
 * Reads the record batches of a fetch. Aborted records and control records are left out, as for a Kafka consumer that
 * reads committed records only.
 *
 * Source of the layout: Apache Kafka, "Message format", record batch, magic 2.
 *
 * @param from the offset that was asked for; a batch may begin before it
 */
export async function readRecords(
  bytes: Buffer,
  from: number,
  aborted: Aborted = [],
  limit = largestBatchBytes,
): Promise<Records> {
  const values: RawValue[] = []
  const unreadable: Unreadable[] = []
  const filter = new AbortFilter(aborted)
  let next = from
  for (let at = 0; at + headerBytes <= bytes.length; ) {
    const end = at + lengthEndsAt + bytes.readInt32BE(at + 8)
    // The last batch may be cut off; it comes whole with the next fetch.
    if (end > bytes.length) break
    const magic = bytes.readInt8(at + 16)
    if (magic !== currentMagic) {
      const message = `records of format ${magic}, from before Kafka 0.11, cannot be read; have the brokers convert them`
      throw new Fault('kafka-refused', message, { retryable: false })
    }
    const batch = headerOf(bytes, at)
    if (batch.last >= from && filter.keeps(batch, bytes, at)) {
      const content = await decompressed(batch.attributes & 7, bytes.subarray(at + headerBytes, end), limit)
      const read = 'bytes' in content ? readBatch(content.bytes, batch, from) : content.failure
      if (typeof read !== 'string') for (const value of read) values.push(value)
      else unreadable.push({ lo: Math.max(from, batch.base), hi: batch.last, bytes: end - at, reason: read })
    }
    next = Math.max(next, batch.last + 1)
    at = end
  }
  return { values, next, unreadable }
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
  const cursor = new Cursor(bytes, at)
  cursor.varint()
  cursor.at++
  cursor.varint()
  cursor.varint()
  return cursor.varint() >= 4 && bytes.readInt16BE(cursor.at + 2) === 0
}

/** The records from an offset on, or why there are none. */
function readBatch(bytes: Buffer, batch: BatchHeader, from: number): RawValue[] | string {
  const isAppendTime = (batch.attributes & logAppendTime) !== 0
  const cursor = new Cursor(bytes, 0)
  const values: RawValue[] = []
  for (let i = 0; i < batch.count; i++) {
    const length = cursor.varint()
    const end = cursor.at + length
    if (length <= 0 || end > bytes.length) return 'a batch whose records do not fit into it'
    cursor.at++
    const stampDelta = cursor.varint()
    const offset = batch.base + cursor.varint()
    const keyBytes = cursor.varint()
    if (keyBytes > 0) cursor.at += keyBytes
    const valueBytes = cursor.varint()
    const stamp = isAppendTime ? batch.maxMs : batch.firstMs + stampDelta
    if (offset >= from) {
      values.push({
        offset,
        bytes: valueBytes < 0 ? null : bytes.subarray(cursor.at, cursor.at + valueBytes),
        arrivedMs: stamp > 0 ? stamp : null,
      })
    }
    cursor.at = end
  }
  return values
}

/** Reads zigzag varints; those of 64 bits too, as long as they are safe integers. */
class Cursor {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  varint(): number {
    let value = 0
    for (let weight = 1; ; weight *= 128) {
      const byte = this.#bytes[this.at++] ?? 0
      value += (byte & 0x7f) * weight
      if (byte < 0x80) break
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}
