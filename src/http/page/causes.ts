import { type Cause, causes } from '../../classify/cause.ts'

/** One colour per cause, the same in Grafana and mails; the three families share a hue range. */
const colours: Readonly<Record<Cause, string>> = {
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
}

/** The rest of a chart that shows only the largest causes. */
export const otherCauses = 'other causes'

function isCause(name: string): name is Cause {
  return causes.some((cause) => cause === name)
}

export function colourOf(cause: string): string {
  return isCause(cause) ? colours[cause] : '#aaaaaa'
}

/** `quota_exceeded` as people say it: `quota exceeded`. */
export function causeName(cause: string): string {
  return cause.replaceAll('_', ' ')
}

/** The order of causes wherever several stand side by side: by family, as the list of causes has them. */
export function causeOrder(cause: string): number {
  return isCause(cause) ? causes.indexOf(cause) : causes.length
}
