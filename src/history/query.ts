import type { EpochMs } from '../time/clock.ts'
import type { CursorShape } from './cursor.ts'

/** What history can be grouped by. */
export const groupKeys = ['tenant', 'api', 'cause'] as const

export type GroupKey = (typeof groupKeys)[number]

/** A span of event time, half-open, and optional exact filters. */
export interface Selection {
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  readonly tenant?: string
  readonly api?: string
  readonly cause?: string
}

export interface TrendPoint {
  readonly time: string
  readonly requests: number
  readonly payment_required: number
  readonly ratio: number | null
}

export interface Trends {
  readonly from: string
  readonly to: string
  readonly step_ms: number
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly points: readonly TrendPoint[]
  }[]
}

export interface SummaryRow {
  readonly tenant?: string
  readonly api?: string
  readonly cause?: string
  readonly requests: number
  readonly payment_required: number
  readonly ratio: number | null
}

export interface EventRow {
  readonly time: string
  readonly tenant: string
  readonly api: string
  readonly cause: string
  readonly cause_code: string | null
  readonly cause_source: string | null
  /** payment_required, equivalent, upstream_402 or challenge; only the first counts in rates. */
  readonly kind: string
  readonly method: string | null
  readonly consumer: string | null
  readonly plan: string | null
  readonly latency_ms: number | null
  readonly request_id: string | null
  readonly format: string
}

export interface AlertLogRow {
  readonly time: string
  readonly fingerprint: string
  readonly rule: string
  readonly state: string
  readonly severity: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly summary: string
}

export interface DeadLetterRow {
  readonly time: string
  readonly reason: string
  readonly source: string
  readonly partition: number
  readonly offset: number
  readonly index: number
  readonly bytes: number
  readonly message: string
  readonly sketch: string
}

/** One series' minutes of an hour, column by column: as compact as JSON gets. */
export interface SeriesMinutes {
  readonly tenant: string
  readonly api: string
  /** '' carries the requests of the tenant and API; a row with a cause only its refusals. */
  readonly cause: string
  /** Minutes since the start of the selection, ascending. */
  readonly minutes: readonly number[]
  /** Requests, or refusals where there is a cause. */
  readonly counts: readonly number[]
}

/** So many rows, from a place on. */
export interface Page {
  readonly limit: number
  /** The `next` of the page before; of the shape in `cursorShapes`. */
  readonly after?: string
}

export interface Rows<Row> {
  readonly rows: readonly Row[]
  /** Where the next page begins; null after the last row, absent where nobody keeps count. */
  readonly next?: string | null
}

/** What the cursors of each list are made of: a time, and what tells rows of the same millisecond apart. */
export const cursorShapes = {
  events: ['number', 'number', 'number', 'string'],
  alerts: ['number', 'string', 'string'],
  deadLetters: ['number', 'number', 'number', 'string'],
} as const satisfies Readonly<Record<string, CursorShape>>

/** The longest span that `minutes` answers at once. */
export const minutesSpanMs = 3_600_000

/** The questions history answers; the page, the API and `tollwatch query` ask nothing else. */
export interface Queries {
  /** A row's requests are all requests of its tenant and API, also beside a cause; without refusals its cause is ''. */
  trends(select: Selection & { stepMs: number; by: readonly GroupKey[]; limit: number }): Promise<Trends>
  summary(select: Selection & { by: readonly GroupKey[]; limit: number }): Promise<{ rows: readonly SummaryRow[] }>
  events(select: Selection & Page): Promise<Rows<EventRow>>
  alerts(select: Selection & Page & { rule?: string; fingerprint?: string }): Promise<Rows<AlertLogRow>>
  /**
   * The minute tier as it is, for backtests. `from` lies on a minute, the span is at most an hour.
   *
   * @returns `complete: false` where only coarser tiers may be left of that time
   */
  minutes(select: Selection): Promise<{ complete: boolean; rows: readonly SeriesMinutes[] }>
  deadLetters(select: { fromMs: EpochMs; toMs: EpochMs } & Page): Promise<Rows<DeadLetterRow>>
}
