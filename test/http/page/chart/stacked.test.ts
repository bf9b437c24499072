import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Cause, causes } from '../../../../src/classify/cause.ts'
import type { Trends } from '../../../../src/history/query.ts'
import { otherCauses } from '../../../../src/http/page/causes.ts'
import { shiftedTotals, stackOf, topsOf } from '../../../../src/http/page/chart/stacked.ts'

const start = Date.UTC(2026, 4, 1, 12)

function trends(byCause: Partial<Record<Cause | '', readonly number[]>>, requests = 100): Trends {
  const series = Object.entries(byCause).map(([cause, counts]) => ({
    labels: { cause },
    points: counts.map((payment_required, i) => {
      const time = new Date(start + i * 60_000).toISOString()
      return { time, requests, payment_required, ratio: payment_required / requests }
    }),
  }))
  const iso = (minutes: number) => new Date(start + minutes * 60_000).toISOString()
  return { from: iso(0), to: iso(3), step_ms: 60_000, series }
}

test('lays an earlier span over the columns of this one, gaps as gaps', () => {
  const now = trends({ quota_exceeded: [1, 2, 3] })
  const shift = 7 * 86_400_000
  const back = (time: string, ms: number) => new Date(Date.parse(time) - shift + ms).toISOString()
  const earlier: Trends = {
    ...now,
    // Asked a moment later, as ranges that end now are.
    ...{ from: back(now.from, 700), to: back(now.to, 700) },
    series: now.series.map(({ labels, points }) => ({
      labels,
      points: points.slice(0, 2).map((point) => ({ ...point, time: back(point.time, 0), payment_required: 9 })),
    })),
  }
  expect(shiftedTotals(stackOf(now), now, earlier)).toEqual([9, 9, null])
})

describe('a stack of columns', () => {
  test('counts requests once, however many causes there are', () => {
    const stack = stackOf(trends({ quota_exceeded: [1, 2, 3], payment_failed: [4, 0, 6] }))
    expect(stack.requests).toEqual([100, 100, 100])
    expect(stack.refused).toEqual([5, 2, 9])
    expect(stack.totalRefused).toBe(16)
  })

  test('leaves a gap where there is no data', () => {
    const stack = stackOf(trends({ quota_exceeded: [1] }))
    expect(stack.times).toHaveLength(3)
    expect(stack.requests).toEqual([100, null, null])
    expect(topsOf(stack)[0]?.tops).toEqual([1, null, null])
  })

  test('keeps the eight largest causes and adds up the others', () => {
    const all = Object.fromEntries(causes.map((cause, i) => [cause, [i + 1]]))
    const stack = stackOf(trends(all))
    expect(stack.layers).toHaveLength(9)
    expect(stack.layers.at(-1)).toMatchObject({ cause: otherCauses, total: 1 + 2 + 3 + 4 })
  })

  test('is empty without refusals, but knows the requests', () => {
    const stack = stackOf(trends({ '': [0, 0, 0] }))
    expect(stack.layers).toEqual([])
    expect(stack.requests).toEqual([100, 100, 100])
  })

  const counts = fc.array(fc.nat(50), { minLength: 3, maxLength: 3 })
  test('has tops that fall from layer to layer and end at the sum', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...causes), counts), (byCause) => {
        const stack = stackOf(trends(byCause))
        for (const [i, refused] of stack.refused.entries()) {
          const tops = topsOf(stack).flatMap(({ tops }) => tops[i] ?? [])
          expect(tops).toEqual([...tops].sort((a, b) => b - a))
          expect(tops[0] ?? 0).toBe(refused)
        }
      }),
    )
  })
})
