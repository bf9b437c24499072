import { isUnreadable, unpacked } from '../../src/source/packed.ts'
import type { Packed, RawValue } from '../../src/source/source.ts'

/** A zigzag varint, as records write their numbers. */
export function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

export function record(offsetDelta: number, value: Buffer | null, stampDelta = 0, key: Buffer | null = null): Buffer {
  const sized = (bytes: Buffer | null) => (bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]))
  const head = [Buffer.from([0]), varint(stampDelta), varint(offsetDelta), sized(key), sized(value), varint(0)]
  const body = Buffer.concat(head)
  return Buffer.concat([varint(body.length), body])
}

export interface BatchParts {
  base: number
  last: number
  count: number
  /** Compressed already, where `attributes` say so. */
  records: Buffer
  attributes?: number
  producerId?: bigint
}

/** A record batch with its checksum. */
export function recordBatch(of: BatchParts): Buffer {
  const header = Buffer.alloc(61)
  header.writeBigInt64BE(BigInt(of.base), 0)
  header.writeInt32BE(49 + of.records.length, 8)
  header.writeInt8(2, 16)
  header.writeInt16BE(of.attributes ?? 0, 21)
  header.writeInt32BE(of.last - of.base, 23)
  header.writeBigInt64BE(1_000_000n, 27)
  header.writeBigInt64BE(2_000_000n, 35)
  header.writeBigInt64BE(of.producerId ?? -1n, 43)
  header.writeInt32BE(of.count, 57)
  const bytes = Buffer.concat([header, of.records])
  bytes.writeUInt32BE(slowCrc32c(bytes.subarray(21)), 17)
  return bytes
}

/** A batch of these values, one offset after another. */
export function batchOf(base: number, values: readonly (string | null)[]): Buffer {
  const records = values.map((value, i) => record(i, value === null ? null : Buffer.from(value)))
  return recordBatch({ base, last: base + values.length - 1, count: values.length, records: Buffer.concat(records) })
}

/** One of a wrong checksum: its last byte is another. */
export function damaged(batch: Buffer): Buffer {
  const bytes = Buffer.from(batch)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return bytes
}

/** All values that are packed, for a test in which all can be read. */
export function valuesOf(packed: readonly Packed[]): RawValue[] {
  return packed.flatMap((one) => {
    const values = unpacked(one)
    if (isUnreadable(values)) throw new Error(values.reason)
    return values
  })
}

/** The values of a batch by offset, as text. */
export function textsOf(packed: readonly Packed[]): [number, string | null][] {
  return valuesOf(packed).map(({ offset, bytes }) => [offset, bytes === null ? null : Buffer.from(bytes).toString()])
}

/** Source: RFC 3720, appendix B.4, the polynomial reversed. */
const crcOfByte = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78
  return crc
})

export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) crc = (crcOfByte[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
