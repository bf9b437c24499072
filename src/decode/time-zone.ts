import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs } from '../time/duration.ts'
import { floatingOf, isTimezone } from '../time/local-time.ts'
import { isoTimeOrUtc, type TimeReading } from './event-time.ts'
import { isBlank } from './json.ts'

/** Whether the runtime knows a zone of this name, such as `Europe/Berlin`; bare offsets are none. */
export function isTimeZone(name: string): boolean {
  return /^[A-Za-z][\w+/-]{0,60}$/.test(name) && isTimezone(name)
}

/** Reads times that were written without a zone, by the clock of one place. */
export class TimeZone {
  readonly #name: string
  // The last quarter of an hour asked for: log lines come in order of time, and asking Intl is slow.
  #quarter = Number.NaN
  #offsetMs: number | null = 0

  /** @param name an IANA name; see `isTimeZone` */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * `2026/10/05 - 08:15:36.042` (KrakenD) and `2026-10-05 08:15:36` (Apinto), also with a `T`. Of a time that the clock
   * shows twice, in the autumn, the first is meant; one that it skips, in the spring, is a `bad-time`, because then the
   * clock was another one.
   */
  read(value: unknown): TimeReading {
    if (isBlank(value)) return null
    const match = typeof value === 'string' && value.length <= 40 ? clockPattern.exec(value) : null
    if (match === null) return 'bad-time'
    const [, year, , month, day, time] = match
    const shown = isoTimeOrUtc(`${year}-${month}-${day}T${time}`)
    if (typeof shown !== 'number') return shown
    const at = this.#momentOf(shown)
    return at === null || at <= 0 ? 'bad-time' : at
  }

  #momentOf(shown: number): EpochMs | null {
    if (this.#name === 'UTC') return shown
    // Every zone changes at a full quarter of an hour, and by full quarters.
    const quarter = Math.floor(shown / quarterMs)
    if (quarter !== this.#quarter) {
      this.#quarter = quarter
      this.#offsetMs = this.#offsetFor(quarter * quarterMs)
    }
    return this.#offsetMs === null ? null : shown - this.#offsetMs
  }

  /** By how much the clock is ahead of UTC when it shows this, or null when it never shows it. */
  #offsetFor(shown: number): number | null {
    // A zone changes once in two days at most, so one of these two holds. The one before gives the earlier moment.
    for (const offset of [this.#offsetAt(shown - dayMs), this.#offsetAt(shown + dayMs)]) {
      if (this.#offsetAt(shown - offset) === offset) return offset
    }
    return null
  }

  #offsetAt(at: EpochMs): number {
    const minute = Math.floor(at / minuteMs) * minuteMs
    return floatingOf(minute, this.#name) - minute
  }
}

const quarterMs = 15 * minuteMs

const clockPattern = /^\s*(\d{4})([-/])(\d\d)\2(\d\d)(?: - |[ T])(\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\s*$/
