/** Why a 402 happened: one closed list, the same in metrics, history, alerts and pages. */
export const causes = [
  'invalid_payment_info',
  'insufficient_funds',
  'payment_failed',
  'payment_gateway_error',
  'quota_exceeded',
  'billing_limit_exceeded',
  'subscription_expired',
  'authentication_missing',
  'permission_denied',
  'misconfiguration',
  'resource_exhausted',
  'unknown',
] as const

export type Cause = (typeof causes)[number]

export type CauseFamily = 'payment' | 'quota' | 'access'

/** The families that rules and pages speak of; `access` is access and configuration. */
export const familyOf: Readonly<Record<Cause, CauseFamily>> = {
  invalid_payment_info: 'payment',
  insufficient_funds: 'payment',
  payment_failed: 'payment',
  payment_gateway_error: 'payment',
  billing_limit_exceeded: 'payment',
  subscription_expired: 'payment',
  quota_exceeded: 'quota',
  resource_exhausted: 'quota',
  authentication_missing: 'access',
  permission_denied: 'access',
  misconfiguration: 'access',
  unknown: 'access',
}

/** The cause a record was given, with what decided it, so that users can check us. */
export interface CauseVerdict {
  readonly cause: Cause
  /** The machine word or text that decided, as it stood in the log; null for `unknown`. */
  readonly code: string | null
  /** Where it stood, or `rule:<name>` for an operator's rule; null for `unknown`. */
  readonly source: string | null
}
