import { formatDuration } from '../time/duration.ts'
import type { Alert } from './alert.ts'
import type { Rule } from './rule.ts'
import type { AlertTest, ExpectedAlert, RuleTest, TimelineTest } from './rule-test-file.ts'
import { type Played, playedRules, playRuleTest, type Step } from './rule-test-play.ts'

/** What did not come as expected, and where to look for the reason. */
export interface Failure {
  readonly text: string
  /** Null where no rule's values would tell more. */
  readonly look: Look | null
}

/** A rule, or one of its series, around some time after the start of the test. */
export interface Look {
  readonly rule: string
  readonly labels: Readonly<Record<string, string>>
  readonly atMs: number
}

/**
 * Runs one unit test through the real engine.
 *
 * @returns what did not come as expected, one sentence each; empty when the test passes
 */
export function runRuleTest(test: RuleTest, rules: readonly Rule[], intervalMs: number): readonly string[] {
  const unknown = unknownRules(test, rules)
  if (unknown.length > 0) return unknown.map(({ text }) => text)
  return checkRuleTest(test, playRuleTest(test, playedRules(test, rules), intervalMs)).map(({ text }) => text)
}

/** The rules that a test names and nobody has written. */
export function unknownRules(test: RuleTest, rules: readonly Rule[]): readonly Failure[] {
  const named = [...test.alertTests, ...test.timelineTests].map(({ rule }) => rule)
  const unknown = [...new Set([...named, ...(test.onlyRules ?? [])])].filter(
    (name) => !rules.some((rule) => rule.name === name),
  )
  const known = rules.map(({ name }) => name).join(', ')
  return unknown.map((name) => {
    return { text: `there is no rule ${name} in the rule files; they have: ${known}`, look: null }
  })
}

/** Compares what the rules did with what the test wants of them. */
export function checkRuleTest(test: RuleTest, { steps }: Played): readonly Failure[] {
  return [
    ...test.alertTests.flatMap((one) => checkAlerts(one, steps)),
    ...test.timelineTests.flatMap((one) => checkTimeline(one, steps)),
    ...(test.expectNoOtherAlerts ? checkOthers(test, steps) : []),
  ]
}

function checkAlerts({ rule, atMs, alerts }: AlertTest, steps: readonly Step[]): readonly Failure[] {
  const step = steps.findLast((one) => one.atMs <= atMs)
  const got = (step?.firing ?? []).filter((alert) => alert.rule === rule)
  const left = [...got]
  const failures: Failure[] = []
  const place = `${rule} at ${formatDuration(atMs)}`
  for (const expected of alerts) {
    const at = left.findIndex((alert) => mismatch(expected, alert) === null)
    if (at >= 0) {
      left.splice(at, 1)
      continue
    }
    const reasons = got.map((alert) => mismatch(expected, alert)).filter((reason) => reason !== null)
    const why = reasons.length === 0 ? 'nothing fires' : reasons.join('; or ')
    failures.push({
      text: `${place}: expected ${JSON.stringify(expected.labels)}, but ${why}`,
      look: { rule, labels: expected.labels, atMs },
    })
  }
  for (const alert of left) {
    failures.push({
      text: `${place}: not expected: ${describeAlert(alert)}`,
      look: { rule, labels: alert.labels, atMs },
    })
  }
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

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

function checkTimeline({ rule, firing, toleranceMs }: TimelineTest, steps: readonly Step[]): readonly Failure[] {
  const got = spansOf(steps, rule)
  const near = (a: number, b: number) => Math.abs(a - b) <= toleranceMs
  const differs = (a: Span | undefined, b: Span | undefined): number | null => {
    if (a === undefined || b === undefined) return (a ?? b)?.fromMs ?? null
    if (!near(a.fromMs, b.fromMs)) return Math.min(a.fromMs, b.fromMs)
    return near(a.toMs, b.toMs) ? null : Math.min(a.toMs, b.toMs)
  }
  const longest = Math.max(got.length, firing.length)
  const places = Array.from({ length: longest }, (_, at) => differs(got[at], firing[at])).filter((at) => at !== null)
  const [first] = places
  if (first === undefined) return []
  const text = `${rule} fires: expected ${spansText(firing)}, got ${spansText(got)}`
  return [{ text, look: { rule, labels: {}, atMs: first } }]
}

/** When a rule has any alert firing: from the first step of it to the first step after. */
function spansOf(steps: readonly Step[], rule: string): readonly Span[] {
  const spans: Span[] = []
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

function spansText(spans: readonly Span[]): string {
  if (spans.length === 0) return 'never'
  return spans.map(({ fromMs, toMs }) => `${formatDuration(fromMs)}..${formatDuration(toMs)}`).join(', ')
}

function checkOthers(test: RuleTest, steps: readonly Step[]): readonly Failure[] {
  const expected = new Set([...test.alertTests, ...test.timelineTests].map(({ rule }) => rule))
  const seen = new Map<string, Failure>()
  for (const { atMs, firing } of steps) {
    for (const alert of firing) {
      if (expected.has(alert.rule) || seen.has(alert.fingerprint)) continue
      seen.set(alert.fingerprint, {
        text: `expected no other alerts, got at ${formatDuration(atMs)}: ${describeAlert(alert)}`,
        look: { rule: alert.rule, labels: alert.labels, atMs },
      })
    }
  }
  return [...seen.values()]
}

function describeAlert(alert: Alert): string {
  return `${alert.rule} ${JSON.stringify(alert.labels)} ${alert.annotations['summary'] ?? ''}`
}
