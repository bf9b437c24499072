import type { EpochMs } from './clock.ts'
import { dayMs, hourMs, minuteMs } from './duration.ts'

/** Clocks may differ this much: such a stamp is taken as it is. */
const skewMs = minuteMs
/** A wrong zone makes at most 14 hours; what is further ahead cannot be placed. */
const futureLimitMs = 16 * hourMs
/** Beyond the retention of the one-minute tier a record would vanish as soon as it is written. */
const oldLimitMs = 90 * dayMs
/** No gateway log of interest is older; a stamp before it is a zero or another unit. */
const earliestMs = Date.UTC(2010, 0, 1)

export type EventTime =
  | { readonly ok: true; readonly timeMs: EpochMs; readonly skewed: boolean }
  | { readonly ok: false; readonly failure: 'future-time' | 'too-old' | 'bad-time'; readonly message: string }

/**
 * Places a record in event time. It depends on nothing but the record and its arrival, so a replay gives the same.
 *
 * @param stampedMs the record's own time, null when it has none
 * @param arrivedMs when it arrived, null where the source does not know; then `now` bounds the future and age is free
 */
export function eventTime(stampedMs: EpochMs | null, arrivedMs: EpochMs | null, now: EpochMs): EventTime {
  const reference = arrivedMs ?? now
  if (stampedMs === null) return { ok: true, timeMs: reference, skewed: false }
  if (stampedMs < earliestMs) {
    return { ok: false, failure: 'bad-time', message: 'the time stamp lies before 2010: wrong unit or never set' }
  }
  if (stampedMs > reference + futureLimitMs) {
    return { ok: false, failure: 'future-time', message: 'the time stamp lies more than 16 h after the arrival' }
  }
  if (arrivedMs !== null && stampedMs < arrivedMs - oldLimitMs) {
    return { ok: false, failure: 'too-old', message: 'the time stamp lies more than 90 days before the arrival' }
  }
  // A clock that runs ahead, or a zone that is wrong: the arrival is the better guess.
  if (stampedMs > reference + skewMs) return { ok: true, timeMs: reference, skewed: true }
  return { ok: true, timeMs: stampedMs, skewed: false }
}

/**
 * Whether `eventTime` takes a stamp as it is. For the hot path: it makes no object.
 *
 * @param arrivedMs 0 where it is not known
 */
export function isPlainStamp(stampedMs: EpochMs, arrivedMs: EpochMs, now: EpochMs): boolean {
  return (
    stampedMs >= earliestMs &&
    stampedMs <= (arrivedMs === 0 ? now : arrivedMs) + skewMs &&
    (arrivedMs === 0 || stampedMs >= arrivedMs - oldLimitMs)
  )
}
