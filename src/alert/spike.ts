import { dayMs } from '../time/duration.ts'
import type { Prediction } from './baseline.ts'
import { logLowerTail, logUpperTail } from './negative-binomial.ts'

/** What one horizon saw and what it expected. */
export interface HorizonReading extends Prediction {
  readonly count: number
  readonly exposure: number
}

export interface SpikeGates {
  readonly minCount: number
  readonly minRatio: number
  readonly direction: 'up' | 'down' | 'both'
}

export type Side = 'up' | 'down'

/** The most extreme horizon of one series; `logP` is null where a glance was enough. */
export interface SpikeVerdict {
  readonly fires: boolean
  readonly horizon: 0 | 1
  readonly side: Side
  readonly logP: number | null
}

/**
 * The chance of a false alarm that one test may take, so that all tests of a rule together keep to its budget
 * (reference 4.2, step 6).
 *
 * @param series those with traffic lately
 * @returns log alpha for one series at one evaluation, over all its horizons; alpha is at most 1e-4
 */
export function logAlphaOf(falseAlertsPerWeek: number, series: number, evaluationsPerDay: number): number {
  const alpha = falseAlertsPerWeek / 7 / (Math.max(1, series) * evaluationsPerDay)
  return Math.log(Math.min(1e-4, alpha))
}

export function evaluationsPerDay(intervalMs: number): number {
  return dayMs / intervalMs
}

/** A count this far above its mean is worth the work of an exact tail: two standard deviations (step 4). */
function isRemarkable({ count, mean, spread }: HorizonReading, side: Side): boolean {
  const reach = 2 * Math.sqrt(mean + mean * mean * spread)
  return side === 'up' ? count > mean + reach : count < mean - reach / 2
}

/** log of the chance of a count at least so extreme on a normal day. */
export function logChance({ count, mean, spread }: HorizonReading, side: Side): number {
  return side === 'up' ? logUpperTail(count, mean, 1 / spread) : logLowerTail(count, mean, 1 / spread)
}

function passesGates(reading: HorizonReading, gates: SpikeGates, side: Side): boolean {
  const { count, mean } = reading
  if (side === 'up') return count >= gates.minCount && count >= gates.minRatio * mean
  return mean >= gates.minCount && count * gates.minRatio <= mean
}

/** Whether such counts can pass the gates at all: most series of a fleet have next to no refusals, and cost no more. */
export function mayFire(short: number, long: number, { direction, minCount }: SpikeGates): boolean {
  return direction !== 'up' || short >= minCount || long >= minCount
}

/**
 * Whether a series is out of line with its own past (steps 4 and 5).
 *
 * The long horizon sees slow and low-volume series, but it also remembers for an hour what is over: it only counts
 * while the short one shows that it still goes on, and not while it is `longMuted`.
 *
 * @param logAlpha for one series at one evaluation; shared out evenly over horizons and sides (Bonferroni)
 */
export function judgeSpike(
  short: HorizonReading,
  long: HorizonReading,
  rule: { gates: SpikeGates; logAlpha: number; longMuted: boolean },
): SpikeVerdict {
  const sides: readonly Side[] = rule.gates.direction === 'both' ? ['up', 'down'] : [rule.gates.direction]
  const logBound = rule.logAlpha - Math.log(2 * sides.length)
  let best: SpikeVerdict = { fires: false, horizon: 0, side: sides[0] ?? 'up', logP: null }
  for (const side of sides) {
    for (const horizon of [0, 1] as const) {
      const reading = horizon === 0 ? short : long
      if (horizon === 1 && (rule.longMuted || isCalm(short, side))) continue
      // Without exposure nothing is expected, and nothing is learnt from what comes.
      if (reading.mean <= 0) continue
      if (!passesGates(reading, rule.gates, side) || !isRemarkable(reading, side)) continue
      const logP = logChance(reading, side)
      const fires = logP < logBound
      // Of two that fire the short horizon speaks: it says what happens now.
      const better = fires === best.fires ? best.logP === null || (!fires && logP < best.logP) : fires
      if (better) best = { fires, horizon, side, logP }
    }
  }
  return best
}

const calmFactor = 1.3
const logCalmChance = Math.log(0.05)

/** Whether a count is back to normal (step 7): close to what is expected, or no longer surprising. */
export function isCalm(reading: HorizonReading, side: Side): boolean {
  const { count, mean } = reading
  if (side === 'up') {
    if (count < 1 || count < calmFactor * mean) return true
  } else if (count * calmFactor > mean) return true
  return logChance(reading, side) > logCalmChance
}
