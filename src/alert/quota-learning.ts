import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs } from '../time/duration.ts'
import { parseMatcher } from './matcher.ts'
import { firstField, type MinuteCounts, MinuteFeed } from './minute-feed.ts'
import type { QuotaReading } from './quota-reading.ts'
import type { Rule } from './rule.ts'
import type { Groupings, StepSums } from './step-sums.ts'

/** What learnt quotas are called; no gateway names one so. */
export const learnedQuota = { day: 'requests a day (learned)', month: 'requests a month (learned)' } as const

type Period = keyof typeof learnedQuota

/** The fields of one period of a row. */
const periodFields = {
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
} as const
const periodWidth = 6
const base: Readonly<Record<Period, number>> = { day: firstField, month: firstField + periodWidth }
const lastRefusedField = firstField + 2 * periodWidth
/** 1 once refusals went on over the end of a day: they are of a longer period. */
const overDayField = lastRefusedField + 1

/** A period with fewer requests than this before its refusals had no quota to speak of. */
const leastLevel = 20
/** Fewer refusals than this were an accident of a small customer, and not the end of its quota. */
const leastRefused = 10
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
      shape: 'quota-learning 2',
      fields: overDayField + 1 - firstField,
      seriesLimit,
      meets: 'requests',
    })
  }

  /** Counts the minutes that have ended and gives a reading of every known level, by the key of its series. */
  readings(sums: StepSums): readonly { key: string; reading: QuotaReading }[] {
    const found: { key: string; reading: QuotaReading }[] = []
    this.feed.feed(sums, (place, counts) => {
      for (const period of ['day', 'month'] as const) this.#count(place, period, counts)
      if (isRefused(counts)) this.feed.series.set(place, lastRefusedField, counts.endMs)
      for (const period of ['day', 'month'] as const) {
        const reading = this.#reading(place, period, counts.endMs)
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
      if (this.#get(place, 'day', 'level') > 0 || this.#get(place, 'month', 'level') > 0) known++
    }
    return known
  }

  #count(place: number, period: Period, counts: MinuteCounts): void {
    const index = indexOf(period, counts.endMs - 1)
    if (index !== this.#get(place, period, 'index')) this.#turn(place, period, index)
    const refused = isRefused(counts)
    this.#set(place, period, 'used', this.#get(place, period, 'used') + counts.requests - counts.refusals)
    const used = this.#get(place, period, 'used')
    const pending = this.#get(place, period, 'pending')
    if (pending > 0 && refused) {
      // The end of the period changed nothing, so it is not this period's quota.
      this.#set(place, period, 'pending', 0)
      if (period === 'day') this.feed.series.set(place, overDayField, 1)
    } else if (pending > 0 && used >= leastProof) {
      this.#set(place, period, 'pending', 0)
      this.#set(place, period, 'level', pending)
    }
    this.#noteOnset(place, period, refused ? counts.refusals : 0, used)
    const level = this.#get(place, period, 'level')
    if (!refused && level > 0 && used > overrun * level) this.#set(place, period, 'level', 0)
  }

  /** Where refusals began; who is served on beyond it was not at the end of a quota. */
  #noteOnset(place: number, period: Period, refusals: number, used: number): void {
    const onset = this.#get(place, period, 'onset')
    if (refusals === 0 && used > overrun * onset) {
      this.#set(place, period, 'onset', 0)
      this.#set(place, period, 'refused', 0)
    } else if (refusals > 0) {
      if (onset === 0) this.#set(place, period, 'onset', Math.max(1, used))
      this.#set(place, period, 'refused', this.#get(place, period, 'refused') + refusals)
    }
  }

  /** A day or a month has ended: what it was ended by is seen in the next one. */
  #turn(place: number, period: Period, index: number): void {
    const onset = this.#get(place, period, 'onset')
    const endMs = startOf(period, index)
    const lasted = endMs - this.feed.series.get(place, lastRefusedField) <= hourMs
    const next = index === this.#get(place, period, 'index') + 1
    // A day that ends with its month proves nothing; a month counts only if its refusals outlived a day.
    const told = period === 'day' ? new Date(endMs).getUTCDate() !== 1 : this.feed.series.get(place, overDayField) === 1
    const whole = this.#isWhole(startOf(period, index - 1))
    const proven = onset >= leastLevel && this.#get(place, period, 'refused') >= leastRefused
    this.#set(place, period, 'pending', proven && lasted && next && told && whole ? onset : 0)
    this.#set(place, period, 'index', index)
    this.#set(place, period, 'used', 0)
    this.#set(place, period, 'onset', 0)
    this.#set(place, period, 'refused', 0)
    if (period === 'month') this.feed.series.set(place, overDayField, 0)
  }

  #reading(place: number, period: Period, atMs: EpochMs): QuotaReading | null {
    const level = this.#get(place, period, 'level')
    const index = indexOf(period, atMs - 1)
    if (level === 0 || !this.#isWhole(startOf(period, index))) return null
    const labels = this.feed.labelsOf(this.feed.series.keys[place] ?? '[]')
    return {
      tenant: labels['tenant'] ?? '',
      api: labels['api'] ?? '',
      quota: learnedQuota[period],
      limit: level,
      remaining: level - this.#get(place, period, 'used'),
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

  #get(place: number, period: Period, field: keyof typeof periodFields): number {
    return this.feed.series.get(place, base[period] + periodFields[field])
  }

  #set(place: number, period: Period, field: keyof typeof periodFields, value: number): void {
    this.feed.series.set(place, base[period] + periodFields[field], value)
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
