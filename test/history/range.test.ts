import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { RangeBuilder, type RollupRow } from '../../src/history/range.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { type Series, SeriesTable } from '../../src/window/series.ts'

const identity = { source: 'lane', lane: 0, configHash: 'h' }

function table(): SeriesTable {
  return new SeriesTable({ limit: 10_000, perTenant: 10_000, lifetime: new Lifetime(10_000) })
}

interface Counted {
  slice: number
  series: Series
  status: number | null
  cause: number
  late: boolean
}

/** The rows, the slow and plain way: slices, and series in them, in the order in which they were first seen. */
function recount(counted: readonly Counted[]): RollupRow[] {
  const rows: RollupRow[] = []
  for (const slice of new Set(counted.map((one) => one.slice))) {
    const inSlice = counted.filter((one) => one.slice === slice)
    for (const series of new Set(inSlice.map((one) => one.series))) {
      const own = inSlice.filter((one) => one.series === series)
      const withStatus = (from: number, to: number) =>
        own.filter(({ status }) => status !== null && status >= from && status < to).length
      const name = { slice, tenant: series.tenant, api: series.api }
      const [n2xx, n4xx, n5xx] = [withStatus(0, 300), withStatus(400, 500), withStatus(500, 1000)]
      const late = own.filter((one) => one.late).length
      rows.push({ ...name, cause: '', requests: own.length, paymentRequired: 0, n2xx, n4xx, n5xx, late })
      for (const [at, cause] of causes.entries()) {
        const paymentRequired = own.filter((one) => one.cause === at).length
        if (paymentRequired === 0) continue
        rows.push({ ...name, cause, requests: 0, paymentRequired, n2xx: 0, n4xx: 0, n5xx: 0, late: 0 })
      }
    }
  }
  return rows
}

const act = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      slice: fc.integer({ min: 178_000_000, max: 178_000_003 }),
      tenant: fc.integer({ min: 0, max: 150 }),
      status: fc.constantFrom(200, 304, 402, 404, 503, null),
      cause: fc.integer({ min: -6, max: causes.length - 1 }).map((cause) => Math.max(cause, -1)),
      late: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ forget: fc.integer({ min: 0, max: 150 }) }) },
)

describe('RangeBuilder', () => {
  test('has the rows of a plain recount in the same order, also when a series id goes to another series', () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 1, maxLength: 500 }), (acts) => {
        const series = table()
        const builder = new RangeBuilder(0, 0)
        const counted: Counted[] = []
        for (const one of acts) {
          if ('forget' in one) {
            const gone = series.find(`t${one.forget}`, 'x')
            if (gone !== null) series.forget(gone)
            continue
          }
          const { slice, status, cause, late } = one
          const own = series.of(`t${one.tenant}`, 'x')
          builder.count(slice * 10_000, slice, own, status, cause, late)
          counted.push({ slice, series: own, status, cause, late })
        }
        builder.next = 1
        const rows = recount(counted)
        expect(builder.size).toBe(rows.filter(({ cause }) => cause === '').length)
        const range = builder.seal(identity)
        expect(range.rollups).toEqual(rows)
        expect(range).toMatchObject({
          requests: counted.length,
          paymentRequired: counted.filter(({ cause }) => cause >= 0).length,
          late: counted.filter(({ late }) => late).length,
        })
      }),
      { numRuns: 40 },
    )
  })

  test('keeps thousands of series apart', () => {
    const series = table()
    const builder = new RangeBuilder(0, 0)
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5_000; i++)
        builder.count(0, i % 3, series.of(`t${i}`, 'x'), 200, i % 100 === 0 ? 1 : -1, false)
    }
    expect(builder.size).toBe(5_000)
    builder.next = 1
    const { rollups } = builder.seal(identity)
    const requests = rollups.filter(({ cause }) => cause === '')
    expect(new Set(requests.map((row) => row.requests))).toEqual(new Set([3]))
    expect(requests.every(({ tenant, slice }) => Number(tenant.slice(1)) % 3 === slice)).toBe(true)
    expect(rollups.filter(({ cause }) => cause === causes[1]).every((row) => row.paymentRequired === 3)).toBe(true)
    expect(rollups).toHaveLength(5_050)
  })
})
