import { Dice, day, type ProcessName, processes } from './processes.ts'
import { Fleet, type FleetOptions } from './trial.ts'

export interface StepOptions {
  readonly process: ProcessName
  readonly perMinute: number
  /** What the rate is multiplied with from one minute to the next. */
  readonly factor: number
  readonly alpha: number
  /** Series, spread evenly over eight beginnings within a day. */
  readonly size: number
  readonly seed: number
  readonly gates?: NonNullable<FleetOptions['gates']>
  /** How long the higher rate lasts, in minutes. */
  readonly lasts?: number
}

const beginnings = 8
const warmUp = 3 * day

/** Minutes until a rise is noticed, after three days of ordinary life; null for each series that did not notice it. */
export function stepDelays(options: StepOptions): (number | null)[] {
  const { process, perMinute, factor, alpha, size, seed, gates = {}, lasts = 60 } = options
  const found: (number | null)[] = []
  for (let beginning = 0; beginning < beginnings; beginning++) {
    const dice = new Dice(seed * 100 + beginning)
    // Three hours and a bit apart: every hour of the day, and every phase of the detector's slots.
    const from = warmUp + beginning * 181
    const fleet = new Fleet({
      size: Math.ceil(size / beginnings),
      trueRate: perMinute,
      logAlpha: Math.log(alpha),
      gates,
      process: () => processes[process](dice, (at) => (at > from ? factor * perMinute : perMinute)),
    })
    fleet.run(from)
    fleet.startCounting()
    fleet.run(lasts)
    for (const firedAt of fleet.firedAt) found.push(firedAt < 0 ? null : firedAt - from)
  }
  return found
}

/** The share that noticed, from 0 to 1, and the median of their minutes, null where less than half did. */
export function summary(delays: readonly (number | null)[]): { share: number; median: number | null; most: number } {
  const found = delays.filter((delay) => delay !== null).sort((a, b) => a - b)
  const middle = found[Math.floor(delays.length / 2)]
  return { share: found.length / delays.length, median: middle ?? null, most: found.at(-1) ?? 0 }
}
