import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'

/** A token bucket: at most `perMinute` messages at once, filling up again evenly. */
export class Allowance {
  readonly #perMinute: number
  #left: number
  #atMs: EpochMs | null = null

  constructor(perMinute: number) {
    this.#perMinute = perMinute
    this.#left = perMinute
  }

  /** Whole messages that may be made now. */
  left(now: EpochMs): number {
    if (this.#atMs === null) this.#atMs = now
    // A clock that was set back must not empty the bucket.
    const passed = Math.max(0, now - this.#atMs)
    this.#atMs = now
    this.#left = Math.min(this.#perMinute, this.#left + (passed / minuteMs) * this.#perMinute)
    return Math.floor(this.#left + 1e-9)
  }

  take(messages: number): void {
    this.#left = Math.max(0, this.#left - messages)
  }
}
