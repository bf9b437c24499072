import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRecords } from '../../src/source/kafka-records.ts'

/** A zigzag varint, as records write their numbers. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

function record(offsetDelta: number, value: Buffer | null, stampDelta = 0): Buffer {
  const length = value === null ? varint(-1) : Buffer.concat([varint(value.length), value])
  const body = Buffer.concat([Buffer.from([0]), varint(stampDelta), varint(offsetDelta), varint(-1), length, varint(0)])
  return Buffer.concat([varint(body.length), body])
}

function batch(of: { base: number; last: number; count: number; records: Buffer; attributes?: number }): Buffer {
  const header = Buffer.alloc(61)
  header.writeBigInt64BE(BigInt(of.base), 0)
  header.writeInt32BE(49 + of.records.length, 8)
  header.writeInt8(2, 16)
  header.writeInt16BE(of.attributes ?? 0, 21)
  header.writeInt32BE(of.last - of.base, 23)
  header.writeBigInt64BE(1_000_000n, 27)
  header.writeBigInt64BE(2_000_000n, 35)
  header.writeInt32BE(of.count, 57)
  return Buffer.concat([header, of.records])
}

const gzip = 1
/** A frame of Zstandard with one block that repeats a byte, over and over: 4 bytes for 128 KiB. */
function zstdBomb(blocks: number): Buffer {
  const block = (isLast: boolean) => Buffer.from([(isLast ? 1 : 0) | 2, 0, 0x10, 0x78])
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58])
  return Buffer.concat([head, ...Array.from({ length: blocks }, (_, i) => block(i === blocks - 1))])
}

describe('readRecords', () => {
  test('gives each value with its offset and time, from the offset on that was asked for', async () => {
    const records = Buffer.concat([record(0, Buffer.from('a')), record(3, null, 5), record(4, Buffer.from('c'))])
    const { values, next } = await readRecords(batch({ base: 10, last: 19, count: 3, records }), 12)
    expect(values).toEqual([
      { offset: 13, bytes: null, arrivedMs: 1_000_005 },
      { offset: 14, bytes: Buffer.from('c'), arrivedMs: 1_000_000 },
    ])
    expect(next).toBe(20)
  })

  test('takes the time at which the broker appended where the topic says so', async () => {
    const records = record(0, Buffer.from('a'), 7)
    const { values } = await readRecords(batch({ base: 0, last: 0, count: 1, records, attributes: 8 }), 0)
    expect(values.map(({ arrivedMs }) => arrivedMs)).toEqual([2_000_000])
  })

  test('leaves a batch that was cut off to the next fetch', async () => {
    const whole = batch({ base: 0, last: 0, count: 1, records: record(0, Buffer.from('a')) })
    const { values, next } = await readRecords(Buffer.concat([whole, whole.subarray(0, whole.length - 1)]), 0)
    expect([values.length, next]).toEqual([1, 1])
  })

  test('passes over a batch that would fill the memory, and names codec and range', async () => {
    const limit = 1024 * 1024
    const bomb = gzipSync(Buffer.alloc(2 * limit))
    const good = batch({ base: 8, last: 8, count: 1, records: record(0, Buffer.from('a')) })
    const bytes = Buffer.concat([batch({ base: 5, last: 7, count: 3, records: bomb, attributes: gzip }), good])
    const read = await readRecords(bytes, 6, [], limit)
    expect(read.unreadable).toEqual([
      { lo: 6, hi: 7, bytes: 61 + bomb.length, reason: 'compressed with gzip and larger than 1 MiB when decompressed' },
    ])
    expect([read.values.map(({ offset }) => offset), read.next]).toEqual([[8], 9])
  })

  test.each([
    ['zstd', 4, zstdBomb(100)],
    ['snappy', 2, Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04]), Buffer.alloc(100)])],
    [
      'lz4',
      3,
      Buffer.concat([
        Buffer.from([4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 0, 0, 1, 0]),
        Buffer.alloc(65_536),
        Buffer.alloc(4),
      ]),
    ],
  ])('knows a bomb in %s before it decompresses any of it', async (name, attributes, records) => {
    const before = process.memoryUsage().arrayBuffers
    const bytes = batch({ base: 0, last: 9, count: 10, records, attributes })
    const { unreadable, next } = await readRecords(bytes, 0, [], 1024 * 1024)
    expect(unreadable.map(({ reason }) => reason)).toEqual([
      `compressed with ${name} and larger than 1 MiB when decompressed`,
    ])
    expect(next).toBe(10)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
  })

  test('names a codec that nobody knows', async () => {
    const { unreadable } = await readRecords(
      batch({ base: 0, last: 0, count: 1, records: Buffer.alloc(9), attributes: 7 }),
      0,
    )
    expect(unreadable[0]?.reason).toBe('compressed with codec 7, which is not known')
  })

  test('ends with a message for records from before Kafka 0.11', async () => {
    const old = Buffer.alloc(100)
    old.writeInt32BE(60, 8)
    old.writeInt8(1, 16)
    await expect(readRecords(old, 0)).rejects.toMatchObject({ code: 'kafka-refused' })
  })

  test('gets past any rubbish inside a batch, and never reads beyond its offsets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(7),
        fc.nat(2 ** 31 - 1),
        async (rubbish, attributes, count) => {
          const bytes = batch({ base: 100, last: 109, count, records: Buffer.from(rubbish), attributes })
          const { values, unreadable, next } = await readRecords(bytes, 100)
          expect(next).toBe(110)
          expect(values.length === 0 || unreadable.length === 0).toBe(true)
          for (const { offset } of values) expect(offset).toBeGreaterThanOrEqual(100)
        },
      ),
    )
  })
})
