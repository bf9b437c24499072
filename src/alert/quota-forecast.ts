import { logUpperTail } from './negative-binomial.ts'

/** How a quota is being used up: a gamma posterior of the rate, and how far real usage strays from it. */
export interface UsageRate {
  /** Units a busy minute, see `day-cycle.ts`. */
  readonly mean: number
  /** Relative variance of what is used in a span, beside that of counting: 1/r of the negative binomial. */
  readonly spread: number
}

/** Counts above it are scaled down: there a negative binomial is a gamma distribution, in which units do not matter. */
const largestCount = 1e6

/**
 * The chance that at least `remaining` units are used within a span: P(exhaust) = I_{m/(m+r)}(R, r) with the predicted
 * mean m and size r (reference 4.4).
 */
export function runOutChance(remaining: number, { mean, spread }: UsageRate, minutes: number): number {
  if (remaining <= 0) return 1
  const expected = mean * minutes
  if (!(expected > 0)) return 0
  const scale = Math.max(1, Math.max(remaining, expected) / largestCount)
  return Math.exp(logUpperTail(Math.max(1, Math.ceil(remaining / scale)), expected / scale, 1 / spread))
}

/** In how many busy minutes the remaining units are used up: half of the time sooner than `middle`; null is never. */
export interface RunOutRange {
  readonly early: number | null
  readonly middle: number | null
  readonly late: number | null
}

/** The 10 %, 50 % and 90 % points of the time at which it runs out. */
export function runOutRange(remaining: number, rate: UsageRate): RunOutRange {
  return {
    early: crossing(remaining, rate, 0.1),
    middle: crossing(remaining, rate, 0.5),
    late: crossing(remaining, rate, 0.9),
  }
}

/** Of a spread this wide no time says anything: beyond a year it is called never. */
const longestMinutes = 366 * 24 * 60

function crossing(remaining: number, rate: UsageRate, chance: number): number | null {
  if (remaining <= 0) return 0
  if (runOutChance(remaining, rate, longestMinutes) < chance) return null
  let low = 0
  let high = Math.min(longestMinutes, Math.max(1, remaining / Math.max(rate.mean, 1e-12)))
  while (runOutChance(remaining, rate, high) < chance) {
    low = high
    high = Math.min(longestMinutes, high * 2)
  }
  for (let k = 0; k < 30 && high - low > 0.01 * high; k++) {
    const middle = (low + high) / 2
    if (runOutChance(remaining, rate, middle) < chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}
