import type { EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'

const levels = [1e-2, 1e-3, 1e-4] as const
const logLevels = levels.map((level) => Math.log(level))
/**
 * The levels that decide, by their place in `levels`, and how many chances below them it takes. 1e-2 is too close to
 * the bulk; 1e-4 shows a heavy tail best, but only a fleet of some hundred series has enough tests in a day for it, and
 * one long mild incident must not pass for a tail.
 */
const deciding = [
  { at: 1, least: 5 },
  { at: 2, least: 20 },
] as const
const step = 1.5
const mostInflation = 20

export interface CalibrationState {
  readonly sinceMs: EpochMs
  readonly tests: number
  readonly below: readonly number[]
  readonly inflation: number
}

/**
 * Checks in production that chances are what they claim to be (reference 4.2, step 9): of all tests on normal series
 * one in a thousand should fall below 1e-3, and so on. If twice as many do for a day, the fitted dispersion is inflated, step by
 * step, day by day, until it fits; if less than half as many do, the inflation goes back.
 */
export class Calibration {
  #sinceMs: EpochMs | null = null
  #tests = 0
  #below: number[] = levels.map(() => 0)
  inflation = 1

  /** Notes one test of a series that is not firing; null means that its chance was plainly large. */
  note(logP: number | null): void {
    this.#tests++
    if (logP === null) return
    for (const [at, level] of logLevels.entries()) if (logP < level) this.#below[at] = (this.#below[at] ?? 0) + 1
  }

  /** Ends the day if it is over and draws the conclusion. */
  roll(atMs: EpochMs): void {
    this.#sinceMs ??= atMs
    if (atMs - this.#sinceMs < dayMs) return
    const counts = deciding.map(({ at, least }) => ({
      least,
      seen: this.#below[at] ?? 0,
      expected: this.#tests * levels[at],
    }))
    // Three standard deviations above twice nominal: a handful by chance proves nothing.
    if (
      counts.some(({ least, seen, expected }) => seen >= least && seen > 2 * expected + 3 * Math.sqrt(2 * expected))
    ) {
      this.inflation = Math.min(mostInflation, this.inflation * step)
    } else if (counts.every(({ seen, expected }) => seen <= expected / 2)) {
      this.inflation = Math.max(1, this.inflation / step)
    }
    this.#sinceMs = atMs
    this.#tests = 0
    this.#below = levels.map(() => 0)
  }

  save(): CalibrationState | null {
    if (this.#sinceMs === null) return null
    return { sinceMs: this.#sinceMs, tests: this.#tests, below: [...this.#below], inflation: this.inflation }
  }

  load(state: CalibrationState): void {
    this.#sinceMs = state.sinceMs
    this.#tests = state.tests
    this.#below = levels.map((_, at) => state.below[at] ?? 0)
    this.inflation = state.inflation
  }
}
