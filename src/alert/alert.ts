import type { EpochMs } from '../time/clock.ts'

export const severities = ['info', 'ticket', 'page'] as const

export type Severity = (typeof severities)[number]

/** inactive → pending → firing → resolved; a resolved alert is forgotten a quarter of an hour later. */
export type AlertState = 'pending' | 'firing' | 'resolved'

/** One series of one rule that is or was out of bounds. All times are event times. */
export interface Alert {
  /** Hash of the rule and the identifying labels; the same over restarts and episodes. */
  readonly fingerprint: string
  /** Names one firing from start to end: fingerprint and the time it became active. */
  readonly episode: string
  readonly rule: string
  readonly severity: Severity
  readonly state: AlertState
  readonly labels: Readonly<Record<string, string>>
  /** Rendered texts: `summary` always, `runbook` where the rule names one. */
  readonly annotations: Readonly<Record<string, string>>
  readonly activeAtMs: EpochMs
  readonly firedAtMs: EpochMs | null
  readonly resolvedAtMs: EpochMs | null
  readonly evaluatedAtMs: EpochMs
  /** What the condition measured, in its own unit (a ratio, a count, a rate). */
  readonly value: number
  readonly numbers: AlertNumbers
  /** A rule on trial: kept and shown, but nobody is told. */
  readonly shadow: boolean
}

/** The numbers a message shows; null where the condition has none. */
export interface AlertNumbers {
  readonly windowMs: number
  /** Refusals and requests in the window. */
  readonly observed: number
  readonly requests: number
  /** Refusals a normal window would have; for a threshold the bound times the requests. */
  readonly expected: number | null
  /** Chance of so many refusals on a normal day; only for `spike`. */
  readonly pValue: number | null
  /** Refusals since the alert became active. */
  readonly soFar: number
  /** The most refusals in one window during this episode. */
  readonly peak: number
  /** The largest contributors, as sentences can name them. */
  readonly top: readonly {
    readonly tenant: string
    readonly api: string
    readonly cause: string
    readonly count: number
  }[]
  /** How many tenants are affected. */
  readonly tenants: number
  /** The narrowest part of the traffic that explains the refusals; null where nothing narrower than the alert does. */
  readonly scope: AlertScope | null
  /** What else the condition measured, ready to be shown: `Used` · `912 of 1,000 (91 %)`. */
  readonly facts: readonly AlertFact[]
}

export interface AlertFact {
  readonly label: string
  readonly text: string
}

/** One tenant, one API, one cause or a combination, with its share of the refusals of the alert. */
export interface AlertScope {
  readonly labels: Readonly<Partial<Record<'tenant' | 'api' | 'cause', string>>>
  /** In (0, 1]. */
  readonly share: number
}

/** A change that people may be told about, in the order it happened. */
export interface Transition {
  readonly from: 'inactive' | AlertState
  readonly alert: Alert
}
