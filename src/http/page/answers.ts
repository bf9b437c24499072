import type { EventRow as StoredEvent, Trends } from '../../history/query.ts'

export type { Trends }

export interface EventRow extends StoredEvent {
  readonly tenant_name: string | null
}

export interface Row {
  readonly requests: number
  readonly payment_required: number
  readonly ratio: number | null
}

export interface LiveRow extends Row {
  readonly tenant: string
  /** From the operator's directory; null where none is known. */
  readonly tenant_name: string | null
  readonly api: string
  readonly causes: Readonly<Record<string, number>>
}

export interface Live {
  readonly at: string | null
  readonly watermark: string | null
  readonly window_ms: number
  readonly series: number
  readonly total: Row
  readonly rows: readonly LiveRow[]
}

export interface PageAlert {
  readonly fingerprint: string
  readonly rule: string
  readonly state: 'firing' | 'pending' | 'resolved'
  readonly severity: 'info' | 'ticket' | 'page'
  readonly labels: Readonly<Record<string, string>>
  /** Of the tenant among the labels. */
  readonly tenant_name: string | null
  readonly since: string
  readonly value: number
  readonly annotations: Readonly<Record<string, string>>
  readonly fired_at: string | null
  readonly resolved_at: string | null
  readonly numbers: {
    readonly window_ms: number
    readonly observed: number
    readonly requests: number
    readonly expected: number | null
    readonly so_far: number
  }
}

export interface Status {
  readonly title: string
  readonly version: string
  readonly demo: boolean
  readonly now: string
  readonly started: string
  readonly watermark: string | null
  readonly lag_records: number | null
  readonly oldest_unwritten_seconds: number
  readonly series: number
  readonly folded_total: number
  readonly ready: boolean
  readonly reasons: readonly string[]
}
