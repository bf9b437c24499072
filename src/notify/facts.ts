import type { Alert } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { count, expectation, factor, odds, percent, share, sparkline, timeOfDay } from './figures.ts'
import { labelOf } from './labels.ts'
import { nameText, plainText } from './plain-text.ts'
import { causeName } from './runbook.ts'

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
  /** Refusals of the last hours in steps of ten minutes, oldest first, NaN for a step without data; null if unknown. */
  readonly trend: readonly number[] | null
}

const trendStepMs = 10 * minuteMs

export function factsOf(alert: Alert, context: FactContext): readonly Fact[] {
  const facts = alert.state === 'resolved' ? afterwards(alert, context) : meanwhile(alert, context)
  const top = topOf(alert)
  const trend = trendOf(context.trend)
  return [...facts, ...(trend === null ? [] : [trend]), ...(top === null ? [] : [top])]
}

function meanwhile(alert: Alert, context: FactContext): Fact[] {
  const { numbers } = alert
  const facts: Fact[] = []
  const counts = numbers.windowMs > 0 && (numbers.observed > 0 || numbers.requests > 0)
  if (counts) {
    const until = timeOfDay(alert.evaluatedAtMs, context.timezone, context.now)
    facts.push({
      label: 'Seen',
      text: `${share(numbers.observed, numbers.requests)} refused in the ${spanText(numbers.windowMs)} to ${until}`,
    })
  }
  facts.push(...normalOf(alert))
  facts.push({ label: 'Since', text: sinceOf(alert, context), atMs: alert.activeAtMs })
  if (counts) facts.push({ label: 'So far', text: `${count(numbers.soFar)} refused${affected(alert)}` })
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
  if (numbers.windowMs === 0) return facts
  facts.push({ label: 'Refused', text: `${count(numbers.soFar)} in total${affected(alert)}` })
  facts.push({ label: 'Peak', text: `${count(numbers.peak)} in ${spanText(numbers.windowMs)}` })
  facts.push({
    label: 'Now',
    text: `${share(numbers.observed, numbers.requests)} refused in ${spanText(numbers.windowMs)}`,
  })
  facts.push(...normalOf(alert))
  return facts
}

/** What to compare with: the series' own past for a spike, the rule's bound otherwise. */
function normalOf({ numbers, state }: Alert): Fact[] {
  const { expected, observed, requests, pValue } = numbers
  if (expected === null) return []
  const part = requests >= 50 ? ` (${percent(expected / requests)})` : ''
  if (pValue === null) return [{ label: 'Limit', text: `${expectation(expected)}${part}` }]
  if (state === 'resolved') return [{ label: 'Normal', text: `${expectation(expected)} expected${part}` }]
  const times = factor(observed, expected, '×')
  const chance = `; chance of that on a normal day ${odds(pValue)}`
  return [
    {
      label: 'Normal',
      text: `${expectation(expected)} expected${part}${times === null ? ', so this is new' : `, so this is ${times} normal`}${chance}`,
    },
  ]
}

function sinceOf(alert: Alert, context: FactContext): string {
  const since = timeOfDay(alert.activeAtMs, context.timezone, context.now)
  const age = spanText(Math.max(0, context.now - alert.activeAtMs))
  const delay = spanText(Math.max(0, context.noticedAtMs - alert.activeAtMs))
  return `${since}, for ${age} now (${delay === age ? 'just noticed' : `noticed ${delay} later`})`
}

function affected({ numbers }: Alert): string {
  if (numbers.tenants <= 0) return ''
  return `, ${count(numbers.tenants)} ${numbers.tenants === 1 ? 'tenant' : 'tenants'} affected`
}

function trendOf(values: readonly number[] | null): Fact | null {
  if (values === null || values.length === 0) return null
  const shown = values.slice(-36)
  return {
    label: 'Trend',
    text: `${sparkline(shown)} (last ${spanText(shown.length * trendStepMs)}, ${spanText(trendStepMs)} each)`,
  }
}

/** The three largest contributors, unless there is only the alert's own series. */
function topOf(alert: Alert): Fact | null {
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
