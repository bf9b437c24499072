import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PackedRow } from '../../src/window/packed-row.ts'
import { aheadSlices, RollingCounts, windowSlices } from '../../src/window/rolling.ts'
import { emptyRow, rowFor } from '../../src/window/row.ts'

const start = 1_000_000
/** Neighbours, ids beyond the first short row, and ids of other pages. */
const ids = [0, 1, 31, 32, 255, 256, 5_000, 16_383, 16_384, 40_000] as const
const id = fc.constantFrom(...ids)
/** Counts that fit one byte, two and four; what they add up to is compared modulo 2 ** 32. */
const count = fc.oneof(fc.integer({ min: -3, max: 40 }), fc.integer({ min: 200, max: 300 }), fc.constant(70_000))
const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id, back: fc.integer({ min: -70, max: 30 }), count }) },
  { weight: 1, arbitrary: fc.record({ id, back: fc.integer({ min: 30, max: 359 }), count }) },
  { weight: 2, arbitrary: fc.record({ steps: fc.integer({ min: 1, max: 25 }) }) },
)

/** Every count kept by itself. */
class Naive {
  readonly #counts: { id: number; slice: number; count: number }[] = []

  add(one: { id: number; slice: number; count: number }): void {
    this.#counts.push(one)
  }

  sum(wanted: number, from: number, to: number): number {
    let sum = 0
    for (const { id: own, slice, count: added } of this.#counts) {
      if (own === wanted && slice >= from && slice < to) sum += added
    }
    return sum >>> 0
  }
}

describe('RollingCounts', () => {
  test('sum every window and span like a naive recount, with rows packed, opened again, widened and left', () => {
    const spans = fc.array(fc.tuple(fc.integer({ min: -400, max: 80 }), fc.integer({ min: 0, max: 400 })), {
      minLength: 3,
      maxLength: 3,
    })
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 40 }), spans, (acts, asked) => {
        const rolling = new RollingCounts(start)
        const naive = new Naive()
        for (const one of acts) {
          if ('steps' in one) for (let i = 0; i < one.steps; i++) rolling.advance()
          else {
            const slice = rolling.end - 1 - one.back
            rolling.add(one.id, slice, one.count)
            naive.add({ id: one.id, slice, count: one.count })
          }
        }
        const { end } = rolling
        for (const wanted of ids) {
          for (const [w, length] of windowSlices.entries()) {
            expect(rolling.window(w)[wanted] ?? 0).toBe(naive.sum(wanted, end - length, end))
          }
          for (const [from, length] of asked) {
            const held = [
              Math.max(end + from, rolling.oldest),
              Math.min(end + from + length, end + aheadSlices),
            ] as const
            expect(rolling.column(end + from, end + from + length)[wanted] ?? 0).toBe(naive.sum(wanted, ...held))
          }
          const slices = Array.from({ length: 61 }, (_, k) => rolling.oldest + 7 * k)
          expect(slices.map((slice) => rolling.at(wanted, slice))).toEqual(
            slices.map((slice) => naive.sum(wanted, slice, slice + 1)),
          )
        }
      }),
      { numRuns: 60 },
    )
  })

  test('hold nothing of what has left the longest window', () => {
    const rolling = new RollingCounts(start)
    for (let i = 0; i < 600; i++) {
      rolling.add(i % 7, rolling.end + 3, 300)
      rolling.advance()
    }
    for (let i = 0; i < 432; i++) rolling.advance()
    for (const w of windowSlices.keys()) expect(rolling.window(w).every((sum) => sum === 0)).toBe(true)
    for (let slice = rolling.oldest; slice < rolling.end + aheadSlices; slice++) expect(rolling.at(3, slice)).toBe(0)
  })
})

describe('PackedRow', () => {
  const row = fc
    .record({ width: fc.constantFrom(1, 2, 4), share: fc.double({ min: 0, max: 0.7, noNaN: true }), seed: fc.nat() })
    .map(({ width, share, seed }) => {
      const made = emptyRow(width, 512)
      let state = seed
      for (let at = 0; at < made.length; at++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        if (state / 2 ** 32 < share) made[at] = 1 + (state % 200)
      }
      return made
    })

  test('says what the row said, and gives it back', () => {
    fc.assert(
      fc.property(row, (open) => {
        const packed = PackedRow.of(open)
        if (packed === null) expect(open.every((one) => one === 0)).toBe(true)
        if (!(packed instanceof PackedRow)) return
        expect(packed.unpacked()).toEqual(open)
        expect(Array.from(open, (_, at) => packed.at(at))).toEqual([...open])
        const sums = new Uint32Array(600).fill(5)
        packed.addTo(sums, 10)
        expect(Array.from(sums.subarray(10, 522), (sum) => sum - 5)).toEqual([...open])
        packed.subtractFrom(sums, 10)
        expect(sums).toEqual(new Uint32Array(600).fill(5))
      }),
      { numRuns: 60 },
    )
  })

  test('packs a sparse row and leaves a full one', () => {
    expect(PackedRow.of(new Uint8Array(256))).toBeNull()
    expect(PackedRow.of(new Uint8Array(256).fill(1))).toBeInstanceOf(Uint8Array)
    expect(PackedRow.of(new Uint8Array(256).fill(1, 0, 40))).toBeInstanceOf(PackedRow)
  })
})

test.each([
  [255, Uint8Array],
  [256, Uint16Array],
  [65_535, Uint16Array],
  [65_536, Uint32Array],
  [-1, Uint32Array],
])('a row is as narrow as %d allows', (value, kind) => {
  expect(rowFor(null, 0, value)).toBeInstanceOf(kind)
  const old = new Uint8Array(256).fill(9)
  expect([...rowFor(old, 700, value)].slice(0, 257)).toEqual([...old, 0])
  expect(rowFor(old, 700, value)).toHaveLength(1024)
})
