import { formatInstant } from '../time/instant.ts'

/** One comparison of the proof: two tables over the hours that both still hold. */
export interface Check {
  /** Such as `rollup_10s and rollup_1m`. */
  readonly name: string
  readonly ok: boolean
  /** From when on it was compared; null where one of the two is not kept at all. */
  readonly since: string | null
  /** Hours compared; per lane where the finest tier is compared with the ledger. */
  readonly hours: number
  /** Hours that disagree. */
  readonly unequal: number
  /** Hours that the ledger tells nothing exact about: of version 0.1, or of a record that came within them. */
  readonly left_out: number
  readonly problems: readonly string[]
}

/** Totals of one table over the hours compared. */
export interface Totals {
  readonly requests: number | null
  readonly payment_required: number
}

/** Most problems that one check spells out; the rest is a number. */
export const problemLimit = 20

/** Longest time that one query of the proof may take, in seconds. */
export const checkSeconds = 300

export function hourName(epochSeconds: number): string {
  return formatInstant(epochSeconds * 1000).replace(':00.000Z', 'Z')
}

/** Where a check has more problems than it spells out. */
export function andMore(told: number, all: number): string[] {
  return all > told ? [`and ${all - told} more of the same kind`] : []
}

/**
 * Calendar months of UTC from `since` on, as half-open spans of epoch seconds: a query over one month has to read one
 * partition of the minute tier and takes bounded time. The last one is open.
 */
export function monthsFrom(since: number, now: number): readonly { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = []
  let from = since
  for (let at = new Date(since * 1000); spans.length < 1_000; ) {
    at = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1))
    const to = at.getTime() / 1000
    // Without a time to live nothing is known of the beginning, and one query has to do.
    if (to > now || since === 0) break
    spans.push({ from, to })
    from = to
  }
  return [...spans, { from, to: endOfTime }]
}

/** The last hour that a DateTime holds. */
const endOfTime = 4_294_965_600
