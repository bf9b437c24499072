import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { describe, expect, test } from 'vitest'
import { offsetAfter, readRecords, wrongChecksum } from '../../src/source/kafka-records.ts'
import { brokenFraming, unpacked } from '../../src/source/packed.ts'
import { xerial } from './codec-frames.ts'
import { batchOf, damaged, record, recordBatch, slowCrc32c, textsOf, valuesOf } from './record-batches.ts'

const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const
const logAppendTime = 8
const transactional = 0x10
const control = 0x20

/** A frame of Zstandard with one block that repeats a byte, over and over: 4 bytes for 128 KiB. */
function zstdBomb(blocks: number): Buffer {
  const block = (isLast: boolean) => Buffer.from([(isLast ? 1 : 0) | 2, 0, 0x10, 0x78])
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58])
  return Buffer.concat([head, ...Array.from({ length: blocks }, (_, i) => block(i === blocks - 1))])
}

/** A frame of Zstandard whose blocks are as they are. */
function zstdStored(bytes: Buffer, blockBytes: number): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58])]
  for (let at = 0; at === 0 || at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes)
    const header = Buffer.alloc(3)
    header.writeUIntLE(block.length * 8 + (at + blockBytes >= bytes.length ? 1 : 0), 0, 3)
    parts.push(header, block)
  }
  return Buffer.concat(parts)
}

const compressed: Readonly<Record<string, { codec: number; of: (bytes: Buffer) => Buffer }>> = {
  none: { codec: codecs.none, of: (bytes) => bytes },
  gzip: { codec: codecs.gzip, of: (bytes) => gzipSync(bytes) },
  snappy: { codec: codecs.snappy, of: (bytes) => compressSync(bytes) },
  'snappy of the Java client': { codec: codecs.snappy, of: (bytes) => xerial(bytes, 1_000) },
  lz4: { codec: codecs.lz4, of: (bytes) => compressFrameSync(bytes) },
  zstd: { codec: codecs.zstd, of: (bytes) => zstdStored(bytes, 1_000) },
}

describe('readRecords', () => {
  test('gives each value with its offset and time, from the offset on that was asked for', async () => {
    const records = Buffer.concat([record(0, Buffer.from('a')), record(3, null, 5), record(4, Buffer.from('c'))])
    const { packed, next } = await readRecords(recordBatch({ base: 10, last: 19, count: 3, records }), 12)
    expect(valuesOf(packed)).toEqual([
      { offset: 13, bytes: null, arrivedMs: 1_000_005 },
      { offset: 14, bytes: Buffer.from('c'), arrivedMs: 1_000_000 },
    ])
    expect(next).toBe(20)
  })

  test('takes the time at which the broker appended where the topic says so', async () => {
    const records = record(0, Buffer.from('a'), 7)
    const bytes = recordBatch({ base: 0, last: 0, count: 1, records, attributes: logAppendTime })
    const { packed } = await readRecords(bytes, 0)
    expect(valuesOf(packed).map(({ arrivedMs }) => arrivedMs)).toEqual([2_000_000])
  })

  test('leaves a batch that was cut off to the next fetch', async () => {
    const whole = batchOf(0, ['a'])
    const bytes = Buffer.concat([whole, whole.subarray(0, whole.length - 1)])
    const { packed, next } = await readRecords(bytes, 0)
    expect([packed.length, next]).toEqual([1, 1])
    expect(offsetAfter(bytes, 0)).toBe(1)
  })

  test.each(Object.entries(compressed))(
    'gives what was put into batches, compressed with %s',
    async (_, { codec, of }) => {
      const value = fc.option(fc.uint8Array({ maxLength: 40 }))
      const one = fc.record({
        values: fc.array(value, { maxLength: 30 }),
        gap: fc.nat(3),
        key: fc.uint8Array({ maxLength: 9 }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(one, { maxLength: 5 }), fc.nat(60), async (batches, from) => {
          const parts: Buffer[] = []
          const expected: unknown[] = []
          let at = 0
          for (const { values, gap, key } of batches) {
            const records = values.map((bytes, i) =>
              record(i * (gap + 1), bytes === null ? null : Buffer.from(bytes), i, Buffer.from(key)),
            )
            const last = at + values.length * (gap + 1)
            parts.push(
              recordBatch({
                base: at,
                last,
                count: values.length,
                records: of(Buffer.concat(records)),
                attributes: codec,
              }),
            )
            for (const [i, bytes] of values.entries()) {
              const offset = at + i * (gap + 1)
              if (offset >= from)
                expected.push({ offset, bytes: bytes && Buffer.from(bytes), arrivedMs: 1_000_000 + i })
            }
            at = last + 1
          }
          const bytes = Buffer.concat(parts)
          const { packed, next, unreadable, doubted } = await readRecords(bytes, from)
          const found = valuesOf(packed).map((one) => ({ ...one, bytes: one.bytes && Buffer.from(one.bytes) }))
          expect(found).toEqual(expected)
          expect([next, unreadable, doubted]).toEqual([Math.max(from, at), [], null])
          expect(offsetAfter(bytes, from)).toBe(next)
        }),
        { numRuns: 25 },
      )
    },
  )

  test('reads what is too large to be decompressed in one go, whatever the codec', async () => {
    const value = Buffer.alloc(3 * 1024 * 1024, 'many words, ')
    for (const { codec, of } of Object.values(compressed)) {
      const records = of(Buffer.concat([record(0, value), record(1, Buffer.from('after it'))]))
      const { packed, unreadable } = await readRecords(
        recordBatch({ base: 0, last: 1, count: 2, records, attributes: codec }),
        0,
      )
      expect(unreadable).toEqual([])
      const [first, second] = valuesOf(packed)
      expect(value.equals(Buffer.from(first?.bytes ?? []))).toBe(true)
      expect(Buffer.from(second?.bytes ?? []).toString()).toBe('after it')
    }
  })
})

describe('readRecords and bombs', () => {
  test('passes over a batch that would fill the memory, and names codec and range', async () => {
    const limit = 1024 * 1024
    const bomb = gzipSync(Buffer.alloc(2 * limit))
    const bytes = Buffer.concat([
      recordBatch({ base: 5, last: 7, count: 3, records: bomb, attributes: codecs.gzip }),
      batchOf(8, ['a']),
    ])
    const read = await readRecords(bytes, 6, { limit })
    expect(read.unreadable).toEqual([
      { lo: 6, hi: 7, bytes: 61 + bomb.length, reason: 'compressed with gzip and larger than 1 MiB when decompressed' },
    ])
    expect([textsOf(read.packed), read.next]).toEqual([[[8, 'a']], 9])
  })

  test.each([
    ['zstd', codecs.zstd, zstdBomb(100)],
    ['snappy', codecs.snappy, Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04]), Buffer.alloc(100)])],
    [
      'lz4',
      codecs.lz4,
      Buffer.concat([
        Buffer.from([4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 0, 0, 1, 0]),
        Buffer.alloc(65_536),
        Buffer.alloc(4),
      ]),
    ],
  ])('knows a bomb in %s before it decompresses any of it', async (name, attributes, records) => {
    const before = process.memoryUsage().arrayBuffers
    const bytes = recordBatch({ base: 0, last: 9, count: 10, records, attributes })
    const { unreadable, next } = await readRecords(bytes, 0, { limit: 1024 * 1024 })
    expect(unreadable.map(({ reason }) => reason)).toEqual([
      `compressed with ${name} and larger than 1 MiB when decompressed`,
    ])
    expect(next).toBe(10)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
  })

  test('leaves what follows after some large batches to the next fetch', async () => {
    const records = gzipSync(Buffer.alloc(30 * 1024 * 1024))
    const parts = Array.from({ length: 10 }, (_, base) =>
      recordBatch({ base, last: base, count: 1, records, attributes: codecs.gzip }),
    )
    const { packed, next } = await readRecords(Buffer.concat(parts), 0)
    // The third goes beyond what is enough.
    expect([packed.length, next]).toEqual([3, 3])
    expect(offsetAfter(Buffer.concat(parts), 0)).toBe(10)
  })
})

describe('a batch with a wrong checksum', () => {
  const bytes = Buffer.concat([batchOf(0, ['a']), damaged(batchOf(1, ['b', 'c'])), batchOf(5, ['d'])])

  test('is asked for once more before anything behind it is read', async () => {
    const { packed, next, unreadable, doubted } = await readRecords(bytes, 0)
    expect([textsOf(packed), next, unreadable, doubted]).toEqual([[[0, 'a']], 1, [], 1])
  })

  test('is read where it comes whole the second time', async () => {
    const again = Buffer.concat([batchOf(1, ['b', 'c']), batchOf(5, ['d'])])
    const { packed, next, unreadable, doubted } = await readRecords(again, 1, { doubted: 1 })
    expect(textsOf(packed)).toEqual([
      [1, 'b'],
      [2, 'c'],
      [5, 'd'],
    ])
    expect([next, unreadable, doubted]).toEqual([6, [], null])
  })

  test('is passed over up to the next batch where it is wrong again, and that one is left to the next fetch', async () => {
    const length = damaged(batchOf(1, ['b', 'c'])).length
    const { packed, next, unreadable, doubted } = await readRecords(bytes, 0, { doubted: 1 })
    expect(textsOf(packed)).toEqual([[0, 'a']])
    expect(unreadable).toEqual([{ lo: 1, hi: 4, bytes: length, reason: wrongChecksum }])
    expect([next, doubted]).toEqual([5, null])
  })

  test('counts for as many offsets as it says only if nothing contradicts it', async () => {
    const alone = damaged(batchOf(1, ['b', 'c']))
    expect((await readRecords(alone, 1, { doubted: 1 })).next).toBe(3)
    // It claims a million offsets and two records.
    alone.writeInt32BE(999_999, 23)
    expect((await readRecords(alone, 1, { doubted: 1 })).next).toBe(2)
    expect((await readRecords(alone, 2, { doubted: 1 })).next).toBe(3)
  })

  test('is found by any single bit that is another, but for offset, length and the leader of the header', async () => {
    const whole = batchOf(0, ['some value', null])
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 17 * 8, max: whole.length * 8 - 1 }), async (bit) => {
        const other = Buffer.from(whole)
        other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        const { packed, next, doubted } = await readRecords(other, 0)
        expect([packed, next, doubted]).toEqual([[], 0, 0])
      }),
    )
  })
})

describe('transactions', () => {
  const marker = (base: number, isCommit: boolean, producerId: bigint) =>
    recordBatch({
      ...{ base, last: base, count: 1, producerId, attributes: control | transactional },
      records: record(0, Buffer.alloc(6), 0, Buffer.from([0, 0, 0, isCommit ? 1 : 0])),
    })
  const data = (base: number, text: string, producerId: bigint) =>
    recordBatch({
      ...{ base, last: base, count: 1, producerId, attributes: transactional },
      records: record(0, Buffer.from(text)),
    })

  test('that were given up are left out, with all markers', async () => {
    const bytes = Buffer.concat([
      ...[data(0, 'given up', 7n), data(1, 'kept', 8n), marker(2, false, 7n)],
      ...[data(3, 'kept too', 7n), marker(4, true, 8n), marker(5, true, 7n)],
    ])
    const { packed, next } = await readRecords(bytes, 0, { aborted: [{ producerId: 7n, first: 0 }] })
    expect(textsOf(packed)).toEqual([
      [1, 'kept'],
      [3, 'kept too'],
    ])
    expect(next).toBe(6)
  })

  test('do not take others of their producer with them when their end cannot be read', async () => {
    const bytes = Buffer.concat([data(0, 'given up', 7n), damaged(marker(1, false, 7n)), data(2, 'kept', 7n)])
    const aborted = [{ producerId: 7n, first: 0 }]
    const { packed, next } = await readRecords(bytes, 0, { aborted, doubted: 1 })
    expect([packed, next]).toEqual([[], 2])
    const rest = await readRecords(data(2, 'kept', 7n), 2)
    expect(textsOf(rest.packed)).toEqual([[2, 'kept']])
  })
})

describe('readRecords and what nobody can read', () => {
  test('names a codec that nobody knows', async () => {
    const records = Buffer.alloc(9)
    const { unreadable } = await readRecords(recordBatch({ base: 0, last: 0, count: 1, records, attributes: 7 }), 0)
    expect(unreadable[0]?.reason).toBe('compressed with codec 7, which is not known')
  })

  test('ends with a message for records from before Kafka 0.11', async () => {
    const old = Buffer.alloc(100)
    old.writeInt32BE(60, 8)
    old.writeInt8(1, 16)
    await expect(readRecords(old, 0)).rejects.toMatchObject({ code: 'kafka-refused' })
  })

  test('does not read on and on where a length is damaged', async () => {
    const bytes = batchOf(0, ['a'])
    bytes.writeInt32BE(-12, 8)
    await expect(readRecords(bytes, 0)).rejects.toMatchObject({ code: 'kafka-unreachable', retryable: true })
  })

  test('gets past any rubbish inside a batch, and never reads beyond its offsets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(7),
        fc.nat(2 ** 31 - 1),
        async (rubbish, attributes, count) => {
          const bytes = recordBatch({ base: 100, last: 109, count, records: Buffer.from(rubbish), attributes })
          const { packed, unreadable, next } = await readRecords(bytes, 100)
          expect(next).toBe(110)
          expect(packed.length === 0 || unreadable.length === 0).toBe(true)
          for (const one of packed) {
            const values = unpacked(one)
            if ('reason' in values) expect(values).toMatchObject({ lo: 100, hi: 109, reason: brokenFraming })
            else for (const { offset } of values) expect(offset).toBeGreaterThanOrEqual(100)
          }
        },
      ),
    )
  })
})

test('the checksum of the tests is the one of the standard', () => {
  // RFC 3720, appendix B.4: 32 bytes of zeros.
  expect(slowCrc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
})

test('takes what comes of the real Zstandard, which refers far back, in pieces', async () => {
  // 100,000 lines as below, compressed with level 19 from a pipe, so that the size is not told.
  const frame = Buffer.from(
    'KLUv/QRoLAMAksMKD8DrdMlE67/j3sQkKl10N+7du3fv3n0L+XBrAZp7Q7XunGJgj4aXTkJHFhig4DR4/zeQmwrDAQ/48WcX/EMZt3/IqP9Tc/uP' +
      'Crr9k0G9HzRGnaGMMypzBiMTBuaSEIsAR1JUAAAAAQD9/4P7uQYCRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJE' +
      'AAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/' +
      'OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJEAAAA' +
      'AQD9/zkAAj0AAAABAB3ADoBiFDdL',
    'base64',
  )
  const lines = Array.from(
    { length: 100_000 },
    (_, i) => `{"tenant":"t${i % 7}","status":${i % 10 === 0 ? 402 : 200}}\n`,
  )
  // As the records of a batch they make no sense; only that they come out matters here.
  const { packed, unreadable } = await readRecords(
    recordBatch({ base: 0, last: 0, count: 1, records: frame, attributes: codecs.zstd }),
    0,
  )
  expect(unreadable).toEqual([])
  expect(Buffer.from(packed[0]?.bytes ?? []).equals(Buffer.from(lines.join('')))).toBe(true)
})
