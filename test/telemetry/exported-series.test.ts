import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExportedSeries, otherLabel } from '../../src/telemetry/exported-series.ts'
import type { SeriesTotals } from '../../src/window/view.ts'
import { series } from './inputs.ts'

const sum = (rows: readonly SeriesTotals[]) => ({
  requests: rows.reduce((total, row) => total + row.requests, 0),
  refused: rows.reduce((total, row) => total + row.paymentRequired, 0),
  caused: rows.reduce((total, row) => total + row.causes.reduce((part, { count }) => part + count, 0), 0),
})

test('gives labels to the pairs with the most refusals when there is not room for all', () => {
  const exported = new ExportedSeries(2)
  const totals = [series('a', 'x', 900), series('b', 'x', 10, 1), series('c', 'x', 20, 5), series('d', 'x', 901)]
  exported.admit(totals)
  expect(exported.withRest(totals)).toEqual([
    series('b', 'x', 10, 1),
    series('c', 'x', 20, 5),
    { tenant: otherLabel, api: otherLabel, requests: 1_801, paymentRequired: 0, causes: [] },
  ])
})

test('keeps tenants apart whose names run together with their APIs', () => {
  const exported = new ExportedSeries(1)
  exported.admit([series('a', 'b/c', 1)])
  expect(exported.has({ tenant: 'a/b', api: 'c' })).toBe(false)
})

test('puts tenants that the windows had folded into the one rest row', () => {
  const exported = new ExportedSeries(1)
  const totals = [series(otherLabel, otherLabel, 7, 7), series('a', 'x', 1, 1), series('b', 'x', 1)]
  exported.admit(totals)
  const rows = exported.withRest(totals)
  expect(rows.map(({ tenant }) => tenant)).toEqual(['a', otherLabel])
  expect(rows[1]?.requests).toBe(8)
})

test('leaves no rest row where all pairs have labels', () => {
  const exported = new ExportedSeries(1)
  exported.admit([series('a', 'x', 1)])
  expect(exported.withRest([series('a', 'x', 2)])).toEqual([series('a', 'x', 2)])
})

const growth = fc.array(
  fc.array(
    fc.record({
      tenant: fc.constantFrom('a', 'b', 'c', 'd', otherLabel),
      api: fc.constantFrom('x', 'y', otherLabel),
      requests: fc.nat(9),
      refused: fc.nat(4),
    }),
    { maxLength: 6 },
  ),
  { maxLength: 6 },
)

test('never lets a counter fall, never shows a label set twice, and keeps sums right', () => {
  fc.assert(
    fc.property(growth, fc.integer({ min: 1, max: 6 }), (steps, limit) => {
      const exported = new ExportedSeries(limit)
      const totals = new Map<string, SeriesTotals>()
      let before = new Map<string, number>()
      for (const step of steps) {
        for (const { tenant, api, requests, refused } of step) {
          const key = `${tenant} ${api}`
          const old = totals.get(key)
          const grown = [(old?.requests ?? 0) + requests, (old?.paymentRequired ?? 0) + refused] as const
          totals.set(key, series(tenant, api, ...grown))
        }
        const rows = [...totals.values()]
        exported.admit(rows)
        const shown = exported.withRest(rows)
        const now = new Map(shown.map((row) => [`${row.tenant} ${row.api}`, row.requests]))
        expect(now.size).toBe(shown.length)
        expect(shown.length).toBeLessThanOrEqual(limit + 1)
        expect(sum(shown)).toEqual(sum(rows))
        for (const [key, value] of before) expect(now.get(key)).toBeGreaterThanOrEqual(value)
        before = now
      }
    }),
  )
})
