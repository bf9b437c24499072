/**
 * What the demo gateway's refusals look like: for each cause the answers that gateways and payment services give, each
 * with the evidence from which `classify/` tells the cause.
 */

/** The part of an access record that a refusal decides. */
export interface DemoAnswer {
  /** Kong's `source`: `kong` answered by itself, `upstream` passed an answer through. */
  readonly source: 'kong' | 'upstream'
  readonly headers: Readonly<Record<string, string>>
  /** The response body as text, or null where the gateway logs none. */
  readonly body: string | null
}

/** Answers by cause; a cause may have several faces. */
export const demoAnswers: Readonly<Record<string, readonly [DemoAnswer, ...DemoAnswer[]]>> = {
  quota_exceeded: [
    {
      source: 'kong',
      headers: {
        'ratelimit-limit': '50000',
        'ratelimit-remaining': '0',
        'ratelimit-reset': '1740',
        'retry-after': '1740',
        'x-ratelimit-remaining-day': '0',
      },
      body: '{"message":"API rate limit exceeded"}',
    },
  ],
  insufficient_funds: [
    upstream({
      error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
    }),
    card('card_declined', 'insufficient_funds', 'Your card has insufficient funds.'),
  ],
  invalid_payment_info: [
    card('expired_card', null, 'Your card has expired.'),
    card('incorrect_cvc', null, "Your card's security code is incorrect."),
  ],
  payment_failed: [
    card('card_declined', 'do_not_honor', 'Your card was declined.'),
    card('card_declined', 'generic_decline', 'Your card was declined.'),
  ],
  payment_gateway_error: [
    card('processing_error', null, 'An error occurred while processing your card. Try again in a little bit.'),
    card('card_declined', 'issuer_not_available', 'The card issuer could not be reached.'),
  ],
  billing_limit_exceeded: [
    upstream({
      error: { code: 'spend_limit_reached', message: 'The monthly spend limit of this workspace is reached.' },
    }),
  ],
  subscription_expired: [
    upstream({ error: { code: 'subscription_expired', message: 'The subscription expired. Renew it to go on.' } }),
  ],
  authentication_missing: [
    {
      source: 'upstream',
      headers: { 'content-type': 'application/json', 'www-authenticate': 'Payment realm="api"' },
      body: '{"x402Version":1,"error":"X-PAYMENT header is required","accepts":[]}',
    },
  ],
  permission_denied: [
    upstream({ error: { code: 'plan_required', message: 'This model is not available on your plan.' } }),
  ],
  resource_exhausted: [
    upstream({ error: { code: 'in_flight_budget_exhausted', message: 'Too much of the budget is in flight.' } }),
  ],
  // Nothing that explains it: many gateways log no more than this.
  unknown: [{ source: 'upstream', headers: {}, body: null }],
}

function upstream(body: unknown): DemoAnswer {
  return { source: 'upstream', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** A declined card in the words of a card payment API: `code` is coarse, `decline_code` finer. */
function card(code: string, declineCode: string | null, message: string): DemoAnswer {
  const finer = declineCode === null ? {} : { decline_code: declineCode }
  return upstream({ error: { type: 'card_error', code, ...finer, message } })
}
