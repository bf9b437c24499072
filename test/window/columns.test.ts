import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { type ColumnView, forEachRefusal } from '../../src/window/columns.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { type SeriesTotals, sliceMs, type WindowView } from '../../src/window/view.ts'
import { Windows } from '../../src/window/windows.ts'

const startMs = Date.UTC(2026, 9, 5, 8, 0, 0)
const start = startMs / sliceMs

function windows(seriesLimit = 1_000): Windows {
  const view = new Windows({ seriesLimit, seriesLimitPerTenant: seriesLimit, lifetime: new Lifetime(seriesLimit) })
  view.openAt(startMs)
  return view
}

function walk(view: Windows, endMs: number): void {
  for (const _ of view.advanceTo(endMs)) {
    // Only the end is looked at.
  }
}

/** `totals`, put together from columns. */
function totalsOfColumns(view: ColumnView, fromMs: number, toMs: number): Map<string, Record<string, number>> {
  const found = new Map<string, Record<string, number>>()
  for (const { cells, counts } of view.columns(fromMs, toMs)) {
    for (const [cell, count] of counts.entries()) {
      if (count === 0) continue
      const series = cells.seriesOf(cell)
      const key = JSON.stringify([series?.tenant, series?.api])
      found.set(key, { ...found.get(key), [cells.causeOf(cell) ?? 'requests']: count })
    }
  }
  return found
}

function named(totals: readonly SeriesTotals[]): Map<string, Record<string, number>> {
  return new Map(
    totals.map(({ tenant, api, requests, causes: found }) => [
      JSON.stringify([tenant, api]),
      {
        ...(requests > 0 ? { requests } : {}),
        ...Object.fromEntries(found.map(({ cause, count }) => [cause, count])),
      },
    ]),
  )
}

const event = fc.record({
  tenant: fc.constantFrom('acme', 'blue-heron', 'cobalt', 'dune'),
  cause: fc.integer({ min: -1, max: causes.length - 1 }),
  ahead: fc.integer({ min: -20, max: 6 }),
})
/** Hours pass between some of them, so that series are forgotten and their cells given to others. */
const act = fc.oneof(
  { weight: 5, arbitrary: event },
  { weight: 1, arbitrary: fc.record({ slices: fc.constantFrom(1, 7, 400, 600) }) },
)

describe('the columns of the windows', () => {
  test('say the same as the rows, also of cells that have changed hands', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const view = windows()
        let end = start
        for (const one of acts) {
          if ('slices' in one) {
            end += one.slices
            walk(view, end * sliceMs)
          } else view.count(view.series(one.tenant, 'chat'), end + one.ahead, one.cause)
        }
        for (const [from, to] of [
          [-6, 0],
          [-360, 0],
          [-40, -10],
          [-3, 7],
        ] as const) {
          const span = [(end + from) * sliceMs, (end + to) * sliceMs] as const
          expect(totalsOfColumns(view, ...span)).toEqual(named(view.totals(...span)))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('tell which cells have changed hands since, or that this is no longer known', () => {
    const view = windows()
    const [{ cells } = { cells: null }] = view.columns(startMs, startMs)
    if (cells === null) throw new Error('there are columns')
    const use = (tenant: string, slice: number) => void view.count(view.series(tenant, 'chat'), slice, -1)
    for (const tenant of ['a', 'b', 'c']) use(tenant, start)
    walk(view, startMs + 10 * 60_000)
    use('c', start + 60)
    walk(view, startMs + 62 * 60_000)
    expect(cells.handovers).toBe(2)
    expect(cells.handedOverSince(0)).toEqual([0, 1])
    expect(cells.handedOverSince(1)).toEqual([1])
    expect([0, 1, 2].map((cell) => cells.seriesOf(cell)?.tenant ?? null)).toEqual([null, null, 'c'])
    walk(view, startMs + 200 * 60_000)
    for (const tenant of ['d', 'e', 'f']) use(tenant, start + 200 * 6)
    walk(view, startMs + 300 * 60_000)
    expect(cells.handovers).toBe(6)
    expect(cells.handedOverSince(0)).toBeNull()
    expect(cells.handedOverSince(6)).toEqual([])
  })

  test('visit the refusals that rows have', () => {
    const view = windows()
    view.count(view.series('acme', 'chat'), start, 4)
    view.count(view.series('acme', 'chat'), start, 4)
    view.count(view.series('dune', 'chat'), start, 2)
    view.count(view.series('calm', 'chat'), start, -1)
    const rowsOnly: WindowView = { ...view, endMs: 0, headMs: 0, oldestMs: 0, totals: (a, b) => view.totals(a, b) }
    for (const either of [view, rowsOnly]) {
      const seen: unknown[] = []
      forEachRefusal(either, { fromMs: startMs, toMs: startMs + sliceMs }, ({ tenant }, cause, count) => {
        seen.push([tenant, cause, count])
      })
      expect(seen).toEqual([
        ['acme', causes[4], 2],
        ['dune', causes[2], 1],
      ])
    }
  })
})

describe('a series', () => {
  test('counts one request like `add` does', () => {
    const [one, other] = [windows(), windows()]
    for (const [slice, cause] of [
      [start + 2, -1],
      [start - 1, 3],
      [start + 2, 11],
      [start + 100, 0],
      [start - 361, 0],
    ] as const) {
      const placed = one.count(one.series('acme', 'chat'), slice, cause)
      const counts = { requests: 1, refusals: cause < 0 ? 0 : 1, cause }
      expect(placed).toBe(other.add(other.series('acme', 'chat'), slice, counts))
    }
    const span = [startMs - 3_600_000, startMs + 720_000] as const
    expect(one.totals(...span)).toEqual(other.totals(...span))
    expect(one.headMs).toBe(other.headMs)
  })

  test('says of itself that it was forgotten', () => {
    const view = windows()
    const series = view.series('acme', 'chat')
    view.count(series, start, 3)
    expect(series.id).toBe(0)
    walk(view, startMs + 2 * 3_600_000)
    expect(series.id).toBe(-1)
    expect(() => view.count(series, start + 720, -1)).toThrow('looked its series up')
    expect(view.series('acme', 'chat')).not.toBe(series)
  })

  test('is forgotten within some slices, however many go idle at once', () => {
    const view = windows(50_000)
    for (let i = 0; i < 50_000; i++) view.count(view.series(`t${i}`, 'x'), start, -1)
    walk(view, startMs + 3_600_000)
    expect(view.seriesCount).toBe(50_000)
    const counts: number[] = []
    for (const endMs of view.advanceTo(startMs + 3_600_000 + 9 * sliceMs)) {
      if (endMs >= startMs + 3_660_000) counts.push(view.seriesCount)
    }
    expect(counts).toEqual([30_000, 10_000, 0, 0])
  })
})

test('lifetime totals keep counts of series within the limit apart and add up those beyond', () => {
  const lifetime = new Lifetime(2)
  for (const [tenant, cause] of [
    ['a', -1],
    ['b', 2],
    ['c', 5],
    ['d', -1],
    ['b', 2],
  ] as const) {
    lifetime.count(lifetime.of(tenant, 'x'), cause)
  }
  const row = (tenant: string, api: string, requests: number, cause: number, count: number) => ({
    ...{ tenant, api, requests, paymentRequired: count },
    causes: count === 0 ? [] : [{ cause: causes[cause], count }],
  })
  expect(lifetime.totals()).toEqual([
    row('a', 'x', 1, 0, 0),
    row('b', 'x', 2, 2, 2),
    row('__other__', '__other__', 2, 5, 1),
  ])
})
