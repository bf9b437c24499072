import { describe, expect, test } from 'vitest'
import type { Cause } from '../../src/classify/cause.ts'
import { causeOf } from '../../src/classify/classify.ts'
import { bodyRecord, recordWith } from './recording.ts'

// Whole answers of services as their documentation shapes them, with the word that must decide and its place.

type Row = readonly [who: string, body: unknown, cause: Cause, code: string, source: string]

const bodies: readonly Row[] = [
  [
    'Stripe declines a card with a finer word',
    {
      error: {
        ...{ type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds', param: '' },
        ...{
          message: 'Your card has insufficient funds.',
          advice_code: 'try_again_later',
          doc_url: 'https://x.example',
        },
      },
    },
    ...['insufficient_funds', 'insufficient_funds', 'error.decline_code'],
  ],
  [
    'Stripe declines a card without saying why',
    { error: { type: 'card_error', code: 'card_declined', message: 'Your card was declined.' } },
    ...['payment_failed', 'card_declined', 'error.code'],
  ],
  [
    'DeepSeek',
    { error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' } },
    ...['insufficient_funds', 'Insufficient Balance', 'error.message'],
  ],
  [
    'Gemini speaks of credits',
    { error: { code: 402, message: 'Your prepayment credits are depleted. Top up.', status: 'RESOURCE_EXHAUSTED' } },
    ...['insufficient_funds', 'credits are depleted', 'error.message'],
  ],
  [
    'Gemini is out of capacity',
    { error: { code: 402, message: 'Too many tokens in flight.', status: 'RESOURCE_EXHAUSTED' } },
    ...['resource_exhausted', 'RESOURCE_EXHAUSTED', 'error.status'],
  ],
  [
    'Google: the budget that the developer set',
    { error: { code: 402, errors: [{ domain: 'usageLimits', reason: 'dailyLimitExceeded402', message: 'Daily' }] } },
    ...['billing_limit_exceeded', 'dailyLimitExceeded402', 'error.errors[0].reason'],
  ],
  [
    'Google: more than the free amount',
    { error: { code: 402, errors: [{ domain: 'usageLimits', reason: 'quotaExceeded402', message: 'Quota' }] } },
    ...['quota_exceeded', 'quotaExceeded402', 'error.errors[0].reason'],
  ],
  [
    'Anthropic',
    { type: 'error', error: { type: 'billing_error', message: 'There is a problem with your billing.' } },
    ...['insufficient_funds', 'billing_error', 'error.type'],
  ],
  [
    'Anthropic with a general type',
    { type: 'error', error: { type: 'invalid_request_error', message: 'Your credit balance is too low to go on.' } },
    ...['insufficient_funds', 'credit balance is too low', 'error.message'],
  ],
  [
    'OpenAI',
    {
      error: { message: 'You exceeded your current quota.', type: 'insufficient_quota', code: 'insufficient_quota' },
    },
    ...['quota_exceeded', 'insufficient_quota', 'error.code'],
  ],
  [
    'OpenAI at its hard limit',
    {
      error: {
        message: 'Billing hard limit has been reached',
        type: 'invalid_request_error',
        code: 'billing_hard_limit_reached',
      },
    },
    ...['billing_limit_exceeded', 'billing_hard_limit_reached', 'error.code'],
  ],
  ['Cohere at a limit', { message: 'billing limit reached' }, 'billing_limit_exceeded', 'billing limit', 'message'],
  [
    'Cohere without a card',
    { message: 'Please add a payment method.' },
    'invalid_payment_info',
    'add a payment method',
    'message',
  ],
  [
    'Fireworks',
    { error: { message: 'You are not on a paid plan' } },
    'permission_denied',
    'not on a paid plan',
    'error.message',
  ],
  [
    'Moonshot',
    { error: { message: 'suspended', type: 'exceeded_current_quota_error' } },
    ...['quota_exceeded', 'exceeded_current_quota_error', 'error.type'],
  ],
  [
    'MiniMax',
    { base_resp: { status_code: 1008, status_msg: 'x' } },
    'insufficient_funds',
    '1008',
    'base_resp.status_code',
  ],
  ['Zhipu', { error: { code: '1113', message: '您的账户已欠费' } }, 'insufficient_funds', '1113', 'error.code'],
  [
    'Tencent Hunyuan',
    { Response: { Error: { Code: 'ResourceUnavailable.InArrears', Message: 'x' } } },
    ...['insufficient_funds', 'ResourceUnavailable.InArrears', 'Response.Error.Code'],
  ],
  [
    'Alibaba Bailian',
    { code: 'PostpaidBillOverdue', message: 'The postpaid bill is overdue.', request_id: 'r-1' },
    ...['subscription_expired', 'PostpaidBillOverdue', 'code'],
  ],
  [
    'OpenRouter names the limit',
    {
      error: {
        ...{ code: 402, message: 'Key limit exceeded' },
        metadata: { limit_source: 'openrouter_key_limit', error_type: 'payment_required' },
      },
    },
    ...['billing_limit_exceeded', 'openrouter_key_limit', 'error.metadata.limit_source'],
  ],
  [
    'OpenRouter: a budget in flight is not money',
    {
      error: { code: 402, message: 'Try again', metadata: { limit_source: 'openrouter_in_flight_budget' } },
      error_type: 'payment_required',
    },
    ...['resource_exhausted', 'openrouter_in_flight_budget', 'error.metadata.limit_source'],
  ],
  [
    'OpenRouter, where nothing finer stands',
    { error: { code: 402, message: 'x', error_type: 'payment_required' }, user_id: 'u' },
    ...['insufficient_funds', 'payment_required', 'error.error_type'],
  ],
  [
    'OpenRouter asks for fewer tokens',
    { error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' } },
    ...['insufficient_funds', 'requires more credits', 'error.message'],
  ],
  [
    'LiteLLM',
    { error: { message: 'Budget has been exceeded! Current cost: 12.4', type: 'budget_exceeded', code: '400' } },
    ...['billing_limit_exceeded', 'budget_exceeded', 'error.type'],
  ],
  [
    'LiteLLM in words',
    { error: { message: 'ExceededBudget: User=u-1 over budget. Spend=2.1', type: 'auth_error', code: '400' } },
    ...['billing_limit_exceeded', 'ExceededBudget', 'error.message'],
  ],
  [
    'one-api',
    { error: { message: '用户额度不足', type: 'one_api_error', code: 'insufficient_user_quota' } },
    ...['quota_exceeded', 'insufficient_user_quota', 'error.code'],
  ],
  [
    'one-api in words',
    { error: { message: '令牌额度已用尽', type: 'one_api_error' } },
    'quota_exceeded',
    '额度已用尽',
    'error.message',
  ],
  [
    'new-api: a plan that has ended',
    { error: { message: 'x', type: 'new_api_error', code: 'entitlement_inactive' } },
    ...['subscription_expired', 'entitlement_inactive', 'error.code'],
  ],
  [
    'new-api: a plan that lacks it',
    { error: { message: 'x', type: 'new_api_error', code: 'entitlement_required' } },
    ...['permission_denied', 'entitlement_required', 'error.code'],
  ],
  [
    'X API',
    { title: 'CreditsDepleted', detail: 'x', type: 'https://api.example.org/2/problems/credits' },
    ...['insufficient_funds', 'CreditsDepleted', 'title'],
  ],
  [
    'Apideck',
    { status_code: 402, error: 'Payment Required', type_name: 'RequestLimitError', message: 'Request Limit Reached' },
    ...['quota_exceeded', 'RequestLimitError', 'type_name'],
  ],
  ['Shopify', { errors: 'This shop is frozen' }, 'subscription_expired', 'shop is frozen', 'errors'],
  [
    'problem+json with an extension',
    { type: 'about:blank', title: 'Payment Required', status: 402, code: 'spend_limit_reached' },
    ...['billing_limit_exceeded', 'spend_limit_reached', 'code'],
  ],
  [
    'problem+json by its type',
    { type: 'https://api.example.org/problems/subscription-expired', title: 'No', 'violated-policies': [] },
    ...['subscription_expired', 'https://api.example.org/problems/subscription-expired', 'type'],
  ],
  [
    'a problem type given as a URN',
    { type: 'urn:example:problem:insufficient-credits' },
    ...['insufficient_funds', 'urn:example:problem:insufficient-credits', 'type'],
  ],
  [
    'x402, version 1',
    { x402Version: 1, error: 'insufficient_funds', accepts: [{ scheme: 'exact', network: 'base' }] },
    ...['insufficient_funds', 'insufficient_funds', 'error'],
  ],
  [
    'x402, version 1, from a facilitator',
    { x402Version: 1, error: 'The facilitator returned an error', accepts: [] },
    ...['payment_gateway_error', 'facilitator returned an error', 'error'],
  ],
  [
    'HTTP Payment authentication',
    { type: 'https://paymentauth.org/problems/session/invalid-signature', title: 'x', status: 402 },
    ...['invalid_payment_info', 'https://paymentauth.org/problems/session/invalid-signature', 'type'],
  ],
].map(([who, body, cause, code, source]) => [who, body, cause, code, `response.body.${source}`] as Row)

describe('the answer of', () => {
  test.each(bodies)('%s', (_, body, cause, code, source) => {
    const expected = { cause, code, source }
    expect(causeOf(bodyRecord(body), [])).toEqual(expected)
    expect(causeOf(bodyRecord(JSON.stringify(body)), [])).toEqual(expected)
    const base64 = Buffer.from(JSON.stringify(body)).toString('base64')
    expect(causeOf(bodyRecord(base64), [])).toEqual(expected)
  })

  test('Google that only says "some payment" is unknown', () => {
    expect(causeOf(bodyRecord({ error: { code: 402, errors: [{ reason: 'user402' }] } }), []).cause).toBe('unknown')
  })
})

describe('x402, version 2', () => {
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64')
  const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const answer = (headers: object) => recordWith((gathered) => gathered.headers(headers).body({}, 'response.body'))

  test.each([
    ['insufficient_funds', 'insufficient_funds'],
    ['invalid_payment_info', 'invalid_exact_evm_payload_authorization_valid_before'],
    ['payment_failed', 'invalid_transaction_state'],
    ['payment_gateway_error', 'unexpected_settle_error'],
    ['misconfiguration', 'invalid_payment_requirements'],
  ])('means %s by %s in the payment response', (cause, errorReason) => {
    const settled = { success: false, errorReason, transaction: '', network: 'base' }
    for (const [name, value] of [
      ['PAYMENT-RESPONSE', base64(settled)],
      ['X-PAYMENT-RESPONSE', base64url(settled)],
    ] as const) {
      expect(causeOf(answer({ [name]: value }), [])).toEqual({
        ...{ cause, code: errorReason },
        source: `response.headers.${name.toLowerCase()}.errorReason`,
      })
    }
  })

  test('gives its reason in the repeated price tag too', () => {
    const required = { x402Version: 2, error: 'invalid_scheme', resource: { url: 'https://x.example' }, accepts: [] }
    expect(causeOf(answer({ 'PAYMENT-REQUIRED': base64(required) }), [])).toEqual({
      ...{ cause: 'invalid_payment_info', code: 'invalid_scheme' },
      source: 'response.headers.payment-required.error',
    })
  })
})
