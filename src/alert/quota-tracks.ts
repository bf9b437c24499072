import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { busyMinutes, cycleFrom, type DayCycle, waveAt } from './day-cycle.ts'
import type { UsageRate } from './quota-forecast.ts'
import type { QuotaReading } from './quota-reading.ts'
import type { QuotaCondition } from './rule.ts'
import { StoredRows } from './stored-rows.ts'

/** The fields of a row. */
const f = {
  /** Event time of the newest reading, or the reset that passed without one. */
  at: 0,
  limit: 1,
  used: 2,
  /** 0 where it is not known. */
  resetAt: 3,
  /** When the period began; 0 where it was not seen to begin. */
  since: 4,
  /** What its length is taken for. */
  period: 5,
  /** The gamma posterior of usage a minute: units and minutes, both fading. */
  units: 6,
  minutes: 7,
  /** Squared relative errors of what was predicted, and how many, both fading. */
  errors: 8,
  windows: 9,
  /** The window whose usage is compared with its prediction. */
  windowFrom: 10,
  windowUsed: 11,
  windowRate: 12,
  /** Bits of the levels that were told in this period and limit; `forecastBit` for the forecast. */
  told: 13,
  /** What ended what was told: 0 nothing, else `rearmed`. */
  ended: 14,
  /** Since when usage is watched. */
  watchedFrom: 15,
  /** 1 for what we learnt ourselves, without a gateway's word. */
  learned: 16,
  /** Units of the days that are over, fading, and their waves; see `day-cycle.ts`. */
  days: 17,
  /** The same of the present day. */
  today: 22,
  /** 1 if the quota was used up today: what would have been used then is not known. */
  todayFull: 27,
} as const
const waves = ['c1', 's1', 'c2', 's2'] as const
const width = f.todayFull + 1

export const rearmed = { no: 0, reset: 1, limit: 2 } as const
export const forecastBit = 1 << 7

/** What fills up again so soon is a rate limit, and nobody wants to be told of each minute's. */
const shortestPeriodMs = 30 * minuteMs
const shortestFirstMs = 10 * minuteMs
/** Before the first prediction was checked, usage is taken to stray by a third from it, as sure as three checks. */
const priorError = 0.1
const priorWindows = 3
const errorHalfLife = 30
const cycleHalfLifeDays = 7
/** Until a whole day was seen, nobody knows its shape: usage strays by another third. */
const unknownCycleError = 0.1
/** Of a surprise beyond this no more is learnt. */
const largestError = 9
const quietKeepMs = 40 * dayMs

/** One quota as it stands. */
export interface QuotaStand {
  readonly limit: number
  readonly used: number
  readonly resetAtMs: EpochMs | null
  readonly told: number
  readonly ended: number
  readonly learned: boolean
  /** Units a busy minute. */
  readonly rate: UsageRate
  readonly cycle: DayCycle
  /** How long usage has been watched. */
  readonly watchedMs: number
}

/** Every quota of a rule: its usage, how fast it grows, and what was told of it. */
export class QuotaTracks extends StoredRows {
  readonly #rearmOn: QuotaCondition['rearmOn']
  /** Quotas that found no room, since the start. */
  turnedAway = 0

  constructor(options: { shape: string; seriesLimit: number; rearmOn: QuotaCondition['rearmOn'] }) {
    super({ ...options, width })
    this.#rearmOn = options.rearmOn
  }

  /** Takes a reading of the quota with this key; older ones than the newest change nothing. */
  take(key: string, reading: QuotaReading, learned: boolean): void {
    const { series } = this
    const { atMs, resetAtMs } = reading
    let place = series.placeOf(key)
    if (place === undefined) {
      if (resetAtMs !== null && resetAtMs - atMs < shortestFirstMs) return
      const created = series.create(key)
      if (created === null) {
        this.turnedAway++
        return
      }
      place = created
      this.#begin(place, reading, learned)
      return
    }
    if (atMs < series.get(place, f.at)) return
    this.pass(place, atMs)
    const used = reading.limit - reading.remaining
    if (this.#isNextPeriod(place, reading)) {
      if (used < series.get(place, f.used)) this.#reset(place, atMs)
      else if (this.#rearmOn.includes('period_reset')) this.#rearm(place, rearmed.reset)
    } else if (this.#looksReset(place, reading, used)) this.#reset(place, atMs)
    const fromMs = series.get(place, f.at)
    this.#learn(place, Math.max(0, used - series.get(place, f.used)), fromMs, atMs)
    if (reading.limit !== series.get(place, f.limit) && this.#rearmOn.includes('limit_change')) {
      this.#rearm(place, rearmed.limit)
    }
    series.set(place, f.limit, reading.limit)
    series.set(place, f.used, used)
    series.set(place, f.at, atMs)
    if (resetAtMs !== null) {
      series.set(place, f.resetAt, resetAtMs)
      const since = series.get(place, f.since)
      if (since > 0 && resetAtMs > since) series.set(place, f.period, resetAtMs - since)
    }
  }

  #begin(place: number, { limit, remaining, resetAtMs, atMs }: QuotaReading, learned: boolean): void {
    const { series } = this
    series.set(place, f.at, atMs)
    series.set(place, f.limit, limit)
    series.set(place, f.used, limit - remaining)
    series.set(place, f.resetAt, resetAtMs ?? 0)
    // The rest of the period is the least it can be.
    series.set(place, f.period, resetAtMs === null ? dayMs : resetAtMs - atMs)
    series.set(place, f.errors, priorError * priorWindows)
    series.set(place, f.windows, priorWindows)
    series.set(place, f.windowFrom, atMs)
    series.set(place, f.watchedFrom, atMs)
    series.set(place, f.learned, learned ? 1 : 0)
  }

  /** Times of reset that move a little are those of sliding windows; one that moves by half a period is the next. */
  #isNextPeriod(place: number, { resetAtMs }: QuotaReading): boolean {
    const resetAt = this.series.get(place, f.resetAt)
    return resetAtMs !== null && resetAt > 0 && resetAtMs - resetAt >= this.series.get(place, f.period) / 2
  }

  /** A drop of usage that is no refund: to next to nothing, or together with a new time of reset. */
  #looksReset(place: number, { limit, resetAtMs }: QuotaReading, used: number): boolean {
    const before = this.series.get(place, f.used)
    const resetAt = this.series.get(place, f.resetAt)
    if (resetAtMs !== null && resetAt > 0 && Math.abs(resetAtMs - resetAt) > minuteMs) return used < before / 2
    return resetAt === 0 && used < 0.1 * limit && before - used > 0.5 * limit
  }

  /** Lets a reset pass that no reading told of: the quota is full again, whoever asks for it next. */
  pass(place: number, nowMs: EpochMs): void {
    const { series } = this
    const resetAt = series.get(place, f.resetAt)
    if (resetAt === 0 || nowMs < resetAt) return
    this.#reset(place, Math.max(resetAt, series.get(place, f.at)))
    series.set(place, f.resetAt, 0)
  }

  #reset(place: number, atMs: EpochMs): void {
    const { series } = this
    this.#learn(place, 0, series.get(place, f.at), atMs)
    series.set(place, f.used, 0)
    series.set(place, f.since, atMs)
    series.set(place, f.at, atMs)
    if (this.#rearmOn.includes('period_reset')) this.#rearm(place, rearmed.reset)
  }

  #rearm(place: number, why: number): void {
    if (this.series.get(place, f.told) === 0) return
    this.series.set(place, f.told, 0)
    this.series.set(place, f.ended, why)
  }

  /** Lets the rate learn from what was used between two readings. */
  #learn(place: number, units: number, fromMs: EpochMs, toMs: EpochMs): void {
    const { series } = this
    if (toMs <= fromMs && units <= 0) return
    // Who may use no more shows no will to: such hours teach nothing.
    if (units <= 0 && this.#isFull(place)) {
      this.#shapeDay(place, 0, fromMs, toMs)
      series.set(place, f.todayFull, 1)
      series.set(place, f.windowFrom, toMs)
      series.set(place, f.windowUsed, 0)
      return
    }
    this.#shapeDay(place, units, fromMs, toMs)
    const cycle = this.#cycle(place)
    const minutes = busyMinutes(cycle, fromMs, toMs)
    const periodMs = series.get(place, f.period)
    const fade = 2 ** (-(toMs - fromMs) / clamp(periodMs / 4, hourMs, 3 * dayMs))
    series.set(place, f.units, series.get(place, f.units) * fade + units)
    series.set(place, f.minutes, series.get(place, f.minutes) * fade + minutes)
    series.add(place, f.windowUsed, units)
    const windowFrom = series.get(place, f.windowFrom)
    if (toMs - windowFrom < clamp(periodMs / 30, 10 * minuteMs, dayMs)) return
    const predicted = series.get(place, f.windowRate) * busyMinutes(cycle, windowFrom, toMs)
    if (predicted > 0) {
      const error = series.get(place, f.windowUsed) - predicted
      const relative = Math.min(largestError, (error * error - predicted) / (predicted * predicted))
      const keep = 2 ** (-1 / errorHalfLife)
      series.set(place, f.errors, series.get(place, f.errors) * keep + relative)
      series.set(place, f.windows, series.get(place, f.windows) * keep + 1)
    }
    series.set(place, f.windowFrom, toMs)
    series.set(place, f.windowUsed, 0)
    series.set(place, f.windowRate, series.get(place, f.units) / Math.max(1e-9, series.get(place, f.minutes)))
  }

  /** Notes at what time of day usage came; a day that is over joins the others. */
  #shapeDay(place: number, units: number, fromMs: EpochMs, toMs: EpochMs): void {
    const { series } = this
    const passed = Math.floor(toMs / dayMs) - Math.floor(fromMs / dayMs)
    if (passed > 0) {
      // The day in which watching began was not seen whole.
      const seen = series.get(place, f.watchedFrom) <= Math.floor(fromMs / dayMs) * dayMs
      const whole = seen && series.get(place, f.todayFull) === 0
      const fade = 2 ** (-passed / cycleHalfLifeDays)
      for (let at = 0; at <= waves.length; at++) {
        const today = whole ? series.get(place, f.today + at) : 0
        series.set(place, f.days + at, series.get(place, f.days + at) * fade + today)
      }
      series.clear(place, f.today, f.todayFull + 1)
    }
    if (units <= 0) return
    const wave = waveAt(toMs - Math.min(minuteMs, toMs - fromMs) / 2)
    series.add(place, f.today, units)
    for (const [at, name] of waves.entries()) series.add(place, f.today + 1 + at, units * wave[name])
  }

  #isFull(place: number): boolean {
    return this.series.get(place, f.used) >= this.series.get(place, f.limit)
  }

  #cycle(place: number): DayCycle {
    const at = (number: number) => this.series.get(place, f.days + number)
    return cycleFrom(at(0), { c1: at(1), s1: at(2), c2: at(3), s2: at(4) })
  }

  /** The quota at a place; null for what turned out to be a rate limit. */
  stand(place: number, nowMs: EpochMs): QuotaStand | null {
    const { series } = this
    const periodMs = series.get(place, f.period)
    if (series.get(place, f.since) > 0 && periodMs < shortestPeriodMs) return null
    const idleMs = this.#isFull(place) ? 0 : Math.max(0, nowMs - series.get(place, f.at))
    // Without a request there is no reading: since the last one nothing was used.
    const fade = 2 ** (-idleMs / clamp(periodMs / 4, hourMs, 3 * dayMs))
    const units = series.get(place, f.units) * fade
    const cycle = this.#cycle(place)
    const minutes = series.get(place, f.minutes) * fade + busyMinutes(cycle, nowMs - idleMs, nowMs)
    const known = Math.max(0, series.get(place, f.errors) / series.get(place, f.windows))
    const errors = series.get(place, f.days) > 0 ? known : known + unknownCycleError
    const resetAt = series.get(place, f.resetAt)
    return {
      limit: series.get(place, f.limit),
      used: series.get(place, f.used),
      resetAtMs: resetAt === 0 ? null : resetAt,
      told: series.get(place, f.told),
      ended: series.get(place, f.ended),
      learned: series.get(place, f.learned) === 1,
      rate: { mean: minutes > 0 ? units / minutes : 0, spread: 1 / (units + 0.5) + errors },
      cycle,
      watchedMs: nowMs - series.get(place, f.watchedFrom),
    }
  }

  /** Notes what people have been told, so that they are not told again. */
  tell(place: number, bits: number): void {
    this.series.set(place, f.told, this.series.get(place, f.told) | bits)
    this.series.set(place, f.ended, rearmed.no)
  }

  /** Quotas that a gateway has told of. */
  toldKeys(): readonly string[] {
    return this.series.keys.filter((key, place): key is string => {
      return key !== undefined && this.series.get(place, f.learned) === 0
    })
  }

  /** Forgets quotas that nobody has drawn on for long. */
  tidy(nowMs: EpochMs): void {
    const { series } = this
    for (let place = 0; place < series.places; place++) {
      if (series.keys[place] !== undefined && nowMs - series.get(place, f.at) > quietKeepMs) series.forget(place)
    }
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
