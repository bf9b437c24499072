import type { Cause } from '../classify/cause.ts'
import { formatDuration } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import type { Alert } from './alert.ts'
import { RuleEngine } from './engine.ts'
import type { Rule } from './rule.ts'
import type { AlertTest, ExpectedAlert, InputSeries, RuleTest, TimelineTest } from './rule-test-file.ts'
import { ScriptedView, type SliceRow } from './scripted-view.ts'

/** Firing alerts of one step. */
interface Step {
  /** Since the start of the test. */
  readonly atMs: number
  readonly firing: readonly Alert[]
}

/**
 * Runs one unit test through the real engine.
 *
 * @returns what did not come as expected, one sentence each; empty when the test passes
 */
export function runRuleTest(test: RuleTest, rules: readonly Rule[], intervalMs: number): readonly string[] {
  const failures = unknownRules(test, rules)
  if (failures.length > 0) return failures
  const chosen = rules.filter(({ name }) => test.onlyRules === null || test.onlyRules.includes(name))
  const steps = play(test, chosen, intervalMs)
  for (const one of test.alertTests) failures.push(...checkAlerts(one, steps))
  for (const one of test.timelineTests) failures.push(...checkTimeline(one, steps))
  if (test.expectNoOtherAlerts) failures.push(...checkOthers(test, steps))
  return failures
}

function unknownRules(test: RuleTest, rules: readonly Rule[]): string[] {
  const named = [...test.alertTests, ...test.timelineTests].map(({ rule }) => rule)
  const unknown = [...new Set([...named, ...(test.onlyRules ?? [])])].filter(
    (name) => !rules.some((rule) => rule.name === name),
  )
  const known = rules.map(({ name }) => name).join(', ')
  return unknown.map((name) => `there is no rule ${name} in the rule files; they have: ${known}`)
}

/** Steps the engine through the input, slice by slice. */
function play(test: RuleTest, rules: readonly Rule[], intervalMs: number): readonly Step[] {
  const view = new ScriptedView(test.startMs)
  const engine = new RuleEngine(rules, { baselineSeriesLimit: 100_000 })
  const longest = Math.max(0, ...test.series.map(({ values }) => values.length)) * intervalMs
  const lastMs = Math.max(longest, ...test.alertTests.map(({ atMs }) => Math.ceil(atMs / sliceMs) * sliceMs))
  const steps: Step[] = []
  for (let atMs = sliceMs; atMs <= lastMs; atMs += sliceMs) {
    view.push(rowsOf(test.series, atMs - sliceMs, intervalMs))
    engine.step(view.endMs, view)
    steps.push({ atMs, firing: engine.alerts().filter(({ state }) => state === 'firing') })
  }
  return steps
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

function checkAlerts(test: AlertTest, steps: readonly Step[]): readonly string[] {
  const step = steps.findLast(({ atMs }) => atMs <= test.atMs)
  const got = (step?.firing ?? []).filter(({ rule }) => rule === test.rule)
  const left = [...got]
  const failures: string[] = []
  const place = `${test.rule} at ${formatDuration(test.atMs)}`
  for (const expected of test.alerts) {
    const at = left.findIndex((alert) => mismatch(expected, alert) === null)
    if (at >= 0) {
      left.splice(at, 1)
      continue
    }
    const reasons = got.map((alert) => mismatch(expected, alert)).filter((reason) => reason !== null)
    const why = reasons.length === 0 ? 'nothing fires' : reasons.join('; or ')
    failures.push(`${place}: expected ${JSON.stringify(expected.labels)}, but ${why}`)
  }
  for (const alert of left) failures.push(`${place}: not expected: ${describeAlert(alert)}`)
  return failures
}

/** Why an alert is not the expected one; null if it is. */
function mismatch(expected: ExpectedAlert, alert: Alert): string | null {
  for (const [name, value] of Object.entries(expected.labels)) {
    if (alert.labels[name] !== value) return `got ${name}=${JSON.stringify(alert.labels[name] ?? '')}`
  }
  if (expected.exact) {
    const extra = Object.keys(alert.labels).filter((name) => !(name in expected.labels))
    if (extra.length > 0) return `got more labels: ${extra.join(', ')}`
  }
  for (const [name, value] of Object.entries(expected.annotations)) {
    const text = alert.annotations[name]
    if (text === undefined) return `got no annotation ${name}`
    const fits = value === 'any' || (value.startsWith('~') ? new RegExp(value.slice(1)).test(text) : text === value)
    if (!fits) return `got ${name}: ${JSON.stringify(text)}`
  }
  const { min, max, baselineMax } = expected
  if ((min !== null && alert.value < min) || (max !== null && alert.value > max)) return `got the value ${alert.value}`
  const baseline = alert.numbers.expected
  if (baselineMax !== null && (baseline === null || baseline > baselineMax)) return `got the baseline ${baseline}`
  return null
}

function checkTimeline(test: TimelineTest, steps: readonly Step[]): readonly string[] {
  const got = spansOf(steps, test.rule)
  const fits =
    got.length === test.firing.length &&
    test.firing.every(({ fromMs, toMs }, at) => {
      const one = got[at]
      if (one === undefined) return false
      return Math.abs(one.fromMs - fromMs) <= test.toleranceMs && Math.abs(one.toMs - toMs) <= test.toleranceMs
    })
  if (fits) return []
  return [`${test.rule} fires: expected ${spansText(test.firing)}, got ${spansText(got)}`]
}

/** When a rule has any alert firing: from the first step of it to the first step after. */
function spansOf(steps: readonly Step[], rule: string): { fromMs: number; toMs: number }[] {
  const spans: { fromMs: number; toMs: number }[] = []
  let fromMs: number | null = null
  for (const { atMs, firing } of steps) {
    const fires = firing.some((alert) => alert.rule === rule)
    if (fires && fromMs === null) fromMs = atMs
    if (!fires && fromMs !== null) {
      spans.push({ fromMs, toMs: atMs })
      fromMs = null
    }
  }
  const last = steps.at(-1)
  if (fromMs !== null && last !== undefined) spans.push({ fromMs, toMs: last.atMs })
  return spans
}

function spansText(spans: readonly { fromMs: number; toMs: number }[]): string {
  if (spans.length === 0) return 'never'
  return spans.map(({ fromMs, toMs }) => `${formatDuration(fromMs)}..${formatDuration(toMs)}`).join(', ')
}

function checkOthers(test: RuleTest, steps: readonly Step[]): readonly string[] {
  const expected = new Set([...test.alertTests, ...test.timelineTests].map(({ rule }) => rule))
  const seen = new Map<string, string>()
  for (const { atMs, firing } of steps) {
    for (const alert of firing) {
      if (expected.has(alert.rule) || seen.has(alert.fingerprint)) continue
      seen.set(alert.fingerprint, `expected no other alerts, got at ${formatDuration(atMs)}: ${describeAlert(alert)}`)
    }
  }
  return [...seen.values()]
}

function describeAlert(alert: Alert): string {
  return `${alert.rule} ${JSON.stringify(alert.labels)} ${alert.annotations['summary'] ?? ''}`
}
