import type { EpochMs } from '../time/clock.ts'

interface LaneTime {
  newestMs: EpochMs | null
  lastSeenMs: EpochMs
  idle: boolean
}

/**
 * The watermark: the event time up to which nothing more is expected. Per lane it is the newest accepted event time
 * minus the lateness; over all it is the least of the lanes that still deliver. A lane that is read to its end and
 * silent for `idleAfterMs` leaves the minimum; one that has not delivered yet holds it, unless it has nothing to read.
 */
export class Watermark {
  readonly #lanes = new Map<string, LaneTime>()
  readonly #latenessMs: number
  readonly #idleAfterMs: number

  constructor(options: { latenessMs: number; idleAfterMs: number }) {
    this.#latenessMs = options.latenessMs
    this.#idleAfterMs = options.idleAfterMs
  }

  /** Starts to wait for a lane; `empty` when there is nothing to read in it now. */
  open(lane: string, now: EpochMs, empty: boolean): void {
    this.#lanes.set(lane, { newestMs: null, lastSeenMs: now, idle: empty })
  }

  close(lane: string): void {
    this.#lanes.delete(lane)
  }

  clear(): void {
    this.#lanes.clear()
  }

  /**
   * A record was accepted. `trustedMs` is the latest time the record may claim: its arrival, or now; a stamp from the
   * future never moves the watermark beyond it.
   */
  seen(lane: string, eventMs: EpochMs, trustedMs: EpochMs, now: EpochMs): void {
    const time = this.#lanes.get(lane)
    if (time === undefined) return
    const newest = Math.min(eventMs, trustedMs)
    if (time.newestMs === null || newest > time.newestMs) time.newestMs = newest
    time.lastSeenMs = now
    time.idle = false
  }

  /** Lets silent lanes that are read to their end leave the minimum. */
  rest(lane: string, now: EpochMs, readToEnd: boolean): void {
    const time = this.#lanes.get(lane)
    if (time !== undefined && readToEnd && now - time.lastSeenMs >= this.#idleAfterMs) time.idle = true
  }

  /** Epoch milliseconds, or null while a lane that has something to read has not delivered. */
  value(): EpochMs | null {
    const at = this.reached(this.#lanes.keys())
    return at === null ? null : at - this.#latenessMs
  }

  /** How far some of the lanes have come, by the same reckoning and without the lateness. */
  reached(lanes: Iterable<string>): EpochMs | null {
    let least: EpochMs | null = null
    let newestIdle: EpochMs | null = null
    for (const lane of lanes) {
      const time = this.#lanes.get(lane)
      if (time === undefined) continue
      const { newestMs, idle } = time
      if (idle) {
        if (newestMs !== null && (newestIdle === null || newestMs > newestIdle)) newestIdle = newestMs
      } else if (newestMs === null) {
        return null
      } else if (least === null || newestMs < least) {
        least = newestMs
      }
    }
    // With every lane idle, time stands at the newest record: silence of the input is not evidence of anything.
    return least ?? newestIdle
  }
}
