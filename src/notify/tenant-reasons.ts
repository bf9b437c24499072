import type { Cause } from '../classify/cause.ts'

/** A cause as the tenant itself is told of it, and what it can do. */
export interface TenantReason {
  /** Goes on after "because". */
  readonly because: string
  readonly steps: readonly string[]
}

const nothing = 'you need not change anything; we are at work on it'
const pauses = 'let your software wait longer after each refusal before it tries again'

export const reasonsForTenants: Readonly<Record<Cause, TenantReason>> = {
  invalid_payment_info: {
    because: 'the payment details of your account are wrong, expired or missing',
    steps: ['update the payment details of your account', 'then try one call'],
  },
  insufficient_funds: {
    because: 'there is no money left on the card, the balance or the prepaid credit of your account',
    steps: ['top up the balance, or use another card', 'then try one call'],
  },
  payment_failed: {
    because: 'the bank or the issuer of your card declined the charge',
    steps: ['approve the charge with your bank, or use another way to pay', 'then try one call'],
  },
  payment_gateway_error: {
    because: 'payments cannot be processed at the moment; your account is in order',
    steps: [nothing, pauses],
  },
  quota_exceeded: {
    because: 'the use that your plan or its rate limit allows is used up',
    steps: [
      'look for a program of yours that loops, or tries again without a pause',
      'ask for a larger plan, or wait until the period or the rate limit starts anew',
    ],
  },
  billing_limit_exceeded: {
    because: 'the spending limit of your account has been reached',
    steps: ['check that the use is what you want', 'raise the limit, or wait until the period starts anew'],
  },
  subscription_expired: {
    because: 'your subscription, trial or licence ends or has ended, or an invoice is open',
    steps: ['renew the subscription, or pay the open invoice', 'if you have paid already, tell us'],
  },
  authentication_missing: {
    because: 'calls come without a key, or without the payment proof that this API asks for',
    steps: ['check that your software still sends its key', 'try one call with the key shown in your account'],
  },
  permission_denied: {
    because: 'your plan does not include this API',
    steps: ['check which plan your key belongs to', 'ask for access, or for a plan that includes it'],
  },
  misconfiguration: {
    because: 'something is set up wrongly on our side; your calls are right',
    steps: [nothing, pauses],
  },
  resource_exhausted: {
    because: 'we are short of capacity at the moment; your account is in order',
    steps: [nothing, pauses],
  },
  unknown: {
    because: 'payment is asked for, and our records do not say why',
    steps: ['read the body of one refused answer: it may say what is missing', 'if it does not help, ask us'],
  },
}
