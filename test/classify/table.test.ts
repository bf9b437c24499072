import { describe, expect, test } from 'vitest'
import { type Cause, causes } from '../../src/classify/cause.ts'
import { causeOf } from '../../src/classify/classify.ts'
import { bodyRecord, recordWith } from './recording.ts'

// The table of causes and signals, row by row: what each word of the world means.
const codes: Record<Exclude<Cause, 'unknown'>, readonly string[]> = {
  invalid_payment_info: [
    ...[
      'expired_card',
      'incorrect_cvc',
      'incorrect_number',
      'incorrect_zip',
      'incorrect_pin',
      'incorrect_address',
      'invalid_cvc',
    ],
    ...[
      'invalid_number',
      'invalid_expiry_month',
      'invalid_expiry_year',
      'invalid_pin',
      'invalid_account',
      'invalid_amount',
    ],
    ...['card_not_supported', 'new_account_information_available', 'payment_method_billing_details_address_missing'],
    ...['invoice_no_payment_method_types', 'invalid_payload', 'invalid_exact_evm_payload_signature', 'invalid_scheme'],
    ...['unsupported_scheme', 'invalid_network', 'invalid_x402_version', 'malformed-credential', 'invalid-challenge'],
    ...['payment-expired', 'session/invalid-signature'],
  ],
  insufficient_funds: [
    ...[
      'insufficient_funds',
      'balance_insufficient',
      'insufficient_balance',
      'insufficient_credit',
      'insufficient_credits',
    ],
    ...[
      'NOT_ENOUGH_BALANCE',
      'CreditsDepleted',
      'billing_error',
      'openrouter_credits',
      '1113',
      'ResourceUnavailable.InArrears',
    ],
    ...['InArrears', 'LowBalance', 'ResourceUnavailable.LowBalance', 'FailedOperation.ServiceStopArrears'],
    ...['session/insufficient-balance', 'payment-insufficient'],
  ],
  payment_failed: [
    ...[
      'card_declined',
      'generic_decline',
      'do_not_honor',
      'call_issuer',
      'fraudulent',
      'lost_card',
      'stolen_card',
      'pickup_card',
    ],
    ...[
      'restricted_card',
      'transaction_not_allowed',
      'payment_intent_authentication_failure',
      'payment_method_provider_decline',
    ],
    ...['payment_method_customer_decline', 'debit_not_authorized', 'card_velocity_exceeded', 'pin_try_exceeded'],
    ...['stop_payment_order', 'invalid_transaction_state', 'verification-failed'],
  ],
  payment_gateway_error: [
    ...[
      'processing_error',
      'issuer_not_available',
      'try_again_later',
      'reenter_transaction',
      'payment_method_provider_timeout',
    ],
    ...['unexpected_verify_error', 'unexpected_settle_error'],
  ],
  quota_exceeded: [
    ...[
      'quota_exceeded',
      'quotaExceeded402',
      'insufficient_quota',
      'exceeded_current_quota_error',
      'RequestLimitError',
    ],
    ...['insufficient_user_quota', 'pre_consume_token_quota_failed', 'entitlement_daily_limit_exceeded'],
    ...['entitlement_total_limit_exceeded', 'https://iana.org/assignments/http-problem-types#quota-exceeded', '900804'],
  ],
  billing_limit_exceeded: [
    ...[
      'dailyLimitExceeded402',
      'budget_exceeded',
      'BudgetExceededError',
      'openrouter_key_limit',
      'spend_limit_reached',
    ],
    ...['billing_hard_limit_reached', 'weight_exceeds_budget'],
  ],
  subscription_expired: [
    ...[
      'subscription_expired',
      'past_due',
      'trial_expired',
      'license_expired',
      'entitlement_inactive',
      'PrepaidBillOverdue',
    ],
    ...['PostpaidBillOverdue', '900909'],
  ],
  authentication_missing: [
    ...['API_KEY_MISSING', 'API_KEY_INVALID', 'GATEWAY_PLAN_UNRESOLVABLE', '900902'],
    'https://paymentauth.org/problems/payment-required',
  ],
  permission_denied: [
    ...[
      'entitlement_required',
      'AccessDenied.Unpurchased',
      'CommodityNotPurchased',
      'plan_required',
      'upgrade_required',
    ],
    ...['not_permitted', 'RBAC_FORBIDDEN', '900908'],
  ],
  misconfiguration: [
    ...[
      'api_key_expired',
      'platform_api_key_expired',
      'secret_key_required',
      'livemode_mismatch',
      'testmode_charges_only',
    ],
    ...['testmode_decline', 'currency_not_supported', 'payment_method_currency_mismatch', 'model_price_error'],
    'invalid_payment_requirements',
  ],
  resource_exhausted: [
    ...['in_flight_budget_exhausted', 'openrouter_in_flight_budget', 'channel:no_available_key', 'RESOURCE_EXHAUSTED'],
    'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
  ],
}

const verdicts: readonly (readonly [Cause, string, readonly string[]])[] = [
  ['quota_exceeded', 'handler', ['limiting']],
  ['quota_exceeded', 'strategy', ['any name']],
  ['permission_denied', 'handler', ['visit']],
  ['authentication_missing', 'auth_status', ['fail']],
  ['quota_exceeded', 'response_flags', ['RL']],
  ['permission_denied', 'response_flags', ['UAEX']],
  ['misconfiguration', 'response_flags', ['NR', 'NC', 'FI']],
  ['resource_exhausted', 'response_flags', ['UO', 'OM', 'UH']],
  ['unknown', 'response_flags', ['UF', 'UT', 'UC', 'URX', 'RLSE', 'DC']],
  ['quota_exceeded', 'response_code_details', ['request_rate_limited', 'local_rate_limited']],
  ['authentication_missing', 'response_code_details', ['jwt_authn_access_denied{Jwt_is_missing}']],
  ['permission_denied', 'response_code_details', ['ext_authz_denied', 'rbac_access_denied_matched_policy[a]']],
  ['resource_exhausted', 'response_code_details', ['overload']],
  ['unknown', 'response_code_details', ['direct_response', 'via_upstream']],
  ['quota_exceeded', 'commonProperties.responseFlags', ['rateLimited']],
  ['permission_denied', 'commonProperties.responseFlags', ['unauthorizedDetails']],
  ['quota_exceeded', 'response_flag', ['QEX', 'RLT']],
  ['authentication_missing', 'response_flag', ['AMF', 'AKI', 'TKI', 'TKE']],
  ['permission_denied', 'response_flag', ['EAD']],
  ['resource_exhausted', 'response_flag', ['CBO', 'NHU']],
  ['unknown', 'response_flag', ['UCF', 'URT', 'URS']],
  ['quota_exceeded', 'error.responseType', ['QUOTA_EXCEEDED', 'THROTTLED']],
  [
    'authentication_missing',
    'error.responseType',
    ['MISSING_AUTHENTICATION_TOKEN', 'INVALID_API_KEY', 'UNAUTHORIZED', 'EXPIRED_TOKEN'],
  ],
  ['permission_denied', 'error.responseType', ['ACCESS_DENIED', 'WAF_FILTERED']],
  [
    'misconfiguration',
    'error.responseType',
    ['API_CONFIGURATION_ERROR', 'AUTHORIZER_CONFIGURATION_ERROR', 'AUTHORIZER_FAILURE'],
  ],
  ['quota_exceeded', 'errorKey', ['QUOTA_TOO_MANY_REQUESTS', 'RATE_LIMIT_TOO_MANY_REQUESTS']],
  ['authentication_missing', 'error-key', ['API_KEY_MISSING', 'GATEWAY_PLAN_UNRESOLVABLE']],
  ['misconfiguration', 'failure.key', ['GATEWAY_POLICY_INTERNAL_ERROR']],
  ['permission_denied', 'errorKey', ['RBAC_FORBIDDEN']],
  ['quota_exceeded', 'errorCode', ['900800', '900801', '900802', '900803', '900804', '900806', '900807']],
  ['subscription_expired', 'errorCode', ['900909']],
  ['authentication_missing', 'errorCode', ['900900', '900901', '900902', '900903', '900904']],
  ['permission_denied', 'errorCode', ['900805', '900907', '900908', '900910', '700700']],
]

const texts: Record<Exclude<Cause, 'unknown'>, readonly string[]> = {
  invalid_payment_info: [
    ...[
      'Your card has expired.',
      "Your card's security code is incorrect",
      'No payment method on file',
      'Missing payment method',
    ],
    'Please add a payment method to go on',
  ],
  insufficient_funds: [
    ...[
      'Insufficient Balance',
      'Insufficient credits. Add more at x',
      'INSUFFICIENT FUNDS',
      'Your credit balance is too low to access',
    ],
    ...[
      'This request requires more credits, or fewer max_tokens',
      'Your prepayment credits are depleted',
      '账户余额不足',
      '您的账户已欠费',
    ],
  ],
  payment_failed: ['Your card was declined.', 'Payment failed'],
  payment_gateway_error: [
    ...[
      'An error occurred while processing your card',
      'payment provider unavailable',
      'The facilitator returned an error',
    ],
  ],
  quota_exceeded: [
    ...[
      'Quota exceeded',
      'You exceeded your current quota, please check your plan and billing details',
      'Monthly limit reached',
    ],
    ...[
      'You are over your usage limit',
      'Request Limit Reached',
      'API rate limit exceeded',
      '令牌额度已用尽',
      '用户额度不足',
    ],
  ],
  billing_limit_exceeded: [
    ...[
      'Budget has been exceeded! Current cost: 12.4',
      'You hit your spending limit',
      'spend limit',
      'Billing limit reached',
      'Key limit exceeded',
    ],
  ],
  subscription_expired: [
    ...[
      'Your subscription has expired',
      'The subscription of this shop is inactive',
      'Subscription was cancelled',
      'Your free trial has ended',
    ],
    ...[
      'Plan expired',
      'This shop is frozen',
      'Key has expired, please renew',
      'Invoice is past due',
      'You have unpaid invoices',
    ],
  ],
  authentication_missing: [
    ...[
      'No API key found in request',
      'missing or invalid token',
      'Authentication required',
      'X-PAYMENT header is required',
    ],
  ],
  permission_denied: [
    'This model is not available on your plan',
    'Please upgrade your plan',
    'You are not subscribed to this API',
    'Forbidden',
  ],
  misconfiguration: ['Billing is not configured', 'There is no price for this model', 'The route is misconfigured'],
  resource_exhausted: [
    ...[
      'all balances exhausted or unavailable',
      'no key resource for provider openai',
      'no available key',
      'We are at capacity',
    ],
  ],
}

const pairs = (table: Record<string, readonly string[]>) =>
  Object.entries(table).flatMap(([cause, words]) => words.map((word) => [word, cause] as const))

const unfold = (word: string) => [
  word,
  word.toUpperCase(),
  word.replaceAll('_', '-'),
  word.replaceAll('_', '.'),
  word.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
]

describe('codes', () => {
  test.each(pairs(codes))('%s in a body means %s', (word, cause) => {
    const verdict = causeOf(bodyRecord({ error: { type: word.includes('/') ? word : 'error', code: word } }), [])
    expect(verdict).toMatchObject({
      cause,
      code: word,
      source: expect.stringMatching(/^response\.body\.error\.(code|type)$/),
    })
  })

  test.each(pairs(codes).filter(([word]) => /^[a-z_]+$/.test(word)))(
    '%s is the same in every spelling',
    (word, cause) => {
      for (const spelling of unfold(word))
        expect(causeOf(bodyRecord({ code: spelling }), []).cause, spelling).toBe(cause)
    },
  )

  test.each(pairs(codes).filter(([word]) => /^[a-z_]+$/.test(word)))('%s in a header means %s', (word, cause) => {
    const record = recordWith((gathered) => gathered.headers({ 'X-Error-Code': word }))
    const source = 'response.headers.x-error-code'
    expect(causeOf(record, [])).toMatchObject({ cause, code: word, source })
  })

  test.each([
    'invalid_request_error',
    'unknown_error',
    'card_error',
    'error',
    'payment_required',
    '402',
    'user402',
    'api_error',
    '1008',
  ])('%s says nothing by itself', (word) => {
    expect(causeOf(bodyRecord({ error: { type: word, code: word } }), [])).toEqual({
      cause: 'unknown',
      code: null,
      source: null,
    })
  })
})

describe('verdicts', () => {
  test.each(verdicts.flatMap(([cause, where, words]) => words.map((word) => [where, word, cause] as const)))(
    '%s %s of the gateway means %s',
    (where, word, cause) => {
      const record = recordWith((gathered) => gathered.verdict(word, where), 'gateway')
      expect(causeOf(record, [])).toMatchObject({
        cause,
        ...(cause === 'unknown' ? {} : { code: word, source: where }),
      })
      // The same mark on an answer that the gateway only passed through proves nothing.
      expect(
        causeOf(
          recordWith((gathered) => gathered.verdict(word, where), 'upstream'),
          [],
        ).cause,
      ).toBe('unknown')
    },
  )
})

describe('texts', () => {
  test.each(pairs(texts))('"%s" means %s', (message, cause) => {
    const verdict = causeOf(bodyRecord({ error: { message } }), [])
    expect(verdict).toMatchObject({ cause, source: 'response.body.error.message' })
    // Only the deciding words are kept, never the message.
    expect(message).toContain(verdict.code)
  })

  test.each(['Payment required', 'Overcapacity', 'An unforbidden word', 'myquota exceededly', ''])(
    '"%s" says nothing',
    (message) => {
      expect(causeOf(bodyRecord({ error: { message } }), []).cause).toBe('unknown')
    },
  )
})

test('every cause has its row', () => {
  expect([...Object.keys(codes), 'unknown'].sort()).toEqual([...causes].sort())
  expect(Object.keys(texts).sort()).toEqual(Object.keys(codes).sort())
})
