import type { EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'
import { momentOf } from '../time/local-time.ts'

/** When a subscription ends. */
export interface Expiry {
  /** As it was written: a day such as `2026-12-31`, or an instant. */
  readonly text: string
  /** The first moment at which it is over. */
  readonly atMs: EpochMs
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/
const instantPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * Reads the end of a subscription. A day is the last one on which it is valid: it is over with that day, as calendars
 * in the zone have it. An instant says its zone itself.
 *
 * @param zone an IANA name
 * @returns null where the text is neither, or no such day exists
 */
export function expiryOf(text: string, zone: string): Expiry | null {
  if (dayPattern.test(text)) {
    const floating = startOfDay(text)
    return floating === null ? null : { text, atMs: momentOf(floating + dayMs, zone) }
  }
  if (!instantPattern.test(text) || startOfDay(text.slice(0, 10)) === null) return null
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? null : { text, atMs }
}

/** Null for days that no calendar has, such as 30 February, which `Date.parse` may take for 2 March. */
function startOfDay(text: string): number | null {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text) ? at : null
}
