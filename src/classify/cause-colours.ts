import type { Cause } from './cause.ts'

/** One colour per cause, the same on the page, in mails and in Grafana; the three families share a hue range. */
export const causeColours: Readonly<Record<Cause | 'other', string>> = {
  insufficient_funds: '#D55E00',
  invalid_payment_info: '#E69F00',
  payment_failed: '#CC3311',
  payment_gateway_error: '#882255',
  billing_limit_exceeded: '#EE7733',
  subscription_expired: '#AA4499',
  quota_exceeded: '#0072B2',
  resource_exhausted: '#33BBEE',
  authentication_missing: '#009988',
  permission_denied: '#117733',
  misconfiguration: '#999933',
  unknown: '#777777',
  other: '#aaaaaa',
}
