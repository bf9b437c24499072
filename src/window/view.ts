import type { Cause } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'

/** The one slice length that all windows share. */
export const sliceMs = 10_000

/** The windows kept as running sums. */
export const windowLengthsMs = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000 } as const

/** What one (tenant, api) did in a span of event time. */
export interface SeriesTotals {
  readonly tenant: string
  readonly api: string
  readonly requests: number
  /** The sum of `causes`. */
  readonly paymentRequired: number
  /** Refusals by cause; only causes with a count above zero. */
  readonly causes: readonly { readonly cause: Cause; readonly count: number }[]
}

/** Read access to the rolling windows, for rules, metrics and pages. */
export interface WindowView {
  /** Exclusive end of the newest slice that the watermark has closed; null before the first record. */
  readonly endMs: EpochMs | null
  /** Exclusive end of the newest slice that has a record, closed or not; null before the first record. */
  readonly headMs: EpochMs | null
  /** From when on everything is counted: as far back as the rings hold, or since watching began; null before the first record. */
  readonly oldestMs: EpochMs | null
  /**
   * Every series with a request or a refusal in `[fromMs, toMs)`. Both must be slice boundaries within the rings;
   * what is outside counts as zero. A standard window that ends at `endMs` costs no rescan.
   */
  totals(fromMs: EpochMs, toMs: EpochMs): readonly SeriesTotals[]
}
