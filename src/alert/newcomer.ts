import { hourMs, minuteMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'

/*
 * What the windows tell of a series that has just begun. It knows itself from them for its first ten minutes, since
 * they know it to the second, and the slots of the baselines would make much of how its beginning fell on them.
 */

/** How far back the windows know a series. */
export const memoryMs: number = hourMs
/** A young series is told what the windows know at the end of its first minute, at the second look, and at this age. */
export const secondLookMs: number = 4 * minuteMs
export const settledAgeMs: number = 10 * minuteMs
export const settledGuardMs: number = settledAgeMs / 2

export interface Amount {
  readonly count: number
  readonly exposure: number
}

/** What the last so many milliseconds held. */
export type Past = (spanMs: number) => Amount

/**
 * How long a series has been there, going by its traffic, since the windows say how much there was and not when it
 * began; null while its first minute is passing.
 */
export function ageOf(past: Past): number | null {
  const all = past(memoryMs).exposure
  const minute = past(minuteMs).exposure
  if (all <= minute) return null
  const recent = past(settledGuardMs).exposure
  if (all <= recent) return Math.min(settledGuardMs, minute > 0 ? (minuteMs * all) / minute : settledGuardMs)
  return Math.min(memoryMs, recent > 0 ? (settledGuardMs * all) / recent : memoryMs)
}

/** How much of the latest may hold what we are to notice: at most half of what there is, and five minutes. */
export function guardAt(ageMs: number): number {
  if (ageMs >= settledAgeMs) return settledGuardMs
  if (ageMs >= secondLookMs) return secondLookMs / 2
  return ageMs >= 2 * minuteMs ? minuteMs : sliceMs
}

/** All but the latest. */
export function before(past: Past, guardMs: number): Amount {
  const all = past(memoryMs)
  const recent = past(guardMs)
  return { count: Math.max(0, all.count - recent.count), exposure: Math.max(0, all.exposure - recent.exposure) }
}
