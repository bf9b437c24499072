import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs } from '../time/duration.ts'
import { parseMatcher } from './matcher.ts'
import { firstField, type MinuteCounts, MinuteFeed } from './minute-feed.ts'
import type { QuotaReading } from './quota-reading.ts'
import type { Rule } from './rule.ts'
import type { Groupings, StepSums } from './step-sums.ts'

/** What learnt quotas are called; no gateway names one so. */
export const learnedQuota = { day: 'requests a day (learned)', month: 'requests a month (learned)' } as const

type Period = (typeof periods)[number]

/** The fields of one period of a row, from `base` on. */
const field = {
  /** Number of the day or month since 1970. */
  index: 0,
  /** Requests of the period that were not refused for their quota. */
  used: 1,
  /** How many those were when refusals began in this period; 0 while there are none. */
  onset: 2,
  /** The same of the period before, until it is seen whether its end ended the refusals. */
  pending: 3,
  /** Where refusals begin; 0 while it is not known. */
  level: 4,
  /** Refusals in the refused minutes since the onset. */
  refused: 5,
  /** Where refusals began in an earlier period, until a second one confirms it; 0 while there is none. */
  candidate: 6,
} as const
const periodWidth = 7
const periods = ['day', 'month'] as const
const base: Readonly<Record<Period, number>> = { day: firstField, month: firstField + periodWidth }
const lastRefusedField = firstField + 2 * periodWidth
/** 1 once refusals went on over the end of a day: they are of a longer period. */
const overDayField = lastRefusedField + 1

/** A period with fewer requests than this before its refusals had no quota to speak of. */
const leastLevel = 20
/** Fewer refusals than this were an accident of a small customer, and not the end of its quota. */
const leastRefused = 10
/** Of a quota that is used up hardly a request is served: no more than this part of those that are refused. */
const mostServed = 0.1
/**
 * One day that ends with refusals may be chance: a client's retries just before midnight. Two days that end so at nearly
 * the same number of requests are not. A month shows itself by refusals over the end of a day already.
 */
const confirmedWithin = 0.2
/** So many requests must pass after the end of a period before it has ended the refusals. */
const leastProof = 10
/** Beyond the learnt level by this much without a refusal, the level is no longer true. */
const overrun = 1.1

/**
 * Learns quotas where gateways do not log any: per calendar day or month (UTC), the requests at which refusals for
 * `quota_exceeded` began, if the end of the period ended them. It gives readings as a gateway would, and none for
 * tenants of whom no such level has been seen.
 */
export class QuotaLearning {
  readonly feed: MinuteFeed

  constructor(rule: Rule, groupings: Groupings, seriesLimit: number) {
    const parsed = parseMatcher('cause="quota_exceeded"')
    if (!parsed.ok) throw new RangeError(parsed.message)
    // Whom the rule is about, and of these the refusals that speak of a quota.
    const about = rule.matchers.filter(({ label }) => label === 'tenant' || label === 'api')
    this.feed = new MinuteFeed({
      rule: { ...rule, matchers: [...about, parsed.matcher] },
      groupings,
      shape: 'quota-learning 3',
      fields: overDayField + 1 - firstField,
      seriesLimit,
      meets: 'requests',
    })
  }

  /** Counts the minutes that have ended and gives a reading of every known level, by the key of its series. */
  readings(sums: StepSums): readonly { key: string; reading: QuotaReading }[] {
    const found: { key: string; reading: QuotaReading }[] = []
    const index = { forMs: 0, day: 0, month: 0 }
    this.feed.feed(sums, (place, counts) => {
      const { endMs } = counts
      if (endMs !== index.forMs) {
        index.forMs = endMs
        for (const period of periods) index[period] = indexOf(period, endMs - 1)
      }
      this.#count(place, 'day', index.day, counts)
      this.#count(place, 'month', index.month, counts)
      if (isRefused(counts)) this.feed.series.set(place, lastRefusedField, endMs)
      for (const period of periods) {
        if (this.feed.series.get(place, base[period] + field.level) === 0) continue
        const reading = this.#reading(place, period, index[period], endMs)
        if (reading !== null) found.push({ key: this.feed.series.keys[place] ?? '', reading })
      }
    })
    return found
  }

  /** How many series have a level. */
  get known(): number {
    const { series } = this.feed
    let known = 0
    for (let place = 0; place < series.places; place++) {
      if (periods.some((period) => series.get(place, base[period] + field.level) > 0)) known++
    }
    return known
  }

  #count(place: number, period: Period, index: number, counts: MinuteCounts): void {
    const { series } = this.feed
    const from = base[period]
    if (index !== series.get(place, from + field.index)) this.#turn(place, period, index)
    series.add(place, from + field.used, counts.requests - counts.refusals)
    const refused = isRefused(counts)
    const pending = series.get(place, from + field.pending)
    const level = series.get(place, from + field.level)
    // Nearly every series: no quota is known or suspected, and none shows now.
    if (!refused && pending === 0 && level === 0 && series.get(place, from + field.onset) === 0) return
    const used = series.get(place, from + field.used)
    if (pending > 0 && refused) {
      // The end of the period changed nothing, so it is not this period's quota.
      series.set(place, from + field.pending, 0)
      if (period === 'day') series.set(place, overDayField, 1)
    } else if (pending > 0 && used >= leastProof) {
      series.set(place, from + field.pending, 0)
      this.#sighted(place, period, pending)
    }
    this.#noteOnset(place, from, refused ? counts.refusals : 0, used)
    const isOver = used > overrun * series.get(place, from + field.level)
    if (!refused && isOver) series.set(place, from + field.level, 0)
  }

  /** The end of a period has ended its refusals: by a quota, or by chance. */
  #sighted(place: number, period: Period, level: number): void {
    const { series } = this.feed
    const isNear = (before: number) => Math.abs(level - before) <= confirmedWithin * before
    const from = base[period]
    const confirmed =
      period === 'month' ||
      isNear(series.get(place, from + field.level)) ||
      isNear(series.get(place, from + field.candidate))
    series.set(place, from + (confirmed ? field.level : field.candidate), level)
  }

  /** Where refusals began; who is served on beyond it was not at the end of a quota. */
  #noteOnset(place: number, from: number, refusals: number, used: number): void {
    const { series } = this.feed
    const onset = series.get(place, from + field.onset)
    if (refusals === 0 && used > overrun * onset) {
      series.set(place, from + field.onset, 0)
      series.set(place, from + field.refused, 0)
    } else if (refusals > 0) {
      if (onset === 0) series.set(place, from + field.onset, Math.max(1, used))
      series.add(place, from + field.refused, refusals)
    }
  }

  /** A day or a month has ended: what it was ended by is seen in the next one. */
  #turn(place: number, period: Period, index: number): void {
    const { series } = this.feed
    const from = base[period]
    const onset = series.get(place, from + field.onset)
    const endMs = startOf(period, index)
    const lasted = endMs - series.get(place, lastRefusedField) <= hourMs
    const next = index === series.get(place, from + field.index) + 1
    // A day that ends with its month proves nothing; a month counts only if its refusals outlived a day.
    const told = period === 'day' ? new Date(endMs).getUTCDate() !== 1 : series.get(place, overDayField) === 1
    const whole = this.#isWhole(startOf(period, index - 1))
    const refused = series.get(place, from + field.refused)
    // A few runs of retries in the last hours are something else.
    const servedSince = series.get(place, from + field.used) - onset
    const proven = onset >= leastLevel && refused >= leastRefused && servedSince <= mostServed * refused
    series.set(place, from + field.pending, proven && lasted && next && told && whole ? onset : 0)
    series.set(place, from + field.index, index)
    series.set(place, from + field.used, 0)
    series.set(place, from + field.onset, 0)
    series.set(place, from + field.refused, 0)
    if (period === 'month') series.set(place, overDayField, 0)
  }

  #reading(place: number, period: Period, index: number, atMs: EpochMs): QuotaReading | null {
    const { series } = this.feed
    const level = series.get(place, base[period] + field.level)
    if (!this.#isWhole(startOf(period, index))) return null
    const labels = this.feed.labelsOf(series.keys[place] ?? '[]')
    return {
      tenant: labels['tenant'] ?? '',
      api: labels['api'] ?? '',
      quota: learnedQuota[period],
      limit: level,
      remaining: level - series.get(place, base[period] + field.used),
      resetAtMs: startOf(period, index + 1),
      // The last millisecond of its minute, so that midnight's belongs to the day that ends.
      atMs: atMs - 1,
    }
  }

  /** Whether every minute since then was watched. */
  #isWhole(sinceMs: EpochMs): boolean {
    const unbrokenSinceMs = this.feed.watched.unbrokenSinceMs
    return unbrokenSinceMs !== null && unbrokenSinceMs <= sinceMs
  }
}

/** Most requests of the minute were refused: the quota is used up, and not only near its end. */
function isRefused({ refusals, requests }: MinuteCounts): boolean {
  return refusals > 0 && refusals >= requests / 2
}

function indexOf(period: Period, atMs: EpochMs): number {
  if (period === 'day') return Math.floor(atMs / dayMs)
  const date = new Date(atMs)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

function startOf(period: Period, index: number): EpochMs {
  return period === 'day' ? index * dayMs : Date.UTC(Math.floor(index / 12), index % 12)
}
