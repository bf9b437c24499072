import type { Alert } from '../alert/alert.ts'
import type { SeriesTotals, WindowView } from '../window/view.ts'

/** Where the metrics read their values, each asked once a scrape. */
export interface MetricsInputs {
  /** Totals of every series since the process started; they only grow. */
  lifetime(): readonly SeriesTotals[]
  /** The rolling windows; null before there are any. */
  view(): WindowView | null
  lag(): readonly Lag[]
  /** How far the watermark is behind the clock, in seconds; null before the first record. */
  watermarkDelaySeconds(): number | null
  /** Series held in the windows now. */
  series(): number
  /** Records counted under a folded name because a series limit was reached, since the process started. */
  foldedTotal(): number
  /** Age of the oldest event that history does not hold yet, in seconds; 0 when all is written. */
  oldestUnwrittenSeconds(): number
  alerts(): readonly Alert[]
}

/** Records of one partition that are not read yet. */
export interface Lag {
  readonly topic: string
  readonly partition: number
  readonly records: number
}
