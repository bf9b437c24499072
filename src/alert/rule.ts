import type { Severity } from './alert.ts'
import type { Matcher } from './matcher.ts'
import type { Template } from './template.ts'

/** What series can be grouped and matched by; `family` follows from the cause. */
export const seriesLabels = ['tenant', 'api', 'cause', 'family'] as const

export type SeriesLabel = (typeof seriesLabels)[number]

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
  readonly matchers: readonly Matcher[]
  readonly windowMs: number
  readonly condition: Condition
  readonly forMs: number
  readonly keepFiringForMs: number
  readonly severity: Severity
  /** Set on every alert of the rule, beside the labels of the series. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, Template>>
}

export type Condition = ThresholdCondition | SpikeCondition

export const measures = ['ratio', 'rate', 'count', 'distinct(tenant)'] as const

export type Measure = (typeof measures)[number]

/** Holds while the measure is beyond its bound. */
export interface ThresholdCondition {
  readonly type: 'threshold'
  /**
   * `ratio` refusals per request (or per refusal of any cause, see `over`), in [0, 1] · `rate` refusals per second ·
   * `count` refusals in the window · `distinct(tenant)` tenants that are affected, see `minCount` and `minShare`.
   */
  readonly measure: Measure
  readonly side: 'above' | 'below'
  readonly bound: number
  /** A firing alert ends only on this side of the bound. */
  readonly recover: number
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
