import type { Severity } from './alert.ts'
import type { Matcher } from './matcher.ts'
import type { Template } from './template.ts'

/** What series can be grouped and matched by; `family` follows from the cause. */
export const seriesLabels = ['tenant', 'api', 'cause', 'family'] as const

export type SeriesLabel = (typeof seriesLabels)[number]

/** Labels that come from what one condition looks at, and not from the windows. */
export const ownLabels = ['quota', 'topic', 'expires'] as const

export type OwnLabel = (typeof ownLabels)[number]

/** One rule, checked and with its defaults filled in. Durations are milliseconds of event time. */
export interface Rule {
  readonly name: string
  readonly group: string
  /** Where it was written, for messages. */
  readonly file: string
  readonly line: number
  /** It is evaluated whenever event time passes a multiple of this. */
  readonly intervalMs: number
  /** More alerts than this fold into one "and N more" alert. */
  readonly limit: number
  readonly groupBy: readonly SeriesLabel[]
  /** The label that the condition adds to `groupBy`: `quota` for quota forecasts, `topic` for stalled inputs, `expires` for expiries. */
  readonly ownLabel: OwnLabel | null
  readonly matchers: readonly Matcher[]
  readonly windowMs: number
  readonly condition: Condition
  readonly forMs: number
  readonly keepFiringForMs: number
  readonly severity: Severity
  /** Set on every alert of the rule, beside the labels of the series. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, Template>>
  /** `shadow`: on trial; its alerts are kept and shown, and nobody is told. */
  readonly mode: 'live' | 'shadow'
  /** While the input is stale: freeze, take the silence for calm, or raise an alert that says so. */
  readonly noData: 'pause' | 'ok' | 'alert'
}

export type Condition = SimpleCondition | CombinedCondition

/** A condition that can be judged by itself. */
export type SimpleCondition =
  | ThresholdCondition
  | SpikeCondition
  | QuotaCondition
  | BurnCondition
  | AbsenceCondition
  | StalledCondition
  | NewValueCondition
  | ExpiryCondition

/** Several conditions over the same groups: all of them hold, or at least one. */
export interface CombinedCondition {
  readonly type: 'all' | 'any'
  readonly conditions: readonly SimpleCondition[]
}

export function isCombined(condition: Condition): condition is CombinedCondition {
  return condition.type === 'all' || condition.type === 'any'
}

export const measures = ['ratio', 'rate', 'count', 'distinct(tenant)'] as const

export type Measure = (typeof measures)[number]

/** One severity with the bound, share or fraction from which it holds. */
export interface Level {
  readonly severity: Severity
  readonly bound: number
}

/** Holds while the measure is beyond its bound. */
export interface ThresholdCondition {
  readonly type: 'threshold'
  /**
   * `ratio` refusals per request (or per refusal of any cause, see `over`), in [0, 1] · `rate` refusals per second ·
   * `count` refusals in the window · `distinct(tenant)` tenants that are affected, see `minCount` and `minShare`.
   */
  readonly measure: Measure
  readonly side: 'above' | 'below'
  /** The mildest bound; where there are levels, that of the lowest. */
  readonly bound: number
  /** A firing alert ends only on this side of the bound. */
  readonly recover: number
  /** From the mildest to the most severe; empty where the rule has one severity. */
  readonly levels: readonly Level[]
  /** What a ratio is taken of. */
  readonly over: 'requests' | 'refusals'
  /** Requests (or refusals, see `over`) before a ratio means anything. */
  readonly minTotal: number
  /** Refusals needed in the window; for `distinct(tenant)` refusals of one tenant before it counts as affected. */
  readonly minCount: number
  /** For `distinct(tenant)`: the share of its requests a tenant must have refused to count as affected. */
  readonly minShare: number
  /** How sure we want to be that a ratio is beyond the bound (one-sided Wilson bound); 0.5 takes it as it is. */
  readonly confidence: number
}

/** Holds while a count is too high (or low) for its own past; see `baseline.ts` and `spike.ts`. */
export interface SpikeCondition {
  readonly type: 'spike'
  readonly exposure: 'requests' | 'time'
  /** The second, slower horizon; the first is the rule's window. */
  readonly alsoWindowMs: number
  readonly halfLifeMs: number
  /** False alerts that all series of the rule together may give in a week. */
  readonly falseAlertsPerWeek: number
  readonly minCount: number
  readonly minRatio: number
  readonly direction: 'up' | 'down' | 'both'
  /** The most of the refusals that one tenant may make up; for rules about a fleet. 1 is no limit. */
  readonly maxTenantShare: number
}

export const rearmEvents = ['period_reset', 'limit_change'] as const

export type RearmEvent = (typeof rearmEvents)[number]

/** Holds once a quota is used up to a level, or is likely to run out; see `quota-rule.ts`. */
export interface QuotaCondition {
  readonly type: 'quota_forecast'
  /** Shares of the limit, from the mildest to the most severe; each is told once per period and limit. */
  readonly levels: readonly Level[]
  /** Null where only the levels count. */
  readonly forecast: QuotaForecast | null
  /** After what the levels of a quota may be told again. */
  readonly rearmOn: readonly RearmEvent[]
}

export interface QuotaForecast {
  readonly withinMs: number
  /** The chance of running out, before the reset and within `withinMs`, from which it is told. */
  readonly probability: number
  /** The share of the limit that must be used before a forecast counts. */
  readonly minUsed: number
}

/** Holds while the error budget is spent too fast in a long and a short window; see `burn-rate.ts`. */
export interface BurnCondition {
  readonly type: 'burn_rate'
  /** The share of requests that should not be refused, in (0, 1). */
  readonly objective: number
  readonly periodMs: number
  readonly windows: readonly BurnWindow[]
  /** Refusals needed in the long window. */
  readonly minBad: number
}

export interface BurnWindow {
  readonly longMs: number
  readonly shortMs: number
  /** Multiples of the budgeted rate. */
  readonly factor: number
  readonly severity: Severity
}

/** Holds while a series that is known to be busy sends nothing; see `absence-rule.ts`. */
export interface AbsenceCondition {
  readonly type: 'absence'
  /** A fixed length, or null: learnt from the gaps of each series. */
  readonly longerThanMs: number | null
  readonly atLeastMs: number
  /** How many of the series with most requests count; null is all. */
  readonly top: number | null
  /** How long a series is watched before its gaps are taken for known. */
  readonly learnMs: number
}

/** Holds while the input is old or far behind; judged by the clock, not in event time. */
export interface StalledCondition {
  readonly type: 'stalled_input'
  /** The age of the watermark from which an input is stalled; null where only the lag counts. */
  readonly watermarkAgeMs: number | null
  readonly lagSeconds: number | null
}

/** Holds for an hour when a value turns up that was not seen for long; see `new-value-rule.ts`. */
export interface NewValueCondition {
  readonly type: 'new_value'
  readonly of: SeriesLabel
  readonly memoryMs: number
  readonly minCount: number
}

/** Holds from some time before the end of a tenant's subscription until that end; see `expiry-rule.ts`. */
export interface ExpiryCondition {
  readonly type: 'expiry'
  /** Milliseconds before the end, from the mildest, which is the longest, to the most severe. */
  readonly levels: readonly [Level, ...Level[]]
}
