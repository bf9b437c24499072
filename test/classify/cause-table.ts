import type { Cause } from '../../src/classify/cause.ts'

// What each word of the world means, as section 8 of the reference on gateway logs has it, and what was added since.

type Told = Exclude<Cause, 'unknown'>

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '')

/** Machine words whose meaning does not depend on where they stand. */
export const codeRows: Readonly<Record<Told, readonly string[]>> = {
  invalid_payment_info: words(`
    expired_card incorrect_cvc incorrect_number incorrect_zip incorrect_pin incorrect_address invalid_cvc invalid_number
    invalid_expiry_month invalid_expiry_year invalid_pin invalid_account invalid_amount card_not_supported
    new_account_information_available payment_method_billing_details_address_missing invoice_no_payment_method_types
    invalid_payload invalid_exact_evm_payload_signature invalid_exact_evm_payload_authorization_value invalid_scheme
    unsupported_scheme invalid_network invalid_x402_version malformed-credential invalid-challenge payment-expired
    session/invalid-signature https://paymentauth.org/problems/payment-expired
    https://paymentauth.org/problems/session/invalid-signature`),
  insufficient_funds: words(`
    insufficient_funds balance_insufficient insufficient_balance insufficient_credit insufficient_credits
    NOT_ENOUGH_BALANCE CreditsDepleted billing_error openrouter_credits 1113 InArrears LowBalance ServiceStopArrears
    ResourceUnavailable.InArrears ResourceUnavailable.LowBalance FailedOperation.ServiceStopArrears
    session/insufficient-balance payment-insufficient https://paymentauth.org/problems/payment-insufficient`),
  payment_failed: words(`
    card_declined generic_decline do_not_honor call_issuer fraudulent lost_card stolen_card pickup_card restricted_card
    transaction_not_allowed payment_intent_authentication_failure payment_method_provider_decline
    payment_method_customer_decline debit_not_authorized card_velocity_exceeded pin_try_exceeded stop_payment_order
    service_not_allowed do_not_try_again duplicate_transaction merchant_blacklist no_action_taken offline_pin_required
    online_or_offline_pin_required revocation_of_authorization revocation_of_all_authorizations security_violation
    withdrawal_count_limit_exceeded invalid_transaction_state verification-failed`),
  payment_gateway_error: words(`
    processing_error issuer_not_available try_again_later reenter_transaction approve_with_id
    payment_method_provider_timeout unexpected_verify_error unexpected_settle_error`),
  quota_exceeded: words(`
    quota_exceeded quotaExceeded402 insufficient_quota exceeded_current_quota_error RequestLimitError
    insufficient_user_quota pre_consume_token_quota_failed entitlement_daily_limit_exceeded
    entitlement_total_limit_exceeded FailedOperation.FreeResourcePackExhausted
    ResourceInsufficient.ChargeResourceExhaust rate_limit_exceeded usage_limit_exceeded usage_limit_reached
    https://iana.org/assignments/http-problem-types#quota-exceeded
    900800 900801 900802 900803 900804 900806 900807`),
  billing_limit_exceeded: words(`
    dailyLimitExceeded402 budget_exceeded BudgetExceededError openrouter_key_limit spend_limit_reached
    billing_hard_limit_reached weight_exceeds_budget`),
  subscription_expired: words(`
    subscription_expired past_due trial_expired license_expired entitlement_inactive PrepaidBillOverdue
    PostpaidBillOverdue 900909`),
  authentication_missing: words(`
    API_KEY_MISSING API_KEY_INVALID GATEWAY_PLAN_UNRESOLVABLE 900900 900901 900902 900903 900904
    https://paymentauth.org/problems/payment-required`),
  permission_denied: words(`
    entitlement_required AccessDenied.Unpurchased CommodityNotPurchased plan_required upgrade_required not_permitted
    RBAC_FORBIDDEN RBAC_INVALID_USER_ROLES 900805 900907 900908 900910 700700`),
  misconfiguration: words(`
    api_key_expired platform_api_key_expired secret_key_required livemode_mismatch testmode_charges_only
    testmode_decline currency_not_supported payment_method_currency_mismatch model_price_error
    invalid_payment_requirements GATEWAY_POLICY_INTERNAL_ERROR`),
  resource_exhausted: words(`
    in_flight_budget_exhausted openrouter_in_flight_budget channel:no_available_key RESOURCE_EXHAUSTED
    https://iana.org/assignments/http-problem-types#temporary-reduced-capacity`),
}

/** Words that say nothing by themselves. */
export const emptyWords: readonly string[] = words(`
  invalid_request_error unknown_error card_error error payment_required 402 user402 api_error 1008 about:blank
  https://iana.org/assignments/http-problem-types#abnormal-usage-detected`)

/** A gateway's verdict on its own answer, by the field it stands in; `unknown` where it is no cause. */
export const verdictRows: readonly (readonly [cause: Cause, field: string, words: readonly string[]])[] = [
  // Apinto
  ['quota_exceeded', 'handler', ['limiting']],
  ['permission_denied', 'handler', ['visit']],
  ['resource_exhausted', 'handler', ['fuse']],
  ['unknown', 'handler', words('proxy cache grey data_mask')],
  ['quota_exceeded', 'strategy', ['any name']],
  ['quota_exceeded', 'response_headers.strategy', ['any name']],
  ['authentication_missing', 'auth_status', ['fail']],
  // Envoy
  ['quota_exceeded', 'response_flags', ['RL']],
  ['permission_denied', 'response_flags', ['UAEX']],
  ['misconfiguration', 'response_flags', words('NR NC FI')],
  ['resource_exhausted', 'response_flags', words('UO OM UH')],
  ['unknown', 'response_flags', words('UF UT UC URX RLSE DI DC')],
  ['quota_exceeded', 'response_code_details', words('request_rate_limited local_rate_limited')],
  ['authentication_missing', 'response_code_details', ['jwt_authn_access_denied{Jwt_is_missing}']],
  ['permission_denied', 'response_code_details', words('ext_authz_denied rbac_access_denied_matched_policy[ns[a]]')],
  ['misconfiguration', 'responseCodeDetails', words('route_not_found cluster_not_found')],
  ['resource_exhausted', 'responseCodeDetails', words('overload no_healthy_upstream')],
  ['unknown', 'response_code_details', words('direct_response via_upstream ext_authz_error')],
  // Envoy's access log service, with both spellings of its names
  ['quota_exceeded', 'commonProperties.responseFlags', ['rateLimited']],
  ['quota_exceeded', 'common_properties.response_flags', ['rate_limited']],
  ['permission_denied', 'commonProperties.responseFlags', ['unauthorizedDetails']],
  ['misconfiguration', 'commonProperties.responseFlags', words('noRouteFound noClusterFound faultInjected')],
  ['resource_exhausted', 'commonProperties.responseFlags', words('upstreamOverflow overloadManager noHealthyUpstream')],
  ['unknown', 'commonProperties.responseFlags', words('upstreamConnectionFailure upstreamRequestTimeout')],
  // Tyk
  ['quota_exceeded', 'response_flag', words('QEX RLT')],
  ['authentication_missing', 'response_flag', words('AMF AKI TKI TKE TCV CRQ CMM')],
  ['permission_denied', 'response_flag', ['EAD']],
  ['resource_exhausted', 'response_flag', words('CBO NHU')],
  ['unknown', 'response_flag', words('UCF UCT URT URS')],
  ['quota_exceeded', 'response_code_details', words('quota_exceeded session_rate_limited api_rate_limited')],
  // AWS API Gateway
  ['quota_exceeded', 'error.responseType', words('QUOTA_EXCEEDED THROTTLED')],
  [
    'authentication_missing',
    'errorResponseType',
    words('MISSING_AUTHENTICATION_TOKEN INVALID_API_KEY UNAUTHORIZED EXPIRED_TOKEN INVALID_SIGNATURE'),
  ],
  ['permission_denied', 'error.responseType', words('ACCESS_DENIED WAF_FILTERED')],
  [
    'misconfiguration',
    'error_response_type',
    words('API_CONFIGURATION_ERROR AUTHORIZER_CONFIGURATION_ERROR AUTHORIZER_FAILURE'),
  ],
  ['permission_denied', 'wafResponseCode', ['WAF_BLOCK']],
  ['unknown', 'wafResponseCode', ['WAF_ALLOW']],
  ['unknown', 'error.responseType', words('INTEGRATION_FAILURE INTEGRATION_TIMEOUT DEFAULT_4XX')],
  // Gravitee
  ['quota_exceeded', 'errorKey', words('QUOTA_TOO_MANY_REQUESTS RATE_LIMIT_TOO_MANY_REQUESTS')],
  ['authentication_missing', 'error-key', words('API_KEY_MISSING API_KEY_INVALID GATEWAY_PLAN_UNRESOLVABLE')],
  ['authentication_missing', 'failure.key', words('JWT_MISSING_TOKEN JWT_INVALID_TOKEN OAUTH2_MISSING_ACCESS_TOKEN')],
  ['permission_denied', 'errorKey', words('RBAC_FORBIDDEN RESOURCE_FILTERING_FORBIDDEN GATEWAY_OAUTH2_ACCESS_DENIED')],
  ['misconfiguration', 'failure.key', ['GATEWAY_POLICY_INTERNAL_ERROR']],
  // WSO2
  ['quota_exceeded', 'errorCode', words('900800 900801 900802 900803 900804 900806 900807')],
  ['subscription_expired', 'errorCode', ['900909']],
  ['authentication_missing', 'errorCode', words('900900 900901 900902 900903 900904')],
  ['permission_denied', 'errorCode', words('900805 900907 900908 900910 700700')],
  ['quota_exceeded', 'errorMessage', words('SUBSCRIPTION_LIMIT_EXCEEDED HARD_LIMIT_EXCEEDED')],
  ['authentication_missing', 'errorMessage', ['AUTHENTICATION_FAILURE']],
  ['permission_denied', 'errorMessage', words('BLOCKED AUTHORIZATION_FAILURE SUBSCRIPTION_VALIDATION_FAILURE')],
  ['quota_exceeded', 'errorType', ['THROTTLED']],
  ['unknown', 'errorType', words('AUTH TARGET_CONNECTIVITY OTHER')],
]

/** Phrases, each with the words of it that must be found. */
export const textRows: Readonly<Record<Told, readonly string[]>> = {
  invalid_payment_info: [
    'card has expired',
    'security code is incorrect',
    'no payment method',
    'missing payment method',
    'add a payment method',
    'card number is incorrect',
  ],
  insufficient_funds: [
    'insufficient balance',
    'insufficient credits',
    'insufficient funds',
    'requires more credits',
    'credit balance is too low',
    'credits are depleted',
    'not enough credits',
    ...words('余额不足 余额已用尽 欠费'),
  ],
  payment_failed: ['was declined', 'payment failed', 'Payment verification failed'],
  payment_gateway_error: [
    'error occurred while processing',
    'payment provider unavailable',
    'facilitator returned an error',
  ],
  quota_exceeded: [
    'quota exceeded',
    'exceeded your current quota',
    'limit reached',
    'usage limit',
    'request limit',
    'limit exceeded',
    'out of calls',
    ...words('额度已用尽 额度不足 配额不足'),
  ],
  billing_limit_exceeded: [
    'budget has been exceeded',
    'ExceededBudget',
    'over budget',
    'spending limit',
    'spend limit',
    'billing limit',
    'key limit',
  ],
  subscription_expired: [
    'subscription of this team has expired',
    'subscription is inactive',
    'subscription was cancelled',
    'trial has ended',
    'plan expired',
    'shop is frozen',
    'key has expired, please renew',
    'past due',
    'unpaid',
    ...words('订阅已过期 套餐已到期'),
  ],
  authentication_missing: [
    'no api key found',
    'missing or invalid token',
    'authentication required',
    'X-PAYMENT header is required',
  ],
  permission_denied: [
    'not available on your plan',
    'upgrade your plan',
    'not subscribed',
    'not on a paid plan',
    'forbidden',
  ],
  misconfiguration: ['not configured', 'no price', 'misconfigured'],
  resource_exhausted: [
    'all balances exhausted or unavailable',
    'no key resource for provider',
    'no available key',
    'capacity',
  ],
}

/** Messages that say nothing, although a row's words are nearly in them. */
export const emptyTexts: readonly string[] = [
  ...['Payment required', 'Overcapacity', 'An unforbidden word', 'myquota exceededly', 'overspending limited', ''],
  ...['The trial balloon went up. It ended.', 'subscription renewed', 'capacitynot', '余额'],
]
