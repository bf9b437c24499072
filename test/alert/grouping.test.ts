import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planGrouping } from '../../src/alert/grouping.ts'
import { parseMatcher } from '../../src/alert/matcher.ts'
import { groupCounts } from '../../src/alert/reading.ts'
import { type SeriesLabel, seriesLabels } from '../../src/alert/rule.ts'
import { Groupings } from '../../src/alert/step-sums.ts'
import { causes, familyOf } from '../../src/classify/cause.ts'
import type { SeriesTotals, WindowView } from '../../src/window/view.ts'

function viewOf(rows: readonly SeriesTotals[], onTotals = () => {}): WindowView {
  return {
    endMs: 3_600_000,
    headMs: 3_600_000,
    oldestMs: 0,
    totals: () => {
      onTotals()
      return rows
    },
  }
}

const row: fc.Arbitrary<SeriesTotals> = fc
  .record({
    tenant: fc.constantFrom('a', 'b', '__proto__', '["x"]'),
    api: fc.constantFrom('x', 'y', ''),
    requests: fc.integer({ min: 0, max: 1000 }),
    counts: fc.dictionary(fc.constantFrom(...causes), fc.integer({ min: 1, max: 50 }), { maxKeys: 4 }),
  })
  .map(({ tenant, api, requests, counts }) => {
    const found = causes.flatMap((cause) => (counts[cause] === undefined ? [] : [{ cause, count: counts[cause] }]))
    return { tenant, api, requests, paymentRequired: found.reduce((sum, { count }) => sum + count, 0), causes: found }
  })

const rowSet = fc.uniqueArray(row, { selector: ({ tenant, api }) => `${tenant} ${api}`, maxLength: 12 })

/** The same sums, the slow and plain way. */
function recount(rows: readonly SeriesTotals[], by: readonly SeriesLabel[]): Map<string, [number, number]> {
  const keyOf = (labels: Record<SeriesLabel, string>) =>
    seriesLabels.filter((one) => by.includes(one)).map((one) => labels[one])
  const groups = new Map<string, [number, number]>()
  for (const { tenant, api, causes: found } of rows) {
    for (const { cause, count } of found) {
      const key = keyOf({ tenant, api, cause, family: familyOf[cause] })
      const group = groups.get(JSON.stringify(key)) ?? [0, 0]
      groups.set(JSON.stringify(key), [group[0] + count, group[1]])
    }
  }
  for (const [key, group] of groups) {
    for (const { tenant, api, requests } of rows) {
      const values: unknown[] = JSON.parse(key)
      const mine = seriesLabels
        .filter((one) => by.includes(one))
        .every((label, at) => {
          return label === 'tenant' ? values[at] === tenant : label === 'api' ? values[at] === api : true
        })
      if (mine) group[1] += requests
    }
  }
  return groups
}

describe('sums by group', () => {
  it('are those of a plain recount, in every step', () => {
    fc.assert(
      fc.property(fc.array(rowSet, { minLength: 1, maxLength: 4 }), fc.subarray([...seriesLabels]), (stepsRows, by) => {
        const groupings = new Groupings()
        for (const rows of stepsRows) {
          const sums = groupings.step(viewOf(rows), 3_600_000)
          const grouping = groupings.get(planGrouping(by, []))
          const counted = sums.sums(grouping, 300_000)
          const found = new Map<string, [number, number]>()
          for (let group = 0; group < grouping.size; group++) {
            const { refusals, requests } = groupCounts(counted, grouping, group)
            if (refusals > 0) found.set(grouping.keys[group] ?? '', [refusals, requests])
          }
          expect(found).toEqual(recount(rows, by))
        }
      }),
    )
  })

  it('leave out rows that do not match', () => {
    const parsed = parseMatcher('api!="y"')
    if (!parsed.ok) throw new Error(parsed.message)
    const groupings = new Groupings()
    const causesOf = [{ cause: 'unknown' as const, count: 2 }]
    const rows = ['x', 'y'].map((api) => ({ tenant: 'a', api, requests: 10, paymentRequired: 2, causes: causesOf }))
    const grouping = groupings.get(planGrouping(['tenant'], [parsed.matcher]))
    const sums = groupings.step(viewOf(rows), 3_600_000).sums(grouping, 300_000)
    expect(groupCounts(sums, grouping, 0)).toEqual({ refusals: 2, requests: 10 })
  })

  it('read each span once, whatever the number of rules', () => {
    let reads = 0
    const groupings = new Groupings()
    const sums = groupings.step(
      viewOf([], () => reads++),
      3_600_000,
    )
    for (const by of [['tenant'], ['api', 'tenant'], ['tenant', 'api'], []] as const) {
      sums.sums(groupings.get(planGrouping(by, [])), 300_000)
      sums.sums(groupings.get(planGrouping(by, [])), 3_600_000)
    }
    expect(reads).toBe(2)
    expect(groupings.get(planGrouping(['api', 'tenant'], []))).toBe(groupings.get(planGrouping(['tenant', 'api'], [])))
  })

  it('give numbers out anew once most pairs are gone', () => {
    const groupings = new Groupings()
    const rows = Array.from({ length: 12_000 }, (_, at) => ({
      tenant: `t${at}`,
      api: 'x',
      requests: 1,
      paymentRequired: 0,
      causes: [],
    }))
    const before = groupings.get(planGrouping(['tenant'], []))
    groupings.step(viewOf(rows), 3_600_000).sums(before, 300_000)
    groupings.step(viewOf(rows), 7_200_000)
    expect(groupings.get(planGrouping(['tenant'], []))).toBe(before)
    groupings.step(viewOf(rows.slice(0, 10)), 10_800_000)
    expect(groupings.get(planGrouping(['tenant'], []))).not.toBe(before)
  })
})
