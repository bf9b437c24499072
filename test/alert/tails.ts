import { logUpperTail, smallestAlarm } from '../../src/alert/negative-binomial.ts'
import { Dice, day, processes, type RateAt } from './processes.ts'
import { Fleet, minutesPerYear } from './trial.ts'

/*
 * False alarms too rare to be waited for. The past is simulated; the chance that the present alarms is then not sampled
 * but computed, from the smallest count that would and the true law of the counts. What remains random is the past, and
 * dangerous pasts (those that look quieter than the series is) are made common by drawing the rate of the last two days
 * from a mixture, and weighted back by likelihood (importance sampling with a defensive mixture: T. Hesterberg,
 * Technometrics 1995).
 */

const gates = { minCount: 5, minRatio: 2 }
const tiltedDays = 2

/** log P(Y ≥ count) in a window with this mean. */
export function poissonTail(count: number, mean: number): number {
  return logUpperTail(count, mean, Number.POSITIVE_INFINITY)
}

/** The same for Poisson many batches, each of geometric size with mean 3: the sum over the number of batches. */
export function batchTail(count: number, mean: number): number {
  const batches = mean / 3
  let total = 0
  let logPoisson = -batches
  for (let k = 1; k <= count + 10 * Math.sqrt(batches + 1) + 20; k++) {
    logPoisson += Math.log(batches / k)
    // k geometric sizes hold k events and a negative binomial number of more.
    const logSizes = k >= count ? 0 : logUpperTail(count - k, 2 * k, k)
    total += Math.exp(logPoisson + logSizes)
  }
  return Math.log(total)
}

export interface TailResult {
  /** Tests that fire in a series-year with one test a minute; episodes are fewer. */
  readonly perYear: number
  /** Standard error of it. */
  readonly error: number
  /** 525,960 times alpha: what it must not exceed. */
  readonly bound: number
}

/**
 * The rate of false alarms of a series that knows its rate from its past.
 *
 * @param alpha for one test, both horizons together
 */
export function expectedAlarms(options: {
  readonly process: 'poisson' | 'batches' | 'daily'
  readonly perMinute: number
  readonly alpha: number
  readonly size: number
  readonly seed: number
}): TailResult {
  const { process, perMinute, alpha, size, seed } = options
  const dice = new Dice(seed)
  const tail = process === 'batches' ? batchTail : poissonTail
  const from = 2 * day
  const until = from + tiltedDays * day
  // Batches are tilted by their number, whose likelihood is not followed: only plain counts are.
  const step = process === 'batches' ? 0 : 2 / Math.sqrt(perMinute * tiltedDays * day)
  const tilts = [1, Math.max(0.2, 1 - step), Math.max(0.1, 1 - 2 * step)]
  const shares = step === 0 ? [1] : [0.4, 0.3, 0.3]
  const seen = new Float64Array(size)
  const expected = new Float64Array(size)
  const sums: number[] = []
  const logBound = Math.log(alpha / 2)
  const fleet = new Fleet({
    size,
    trueRate: perMinute,
    // Nothing is ever on: an alarm would freeze the past that is asked about.
    logAlpha: Number.NEGATIVE_INFINITY,
    process: (series) => {
      const tilt = tilts[pick(series, shares)] ?? 1
      const rateAt: RateAt = (at) => (at > from ? perMinute * tilt : perMinute)
      const next = processes[process](dice, rateAt)
      return (at, into) => {
        next(at, into)
        if (at <= from) return
        seen[series] = (seen[series] ?? 0) + into.count
        expected[series] = (expected[series] ?? 0) + perMinute * into.exposure
      }
    },
    onTest: (fleet, series, at) => {
      if (at < until || at % 30 !== series % 30) return
      let likelihood = 0
      for (const [k, share] of shares.entries()) {
        const tilt = tilts[k] ?? 1
        likelihood += share * Math.exp((seen[series] ?? 0) * Math.log(tilt) - (tilt - 1) * (expected[series] ?? 0))
      }
      let chance = 0
      for (const horizon of [0, 1] as const) {
        const { mean, spread, exposure } = fleet.reading(series, horizon)
        const count = smallestAlarm(mean, 1 / spread, logBound, gates)
        chance += Math.exp(tail(count, perMinute * exposure))
      }
      sums.push(chance / likelihood)
    },
  })
  fleet.run(until + 180)
  const mean = sums.reduce((a, b) => a + b, 0) / sums.length
  const variance = sums.reduce((a, b) => a + (b - mean) ** 2, 0) / sums.length
  // Tests of one series share most of its past: count series, not tests.
  return {
    perYear: mean * minutesPerYear,
    error: Math.sqrt(variance / size) * minutesPerYear,
    bound: alpha * minutesPerYear,
  }
}

/** Shares of the series, evenly spread. */
function pick(series: number, shares: readonly number[]): number {
  let at = ((series * 7) % 10) / 10
  for (const [k, share] of shares.entries()) {
    at -= share
    if (at < -1e-9) return k
  }
  return shares.length - 1
}
