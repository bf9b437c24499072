import { describe, expect, test } from 'vitest'
import type { Trends } from '../../../../src/history/query.ts'
import { linesOf, valuesOf } from '../../../../src/http/page/chart/lines.ts'
import { trendRows } from '../../../../src/http/page/trends/trend-rows.ts'

const start = Date.UTC(2026, 4, 8, 12)
const week = 7 * 86_400_000

/** Three minutes of each series, `[requests, refused]` a minute. */
function trends(key: string, series: Record<string, readonly (readonly [number, number])[]>, shiftMs = 0): Trends {
  const iso = (minutes: number) => new Date(start + shiftMs + minutes * 60_000).toISOString()
  return {
    ...{ from: iso(0), to: iso(3), step_ms: 60_000 },
    series: Object.entries(series).map(([value, points]) => ({
      labels: { [key]: value },
      points: points.map(([requests, payment_required], i) => {
        return { time: iso(i), requests, payment_required, ratio: requests > 0 ? payment_required / requests : null }
      }),
    })),
  }
}

describe('lines', () => {
  test('stand in the order of their refusals, with gaps where there are no data', () => {
    const { lines, times } = linesOf(
      trends('tenant', {
        a: [[10, 1]],
        b: [
          [20, 2],
          [20, 3],
        ],
      }),
      'tenant',
      null,
    )
    expect(times).toHaveLength(3)
    expect(lines.map(({ id, totalRefused, totalRequests }) => [id, totalRefused, totalRequests])).toEqual([
      ['b', 5, 40],
      ['a', 1, 10],
    ])
    expect(lines[1]?.refused).toEqual([1, null, null])
    expect(valuesOf(lines[0] ?? { refused: [], requests: [] }, 'share')).toEqual([0.1, 0.15, null])
  })

  test('beyond eight are one line of others that adds up', () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`t${i}`, [[100, 20 - i] as const]]))
    const { lines, folded } = linesOf(trends('tenant', many), 'tenant', null)
    expect(folded).toBe(3)
    expect(lines).toHaveLength(9)
    expect(lines.at(-1)).toMatchObject({ name: '3 others', totalRefused: 12 + 11 + 10, totalRequests: 300 })
  })

  test('by cause count the requests of a step once, and leave out the row without a cause', () => {
    const { lines } = linesOf(trends('cause', { '': [[100, 0]], quota_exceeded: [[100, 7]] }), 'cause', null)
    expect(lines.map(({ name, totalRequests }) => [name, totalRequests])).toEqual([['quota exceeded', 100]])
  })

  test('have the week before beside them, also where there was nothing', () => {
    const before = trends(
      'tenant',
      {
        a: [
          [10, 4],
          [10, 5],
        ],
      },
      -week,
    )
    const { lines } = linesOf(trends('tenant', { a: [[10, 1]], b: [[5, 5]] }), 'tenant', before)
    expect(lines.find(({ id }) => id === 'a')?.before).toMatchObject({ refused: [4, 5, null], totalRefused: 9 })
    expect(lines.find(({ id }) => id === 'b')?.before).toMatchObject({ totalRefused: 0 })
  })
})

describe('the export', () => {
  test('has a row for each point, and the week before beside it', () => {
    const now = trends('api', {
      chat: [
        [10, 1],
        [12, 0],
      ],
    })
    expect(trendRows(now, 'api', null)).toEqual([
      ['time', 'api', 'requests', 'payment_required', 'ratio'],
      ['2026-05-08T12:00:00.000Z', 'chat', 10, 1, 0.1],
      ['2026-05-08T12:01:00.000Z', 'chat', 12, 0, 0],
    ])
    const rows = trendRows(now, 'api', trends('api', { chat: [[8, 2]] }, -week))
    expect(rows.map((row) => row.slice(5))).toEqual([
      ['requests_week_before', 'payment_required_week_before'],
      [8, 2],
      [null, null],
    ])
  })
})
