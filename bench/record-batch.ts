import { crc32c } from '@node-rs/crc32'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'

/** Record batches as brokers keep them. Source of the layout: Apache Kafka, "Message format", magic 2. */

export const codecs = ['none', 'lz4', 'snappy'] as const

export type Codec = (typeof codecs)[number]

const codecNumber: Readonly<Record<Codec, number>> = { none: 0, snappy: 2, lz4: 3 }
const headerBytes = 61
const magic = 2
/** The checksum covers what comes after it. */
const checkedFrom = 21

/** One batch, made of values with the time when each arrived. */
export function recordBatch(one: {
  readonly values: readonly Uint8Array[]
  readonly timesMs: readonly number[]
  readonly base: number
  readonly codec: Codec
}): Buffer {
  const { values, timesMs, base, codec } = one
  const firstMs = timesMs[0] ?? 0
  const records = recordsOf(values, (i) => (timesMs[i] ?? firstMs) - firstMs)
  const batch = Buffer.concat([Buffer.alloc(headerBytes), compressed(records, codec)])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt8(magic, 16)
  batch.writeInt16BE(codecNumber[codec], checkedFrom)
  batch.writeInt32BE(values.length - 1, 23)
  // No producer id, epoch and sequence: not idempotent, not in a transaction.
  batch.writeBigInt64BE(-1n, 43)
  batch.writeInt16BE(-1, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(values.length, 57)
  seal(batch, { base, firstMs, lastMs: Math.max(firstMs, ...timesMs) })
  return batch
}

/** Writes what may change without the records changing, and the checksum. */
export function seal(
  batch: Buffer,
  { base, firstMs, lastMs }: { base: number; firstMs: number; lastMs: number },
): void {
  batch.writeBigInt64BE(BigInt(base), 0)
  batch.writeBigInt64BE(BigInt(firstMs), 27)
  batch.writeBigInt64BE(BigInt(lastMs), 35)
  batch.writeUInt32BE(crc32c(batch.subarray(checkedFrom)), 17)
}

function compressed(records: Buffer, codec: Codec): Buffer {
  if (codec === 'lz4') return compressFrameSync(records)
  return codec === 'snappy' ? compressSync(records) : records
}

/** A record has a byte of attributes, five varints and its value. */
const longestHead = 2 + 5 * 5

function recordsOf(values: readonly Uint8Array[], arrival: (i: number) => number): Buffer {
  const room = values.reduce((sum, { length }) => sum + longestHead + length, 0)
  const bytes = Buffer.allocUnsafe(room)
  let end = 0
  for (const [i, value] of values.entries()) {
    const sinceFirst = arrival(i)
    // No key, which is the length -1, and no headers, which is a last byte of 0.
    const length = 1 + varintBytes(sinceFirst) + varintBytes(i) + 1 + varintBytes(value.length) + value.length + 1
    end = writeVarint(bytes, end, length)
    bytes[end++] = 0
    end = writeVarint(bytes, end, sinceFirst)
    end = writeVarint(bytes, end, i)
    end = writeVarint(bytes, end, -1)
    end = writeVarint(bytes, end, value.length)
    bytes.set(value, end)
    end += value.length
    bytes[end++] = 0
  }
  return bytes.subarray(0, end)
}

function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

/** @returns the place behind it */
function writeVarint(bytes: Buffer, at: number, value: number): number {
  let end = at
  let rest = zigzag(value)
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[end++] = (rest & 0x7f) | 0x80
  bytes[end++] = rest
  return end
}
