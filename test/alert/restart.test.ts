import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transition } from '../../src/alert/alert.ts'
import type { RuleEngine } from '../../src/alert/engine.ts'
import { AlertPersistence } from '../../src/alert/persistence.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { MemoryState } from '../../src/history/state.ts'
import { Chance, engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

const rules = rulesOf(
  `
- rule: Spike
  group_by: [tenant, api, cause]
  condition: {type: spike, min_count: 2, false_alerts_per_week: 1000}
  keep_firing_for: 1m
- rule: Drop
  group_by: [tenant]
  window: 1m
  condition: {type: spike, exposure: time, direction: both, also_window: 5m, min_count: 1, false_alerts_per_week: 1000}
  keep_firing_for: 30s
- rule: High
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: ratio, above: 0.2, min_total: 1, min_count: 1, confidence: 0.5}
  for: 20s
  keep_firing_for: 20s
`,
  'interval: 10s\n    limit: 3',
)

/** Traffic that changes its mind: each tenant is refused much or little for some minutes at a time. */
function script(seed: number, slices: number): SliceRow[][] {
  const chance = new Chance(seed)
  const moods = new Map<string, number>()
  return Array.from({ length: slices }, () =>
    ['a', 'b', 'c', 'd', 'e'].flatMap((tenant): SliceRow[] => {
      if (chance.uniform() < 0.03) moods.set(tenant, chance.uniform() ** 4)
      if (chance.uniform() < 0.1) return []
      const requests = chance.poisson(20)
      const share = moods.get(tenant) ?? 0.02
      const quota = chance.poisson(requests * share)
      return [{ tenant, api: 'x', requests, causes: { quota_exceeded: quota, payment_failed: chance.poisson(0.3) } }]
    }),
  )
}

/** The same rows in another order: reloaded windows need not list series as before. */
class Shuffled extends ScriptedView {
  override totals(fromMs: number, toMs: number) {
    return [...super.totals(fromMs, toMs)].reverse()
  }
}

function replay(view: ScriptedView, rows: readonly SliceRow[][], from: number): void {
  for (const slice of rows.slice(0, from)) view.push(slice)
}

function steps(engine: RuleEngine, view: ScriptedView, rows: readonly SliceRow[][]): Transition[] {
  return rows.flatMap((slice) => {
    view.push(slice)
    return [...engine.step(view.endMs, view)]
  })
}

describe('a restart between two steps', () => {
  it('gives the byte-same transitions as no restart', { timeout: 120_000 }, () => {
    let seen = 0
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 249 }), (seed, at) => {
        const rows = script(seed, 250)
        const whole = engineOf(rules)
        const uninterrupted = steps(whole, new ScriptedView(startMs + 30_000), rows)

        const before = engineOf(rules)
        const first = steps(before, new ScriptedView(startMs + 30_000), rows.slice(0, at))
        const after = engineOf(rules)
        expect(after.restore(JSON.parse(JSON.stringify(before.snapshot())))).toBe(true)
        const view = new Shuffled(startMs + 30_000)
        replay(view, rows, at)
        const rest = steps(after, view, rows.slice(at))
        expect(JSON.stringify([...first, ...rest])).toBe(JSON.stringify(uninterrupted))
        expect(JSON.stringify(after.snapshot())).toBe(JSON.stringify(whole.snapshot()))
        seen += uninterrupted.length
      }),
      { numRuns: 15 },
    )
    // Or the test would be content with silence.
    expect(seen).toBeGreaterThan(100)
  })

  it('does so over hours, when baselines have learnt and pools lend', { timeout: 120_000 }, () => {
    const rows = script(5, 1500)
    const whole = engineOf(rules)
    const uninterrupted = steps(whole, new ScriptedView(startMs), rows)
    const before = engineOf(rules)
    steps(before, new ScriptedView(startMs), rows.slice(0, 1111))
    const after = engineOf(rules)
    after.restore(JSON.parse(JSON.stringify(before.snapshot())))
    const view = new Shuffled(startMs)
    replay(view, rows, 1111)
    const rest = steps(after, view, rows.slice(1111))
    expect(rest.length).toBeGreaterThan(10)
    expect(JSON.stringify(rest)).toBe(JSON.stringify(uninterrupted.slice(-rest.length)))
  })

  it('does so through the state store after a clean stop', async () => {
    const rows = script(9, 400)
    const uninterrupted = steps(engineOf(rules), new ScriptedView(startMs), rows)
    const store = new MemoryState()
    const before = engineOf(rules)
    const keeper = new AlertPersistence(before)
    const view = new ScriptedView(startMs)
    const first: Transition[] = []
    for (const slice of rows.slice(0, 233)) {
      first.push(...steps(before, view, [slice]))
      const { entries, saved } = keeper.changes()
      await store.put(entries)
      saved()
    }
    await store.put(keeper.changes('all').entries)

    const after = engineOf(rules)
    expect(await new AlertPersistence(after).load(store)).toBe(true)
    const rest = steps(after, view, rows.slice(233))
    expect(JSON.stringify([...first, ...rest])).toBe(JSON.stringify(uninterrupted))
  })
})
