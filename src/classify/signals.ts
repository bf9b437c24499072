import type { Cause } from './cause.ts'

/**
 * What the machine words, gateway verdicts and messages of the world mean. Sources: the providers' and gateways' own
 * documentation and code (Stripe, x402, MPP, OpenAI, Google, Anthropic, OpenRouter, one-api, Apinto, Kong, Envoy, Tyk,
 * AWS, Gravitee, WSO2). Words that say nothing (`invalid_request_error`, `card_error`, `payment_required`, 402) and
 * words that are advice are missing on purpose.
 */

/** A machine word without case, `-`, `_`, `.`, `/` and blanks, so that all spellings of it compare equal. */
export function folded(word: string): string {
  return word.toLowerCase().replaceAll(/[-_./\s]/g, '')
}

/** Words in bodies and headers whose cause does not depend on where they stand. */
export const codeCauses: ReadonlyMap<string, Cause> = tabled({
  invalid_payment_info: `expired_card incorrect_cvc incorrect_number incorrect_zip incorrect_pin incorrect_address
    invalid_cvc invalid_number invalid_expiry_month invalid_expiry_year invalid_pin invalid_account invalid_amount
    card_not_supported new_account_information_available payment_method_billing_details_address_missing
    invoice_no_payment_method_types invalid_payload invalid_scheme unsupported_scheme invalid_network
    invalid_x402_version malformed-credential invalid-challenge payment-expired session/invalid-signature`,
  insufficient_funds: `insufficient_funds balance_insufficient insufficient_balance insufficient_credit
    insufficient_credits NOT_ENOUGH_BALANCE CreditsDepleted billing_error openrouter_credits 1113 InArrears
    ResourceUnavailable.InArrears LowBalance ResourceUnavailable.LowBalance ServiceStopArrears
    FailedOperation.ServiceStopArrears session/insufficient-balance payment-insufficient`,
  payment_failed: `card_declined generic_decline do_not_honor call_issuer fraudulent lost_card stolen_card pickup_card
    restricted_card transaction_not_allowed payment_intent_authentication_failure payment_method_provider_decline
    payment_method_customer_decline debit_not_authorized card_velocity_exceeded pin_try_exceeded stop_payment_order
    service_not_allowed invalid_transaction_state verification-failed`,
  payment_gateway_error: `processing_error issuer_not_available try_again_later reenter_transaction
    payment_method_provider_timeout unexpected_verify_error unexpected_settle_error`,
  quota_exceeded: `quota_exceeded quotaExceeded402 insufficient_quota exceeded_current_quota_error RequestLimitError
    insufficient_user_quota pre_consume_token_quota_failed entitlement_daily_limit_exceeded
    entitlement_total_limit_exceeded FailedOperation.FreeResourcePackExhausted
    ResourceInsufficient.ChargeResourceExhaust 900800 900801 900802 900803 900804 900806 900807`,
  billing_limit_exceeded: `dailyLimitExceeded402 budget_exceeded BudgetExceededError openrouter_key_limit
    spend_limit_reached billing_hard_limit_reached weight_exceeds_budget`,
  subscription_expired: `subscription_expired past_due trial_expired license_expired entitlement_inactive
    PrepaidBillOverdue PostpaidBillOverdue 900909`,
  authentication_missing: `API_KEY_MISSING API_KEY_INVALID GATEWAY_PLAN_UNRESOLVABLE 900900 900901 900902 900903 900904`,
  permission_denied: `entitlement_required AccessDenied.Unpurchased CommodityNotPurchased plan_required
    upgrade_required 900805 900907 900908 900910 700700`,
  misconfiguration: `platform_api_key_expired secret_key_required livemode_mismatch testmode_charges_only
    testmode_decline currency_not_supported payment_method_currency_mismatch model_price_error
    invalid_payment_requirements GATEWAY_POLICY_INTERNAL_ERROR`,
  resource_exhausted: `in_flight_budget_exhausted openrouter_in_flight_budget channel:no_available_key
    temporary-reduced-capacity`,
})

/** Families of words that share a beginning. */
export const codePrefixes: readonly (readonly [prefix: string, cause: Cause])[] = [
  ['invalidexactevmpayload', 'invalid_payment_info'],
  ['rbac', 'permission_denied'],
]

/**
 * What a gateway said about its own answer, by the field it stands in (its last name) and the word; `*` is any word.
 * Envoy's UF, UT, UC and URX and Tyk's UCF and URT are missing: they are about payment only where the upstream is the
 * payment service, which the operator's rules must say.
 */
export const verdictCauses: Readonly<Record<string, ReadonlyMap<string, Cause>>> = {
  handler: tabled({ quota_exceeded: 'limiting', permission_denied: 'visit', resource_exhausted: 'fuse' }),
  auth_status: tabled({ authentication_missing: 'fail' }),
  strategy: tabled({ quota_exceeded: '*' }),
  response_flags: tabled({
    quota_exceeded: 'RL',
    permission_denied: 'UAEX',
    misconfiguration: 'NR NC FI',
    resource_exhausted: 'UO OM UH',
  }),
  response_flag: tabled({
    quota_exceeded: 'QEX RLT',
    authentication_missing: 'AMF AKI TKI TKE',
    permission_denied: 'EAD',
    resource_exhausted: 'CBO NHU',
  }),
  response_code_details: tabled({
    quota_exceeded: 'request_rate_limited local_rate_limited quota_exceeded session_rate_limited api_rate_limited',
    authentication_missing: 'jwt_authn_access_denied',
    permission_denied: 'ext_authz_denied rbac_access_denied rbac_access_denied_matched_policy',
    misconfiguration: 'route_not_found cluster_not_found',
    resource_exhausted: 'overload',
  }),
  // Envoy's access log service names each flag in an object of its own.
  responseFlags: tabled({
    quota_exceeded: 'rateLimited',
    permission_denied: 'unauthorizedDetails',
    misconfiguration: 'noRouteFound noClusterFound faultInjected',
    resource_exhausted: 'upstreamOverflow overloadManager noHealthyUpstream',
  }),
  // AWS API Gateway: error.responseType.
  responseType: tabled({
    quota_exceeded: 'QUOTA_EXCEEDED THROTTLED',
    authentication_missing: 'MISSING_AUTHENTICATION_TOKEN INVALID_API_KEY UNAUTHORIZED EXPIRED_TOKEN',
    permission_denied: 'ACCESS_DENIED WAF_FILTERED',
    misconfiguration: 'API_CONFIGURATION_ERROR AUTHORIZER_CONFIGURATION_ERROR AUTHORIZER_FAILURE',
  }),
  // Gravitee: errorKey, error-key, failure.key.
  errorKey: tabled({
    quota_exceeded: 'QUOTA_TOO_MANY_REQUESTS RATE_LIMIT_TOO_MANY_REQUESTS',
    authentication_missing: 'API_KEY_MISSING API_KEY_INVALID GATEWAY_PLAN_UNRESOLVABLE',
    misconfiguration: 'GATEWAY_POLICY_INTERNAL_ERROR',
  }),
  // WSO2: errorCode.
  errorCode: tabled({
    quota_exceeded: '900800 900801 900802 900803 900804 900806 900807',
    subscription_expired: '900909',
    authentication_missing: '900900 900901 900902 900903 900904',
    permission_denied: '900805 900907 900908 900910 700700',
  }),
}

/** Other spellings of the fields above. */
export const verdictFieldAliases: Readonly<Record<string, string>> = {
  'error-key': 'errorKey',
  error_key: 'errorKey',
  key: 'errorKey',
  response_type: 'responseType',
  error_code: 'errorCode',
  responseCodeDetails: 'response_code_details',
}

/**
 * Messages for people, in the order they are tried: a message often names a general thing beside the exact one
 * ("payment failed: insufficient funds"). Every gap is bounded, so matching stays linear.
 */
export const textCauses: readonly (readonly [cause: Cause, pattern: RegExp])[] = [
  [
    'billing_limit_exceeded',
    /\bbudget (?:has been |was |is )?exceeded\b|\b(?:spending|spend|billing|key|budget) limit\b/i,
  ],
  [
    'subscription_expired',
    /\bsubscription\b[^.\n]{0,60}\b(?:expired|inactive|not active|cancell?ed|ended|lapsed)\b|\btrial\b[^.\n]{0,40}\b(?:ended|expired|over)\b|\bplan (?:has |is )?(?:been )?expired\b|\b(?:shop|store) is (?:currently )?frozen\b|\bkey has expired, please renew\b|\bpast due\b|\bunpaid\b/i,
  ],
  [
    'invalid_payment_info',
    /\bcard has expired\b|\bsecurity code is incorrect\b|\bcard number is (?:incorrect|invalid)\b|\b(?:no|missing) (?:valid )?payment method\b|\badd a (?:valid )?payment method\b/i,
  ],
  [
    'insufficient_funds',
    /\binsufficient (?:account )?(?:balance|credits?|funds)\b|\brequires more credits\b|\b(?:credit )?balance is too low\b|\bcredits (?:are|have been) (?:depleted|exhausted|used up)\b|\bnot enough (?:balance|credits?|funds)\b|余额不足|欠费/i,
  ],
  [
    'payment_gateway_error',
    /\berror occurred while processing\b|\bpayment (?:provider|service|processor) (?:is )?unavailable\b|\bfacilitator\b[^.\n]{0,60}\b(?:error|failed|unavailable)\b/i,
  ],
  ['payment_failed', /\bwas declined\b|\bpayment (?:has )?failed\b/i],
  [
    'resource_exhausted',
    /\ball balances exhausted or unavailable\b|\bno key resource for provider\b|\bno available keys?\b/i,
  ],
  [
    'quota_exceeded',
    /\bquota (?:has been |is |was )?(?:exceeded|exhausted)\b|\bexceeded your (?:current |monthly |daily )?quota\b|\blimit (?:has been |was |is )?(?:reached|exceeded)\b|\b(?:usage|request) limits?\b|\bout of calls\b|额度已用尽|额度不足/i,
  ],
  [
    'authentication_missing',
    /\bno api key found\b|\bmissing or invalid token\b|\bauthentication required\b|\bheader is required\b/i,
  ],
  [
    'permission_denied',
    /\bnot available (?:on|in|for) your (?:current )?plan\b|\bupgrade your (?:current )?plan\b|\bnot subscribed\b|\bnot on a paid plan\b|\bforbidden\b/i,
  ],
  ['misconfiguration', /\bnot configured\b|\bno price\b|\bmisconfigured\b/i],
  ['resource_exhausted', /\bcapacity\b/i],
]

/** A message that speaks of money: then `RESOURCE_EXHAUSTED` is not about capacity. */
export const moneyText = /\b(?:credits?|billing|balance|prepa(?:id|yment)|payment|spend|spending|budget)\b|余额|欠费/i

function tabled(words: Partial<Record<Cause, string>>): ReadonlyMap<string, Cause> {
  const table = new Map<string, Cause>()
  for (const [cause, text] of Object.entries(words)) {
    for (const word of text.split(/\s+/)) if (word !== '') table.set(folded(word), cause as Cause)
  }
  return table
}
