import { type Cause, causes } from '../classify/cause.ts'

/** What a message says about a cause; the whole of it stands in `alerts/runbooks/CAUSE.md`. */
export interface Advice {
  readonly likely: string
  /** What to do first, in this order, each a few words. */
  readonly steps: readonly [string, string, string]
}

/** `quota_exceeded` as people say it. */
export function causeName(cause: string): string {
  return cause.replaceAll('_', ' ')
}

/** The heading of the runbook. */
export function runbookTitle(cause: Cause): string {
  const name = causeName(cause)
  return name.charAt(0).toUpperCase() + name.slice(1)
}

export function isCause(text: string): text is Cause {
  return causes.some((cause) => cause === text)
}

export const adviceOn: Readonly<Record<Cause, Advice>> = {
  invalid_payment_info: {
    likely: 'the payment details on file are wrong, expired or missing, so no charge can even be tried',
    steps: [
      'look up the decline code of one event (expired_card, incorrect_cvc, no payment method)',
      'check whether one tenant or all are hit: all points at a changed checkout or payment client',
      'ask the tenant to update the payment method, then retry one call',
    ],
  },
  insufficient_funds: {
    likely: 'the balance, the prepaid credit or the card has no money left',
    steps: [
      'verify whose balance it is: the tenant’s own, or your account at an upstream provider',
      'ask the owner to top up, or switch on automatic top-up',
      'retry with backoff once the balance is there; do not retry before',
    ],
  },
  payment_failed: {
    likely: 'the bank or card issuer declined the charge although the details are well formed',
    steps: [
      'compare declines by decline code and issuer: many issuers at once points at your processor account',
      'stop automatic retries of hard declines (do_not_honor, stolen_card, fraudulent)',
      'ask the tenant to approve the charge with the bank or use another method',
    ],
  },
  payment_gateway_error: {
    likely: 'the payment processor or the way to it is failing, not the tenant',
    steps: [
      'check the processor’s status page and your timeouts towards it',
      'see whether all tenants fail together; if so, grant grace instead of refusing',
      'retry with backoff and an idempotency key, so that nobody is charged twice',
    ],
  },
  quota_exceeded: {
    likely: 'the tenant has used up the calls or tokens of its plan or rate limit',
    steps: [
      'compare usage with the limit and the reset time',
      'look for a client that loops or retries without backoff',
      'raise the limit or offer the next plan, or wait for the reset',
    ],
  },
  billing_limit_exceeded: {
    likely: 'a spending cap that somebody set on purpose has been reached',
    steps: [
      'find who owns the cap: the tenant, a team, one key, or your account upstream',
      'check that the spend is real and not a loop or a leaked key',
      'raise the cap or let it hold until the budget period ends',
    ],
  },
  subscription_expired: {
    likely: 'the subscription, trial or licence has ended, or an invoice is unpaid',
    steps: [
      'check the subscription state and the last invoice in billing',
      'if it was paid, replay the webhook or job that should have renewed access',
      'tell the tenant what is due, and grant grace if the mistake is ours',
    ],
  },
  authentication_missing: {
    likely: 'calls come without a key or without the payment proof that the API asks for',
    steps: [
      'check whether the API asks for payment per call: a first 402 is then its price tag',
      'see what changed: a rotated key, a proxy that drops a header, a new client release',
      'ask the tenant to retry one call with the credential shown in its log',
    ],
  },
  permission_denied: {
    likely: 'the key is known, but its plan or role does not include this API',
    steps: [
      'compare the plan of the tenant with what the route demands',
      'look for a change of plans, roles or policies at the time it began',
      'grant access or offer the plan that includes it',
    ],
  },
  misconfiguration: {
    likely: 'our own set-up is wrong: payment keys, prices, currencies or a gateway plugin',
    steps: [
      'list what was deployed or rotated just before it began, and roll back if unsure',
      'check payment keys (expired, test mode in production) and price tables',
      'tell the tenants that the fault is ours; their calls were right',
    ],
  },
  resource_exhausted: {
    likely: 'a shared pool is empty: provider keys, balances or in-flight budget, not this tenant’s plan',
    steps: [
      'check the pool that the code names: provider keys, upstream balance, concurrency',
      'add capacity or a further provider key, or shed load',
      'have clients honour Retry-After; most of these pass by themselves',
    ],
  },
  unknown: {
    likely: 'the log says 402 and not why',
    steps: [
      'open one event and look at what the gateway logged with it',
      'log the response body or an error-code header at the gateway',
      'if the gateway itself answers 402 on this route, map the route to a cause in the configuration',
    ],
  },
}

/** Before a quota ends there are no refusals yet, so none of the causes fits. */
export const quotaAdvice: Advice = {
  likely: 'the tenant uses up its quota sooner than the period ends; its calls are refused from then on',
  steps: [
    'compare the rate of use with that of the last periods: a loop shows as a step',
    'tell the tenant before it finds out by itself',
    'raise the limit or offer the next plan, or agree that it waits for the reset',
  ],
}

/** Before a subscription ends there are no refusals yet; what is to be done differs from what is done afterwards. */
export const expiryAdvice: Advice = {
  likely: 'the subscription runs out and nobody has renewed it yet; its calls are refused from then on',
  steps: [
    'see whether it renews by itself, and whether its payment details are still good',
    'ask the tenant’s contact before the calls stop; the owner of the account knows whom',
    'write the new end into tenants.yaml once it is renewed, and this reminder ends',
  ],
}

export const stalledAdvice: Advice = {
  likely:
    'the gateway’s log shipper has stopped, or Tollwatch cannot keep up; alerts on refusals wait until it goes on',
  steps: [
    'look at the newest record in the topic: if it is old, the shipper or the gateway stands still',
    'if records arrive, look at the consumer lag and at /readyz, which says why the input waits',
    'refusals of the meantime come in later: expect alerts that begin in the past',
  ],
}
