import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs } from '../time/duration.ts'
import { type Severity, severities } from './alert.ts'
import { busyMinutes } from './day-cycle.ts'
import { runOutChance } from './quota-forecast.ts'
import type { QuotaStand } from './quota-tracks.ts'
import type { QuotaCondition } from './rule.ts'

/** Usage that wavers by this share of the limit around a level does not end it. */
const levelSlack = 0.02
/** A forecast ends once its chance has fallen to this part of what it takes. */
const forecastSlack = 0.75
/** A forecast reaches no further ahead than so many times what was watched. */
const farthest = 24
const leastWatchedMs = 10 * minuteMs

/** What one quota comes to: its levels, and the chance of running out. */
export interface Judgement {
  readonly crossed: number
  readonly reached: Severity | null
  /** Usage is not clearly below every level. */
  readonly near: boolean
  /** Null where too little was watched to say. */
  readonly chance: number | null
  readonly foreseen: boolean
  readonly stillForeseen: boolean
}

/** Weighs a quota at a time: what is reached, and how likely it is to run out. */
export function judgeQuota(condition: QuotaCondition, stand: QuotaStand, atMs: EpochMs): Judgement {
  const { levels, forecast } = condition
  const share = stand.used / stand.limit
  let crossed = 0
  let reached: Severity | null = null
  let near = false
  for (const { severity, bound } of levels) {
    if (share >= bound) {
      crossed |= 1 << severities.indexOf(severity)
      reached = severity
    }
    near ||= share >= bound - levelSlack
  }
  const chance = chanceOf(condition, stand, atMs)
  const counts = forecast !== null && chance !== null && share >= forecast.minUsed
  const foreseen = counts && chance >= forecast.probability
  return {
    crossed,
    reached,
    near,
    chance,
    foreseen,
    stillForeseen: counts && chance >= forecastSlack * forecast.probability,
  }
}

/** How far a forecast looks: to the reset, and no further than the rule says. */
export function aheadOf({ forecast }: QuotaCondition, { resetAtMs }: QuotaStand, atMs: EpochMs): number {
  const withinMs = forecast?.withinMs ?? dayMs
  return resetAtMs === null ? withinMs : Math.min(withinMs, resetAtMs - atMs)
}

function chanceOf(condition: QuotaCondition, stand: QuotaStand, atMs: EpochMs): number | null {
  const aheadMs = aheadOf(condition, stand, atMs)
  if (stand.used >= stand.limit) return 1
  if (stand.watchedMs < Math.max(leastWatchedMs, aheadMs / farthest)) return null
  const { rate, limit, used } = stand
  const minutes = busyMinutes(stand.cycle, atMs, atMs + aheadMs)
  const expected = rate.mean * minutes
  // Far from running out: not worth the work of an exact tail.
  if (limit - used > expected + 8 * Math.sqrt(expected + expected * expected * rate.spread)) return 0
  return runOutChance(limit - used, rate, minutes)
}
