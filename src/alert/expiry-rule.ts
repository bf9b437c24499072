import type { Tenant, TenantDirectory } from '../tenants/directory.ts'
import type { Expiry } from '../tenants/expiry.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs, formatDuration } from '../time/duration.ts'
import { wallTime } from '../time/local-time.ts'
import type { Severity } from './alert.ts'
import { type Grouping, noGroup, planGrouping } from './grouping.ts'
import { noLevel } from './levels.ts'
import { matchesAll } from './matcher.ts'
import { labelsOfKey } from './minute-feed.ts'
import { months } from './quota-text.ts'
import { type Evaluator, type Memo, type Reading, uncounted } from './reading.ts'
import type { ExpiryCondition, Rule } from './rule.ts'
import { spanText } from './span.ts'
import type { Groupings, StepSums } from './step-sums.ts'

/** The labels of an alert: a subscription with another end is another alert, so that its levels are told anew. */
const by = ['tenant', 'expires'] as const

/**
 * Tells that subscriptions end, each level once for each end, and is over when the end has come or was moved. It keeps
 * nothing: which alerts are on says all, and the directory of tenants is asked at each step, since it may change.
 */
export class ExpiryEvaluator implements Evaluator {
  readonly #rule: Rule
  readonly #condition: ExpiryCondition
  readonly #groupings: Groupings
  readonly #tenants: TenantDirectory
  #atMs: EpochMs = 0

  constructor(
    rule: Rule,
    condition: ExpiryCondition,
    { groupings, tenants }: { groupings: Groupings; tenants: TenantDirectory },
  ) {
    this.#rule = rule
    this.#condition = condition
    this.#groupings = groupings
    this.#tenants = tenants
  }

  get grouping(): Grouping {
    return this.#groupings.get(planGrouping([], []))
  }

  evaluate({ atMs }: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    this.#atMs = atMs
    const readings: Reading[] = []
    const seen = new Set<string>()
    for (const tenant of this.#tenants.ending?.() ?? []) {
      const { id, expires } = tenant
      if (expires === undefined || expires.atMs <= atMs) continue
      const reached = this.#reached(expires.atMs - atMs)
      if (reached === null || !matchesAll(this.#rule.matchers, { tenant: id, expires: expires.text })) continue
      const key = JSON.stringify([id, expires.text])
      seen.add(key)
      readings.push(this.#ahead(key, tenant, { expires, reached, atMs }))
    }
    for (const key of active.keys()) if (!seen.has(key)) readings.push(this.#over(key, atMs))
    return readings
  }

  /** The most severe level whose time has come; null while there is more time than any level asks. */
  #reached(leftMs: number): Severity | null {
    return this.#condition.levels.findLast(({ bound }) => leftMs <= bound)?.severity ?? null
  }

  #ahead(
    key: string,
    { id, timezone }: Tenant,
    { expires, reached, atMs }: { expires: Expiry; reached: Severity; atMs: EpochMs },
  ): Reading {
    const leftMs = expires.atMs - atMs
    const when = endText(expires, timezone)
    // Two sentences: subjects take the first one and stay as they are for a month.
    const now = `The subscription of ${id} ends ${when}. That is in ${spanText(leftMs)}`
    return {
      ...uncounted,
      key,
      labels: labelsOfKey(key, by),
      group: noGroup,
      met: true,
      calm: false,
      value: leftMs / dayMs,
      levels: { reached, kept: reached },
      facts: [{ label: 'Expires', text: `${when}, in ${spanText(leftMs)}` }],
      words: { now, calm: now, over: now },
    }
  }

  /** The end has come, was moved, or is known no more. */
  #over(key: string, atMs: EpochMs): Reading {
    const labels = labelsOfKey(key, by)
    const { tenant = '', expires: before = '' } = labels
    const known = this.#tenants.find(tenant)
    const expires = known?.expires
    const isPast = expires !== undefined && expires.text === before && expires.atMs <= atMs
    const when = expires === undefined ? '' : endText(expires, known?.timezone ?? null)
    const now = isPast
      ? `The subscription of ${tenant} has ended ${when}, and this reminder with it`
      : expires === undefined
        ? `No end of the subscription of ${tenant} is known any more, and its reminder ends`
        : `The subscription of ${tenant} now ends ${when}, and the reminder of ${before} is over`
    return {
      ...uncounted,
      key,
      labels,
      group: noGroup,
      met: false,
      calm: true,
      value: isPast || expires === undefined ? 0 : (expires.atMs - atMs) / dayMs,
      levels: noLevel,
      ends: true,
      facts: [{ label: isPast ? 'Expired' : 'Expires', text: when === '' ? 'no end is known' : when }],
      words: { now, calm: now, over: now },
    }
  }

  hold(): void {}

  release(): void {}

  adopt(): boolean {
    return false
  }

  learn(): void {}

  explain(): readonly string[] {
    const texts = this.#condition.levels.map(({ severity, bound }) => `${severity} ${formatDuration(bound)} before`)
    return [`levels, each told once for each end of a subscription: ${texts.join(', ')}`]
  }

  status(): readonly string[] {
    const ending = this.#tenants.ending?.() ?? []
    if (ending.length === 0) return ['it is silent: no tenant of tenants.file has `expires`']
    const ahead = ending.filter(({ expires }) => expires !== undefined && expires.atMs > this.#atMs).length
    return [`${ending.length} tenants have an end of their subscription, ${ahead} of them still to come`]
  }
}

/** `after 31 Dec 2026 (Europe/Berlin)` for a day, `31 Dec 2026, 18:00 (UTC)` for an instant. */
function endText({ text, atMs }: Expiry, timezone: string | null): string {
  const zone = timezone ?? 'UTC'
  const isDay = !text.includes('T')
  // What is over with a day is over at the first moment of the next one.
  const { year, month, day, hour, minute } = wallTime(isDay ? atMs - 1 : atMs, zone)
  const date = `${day} ${months[month - 1] ?? ''} ${year}`
  if (isDay) return `after ${date} (${zone})`
  return `on ${date}, ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')} (${zone})`
}
