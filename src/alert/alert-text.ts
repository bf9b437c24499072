import { type Cause, causes } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Alert, AlertFact, AlertNumbers, Severity } from './alert.ts'
import type { Contributors } from './contributors.ts'
import { fullLabels, type GroupLabels } from './grouping.ts'
import type { Reading } from './reading.ts'
import { type Condition, isCombined, type Rule, type SimpleCondition } from './rule.ts'
import { countedFacts, overflowSummary, summarise } from './summary.ts'
import { renderTemplate } from './template.ts'

/** Alerts of a rule that stand for no series: for those beyond its limit, or for an input that is silent. */
export type SpecialAlert = 'overflow' | 'no_data'

/** What stays or grows over an episode. */
export interface Episode {
  readonly fingerprint: string
  readonly labels: Readonly<Record<string, string>>
  readonly severity: Severity
  readonly special: SpecialAlert | null
  readonly activeAtMs: EpochMs
  readonly firedAtMs: EpochMs | null
  readonly resolvedAtMs: EpochMs | null
  readonly soFar: number
  readonly peak: number
  /** Contributors of the step before: once all is quiet they still tell whom it was about. */
  readonly lastTop: AlertNumbers['top']
  readonly lastScope: AlertNumbers['scope']
  readonly newNormal: boolean
}

export interface Moment {
  readonly atMs: EpochMs
  readonly state: Alert['state']
  readonly reading: Reading
  readonly contributors: Contributors
  /** How long it has been calm; null while it is not. */
  readonly calmMs: number | null
}

/** The labels that make an alert the one it is: those of its series and those its rule sets. */
export function identityOf(
  rule: Rule,
  labels: GroupLabels,
  special: SpecialAlert | null,
): Readonly<Record<string, string>> {
  return { ...labels, ...rule.labels, ...(special === null ? {} : { [special]: 'true' }) }
}

/** All labels of an alert, for people, routes and silences. */
export function labelsOf(
  rule: Rule,
  labels: GroupLabels | Readonly<Record<string, string>>,
  { severity, special }: { severity: Severity; special: SpecialAlert | null },
): Record<string, string> {
  return { ...fullLabels(labels), ...identityOf(rule, labels, special), rule: rule.name, severity }
}

/** Puts the alert of one moment together, with its sentences. */
export function describe(rule: Rule, episode: Episode, moment: Moment): Alert {
  const { atMs, state, reading, contributors } = moment
  const top = contributors.top.length > 0 ? contributors.top : episode.lastTop
  const numbers: AlertNumbers = {
    windowMs: reading.windowMs,
    observed: reading.observed,
    requests: reading.requests,
    expected: reading.expected,
    pValue: reading.pValue,
    soFar: episode.soFar,
    peak: episode.peak,
    top,
    tenants: tenantsOf(rule, episode, moment),
    scope: contributors.top.length > 0 ? contributors.scope : episode.lastScope,
    facts: episode.special === 'overflow' ? [] : factsOf(rule.condition, reading),
  }
  return {
    fingerprint: episode.fingerprint,
    episode: `${episode.fingerprint}-${episode.activeAtMs}`,
    rule: rule.name,
    severity: episode.severity,
    state,
    labels: episode.labels,
    annotations: annotationsOf(rule, episode, moment, numbers),
    activeAtMs: episode.activeAtMs,
    firedAtMs: episode.firedAtMs,
    resolvedAtMs: episode.resolvedAtMs,
    evaluatedAtMs: atMs,
    value: reading.value,
    numbers,
    shadow: rule.mode === 'shadow',
  }
}

/** How many tenants it is about: those that a rule counts, else those that have a refusal. */
function tenantsOf(rule: Rule, { labels, special }: Episode, { reading, contributors }: Moment): number {
  const { condition } = rule
  const counts = condition.type === 'threshold' && condition.measure === 'distinct(tenant)'
  if (counts && special === null) return reading.value
  return Math.max(contributors.tenants, labels['tenant'] === undefined ? 0 : 1)
}

function annotationsOf(
  rule: Rule,
  episode: Episode,
  moment: Moment,
  numbers: AlertNumbers,
): Readonly<Record<string, string>> {
  const { reading } = moment
  const annotations: Record<string, string> = {
    summary: defaultSummary(rule, episode, moment, numbers),
    runbook: runbookOf(rule, episode.labels, numbers),
  }
  const { observed, requests, expected } = numbers
  const factor = expected === null || expected === 0 ? null : observed / expected
  const values = { labels: episode.labels, numbers: { value: reading.value, observed, requests, expected, factor } }
  // An alert without a series has no such labels, so a text about a series would have holes.
  const own = episode.special === null ? Object.entries(rule.annotations) : []
  for (const [name, template] of own) annotations[name] = renderTemplate(template, values)
  if (annotations['runbook'] === '') delete annotations['runbook']
  return annotations
}

function defaultSummary(
  rule: Rule,
  episode: Episode,
  { atMs, state, reading, calmMs }: Moment,
  numbers: AlertNumbers,
): string {
  const resolvesInMs = state === 'firing' && calmMs !== null ? rule.keepFiringForMs - calmMs : null
  if (episode.special === 'overflow' && state !== 'resolved') {
    return overflowSummary(rule.name, { folded: reading.value, limit: rule.limit, resolvesInMs })
  }
  return summarise({
    condition: leadOf(rule.condition, reading),
    state,
    labels: episode.labels,
    value: reading.value,
    numbers,
    learning: reading.learning,
    side: reading.memo?.side ?? 'up',
    resolvesInMs,
    // From where messages and the page count as well.
    lastedMs: atMs - episode.activeAtMs,
    newNormal: episode.newNormal,
    words: reading.words ?? null,
  })
}

/** The condition that the numbers are from. */
function leadOf(condition: Condition, reading: Reading): SimpleCondition {
  if (reading.lead !== undefined) return reading.lead
  if (!isCombined(condition)) return condition
  const [first] = condition.conditions
  if (first === undefined) throw new RangeError('a combined condition has parts')
  return first
}

/** What the condition measured besides; what was learnt or set is said for those that say nothing themselves. */
function factsOf(condition: Condition, reading: Reading): readonly AlertFact[] {
  if (reading.facts !== undefined) return reading.facts
  return countedFacts(leadOf(condition, reading), reading)
}

/** The runbook of the cause: the series' own, or of those it may be the most frequent now. */
function runbookOf(rule: Rule, labels: Readonly<Record<string, string>>, numbers: AlertNumbers): string {
  if (rule.condition.type === 'quota_forecast') return 'runbooks/quota_exceeded.md'
  if (rule.condition.type === 'expiry') return 'runbooks/subscription_expired.md'
  const cause: Cause | undefined =
    causes.find((one) => one === labels['cause']) ??
    onlyCauseOf(rule) ??
    causes.find((one) => one === numbers.top[0]?.cause)
  return cause === undefined ? '' : `runbooks/${cause}.md`
}

function onlyCauseOf(rule: Rule): Cause | undefined {
  const matchers = rule.matchers.filter(({ label }) => label === 'cause')
  if (matchers.length === 0) return undefined
  const left = causes.filter((cause) => matchers.every((matcher) => matcher.test(cause)))
  return left.length === 1 ? left[0] : undefined
}
