import type { Alert, AlertFact, AlertNumbers } from './alert.ts'
import type { Reading, Words } from './reading.ts'
import type { SimpleCondition, ThresholdCondition } from './rule.ts'
import { spanText } from './span.ts'

/** What a sentence is made of. */
export interface SummaryInput {
  readonly condition: SimpleCondition
  readonly state: Alert['state']
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly numbers: AlertNumbers
  readonly learning: boolean
  readonly side: 'up' | 'down'
  /** Event time left until it resolves, if it stays calm; null while it is not calm. */
  readonly resolvesInMs: number | null
  /** How long it has been active; for resolved alerts. */
  readonly lastedMs: number
  /** It did not end: after a day it is taken for normal. */
  readonly newNormal: boolean
  /** The condition's own sentences; null for those of thresholds and spikes. */
  readonly words: Words | null
}

/** What happened, in the words of a helpful colleague: who, where, why, how much, compared with what. */
export function summarise(input: SummaryInput): string {
  const { words } = input
  if (words !== null) return inWords(input, words)
  if (input.state === 'resolved') return resolved(input)
  if (input.resolvesInMs !== null) return cooling(input, input.resolvesInMs)
  const learning = input.learning ? ' Still learning what is normal here.' : ''
  return `${subject(input)}. ${capital(evidence(input))}.${learning}`
}

function inWords({ state, resolvesInMs, lastedMs, newNormal, numbers }: SummaryInput, words: Words): string {
  if (state === 'resolved') {
    const normal = newNormal ? ', and is no longer waited for' : ''
    return `${words.over} after ${spanText(lastedMs)}${normal}.`
  }
  if (resolvesInMs !== null) return `${words.calm}. ${resolvesText(resolvesInMs)}`
  const scope = scopeText(numbers, '')
  return `${words.now}${scope}.`
}

function subject({ labels, numbers, condition, side }: SummaryInput): string {
  const api = labels['api'] === undefined ? '' : ` on ${labels['api']}`
  const what = causeText(labels)
  if (condition.type === 'spike' && side === 'down') {
    return `Refusals${of(labels['tenant'])}${api}${what === '' ? '' : ` for ${what}`} have dropped`
  }
  if (condition.type === 'threshold' && condition.side === 'below') {
    return `Refusals${of(labels['tenant'])}${api}${what === '' ? '' : ` for ${what}`} are low`
  }
  const mostly = scopeText(numbers, what === '' ? mainCause(numbers) : '')
  if (labels['tenant'] !== undefined) return `${labels['tenant']} is refused${api}${lead(what)}${mostly}`
  const first = numbers.top[0]
  const who = numbers.tenants === 1 && first !== undefined ? first.tenant : plural(numbers.tenants, 'tenant')
  const verb = numbers.tenants === 1 ? 'is' : 'are'
  return `${who} ${verb} refused${api}${lead(what)}${mostly}`
}

function lead(what: string): string {
  return what === '' ? '' : `: ${what}`
}

/**
 * The part of the traffic that explains an alert: `, mostly acme on chat (93 %)`.
 *
 * @param cause the most frequent one, named where nothing holds enough
 */
function scopeText({ scope, tenants, top }: AlertNumbers, cause: string): string {
  const labels = { ...scope?.labels }
  // With one tenant its name leads the sentence already.
  if (tenants === 1 && labels.tenant === top[0]?.tenant) delete labels.tenant
  const named = labels.cause === undefined ? '' : plainCause(labels.cause)
  const place = [labels.tenant ?? '', labels.api === undefined ? '' : `on ${labels.api}`].filter((text) => text !== '')
  const words = [...place, ...(named === '' ? [] : [place.length > 0 ? `for ${named}` : named])].join(' ')
  if (words === '') return cause === '' ? '' : `, mostly ${cause}`
  const share = scope === null || scope.share >= 0.995 ? '' : ` (${Math.round(scope.share * 100)} %)`
  return `, mostly ${words}${share}`
}

/** It is over, but its alert is kept for a while in case it comes back. */
function cooling(input: SummaryInput, resolvesInMs: number): string {
  const { labels, numbers, condition, side } = input
  const api = labels['api'] === undefined ? '' : ` on ${labels['api']}`
  const what = causeText(labels)
  const tenant = labels['tenant']
  const wasLow =
    condition.type === 'spike' ? side === 'down' : condition.type === 'threshold' && condition.side === 'below'
  const seen =
    condition.type === 'threshold'
      ? thresholdEvidence(input, condition)
      : `${seenText(numbers)}, usually ${usualText(numbers)}`
  const start =
    tenant === undefined || wasLow
      ? `Refusals${of(tenant)}${api}${what === '' ? '' : ` for ${what}`} are ${wasLow ? 'no longer low' : 'calm again'}`
      : `${tenant}${api} is calm again`
  const cause = tenant === undefined || wasLow || what === '' ? '' : `${what}, `
  return `${start}: ${cause}${seen}. ${resolvesText(resolvesInMs)}`
}

function resolvesText(resolvesInMs: number): string {
  return `Resolves in about ${spanText(resolvesInMs)} unless it comes back.`
}

function evidence(input: SummaryInput): string {
  return input.condition.type === 'threshold' ? thresholdEvidence(input, input.condition) : spikeEvidence(input)
}

function spikeEvidence({ numbers, side }: SummaryInput): string {
  const { observed, expected } = numbers
  const usual = usualText(numbers)
  const seen = seenText(numbers)
  if (side === 'down') return `only ${seen}, usually ${usual}`
  // A factor over next to nothing would be a huge number that says nothing.
  const factor = expected === null || expected < 0.05 ? '' : `${formatCount(observed / expected)}× normal, `
  return `${factor}${seen}, usually ${usual}`
}

function usualText({ expected }: { readonly expected: number | null }): string {
  return expected === null || expected < 0.05 ? 'almost none' : formatCount(expected)
}

function thresholdEvidence(
  { value, numbers, labels, resolvesInMs }: SummaryInput,
  condition: ThresholdCondition,
): string {
  const { measure, side } = condition
  const bound = condition.levels.find(({ severity }) => severity === labels['severity'])?.bound ?? condition.bound
  const limit = side === 'above' ? 'limit' : 'at least'
  const seen = seenText(numbers)
  switch (measure) {
    case 'ratio':
      if (condition.over === 'requests') return `${seen} (${limit} ${boundText(bound)})`
      return `${formatPercent(value)} of all refusals, ${seen} (${limit} ${boundText(bound)})`
    case 'rate':
      return `${formatCount(value * 60)} a minute, ${seen} (${limit} ${formatCount(bound * 60)} a minute)`
    case 'count':
      return `${seen} (${limit} ${formatCount(bound)})`
    case 'distinct(tenant)': {
      const names = [...new Set(numbers.top.map(({ tenant }) => tenant))].join(', ')
      // Once it is calm the names are those of before.
      const first = names === '' || resolvesInMs !== null ? '' : `; first of all ${names}`
      return `${plural(value, 'tenant')} affected (${limit} ${bound}), ${seen}${first}`
    }
    default:
      return measure satisfies never
  }
}

function seenText({ observed, requests, windowMs }: AlertNumbers): string {
  const base = requests > 0 ? ` of ${formatCount(requests)}` : ''
  const share = requests > 0 && observed > 0 ? ` (${formatPercent(observed / requests)})` : ''
  return `${formatCount(observed)}${base}${share} in ${spanText(windowMs)}`
}

function resolved(input: SummaryInput): string {
  const { labels, numbers } = input
  const what = causeText(labels)
  const api = labels['api'] === undefined ? '' : ` on ${labels['api']}`
  const tenant = labels['tenant']
  const fleet = `Refusals${api}${what === '' ? '' : ` for ${what}`}`
  const name = tenant === undefined ? fleet : `${tenant}${api}${what === '' ? '' : `: ${what}`}`
  const verb = tenant === undefined ? { be: 'are', have: 'have' } : { be: 'is', have: 'has' }
  const sum = `${formatCount(numbers.soFar)} refused in all, at most ${formatCount(numbers.peak)} in ${spanText(numbers.windowMs)}`
  if (input.newNormal) {
    return `${name} ${verb.have} stayed out of line for ${spanText(input.lastedMs)} and ${verb.be} taken as the new normal; ${sum}.`
  }
  return `${name} ${verb.be} back to normal after ${spanText(input.lastedMs)}; ${sum}.`
}

/** What a threshold or a spike measured, beside the counts that every message shows. */
export function countedFacts(condition: SimpleCondition, reading: Reading): readonly AlertFact[] {
  if (condition.type === 'threshold') {
    return [{ label: 'Ends at', text: `${measureText(condition, condition.recover)} (limit ${limitText(condition)})` }]
  }
  if (condition.type !== 'spike' || reading.expected === null) return []
  const rate = reading.requests > 0 ? ` of ${formatCount(reading.requests)} requests` : ''
  const own = `${usualText(reading)}${rate} in ${spanText(reading.windowMs)}`
  return [{ label: 'Usual', text: reading.learning ? `${own}; still learning what is normal here` : own }]
}

/** The bound, or every level with its severity. */
function limitText(condition: ThresholdCondition): string {
  if (condition.levels.length === 0) return measureText(condition, condition.bound)
  return condition.levels.map(({ severity, bound }) => `${measureText(condition, bound)} ${severity}`).join(', ')
}

function measureText({ measure }: ThresholdCondition, value: number): string {
  switch (measure) {
    case 'ratio':
      return boundText(value)
    case 'rate':
      return `${formatCount(value * 60)} a minute`
    case 'count':
      return formatCount(value)
    case 'distinct(tenant)':
      return plural(value, 'tenant')
    default:
      return measure satisfies never
  }
}

/** The sentence of the alert that stands for those beyond the limit; `resolvesInMs` as in `SummaryInput`. */
export function overflowSummary(
  rule: string,
  { folded, limit, resolvesInMs }: { folded: number; limit: number; resolvesInMs: number | null },
): string {
  if (resolvesInMs !== null)
    return `${rule} is within its limit of ${limit} alerts again. ${resolvesText(resolvesInMs)}`
  return `${plural(folded, 'more alert')} of ${rule}, beyond its limit of ${limit}; the largest ones are shown.`
}

function causeText(labels: Readonly<Record<string, string>>): string {
  const cause = labels['cause']
  if (cause !== undefined) return plainCause(cause)
  const family = labels['family']
  return family === undefined ? '' : `${family} causes`
}

/** A cause the way people say it. */
export function plainCause(cause: string): string {
  return cause === 'unknown' ? 'cause unknown' : cause.replaceAll('_', ' ')
}

function mainCause({ top }: AlertNumbers): string {
  const cause = top[0]?.cause
  return cause === undefined ? '' : plainCause(cause)
}

function of(tenant: string | undefined): string {
  return tenant === undefined ? '' : ` of ${tenant}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** 2.2, 27, 1,004: one digit after the point below ten, none above. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return 'n/a'
  const text = Math.abs(value) < 9.95 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value))
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A share as people read it: 6.0 %, 0.21 %. */
export function formatPercent(share: number): string {
  const percent = share * 100
  const digits = percent === 0 || percent >= 99.95 ? 0 : percent < 1 ? 2 : 1
  return `${percent.toFixed(digits)} %`
}

/** A bound as it was written: 20 %, 0.5 %. */
function boundText(share: number): string {
  return `${Number((share * 100).toPrecision(6))} %`
}
