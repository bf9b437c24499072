import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/core/engine.ts'
import { isUnreadable, unpacked } from '../../src/source/packed.ts'
import type { Packed } from '../../src/source/source.ts'
import { record, varint } from '../source/record-batches.ts'
import { engines } from './engines.ts'

interface Value {
  readonly offset: number
  readonly arrivedMs: number | null
  readonly text: string | null
}

function valuesOf(packed: Packed): readonly Value[] | null {
  const values = unpacked(packed)
  if (isUnreadable(values)) return null
  return values.map(({ offset, arrivedMs, bytes }) => ({ offset, arrivedMs, text: latin1(bytes) }))
}

function loadedBy(engine: Engine, packed: Packed): readonly Value[] | string {
  const count = engine.load(packed)
  if (typeof count === 'string') return count
  return Array.from({ length: count }, (_, i) => ({
    offset: engine.offsets[i] ?? -1,
    arrivedMs: engine.arrivals[i] === 0 ? null : (engine.arrivals[i] ?? null),
    text: latin1(engine.value(i)),
  }))
}

function latin1(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('latin1')
}

const linesAt = (text: string, offset = 7): Packed => ({
  bytes: Buffer.from(text, 'latin1'),
  framing: { kind: 'lines', offset },
})

function recordsAt(bytes: Buffer, count: number, from = 100, appendedMs: number | null = null): Packed {
  const framing = {
    kind: 'records',
    base: 100,
    last: 100 + count,
    count,
    firstMs: 1_790_000_000_000,
    appendedMs,
    from,
  } as const
  return { bytes, framing }
}

const piece = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom('', '\r', '\n', '\r\n', '\n\n', '\r\r\n', ' ', 'x'.repeat(16)),
)
const oneRecord = fc.tuple(
  ...([
    fc.nat({ max: 3 }),
    fc.option(fc.uint8Array({ maxLength: 40 })),
    fc.integer({ min: -5, max: 9_999_999 }),
    fc.option(fc.uint8Array({ maxLength: 5 })),
  ] as const),
)

describe.each(engines)('%s finds', (_, make) => {
  const engine = make()

  test.each([
    ['nothing', '', []],
    ['a line', 'a\n', [[7, 'a']]],
    [
      'lines of Windows',
      'a\r\nb\r\n',
      [
        [7, 'a'],
        [10, 'b'],
      ],
    ],
    ['no value in blank lines', '\n\r\n\na\n\n', [[11, 'a']]],
    ['a carriage return that ends no line', 'a\rb\n', [[7, 'a\rb']]],
    ['blanks, which are a value', ' \n', [[7, ' ']]],
    [
      'a last line without its end',
      'a\nbc',
      [
        [7, 'a'],
        [9, 'bc'],
      ],
    ],
    [
      'a last line of which only half the end is there',
      'a\nb\r',
      [
        [7, 'a'],
        [9, 'b'],
      ],
    ],
    [
      'ends at the borders of what is looked at together',
      `${'x'.repeat(15)}\n${'y'.repeat(16)}\n${'z'.repeat(17)}\n`,
      [
        [7, 'x'.repeat(15)],
        [23, 'y'.repeat(16)],
        [40, 'z'.repeat(17)],
      ],
    ],
  ] as const)('%s', (_name, text, expected) => {
    const found = loadedBy(engine, linesAt(text))
    expect(typeof found === 'string' ? found : found.map(({ offset, text: line }) => [offset, line])).toEqual(expected)
  })

  test('the lines that there are', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const packed = linesAt(pieces.join(''))
        expect(loadedBy(engine, packed)).toEqual(valuesOf(packed))
      }),
      { numRuns: 300 },
    )
  })

  test('the records that there are, with gaps, keys, tombstones and times', () => {
    fc.assert(
      fc.property(
        fc.array(oneRecord, { maxLength: 20 }),
        fc.nat({ max: 10 }),
        fc.option(fc.nat({ max: 2_000_000_000_000 })),
        (records, skip, appended) => {
          let delta = -1
          const bytes = records.map(([gap, value, stamp, key]) => {
            delta += 1 + gap
            return record(
              delta,
              value === null ? null : Buffer.from(value),
              stamp,
              key === null ? null : Buffer.from(key),
            )
          })
          const packed = recordsAt(Buffer.concat(bytes), records.length, 100 + skip, appended)
          expect(loadedBy(engine, packed)).toEqual(valuesOf(packed))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('what can be read in broken records, or says that they are broken', () => {
    const whole = Buffer.concat([
      record(0, Buffer.from('first')),
      record(1, null, 5, Buffer.from('key')),
      record(2, Buffer.from('third')),
    ])
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.uint8Array({ maxLength: 12 }),
        fc.nat({ max: 3 }),
        (at, put, out) => {
          const packed = recordsAt(Buffer.concat([whole.subarray(0, at), put, whole.subarray(at + out)]), 3)
          const found = loadedBy(engine, packed)
          if (typeof found === 'string') expect(found).toBe('broken')
          else expect(found).toEqual(valuesOf(packed))
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each([
    ['a record that is longer than the batch', Buffer.concat([varint(100), Buffer.alloc(20)])],
    ['a record whose length is more than 32 bits say', Buffer.concat([varint(2 ** 32 + 10), Buffer.alloc(20)])],
    ['a record without a length', Buffer.alloc(20)],
    ['fewer records than there should be', record(0, Buffer.from('x'))],
  ])('that %s is broken', (_name, bytes) => {
    expect(engine.load(recordsAt(bytes, 2))).toBe('broken')
  })

  test('that it is too much for one time', () => {
    expect(engine.load(linesAt('x\n'.repeat(131_072)))).toBe(131_072)
    expect(engine.load(linesAt('x\n'.repeat(131_073)))).toBe('too-many')
  })
})
