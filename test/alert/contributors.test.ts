import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contributorsOf } from '../../src/alert/contributors.ts'
import { planGrouping } from '../../src/alert/grouping.ts'
import type { SeriesLabel } from '../../src/alert/rule.ts'
import { ScriptedView, type SliceRow } from '../../src/alert/scripted-view.ts'
import { Groupings } from '../../src/alert/step-sums.ts'
import { startMs } from './simulation.ts'

function contributors(rows: readonly SliceRow[], by: readonly SeriesLabel[] = []) {
  const view = new ScriptedView(startMs)
  view.push(rows)
  const groupings = new Groupings()
  const sums = groupings.step(view, view.endMs)
  const grouping = groupings.get(planGrouping(by, []))
  sums.sums(grouping, 10_000)
  const found = contributorsOf(sums.rows(10_000), grouping, new Set(grouping.keys.keys()))
  return new Map([...found].map(([group, one]) => [grouping.keys[group], one]))
}

function row(tenant: string, api: string, quota: number, failed = 0): SliceRow {
  return { tenant, api, requests: 1000, causes: { quota_exceeded: quota, payment_failed: failed } }
}

function scopeOf(...rows: SliceRow[]) {
  return contributors(rows).get('[]')?.scope
}

describe('the scope of an alert', () => {
  it.each([
    [
      'one tenant',
      [row('a', 'x', 45, 45), row('a', 'y', 3), row('b', 'y', 5), row('b', 'x', 2)],
      { tenant: 'a', api: 'x' },
    ],
    ['one tenant on many APIs', [row('a', 'x', 40, 9), row('a', 'y', 20, 20), row('b', 'y', 6, 5)], { tenant: 'a' }],
    ['one API', [row('a', 'x', 30, 10), row('b', 'x', 10, 30), row('c', 'y', 10, 10)], { api: 'x' }],
    ['one cause', [row('a', 'x', 30), row('b', 'y', 30), row('c', 'z', 30, 20)], { cause: 'quota_exceeded' }],
    ['all three', [row('a', 'x', 95), row('b', 'y', 5)], { tenant: 'a', api: 'x', cause: 'quota_exceeded' }],
    ['nothing', [row('a', 'x', 10, 20), row('b', 'y', 20, 10), row('c', 'z', 10, 10)], undefined],
  ])('is %s', (_, rows, labels) => {
    expect(scopeOf(...rows)?.labels).toEqual(labels)
  })

  it('does not name the one API there is', () => {
    expect(scopeOf(row('a', 'x', 10, 10), row('b', 'x', 10, 10), row('c', 'x', 10, 10))).toBeNull()
  })

  it('does not repeat what the alert names', () => {
    const found = contributors([row('a', 'x', 90), row('b', 'y', 10)], ['tenant', 'cause'])
    expect(found.get('["a","quota_exceeded"]')?.scope).toEqual({ labels: { api: 'x' }, share: 1 })
  })

  it('holds at least four fifths, and no narrower one does', () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const one = fc.record({ tenant: name, api: name, quota: fc.nat(50), failed: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), (list) => {
        const rows = [
          ...list.map(({ tenant, api, quota, failed }) => row(tenant, api, quota, failed)),
          row('q', 'q', 0),
        ]
        const refusals = list.flatMap(({ tenant, api, quota, failed }) => [
          { tenant, api, cause: 'quota_exceeded', count: quota },
          { tenant, api, cause: 'payment_failed', count: failed },
        ])
        const total = refusals.reduce((sum, { count }) => sum + count, 0)
        if (total === 0) return
        const share = (labels: Readonly<Record<string, string | undefined>>) => {
          const inside = refusals.filter((refusal) =>
            Object.entries(labels).every(([label, value]) => refusal[label as keyof typeof refusal] === value),
          )
          return inside.reduce((sum, { count }) => sum + count, 0) / total
        }
        const scope = scopeOf(...rows) ?? null
        const width = scope === null ? 0 : Object.keys(scope.labels).length
        if (scope !== null) {
          expect(scope.share).toBeCloseTo(share(scope.labels), 9)
          expect(scope.share).toBeGreaterThanOrEqual(0.8)
        }
        for (const { tenant, api, cause } of refusals) {
          const narrower = [
            { tenant },
            { api },
            { cause },
            { tenant, api },
            { tenant, cause },
            { api, cause },
            { tenant, api, cause },
          ]
          for (const labels of narrower) {
            if (Object.keys(labels).length > width) expect(share(labels)).toBeLessThan(0.8)
          }
        }
      }),
    )
  })
})
