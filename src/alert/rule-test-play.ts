import type { Cause } from '../classify/cause.ts'
import type { Tenant, TenantDirectory } from '../tenants/directory.ts'
import { sliceMs } from '../window/view.ts'
import type { Alert, Transition } from './alert.ts'
import { RuleEngine, type RuleEngineOptions } from './engine.ts'
import type { Rule } from './rule.ts'
import type { RuleTest } from './rule-test-file.ts'
import type { InputSeries } from './rule-test-series.ts'
import { ScriptedView, type SliceRow } from './scripted-view.ts'

/** What a test's rules did with its traffic; times count from its start. */
export interface Played {
  /** Every ten seconds. */
  readonly steps: readonly Step[]
  /** What changed, step by step. */
  readonly changes: readonly { readonly atMs: number; readonly transitions: readonly Transition[] }[]
  readonly lengthMs: number
}

export interface Step {
  readonly atMs: number
  readonly firing: readonly Alert[]
}

const baselineSeriesLimit = 100_000

/** The rules that a test plays. */
export function playedRules(test: RuleTest, rules: readonly Rule[]): readonly Rule[] {
  return rules.filter(({ name }) => test.onlyRules === null || test.onlyRules.includes(name))
}

/** The one input that a test's traffic comes through. */
const topic = 'input'

/**
 * Steps the real engine through the traffic of a test, slice by slice, for as long as there is traffic or an
 * expectation; after the traffic there is silence. While the log stands still no step is taken.
 */
export function playRuleTest(
  test: RuleTest,
  rules: readonly Rule[],
  intervalMs: number,
  onEvaluated?: RuleEngineOptions['onEvaluated'],
): Played {
  const view = new ScriptedView(test.startMs)
  const engine = new RuleEngine(rules, {
    baselineSeriesLimit,
    tenants: directoryOf(test.tenants),
    ...(onEvaluated === undefined ? {} : { onEvaluated }),
  })
  const lengthMs = lengthOf(test, intervalMs)
  const steps: Step[] = []
  const changes: { atMs: number; transitions: readonly Transition[] }[] = []
  for (let atMs = sliceMs; atMs <= lengthMs; atMs += sliceMs) {
    const transitions: Transition[] = []
    const nowMs = test.startMs + atMs
    const isStill = test.stalls.some(({ fromMs, toMs }) => atMs > fromMs && atMs < toMs)
    while (!isStill && view.endMs < nowMs) {
      view.push(rowsOf(test.series, view.endMs - test.startMs, intervalMs))
      transitions.push(...engine.step(view.endMs, view))
    }
    if (test.stalls.length > 0) {
      const health = { topic, watermarkAgeMs: nowMs - view.endMs, lagSeconds: null }
      transitions.push(...engine.health(nowMs, [health]))
    }
    if (transitions.length > 0) changes.push({ atMs, transitions })
    steps.push({ atMs, firing: engine.alerts().filter(({ state }) => state === 'firing') })
  }
  return { steps, changes, lengthMs }
}

function directoryOf(tenants: readonly Tenant[]): TenantDirectory {
  const known = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  return { find: (id) => known.get(id) ?? null, ending: () => tenants }
}

function lengthOf(test: RuleTest, intervalMs: number): number {
  const longest = Math.max(0, ...test.series.map(({ values }) => values.length)) * intervalMs
  const messages = test.notificationTests.flatMap(({ messages, toleranceMs }) =>
    messages.map(({ atMs }) => atMs + toleranceMs),
  )
  const stalled = test.stalls.map(({ toMs }) => toMs)
  const asked = [...test.alertTests.map(({ atMs }) => atMs), ...messages, ...stalled]
  return Math.max(longest, ...asked.map((atMs) => Math.ceil(atMs / sliceMs) * sliceMs))
}

/** The share of each interval that falls on one slice; whole events, spread evenly. */
function rowsOf(series: readonly InputSeries[], fromMs: number, intervalMs: number): readonly SliceRow[] {
  const interval = Math.floor(fromMs / intervalMs)
  const slices = intervalMs / sliceMs
  const slice = (fromMs % intervalMs) / sliceMs
  const rows: { tenant: string; api: string; requests: number; causes: Partial<Record<Cause, number>> }[] = []
  for (const { metric, tenant, api, cause, values } of series) {
    const value = values[interval] ?? 0
    const count = Math.floor((value * (slice + 1)) / slices) - Math.floor((value * slice) / slices)
    if (count === 0) continue
    if (metric === 'requests') rows.push({ tenant, api, requests: count, causes: {} })
    else if (cause !== null) rows.push({ tenant, api, requests: 0, causes: { [cause]: count } })
  }
  return rows
}
