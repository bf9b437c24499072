/** What the PromQL of the rules is put together from. */

import type { Rule } from '../../src/alert/rule.ts'
import { causes as allCauses, type Cause, familyOf } from '../../src/classify/cause.ts'
import { formatDuration } from '../../src/time/duration.ts'

/** One rule of a Prometheus rules file, in the order of keys that people are used to. */
export type PromRule =
  | { readonly record: string; readonly expr: string }
  | {
      readonly alert: string
      readonly expr: string
      readonly for?: string
      readonly keep_firing_for?: string
      readonly labels: Readonly<Record<string, string>>
      readonly annotations: Readonly<Record<string, string>>
    }

/** Only true while event time is up to date, so that a backlog that is read at once is no spike. */
export const caughtUp = 'and on () tollwatch:caught_up'
/** Only true once Prometheus has an hour of Tollwatch, so that what is old is not taken for new. */
export const learnt = 'and on () tollwatch:learnt'

/** How often the counts are recorded; sums over recordings go by it. */
export const countsEverySeconds = 30

/** The recorded counts, by tenant and API, the refusals by cause as well. */
export const refusedIn = (window: string) => `tenant_api_cause:tollwatch_payment_required:increase${window}`
export const requestsIn = (window: string) => `tenant_api:tollwatch_gateway_requests:increase${window}`

/** `sum by (tenant, cause) (…)` */
export const sumBy = (labels: readonly string[], of: string) => `sum by (${labels.join(', ')}) (${of})`
/** Joins a vector of few labels to one of more. */
export const joined = (labels: readonly string[]) => `on (${labels.join(', ')}) group_left ()`

/**
 * How much a counter grew, with what it began at when it is new: increase() misses that, and a tenant's first refusals
 * are what one wants to hear of. Only where Tollwatch was seen a window ago: after a gap an old counter is not new.
 */
export function grown(labels: readonly string[], counter: string, window: string): string {
  return `sum by (${labels.join(', ')}) (
  increase(${counter}[${window}])
  or label_replace(
    min_over_time(${counter}[${window}]) unless ${counter} offset ${window} and on (job, instance) tollwatch_series offset ${window},
    "counted", "first", "", ""
  )
)`
}

/** The causes a rule is about. */
export function causesOf(rule: Rule): readonly Cause[] {
  const about = rule.matchers.filter(({ label }) => label === 'cause' || label === 'family')
  return allCauses.filter((cause) =>
    about.every((matcher) => matcher.test(matcher.label === 'cause' ? cause : familyOf[cause])),
  )
}

/** `{cause=~"…", tenant="…"}` as the rule's matchers say; for requests, which have no cause, without it. */
export function selector(rule: Rule, of: 'refusals' | 'requests'): string {
  const others = rule.matchers.filter(({ label }) => label === 'tenant' || label === 'api')
  const parts = others.map(({ label, operator, value }) => `${label}${operator}${JSON.stringify(value)}`)
  const causes = causesOf(rule)
  if (of === 'refusals' && causes.length < allCauses.length) parts.unshift(`cause=~"${causes.join('|')}"`)
  return parts.length === 0 ? '' : `{${parts.join(', ')}}`
}

/** The labels of a rule's alerts that metrics have. */
export function labelsOf(rule: Rule): { readonly own: readonly string[]; readonly base: readonly string[] } {
  const own = rule.groupBy.filter((label) => label !== 'family')
  return { own, base: own.filter((label) => label !== 'cause') }
}

export const windowName = (ms: number) => formatDuration(ms)
