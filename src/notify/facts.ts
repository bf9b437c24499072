import type { Alert } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import type { Tenant } from '../tenants/directory.ts'
import type { EpochMs } from '../time/clock.ts'
import { count, expectation, factor, odds, percent, share, sparkline, timeOfDay } from './figures.ts'
import { labelOf } from './labels.ts'
import { nameText, plainText } from './plain-text.ts'
import { causeName } from './runbook.ts'
import { countsOf, type Trend } from './trend.ts'

/** One line of a message: a short name and a text; the order is that of the questions a woken person asks. */
export interface Fact {
  readonly label: string
  readonly text: string
  /** The moment the text speaks of, where a surface can show it in the reader's own zone. */
  readonly atMs?: EpochMs
}

/** What the facts are seen from. */
export interface FactContext {
  readonly now: EpochMs
  readonly timezone: string
  readonly noticedAtMs: EpochMs
  readonly trend: Trend | null
  /** What is known of the alert's tenant. */
  readonly tenant: Tenant | null
}

/** Most facts of a condition's own that are shown. */
const ownFactLimit = 8

export function factsOf(alert: Alert, context: FactContext): readonly Fact[] {
  const facts = alert.state === 'resolved' ? afterwards(alert, context) : meanwhile(alert, context)
  const more = [scopeFact(alert), tenantFact(context.tenant), trendFact(alert, context.trend), topFact(alert)]
  return [...facts, ...more.filter((fact) => fact !== null)]
}

function meanwhile(alert: Alert, context: FactContext): Fact[] {
  const { numbers } = alert
  const facts: Fact[] = []
  if (isCounting(alert)) {
    const until = timeOfDay(alert.evaluatedAtMs, context.timezone, context.now)
    facts.push({
      label: 'Seen',
      text: `${share(numbers.observed, numbers.requests)} refused in the ${spanText(numbers.windowMs)} to ${until}`,
    })
  }
  facts.push(...normalFacts(alert), ...ownFacts(alert))
  facts.push({ label: 'Since', text: sinceText(alert, context), atMs: alert.activeAtMs })
  if (isCounting(alert) && numbers.soFar > 0)
    facts.push({ label: 'So far', text: `${count(numbers.soFar)} refused${affected(alert)}` })
  return facts
}

function afterwards(alert: Alert, context: FactContext): Fact[] {
  const { numbers } = alert
  const end = alert.resolvedAtMs ?? alert.evaluatedAtMs
  const from = timeOfDay(alert.activeAtMs, context.timezone, context.now)
  const to = timeOfDay(end, context.timezone, context.now)
  const facts: Fact[] = [
    { label: 'Lasted', text: `${spanText(end - alert.activeAtMs)}, from ${from} to ${to}`, atMs: end },
  ]
  if (isCounting(alert)) {
    facts.push({ label: 'Refused', text: `${count(numbers.soFar)} in total${affected(alert)}` })
    facts.push({ label: 'Peak', text: `${count(numbers.peak)} in ${spanText(numbers.windowMs)}` })
    facts.push({
      label: 'Now',
      text: `${share(numbers.observed, numbers.requests)} refused in ${spanText(numbers.windowMs)}`,
    })
    facts.push(...normalFacts(alert))
  }
  return [...facts, ...ownFacts(alert)]
}

/** Whether the alert is about counted refusals; a quota or a stalled input has numbers of its own. */
export function isCounting({ numbers }: Alert): boolean {
  const { windowMs, observed, requests, expected, soFar, peak } = numbers
  if (windowMs <= 0) return false
  return observed > 0 || soFar > 0 || peak > 0 || (requests > 0 && (expected !== null || numbers.facts.length === 0))
}

/** Whether a spike that still fires is over for the moment: what it sees now is no longer unusual. */
export function isCalm({ state, numbers: { expected, pValue } }: Alert): boolean {
  return state !== 'resolved' && expected !== null && pValue !== null && pValue >= 0.05
}

/** What `compared` says of a spike downwards. */
export const farBelow = 'far below normal'

/**
 * What an alert sees against what it compares with: `27× normal`, `below the limit`; null where it compares with
 * nothing, or with nothing at all being normal.
 */
export function compared(alert: Alert, sign: '×' | 'x'): string | null {
  const { observed, expected, pValue } = alert.numbers
  if (expected === null) return null
  const times = factor(observed, expected, sign)
  if (pValue === null) return observed < expected ? 'below the limit' : times && `${times} the limit`
  if (observed >= expected) return times && `${times} normal`
  return isCalm(alert) || alert.state === 'resolved' ? 'as usual again' : farBelow
}

/** What to compare with: the series' own past for a spike, the rule's bound otherwise. */
function normalFacts(alert: Alert): Fact[] {
  const { expected, requests, pValue } = alert.numbers
  if (expected === null) return []
  const part = requests >= 50 ? ` (${percent(expected / requests)})` : ''
  if (pValue === null) return [{ label: 'Limit', text: `${expectation(expected)}${part}` }]
  const usual = `${expectation(expected)} expected${part}`
  if (alert.state === 'resolved') return [{ label: 'Normal', text: usual }]
  const times = compared(alert, '×')
  const verdict = times === null ? ', so this is new' : `, so this is ${times}`
  const chance = isCalm(alert) ? '' : `; chance of that on a normal day ${odds(pValue)}`
  return [{ label: 'Normal', text: `${usual}${verdict}${chance}` }]
}

/** What else the condition measured, in its own words; what is usual for a spike has been said with `Normal`. */
function ownFacts({ numbers }: Alert): Fact[] {
  const isSaid = numbers.expected !== null && numbers.pValue !== null
  return numbers.facts
    .filter(({ label }) => !(isSaid && label === 'Usual'))
    .slice(0, ownFactLimit)
    .map(({ label, text }) => ({ label: plainText(label, 24), text: plainText(text, 300) }))
}

function sinceText(alert: Alert, context: FactContext): string {
  const since = timeOfDay(alert.activeAtMs, context.timezone, context.now)
  const age = spanText(Math.max(0, context.now - alert.activeAtMs))
  const delay = spanText(Math.max(0, context.noticedAtMs - alert.activeAtMs))
  return `${since}, for ${age} now (${delay === age ? 'just noticed' : `noticed ${delay} later`})`
}

function affected({ numbers }: Alert): string {
  if (numbers.tenants <= 0) return ''
  return `, ${count(numbers.tenants)} ${numbers.tenants === 1 ? 'tenant' : 'tenants'} affected`
}

/** The narrowest part of the traffic that explains the refusals. */
function scopeFact({ numbers: { scope } }: Alert): Fact | null {
  if (scope === null) return null
  const { tenant = '', api = '', cause = '' } = scope.labels
  const name = seriesName({ tenant, api, cause })
  return name === '' ? null : { label: 'Mostly', text: `${name}, ${Math.round(scope.share * 100)} % of the refusals` }
}

function tenantFact(tenant: Tenant | null): Fact | null {
  if (tenant === null || (tenant.name === null && tenant.plan === null)) return null
  const id = nameText(tenant.id)
  const name = tenant.name === null ? id : `${nameText(tenant.name, 100)} (${id})`
  return { label: 'Tenant', text: tenant.plan === null ? name : `${name}, plan ${nameText(tenant.plan)}` }
}

export function trendFact(alert: Alert, trend: Trend | null): Fact | null {
  if (trend === null || trend.steps.length < 2 || alert.numbers.windowMs <= 0) return null
  const steps = paired(countsOf(trend))
  const stepMs = 2 * trend.stepMs
  // A gap must not be where the line is broken.
  const bars = sparkline(steps.map((value) => value ?? Number.NaN)).replaceAll(' ', '\u00a0')
  return { label: 'Trend', text: `${bars} (last ${spanText(steps.length * stepMs)}, ${spanText(stepMs)} each)` }
}

/** Two steps in one, so that the line is short enough for a phone. */
function paired(counts: readonly (number | null)[]): readonly (number | null)[] {
  const pairs: (number | null)[] = []
  for (let at = counts.length; at >= 2; at -= 2) {
    const [first, second] = [counts[at - 2], counts[at - 1]]
    pairs.unshift(first == null || second == null ? null : first + second)
  }
  return pairs
}

/** The three largest contributors, unless there is only the alert's own series. */
function topFact(alert: Alert): Fact | null {
  const top = alert.numbers.top.slice(0, 3)
  const [first] = top
  if (first === undefined) return null
  const own = (['tenant', 'api', 'cause'] as const).every((label) => labelOf(alert.labels, label) === first[label])
  if (top.length === 1 && own) return null
  const text = top.map((entry) => `${seriesName(entry)} (${count(entry.count)})`).join('; ')
  return { label: 'Top', text }
}

/** `acme / chat: quota exceeded`; what is empty is left out. */
export function seriesName(series: { tenant: string; api: string; cause: string }): string {
  const place = [series.tenant, series.api].filter((part) => part !== '').map((part) => nameText(part))
  const cause = series.cause === '' ? '' : causeName(plainText(series.cause, 40))
  return [place.join(' / '), cause].filter((part) => part !== '').join(': ')
}
