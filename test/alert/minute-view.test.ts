import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MinuteView } from '../../src/alert/minute-view.ts'
import { ScriptedView, type SliceRow } from '../../src/alert/scripted-view.ts'
import type { SeriesMinutes } from '../../src/history/query.ts'
import type { SeriesTotals, WindowView } from '../../src/window/view.ts'

const minute = 60_000
const start = Date.UTC(2026, 2, 2)

/** Counts of some minutes: by minute, tenant number, and cause number (0 is requests). */
const points = fc.array(
  fc.record({
    minute: fc.nat(119),
    tenant: fc.nat(3),
    kind: fc.constantFrom('', 'quota_exceeded', 'payment_failed', 'unknown'),
    count: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 60 },
)
type Point = { minute: number; tenant: number; kind: string; count: number }

function columns(all: readonly Point[], from: number, to: number): SeriesMinutes[] {
  const rows = new Map<string, SeriesMinutes & { minutes: number[]; counts: number[] }>()
  for (const { minute: at, tenant, kind, count } of all.toSorted((a, b) => a.minute - b.minute)) {
    if (at < from || at >= to) continue
    const key = `${tenant} ${kind}`
    const row = rows.get(key) ?? { tenant: `t${tenant}`, api: 'x', cause: kind, minutes: [], counts: [] }
    rows.set(key, row)
    row.minutes.push(at - from)
    row.counts.push(count)
  }
  return [...rows.values()]
}

function slices(all: readonly Point[], at: number): SliceRow[] {
  return all
    .filter((point) => point.minute === at)
    .map(({ tenant, kind, count }) => {
      const name = { tenant: `t${tenant}`, api: 'x' }
      return kind === '' ? { ...name, requests: count } : { ...name, requests: 0, causes: { [kind]: count } }
    })
}

/** In an order of its own, since neither view promises one. */
function sorted(totals: readonly SeriesTotals[]) {
  return totals
    .map((row) => ({ ...row, causes: row.causes.toSorted((a, b) => (a.cause < b.cause ? -1 : 1)) }))
    .sort((a, b) => (a.tenant < b.tenant ? -1 : 1))
}

const spans: readonly (readonly [number, number])[] = [
  ...[1, 5, 60].map((length) => [length * minute, 0] as const),
  ...[
    [10_000, 0],
    [5 * minute, 2 * minute],
    [7 * minute, 0],
    [minute, 30_000],
    [90_000, 20_000],
  ].map(([length = 0, ago = 0]) => [length, ago] as const),
]

function answers(view: WindowView): unknown[] {
  const end = view.endMs ?? 0
  return spans.map(([length, ago]) => sorted(view.totals(end - ago - length, end - ago)))
}

describe('MinuteView', () => {
  test('answers every span as its slow twin does', async () => {
    await fc.assert(
      fc.asyncProperty(points, fc.integer({ min: 1, max: 60 }), async (all, length) => {
        const fast = new MinuteView(start)
        const slow = new ScriptedView(start)
        for (let from = 0; from < 120; from += length) {
          const to = Math.min(120, from + length)
          let at = from
          await fast.take(columns(all, from, to), to - from, () => {
            slow.push(slices(all, at++))
            for (let k = 1; k < 6; k++) slow.push([])
            expect(fast.endMs).toBe(slow.endMs)
            expect(answers(fast)).toEqual(answers(slow))
          })
        }
      }),
      { numRuns: 25 },
    )
  })

  test('takes a cause of an older version for an unknown one', async () => {
    const view = new MinuteView(start)
    const row = { tenant: 'a', api: 'x', cause: 'card_melted', minutes: [0], counts: [3] }
    await view.take([row, { ...row, cause: 'unknown', counts: [2] }], 1, () => {})
    expect(view.totals(start, start + minute)).toEqual([
      { tenant: 'a', api: 'x', requests: 0, paymentRequired: 5, causes: [{ cause: 'unknown', count: 5 }] },
    ])
  })

  test('forgets series that have been idle for an hour, once they are most of all', async () => {
    const view = new MinuteView(start)
    const named = (name: string) => ({ tenant: name, api: 'x', cause: '', minutes: [0], counts: [1] })
    const refused = { tenant: 'stays', api: 'x', cause: 'unknown', minutes: [0, 59], counts: [2, 1] }
    const many = (from: string) => Array.from({ length: 3_000 }, (_, k) => named(`${from}${k}`))
    await view.take([named('stays'), refused, ...many('a')], 60, () => {})
    expect(view.seriesCount).toBe(3_001)
    await view.take([named('stays'), refused, ...many('b')], 60, () => {})
    await view.take([named('stays'), refused], 60, () => {})
    // Those of the second hour are two minutes too old for any window by now.
    expect(view.seriesCount).toBe(1)
    const end = view.endMs
    expect(view.totals(end - 60 * minute, end)).toEqual([
      { tenant: 'stays', api: 'x', requests: 1, paymentRequired: 3, causes: [{ cause: 'unknown', count: 3 }] },
    ])
    await view.take([named('back')], 1, () => {})
    expect(view.totals(view.endMs - minute, view.endMs)).toMatchObject([{ tenant: 'back', requests: 1 }])
  })
})
