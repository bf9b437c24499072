import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transition } from '../../src/alert/alert.ts'
import type { RuleEngine } from '../../src/alert/engine.ts'
import { AlertPersistence } from '../../src/alert/persistence.ts'
import type { QuotaReading } from '../../src/alert/quota-reading.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { MemoryState } from '../../src/history/state.ts'
import { hourMs, minuteMs } from '../../src/time/duration.ts'
import { Chance, engineOf, rulesOf, ScriptedView, startMs } from './simulation.ts'

/** Every condition, short enough to come and go within hours. */
const rules = rulesOf(
  `
- rule: Levels
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: ratio, levels: {info: 0.2, page: 0.6}, min_total: 1, min_count: 1, confidence: 0.5}
  keep_firing_for: 2m
- rule: Quota
  severity: ticket
  condition:
    type: quota_forecast
    levels: {info: 0.6, page: 1.0}
    forecast: {within: 10m, probability: 0.7}
- rule: Burn
  group_by: [tenant]
  condition:
    type: burn_rate
    objective: 95
    period: 1d
    min_bad: 5
    windows: [{long: 30m, short: 5m, factor: 5, severity: page}, {long: 2h, short: 20m, factor: 3, severity: info}]
  keep_firing_for: 3m
- rule: Quiet
  condition: {type: absence, at_least: 3m, learn_for: 1h, among: 'top(4)'}
- rule: QuietFixed
  group_by: [tenant, api]
  condition: {type: absence, longer_than: 5m, among: all}
- rule: New
  group_by: [tenant, cause]
  condition: {type: new_value, of: cause, memory: 1h, min_count: 2}
- rule: Both
  group_by: [tenant]
  condition:
    all:
      - {type: spike, min_count: 2, false_alerts_per_week: 1000}
      - {type: threshold, measure: count, above: 30, min_count: 1}
  keep_firing_for: 1m
- rule: Either
  group_by: [tenant]
  mode: shadow
  condition:
    any:
      - {type: absence, longer_than: 4m, among: all}
      - {type: spike, direction: both, exposure: time, min_count: 2, false_alerts_per_week: 1000}
  keep_firing_for: 1m
`,
  'interval: 1m\n    limit: 4',
)

interface Minute {
  readonly rows: readonly SliceRow[]
  readonly quota: readonly Omit<QuotaReading, 'atMs'>[]
}

/** Tenants that pause, are refused now and then for this or that, and use up quotas of an hour. */
function script(seed: number, minutes: number): Minute[] {
  const chance = new Chance(seed)
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const paused = new Map<string, number>()
  const share = new Map<string, number>()
  const used = new Map<string, number>()
  return Array.from({ length: minutes }, (_, minute): Minute => {
    const rows: SliceRow[] = []
    const quota: Omit<QuotaReading, 'atMs'>[] = []
    for (const tenant of names) {
      if (chance.uniform() < 0.01) paused.set(tenant, minute + 12 * chance.uniform())
      if (chance.uniform() < 0.02) share.set(tenant, chance.uniform() ** 3)
      if (minute % 60 === 0) used.set(tenant, 0)
      if ((paused.get(tenant) ?? 0) > minute) continue
      const requests = 1 + chance.poisson(15)
      const refused = chance.poisson(requests * (share.get(tenant) ?? 0.02))
      const causes = chance.uniform() < 0.02 ? { misconfiguration: refused + 1 } : { payment_failed: refused }
      rows.push({ tenant, api: chance.uniform() < 0.7 ? 'x' : 'y', requests, causes })
      const total = (used.get(tenant) ?? 0) + requests
      used.set(tenant, total)
      const limit = minute < minutes / 2 ? 900 : 700
      const resetAtMs = startMs + (Math.floor(minute / 60) + 1) * hourMs
      if (chance.uniform() < 0.8)
        quota.push({ tenant, api: 'x', quota: 'hour', limit, remaining: limit - total, resetAtMs })
    }
    return { rows, quota }
  })
}

/** The same rows in another order: reloaded windows need not list series as before. */
class Shuffled extends ScriptedView {
  override totals(fromMs: number, toMs: number) {
    return [...super.totals(fromMs, toMs)].reverse()
  }
}

function push(view: ScriptedView, { rows }: Minute): void {
  view.push(rows)
  for (let slice = 1; slice < 6; slice++) view.push([])
}

function step(engine: RuleEngine, view: ScriptedView, minute: Minute): readonly Transition[] {
  // Lanes run ahead of the watermark: what is said comes half a minute before its time.
  engine.observeQuota(minute.quota.map((one) => ({ ...one, atMs: view.endMs + minuteMs + 20_000 })))
  push(view, minute)
  const health = engine.health(view.endMs + 30_000, [{ topic: 't', watermarkAgeMs: 30_000, lagSeconds: null }])
  return [...engine.step(view.endMs, view), ...health]
}

function live(engine: RuleEngine, view: ScriptedView, minutes: readonly Minute[]): Transition[] {
  return minutes.flatMap((minute) => [...step(engine, view, minute)])
}

describe('a restart between two steps, over every condition', () => {
  it('gives the byte-same transitions as no restart', { timeout: 120_000 }, () => {
    const seen = new Map<string, number>()
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 299 }), (seed, at) => {
        const minutes = script(seed, 300)
        const whole = engineOf(rules)
        const uninterrupted = live(whole, new ScriptedView(startMs), minutes)

        const before = engineOf(rules)
        const first = live(before, new ScriptedView(startMs), minutes.slice(0, at))
        const after = engineOf(rules)
        expect(after.restore(JSON.parse(JSON.stringify(before.snapshot())))).toBe(true)
        const view = new Shuffled(startMs)
        for (const minute of minutes.slice(0, at)) push(view, minute)
        const rest = live(after, view, minutes.slice(at))
        expect(JSON.stringify([...first, ...rest])).toBe(JSON.stringify(uninterrupted))
        expect(JSON.stringify(after.snapshot())).toBe(JSON.stringify(whole.snapshot()))
        for (const { alert } of uninterrupted) seen.set(alert.rule, (seen.get(alert.rule) ?? 0) + 1)
      }),
      { numRuns: 5 },
    )
    // Or the test would be content with silence.
    for (const { name } of rules) expect([name, (seen.get(name) ?? 0) > 8]).toEqual([name, true])
  })

  it('does so through the state store after a clean stop', async () => {
    const minutes = script(11, 260)
    const uninterrupted = live(engineOf(rules), new ScriptedView(startMs), minutes)
    const store = new MemoryState()
    const before = engineOf(rules)
    const keeper = new AlertPersistence(before)
    const view = new ScriptedView(startMs)
    const first: Transition[] = []
    for (const minute of minutes.slice(0, 153)) {
      first.push(...step(before, view, minute))
      const { entries, saved } = keeper.changes()
      await store.put(entries)
      saved()
    }
    await store.put(keeper.changes('all').entries)
    const after = engineOf(rules)
    expect(await new AlertPersistence(after).load(store)).toBe(true)
    const rest = live(after, view, minutes.slice(153))
    expect(JSON.stringify([...first, ...rest])).toBe(JSON.stringify(uninterrupted))
  })

  it('counts every minute once after a crash, however old the chunks that were saved', async () => {
    const counting = rules.filter(({ name }) => ['Burn', 'Quiet', 'QuietFixed', 'New'].includes(name))
    const minutes = script(12, 260)
    const uninterrupted = live(engineOf(counting), new ScriptedView(startMs), minutes)
    const store = new MemoryState()
    const before = engineOf(counting)
    const keeper = new AlertPersistence(before)
    const view = new ScriptedView(startMs)
    const first: Transition[] = []
    for (const minute of minutes.slice(0, 153)) {
      first.push(...step(before, view, minute))
      const { entries, saved } = keeper.changes()
      await store.put(entries)
      saved()
    }
    // Killed here. The last change of an alert is stored; the steps since then are taken again.
    const after = engineOf(counting)
    await new AlertPersistence(after).load(store)
    const resume = ((after.lastStepMs ?? 0) - startMs) / minuteMs
    expect(resume).toBeLessThanOrEqual(153)
    const again = new Shuffled(startMs)
    for (const minute of minutes.slice(0, resume)) push(again, minute)
    const rest = live(after, again, minutes.slice(resume))
    expect(JSON.stringify([...first, ...rest])).toBe(JSON.stringify(uninterrupted))
  })
})
