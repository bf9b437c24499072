import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Cell, CellList } from '../../src/alert/cell-list.ts'
import { CellSums } from '../../src/alert/cell-sums.ts'
import { Grouping, PairIndex, planGrouping } from '../../src/alert/grouping.ts'
import { type Matcher, parseMatcher } from '../../src/alert/matcher.ts'
import { MinuteView } from '../../src/alert/minute-view.ts'
import { type SeriesLabel, seriesLabels } from '../../src/alert/rule.ts'
import { Groupings, type GroupSums, type StepSums } from '../../src/alert/step-sums.ts'
import type { SeriesMinutes } from '../../src/history/query.ts'
import type { ColumnView } from '../../src/window/columns.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import type { WindowView } from '../../src/window/view.ts'
import { Windows } from '../../src/window/windows.ts'

const minute = 60_000
const start = Date.UTC(2026, 2, 2)

function matcher(text: string): Matcher {
  const parsed = parseMatcher(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.matcher
}

/** The same windows, which no longer tell that they have columns. */
function rowsOf(view: ColumnView): WindowView {
  const { endMs, headMs, oldestMs } = view
  return { endMs, headMs, oldestMs, totals: (from, to) => view.totals(from, to) }
}

/** What was counted, by name, without the groups of which nothing was. */
function named(grouping: Grouping, { refusals, requests }: GroupSums): unknown {
  const groups = grouping.keys.map((key, group) => {
    return [key, refusals[group] ?? 0, requests[grouping.exposureOf[group] ?? -1] ?? 0] as const
  })
  return groups.filter(([, refused, asked]) => refused > 0 || asked > 0).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Without the numbers of pairs, which depend on who was seen first. */
function sortedRefusals(sums: StepSums, minutes: number): unknown {
  const rows = sums.rows(minutes * minute).rows.map(({ tenant, api, cause, count }) => [tenant, api, cause, count])
  return rows.map((row) => JSON.stringify(row)).sort()
}

const points = fc.array(
  fc.record({
    minute: fc.nat(59),
    tenant: fc.nat(4).map((number) => `t${number}`),
    api: fc.constantFrom('chat', 'maps'),
    cause: fc.constantFrom('', '', 'quota_exceeded', 'payment_failed', 'unknown'),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 40 },
)

const plans = fc.record({
  by: fc.subarray([...seriesLabels]) as fc.Arbitrary<SeriesLabel[]>,
  matchers: fc.subarray(['api="chat"', 'tenant!="t1"', 'cause!="unknown"', 'family="quota"']),
})

describe('sums of columns', () => {
  it('are those of rows, minute after minute, for every grouping and span', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(points, { minLength: 1, maxLength: 2 }), plans, async (hours, { by, matchers }) => {
        const plan = planGrouping(by, matchers.map(matcher))
        const view = new MinuteView(start)
        const [fast, slow] = [new Groupings(), new Groupings()]
        for (const hour of hours) {
          const rows: SeriesMinutes[] = hour.map(({ minute: at, count, ...names }) => {
            return { ...names, minutes: [at], counts: [count] }
          })
          await view.take(rows, 60, () => {
            const columns = fast.step(view, view.endMs)
            const plain = slow.step(rowsOf(view), view.endMs)
            for (const [span, ago] of [
              [1, 0],
              [60, 0],
              [7, 0],
              [5, 3],
            ] as const) {
              const at = view.endMs - ago * minute
              const ours = named(fast.get(plan), columns.sums(fast.get(plan), span * minute, at))
              expect(ours).toEqual(named(slow.get(plan), plain.sums(slow.get(plan), span * minute, at)))
            }
          })
        }
      }),
      { numRuns: 30 },
    )
  })

  it('are those of rows also where cells of the windows go to other series', () => {
    const act = fc.oneof(
      { weight: 5, arbitrary: fc.record({ tenant: fc.nat(5), cause: fc.integer({ min: -1, max: 11 }) }) },
      { weight: 2, arbitrary: fc.record({ minutes: fc.constantFrom(1, 20, 65) }) },
    )
    fc.assert(
      fc.property(fc.array(act, { maxLength: 50 }), plans, (acts, { by, matchers }) => {
        const plan = planGrouping(by, matchers.map(matcher))
        const windows = new Windows({ seriesLimit: 99, seriesLimitPerTenant: 99, lifetime: new Lifetime(99) })
        windows.openAt(start)
        const [fast, slow] = [new Groupings(), new Groupings()]
        let end = start
        for (const one of acts) {
          if ('tenant' in one) {
            const series = windows.series(`t${one.tenant}`, one.tenant % 2 === 0 ? 'chat' : 'maps')
            windows.count(series, end / 10_000 - 1, one.cause)
            continue
          }
          const columns = fast.step(windows, end)
          const plain = slow.step(rowsOf(windows), end)
          for (const span of [1, 5, 7, 60]) {
            const ours = named(fast.get(plan), columns.sums(fast.get(plan), span * minute))
            expect(ours).toEqual(named(slow.get(plan), plain.sums(slow.get(plan), span * minute)))
            expect(sortedRefusals(columns, span)).toEqual(sortedRefusals(plain, span))
            expect(columns.rows(span * minute).varied).toEqual(plain.rows(span * minute).varied)
          }
          end += one.minutes * minute
          for (const _ of windows.advanceTo(end));
        }
      }),
      { numRuns: 60 },
    )
  })

  it('make room for more series than were expected, and keep what they know of the others', () => {
    const pairs = new PairIndex()
    const own = new CellSums(new Grouping(pairs, planGrouping(['tenant', 'cause'], [])), pairs)
    const cells: Cell[] = []
    const list = new CellList()
    for (let tenant = 0; tenant < 3_000; tenant++) {
      for (const cause of [null, 'unknown'] as const) {
        cells.push({ tenant: `t${tenant}`, api: 'x', cause })
        list.push({ tenant: `t${tenant}`, api: 'x', cause })
      }
      if (tenant % 500 !== 499) continue
      const counts = Float64Array.from(cells, (_, cell) => (cell % 2 === 0 ? 10 : 1 + (cell % 7)))
      const { requests, refusals } = own.addUp([{ cells: list, counts }])
      own.nextStep()
      expect(requests).toEqual(new Float64Array(tenant + 1).fill(10))
      expect(refusals).toEqual(Float64Array.from({ length: tenant + 1 }, (_, at) => 1 + ((2 * at + 1) % 7)))
    }
  })

  it('follow cells that are numbered anew', () => {
    const pairs = new PairIndex()
    const own = new CellSums(new Grouping(pairs, planGrouping(['tenant'], [])), pairs)
    const [a, b] = ['a', 'b'].map((tenant) => ({ tenant, api: 'x', cause: null })) as [Cell, Cell]
    const [both, one] = [new CellList([a, b]), new CellList([b])]
    expect(own.addUp([{ cells: both, counts: Float64Array.of(1, 2) }]).requests).toEqual(Float64Array.of(1, 2))
    expect(own.addUp([{ cells: one, counts: Float64Array.of(5) }]).requests).toEqual(Float64Array.of(0, 5))
  })
})
