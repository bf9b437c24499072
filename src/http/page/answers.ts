import type { EventRow as StoredEvent, SummaryRow as StoredSummary, Trends } from '../../history/query.ts'

// What the API answers, as far as the page reads it. Times are ISO 8601 in UTC.

export type { Trends }

export interface EventRow extends StoredEvent {
  readonly tenant_name: string | null
}

export interface SummaryRow extends StoredSummary {
  readonly tenant_name?: string | null
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
  /** Refusals per minute, oldest first; the newest minute is still growing. */
  readonly sparkline?: readonly number[]
  /** What a detector expects in the window. */
  readonly normal?: { readonly expected: number; readonly times: number } | null
}

export interface Live {
  readonly at: string | null
  readonly watermark: string | null
  readonly window_ms: number
  readonly series: number
  readonly total: Row
  readonly rows: readonly LiveRow[]
}

export type Severity = 'info' | 'ticket' | 'page'

export interface PageAlert {
  readonly fingerprint: string
  readonly rule: string
  readonly state: 'firing' | 'pending' | 'resolved'
  readonly severity: Severity
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
    /** Only of alerts that compare with what is usual. */
    readonly p_value: number | null
    readonly so_far: number
    readonly peak: number
  }
}

/** A change of an alert, from history. */
export interface AlertChange {
  readonly time: string
  readonly fingerprint: string
  readonly rule: string
  readonly state: string
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  readonly tenant_name: string | null
  readonly value: number
  readonly summary: string
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

export interface WhoAmI {
  readonly name: string
  readonly scopes: readonly string[]
  /** The only tenant this caller may see; null for all. */
  readonly tenant: string | null
}

export interface TenantRow extends Row {
  readonly tenant: string
  readonly tenant_name: string | null
  readonly firing: number
}

export interface Quota {
  /** Null where the rule that follows it does not tell APIs apart. */
  readonly api: string | null
  /** Which of the quotas it is, such as `month`. */
  readonly quota: string
  readonly limit: number
  readonly used: number
  readonly share: number
  readonly resets: string | null
  readonly source: 'header' | 'learned'
  readonly runs_out: string | null
  readonly probability: number | null
}

export interface TenantAnswer {
  readonly tenant: string
  readonly tenant_name: string | null
  readonly plan: string | null
  readonly timezone: string | null
  readonly expires: string | null
  /** Mail addresses by purpose. */
  readonly contact: Readonly<Record<string, readonly string[]>> | null
  readonly quotas: readonly Quota[]
  readonly alerts: readonly PageAlert[]
  readonly first_seen: string | null
  readonly last_seen: string | null
}

export interface Silence {
  readonly id: string
  readonly matchers: readonly string[]
  readonly starts_at: string
  readonly ends_at: string
  readonly created_by: string
  readonly comment: string
  readonly state: 'scheduled' | 'active' | 'expired'
}

export interface Explained {
  readonly sentences: readonly string[]
  readonly ways: readonly {
    readonly receiver: string
    readonly integration: string
    readonly route: string
    readonly told: string | null
    readonly muted_by: { readonly by: string; readonly name: string } | null
    readonly next: { readonly kind: string; readonly at: string | null } | null
  }[]
  readonly messages: readonly {
    readonly id: string
    readonly receiver: string
    readonly subject: string
    readonly state: string
    readonly made_at: string
    readonly settled_at: string | null
    readonly reason: string | null
  }[]
}

export interface AlertChart {
  readonly step_ms: number
  readonly points: readonly ChartPoint[]
  readonly fired_at: string | null
  readonly resolved_at: string | null
  /** Null for rules without a fixed bound. With one, `upper` is that bound as a count. */
  readonly threshold: {
    readonly measure: string
    readonly side: 'above' | 'below'
    readonly bound: number
    readonly window_ms: number
  } | null
}

export interface ChartPoint {
  readonly time: string
  readonly observed: number
  readonly expected: number | null
  readonly upper: number | null
  readonly requests: number
  readonly payment_required: number
}

export interface RuleRow {
  readonly name: string
  readonly type: string
  readonly severity: Severity
  readonly mode: 'live' | 'shadow'
  /** The condition as one sentence. */
  readonly expr_text: string
  readonly group_by: readonly string[]
  readonly for: string
  readonly file: string
  readonly line: number
  readonly firing: number
  readonly pending: number
  /** What it has seen so far, and why it is silent where it must be. */
  readonly status: readonly string[]
  readonly last_fired: string | null
  /** The rule as a file of its own; only where it alone was asked for, and null where its file is gone. */
  readonly yaml: string | null
}

export interface Backtested {
  readonly fired: number
  readonly series: number
  readonly complete: boolean
  readonly episodes: readonly {
    readonly labels: Readonly<Record<string, string>>
    readonly started: string
    readonly ended: string | null
    readonly peak: number
    readonly observed: number
    readonly expected: number | null
    readonly summary: string
  }[]
  readonly warnings: readonly string[]
}

export interface HealthReport {
  readonly lanes: readonly {
    readonly source: string
    readonly lane: number
    readonly label: string
    readonly lag: number | null
    readonly position: number
    readonly problem: string | null
  }[]
  readonly watermark: string | null
  readonly lateness_ms: number
  readonly oldest_unwritten_seconds: number
  readonly series: number
  readonly folded_total: number
  readonly memory_bytes: number
  /** Null while history is away. */
  readonly dead_letters: {
    readonly last_hour: number
    readonly by_reason: Readonly<Record<string, number>>
  } | null
  readonly verify: (Verified & { readonly at: string }) | null
  readonly notifications: Readonly<
    Record<string, { readonly ok: number; readonly failed: number; readonly waiting: number }>
  >
  readonly problems: readonly string[]
}

export interface Verified {
  readonly ok: boolean
  readonly problems: readonly string[]
  readonly lane_count?: number
  readonly checks?: readonly { readonly name: string; readonly ok: boolean; readonly hours: number }[]
}

export interface DeadLetter {
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

export interface AuditRow {
  readonly at: string
  readonly who: string
  readonly what: string
  readonly target: string
  readonly result: string
}
