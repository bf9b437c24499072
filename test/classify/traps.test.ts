import { describe, expect, test } from 'vitest'
import { causeOf } from '../../src/classify/classify.ts'
import { isPaymentChallenge } from '../../src/classify/watch.ts'
import { bodyRecord, decoded, kongRecord, recordWith } from './recording.ts'

const cause = (body: unknown) => causeOf(bodyRecord(body), []).cause
const stripe = (error: object) => ({
  error: { type: 'card_error', doc_url: 'https://docs.example.org/x', param: 'number', ...error },
})

describe('a machine word that misleads', () => {
  test('DeepSeek says invalid_request_error and means an empty balance', () => {
    const body = {
      error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
    }
    expect(causeOf(bodyRecord(body), [])).toEqual({
      cause: 'insufficient_funds',
      code: 'Insufficient Balance',
      source: 'response.body.error.message',
    })
  })

  test('Gemini says RESOURCE_EXHAUSTED and means money where the text speaks of credits', () => {
    const gemini = (message: string) => cause({ error: { code: 402, message, status: 'RESOURCE_EXHAUSTED' } })
    expect(gemini('Your prepayment credits are depleted. Please top up.')).toBe('insufficient_funds')
    expect(gemini('Too many tokens are being processed.')).toBe('resource_exhausted')
    expect(gemini('Something about billing.')).toBe('unknown')
  })

  test('payment_required is money from OpenRouter, a price tag in a problem type, nothing elsewhere', () => {
    expect(cause({ error: { code: 402, metadata: { error_type: 'payment_required' } } })).toBe('insufficient_funds')
    expect(cause({ type: 'https://paymentauth.org/problems/payment-required' })).toBe('authentication_missing')
    expect(cause({ code: 'payment_required' })).toBe('unknown')
  })

  test('a number is a code only in its own provider', () => {
    expect(cause({ base_resp: { status_code: 1008 } })).toBe('insufficient_funds')
    expect(cause({ code: 1008 })).toBe('unknown')
    expect(cause({ error: { code: '1113', message: '…' } })).toBe('insufficient_funds')
  })
})

describe('Stripe', () => {
  test('has the finer word in decline_code', () => {
    expect(cause(stripe({ code: 'card_declined', decline_code: 'insufficient_funds' }))).toBe('insufficient_funds')
    expect(cause(stripe({ code: 'card_declined', decline_code: 'a_new_one' }))).toBe('payment_failed')
    expect(cause(stripe({ code: 'expired_card' }))).toBe('invalid_payment_info')
  })

  test('gives advice that is no reason', () => {
    expect(
      cause(stripe({ code: 'card_declined', advice_code: 'try_again_later', network_decline_code: 'expired_card' })),
    ).toBe('payment_failed')
  })

  test('means 3-D Secure by authentication_required, others mean credentials', () => {
    expect(cause(stripe({ code: 'card_declined', decline_code: 'authentication_required' }))).toBe('payment_failed')
    expect(cause(stripe({ code: 'authentication_required' }))).toBe('payment_failed')
    expect(cause({ error: { code: 'AUTHENTICATION_REQUIRED' } })).toBe('authentication_missing')
  })

  test('means the card by not_permitted and service_not_allowed, others mean the caller', () => {
    expect(cause(stripe({ decline_code: 'not_permitted' }))).toBe('payment_failed')
    expect(cause(stripe({ decline_code: 'service_not_allowed' }))).toBe('payment_failed')
    expect(cause({ code: 'not_permitted' })).toBe('permission_denied')
  })

  test('means its merchant by api_key_expired, a gateway means the caller', () => {
    expect(cause({ error: { type: 'invalid_request_error', code: 'api_key_expired' } })).toBe('misconfiguration')
    const own = recordWith((gathered) => gathered.body({ code: 'api_key_expired' }, 'response.body'), 'gateway')
    expect(causeOf(own, []).cause).toBe('authentication_missing')
  })

  test('means a failure of the payment service by api_error, others mean anything', () => {
    expect(cause({ error: { type: 'api_error', payment_intent: { id: 'pi' } } })).toBe('payment_gateway_error')
    expect(cause({ error: { type: 'api_error' } })).toBe('unknown')
  })
})

describe('a body in an odd form', () => {
  const money = JSON.stringify({ error: { code: 'insufficient_credits', message: 'no' } })

  test.each([
    ['cut in the middle', money.slice(0, 40)],
    ['base64 of HTTP text', Buffer.from(`HTTP/1.1 402 X\r\nA: b\r\n\r\n${money}`).toString('base64')],
    ['SSE lines in an array', ['event: error', `data: ${money}`, '']],
  ])('is read when it is %s', (_, body) => {
    expect(cause(body)).toBe('insufficient_funds')
  })

  test('counts the outer code, not what it tells of earlier attempts', () => {
    const previous_errors = [{ code: 'card_declined', decline_code: 'do_not_honor', message: 'was declined' }]
    expect(cause({ error: { code: 402, metadata: { limit_source: 'openrouter_key_limit', previous_errors } } })).toBe(
      'billing_limit_exceeded',
    )
    expect(cause({ error: { type: 'insufficient_quota', metadata: { previous_errors } } })).toBe('quota_exceeded')
  })
})

describe('words of the caller', () => {
  test('in a request body are not looked at', () => {
    const record = decoded({
      ...{
        msec: 1791188136042,
        request_id: 'r',
        status: 402,
        proxy_status: 402,
        application: 'a',
        response_body: '{}',
      },
      ...{
        request_body: '{"messages":[{"content":"quota exceeded"}],"code":"card_declined"}',
        proxy_body: 'insufficient funds',
      },
    })
    expect(causeOf(record, []).cause).toBe('unknown')
  })

  test('in an answer that repeats the prompt are not looked at', () => {
    expect(
      cause({
        error: { code: 'x' },
        request: { message: 'quota exceeded' },
        choices: [{ message: 'card was declined' }],
      }),
    ).toBe('unknown')
  })

  test('in a path or a tenant are not looked at', () => {
    expect(causeOf(bodyRecord({}, { api: '/quota/exceeded', tenant: 'quota exceeded' }), []).cause).toBe('unknown')
  })
})

describe('headers', () => {
  const spent = (headers: object, source = 'kong') =>
    causeOf(kongRecord({ source, response: { status: 402, headers } }), [])

  test.each([
    [{ 'RateLimit-Remaining': '0' }],
    [{ 'x-ratelimit-remaining-minute': ['0'] }],
    [{ 'X-Rate-Limit-Remaining': 0 }],
    [{ 'x-ratelimit-remaining-requests': '7, 0' }],
    [{ ratelimit: '"default";r=0;t=50' }],
    [{ RateLimit: '"minute";r=12;t=3, "day";r=0;t=5000' }],
    [{ ratelimit: 'limit=100, remaining=0, reset=50' }],
    [{ RATELIMIT: ['"a";r=3', '"b"; r=0; t=9'] }],
    [{ 'anthropic-ratelimit-requests-remaining': '0' }],
    [{ 'ratelimit-remaining': '0.0' }],
  ])('%j prove a quota', (headers) => {
    expect(spent(headers)).toMatchObject({
      cause: 'quota_exceeded',
      source: expect.stringContaining('response.headers.'),
    })
  })

  test.each([
    [{ 'ratelimit-remaining': '10' }],
    [{ 'ratelimit-remaining': '-1' }],
    [{ 'ratelimit-limit': '0', 'ratelimit-reset': '0', 'retry-after': '0' }],
    [{ ratelimit: '"minute";r=12;t=0, "day";r=10' }],
    [{ 'ratelimit-policy': '"default";q=0;w=60' }],
    [{ 'x-rate-limit-count-minute': '0/5' }],
    [{ ratelimit: '"a;r=0";r=5;t=3' }],
    [{ ratelimit: '"default";r=01;t=3' }],
  ])('%j prove nothing', (headers) => {
    expect(spent(headers).cause).toBe('unknown')
  })

  test('prove nothing about a limit where the upstream answered', () => {
    expect(spent({ 'ratelimit-remaining': '0' }, 'upstream').cause).toBe('unknown')
  })

  test('come after a message, a verdict and a code', () => {
    const gathered = (code: string | null, verdict: string | null, message: string | null) =>
      causeOf(
        recordWith(
          (g) =>
            g
              .headers({ 'ratelimit-remaining': '0' })
              .verdict(verdict, 'response_flags')
              .body({ code, message }, 'response.body'),
          'gateway',
        ),
        [],
      ).cause
    expect(gathered('past_due', 'UAEX', 'was declined')).toBe('subscription_expired')
    expect(gathered(null, 'UAEX', 'was declined')).toBe('permission_denied')
    expect(gathered(null, null, 'was declined')).toBe('payment_failed')
    expect(gathered(null, null, null)).toBe('quota_exceeded')
  })
})

describe("Apinto's word about a key", () => {
  const statuses = [{ provider: 'p', model: 'm', key: 'k', status: 'quota exhausted' }]
  const record = (changes: object) =>
    decoded({
      msec: 1791188136042,
      request_id: 'r',
      status: 402,
      proxy_status: 402,
      ai_provider_statuses: statuses,
      ...changes,
    })

  test('means money where the provider answered 402', () => {
    const source = 'ai_provider_statuses[0].status'
    expect(causeOf(record({}), [])).toEqual({ cause: 'insufficient_funds', code: 'quota exhausted', source })
  })

  test('says nothing about another answer', () => {
    expect(causeOf(record({ proxy_status: 429 }), []).cause).toBe('unknown')
  })

  test('gives way to what the provider said itself', () => {
    expect(causeOf(record({ response_body: '{"message":"Billing limit reached"}' }), []).cause).toBe(
      'billing_limit_exceeded',
    )
  })
})

describe('the price tag of a machine payment', () => {
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64')
  const required = base64({
    x402Version: 2,
    error: 'PAYMENT-SIGNATURE header is required',
    resource: { description: 'quota exceeded' },
    accepts: [],
  })
  const v1 = {
    x402Version: 1,
    error: 'X-PAYMENT header is required',
    accepts: [{ scheme: 'exact', description: 'card was declined' }],
  }
  const kong = (headers: object, body: object = {}, request: object = {}) =>
    kongRecord({ source: 'upstream', request: { headers: request }, response: { status: 402, headers, body } })

  test.each([
    ['x402 version 1', kong({}, v1)],
    ['x402 version 1 without words', kong({}, { x402Version: 1, accepts: [] })],
    ['x402 version 2', kong({ 'PAYMENT-REQUIRED': required })],
    [
      'Payment authentication, asked with another credential',
      kong({ 'www-authenticate': 'Payment id="1"' }, {}, { authorization: 'REDACTED' }),
    ],
    ['Payment authentication', kong({ 'www-authenticate': 'Bearer realm="x", Payment id="1", realm="y"' })],
    ['a problem type', kong({}, { type: 'https://paymentauth.org/problems/payment-required' })],
  ])('is told from a refusal: %s', (_, record) => {
    expect(causeOf(record, []).cause).toBe('authentication_missing')
    expect(isPaymentChallenge(record)).toBe(true)
  })

  test.each([
    [
      'insufficient_funds',
      kong({
        'PAYMENT-RESPONSE': base64({ success: false, errorReason: 'insufficient_funds' }),
        'PAYMENT-REQUIRED': required,
      }),
    ],
    ['insufficient_funds', kong({}, { x402Version: 1, error: 'insufficient_funds', accepts: [] })],
    ['invalid_payment_info', kong({}, { ...v1, error: 'invalid_exact_evm_payload_signature' }, { 'x-payment': 'y' })],
    ['unknown', kong({ 'payment-required': base64({ x402Version: 2 }) }, {}, { 'PAYMENT-SIGNATURE': 'y' })],
    [
      'insufficient_funds',
      kong(
        { 'www-authenticate': 'Payment id="1"' },
        { type: 'https://paymentauth.org/problems/session/insufficient-balance' },
      ),
    ],
    ['quota_exceeded', kong({}, { code: 'quota_exceeded' })],
    ['unknown', kong({ 'www-authenticate': 'Bearer error="payment"' })],
    ['unknown', kong({ 'www-authenticate': 'Bearer realm="one, Payment two"' })],
    ['unknown', kong({ 'www-authenticate': 'Payment id="1"' }, {}, { Authorization: 'Payment abc' })],
  ])('is not a refusal for %s', (expected, record) => {
    expect(causeOf(record, []).cause).toBe(expected)
    expect(isPaymentChallenge(record)).toBe(false)
  })
})

test('a 402 that a later attempt made good explains no other status', () => {
  const record = kongRecord({ response: { status: 200, headers: {} }, upstream_status: '402, 200', source: 'upstream' })
  expect(record).toMatchObject({ status: 200, upstreamStatus: 200, upstreamRefused: true })
})

test('the answer an operator wrote says nothing: only he knows why he wrote it', () => {
  const body = { message: 'Payment required' }
  expect(causeOf(kongRecord({ source: 'kong', response: { status: 402, headers: {}, body } }), []).cause).toBe(
    'unknown',
  )
})

test('keeps of a message only the words that decided', () => {
  const verdict = causeOf(bodyRecord({ message: 'Dear jo@example.org, insufficient funds on card 4242' }), [])
  expect(verdict.code).toBe('insufficient funds')
})
