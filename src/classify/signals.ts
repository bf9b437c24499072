import { remembered } from '../decode/remembered.ts'
import type { Cause } from './cause.ts'

/**
 * What the machine words and gateway verdicts of the world mean; `messages.ts` has the messages. Sources: the
 * providers' and gateways' own documentation and code (Stripe, x402, MPP, OpenAI, Google, Anthropic, OpenRouter,
 * one-api, Apinto, Kong, Envoy, Tyk, AWS, Gravitee, WSO2). Words that say nothing (`invalid_request_error`,
 * `card_error`, `payment_required`, 402) and words that are advice are missing on purpose.
 */

/** A machine word without case, `-`, `_`, `.`, `/` and blanks, so that all spellings of it compare equal. */
export const folded: (word: string) => string = remembered((word) => word.toLowerCase().replaceAll(/[-_./\s]/g, ''))

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
    service_not_allowed do_not_try_again duplicate_transaction merchant_blacklist no_action_taken
    offline_pin_required online_or_offline_pin_required revocation_of_authorization revocation_of_all_authorizations
    security_violation withdrawal_count_limit_exceeded invalid_transaction_state verification-failed`,
  payment_gateway_error: `processing_error issuer_not_available try_again_later reenter_transaction approve_with_id
    payment_method_provider_timeout unexpected_verify_error unexpected_settle_error`,
  quota_exceeded: `quota_exceeded quotaExceeded402 insufficient_quota exceeded_current_quota_error RequestLimitError
    insufficient_user_quota pre_consume_token_quota_failed entitlement_daily_limit_exceeded
    entitlement_total_limit_exceeded FailedOperation.FreeResourcePackExhausted
    ResourceInsufficient.ChargeResourceExhaust rate_limit_exceeded usage_limit_exceeded usage_limit_reached
    900800 900801 900802 900803 900804 900806 900807`,
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

/** The same for gateway verdicts: Envoy puts the name of the policy behind, Gravitee what was missing. */
const verdictPrefixes: readonly (readonly [prefix: string, cause: Cause])[] = [
  ['rbac', 'permission_denied'],
  ['resourcefiltering', 'permission_denied'],
]

/** A gateway's verdict on its own answer means this; null where field and word say nothing. */
export function meaningOfVerdict(field: string, word: string): Cause | null {
  const name = folded(field)
  const table = verdictCauses[verdictFieldAliases[name] ?? name]
  if (table === undefined) return null
  const found = table.get(word) ?? table.get('*')
  if (found !== undefined) return found
  return verdictPrefixes.find(([prefix]) => word.startsWith(prefix))?.[1] ?? null
}

/**
 * By the folded name of the field and the folded word; `*` is any word. Envoy's UF, UT, UC and URX and Tyk's UCF and
 * URT are missing: they are about payment only where the upstream is the payment service, which the operator's rules
 * must say.
 */
const verdictCauses: Readonly<Record<string, ReadonlyMap<string, Cause>>> = {
  handler: tabled({ quota_exceeded: 'limiting', permission_denied: 'visit', resource_exhausted: 'fuse' }),
  authstatus: tabled({ authentication_missing: 'fail' }),
  strategy: tabled({ quota_exceeded: '*' }),
  // Envoy: short in access logs, one long name a flag in its access log service.
  responseflags: tabled({
    quota_exceeded: 'RL rateLimited',
    permission_denied: 'UAEX unauthorizedDetails',
    misconfiguration: 'NR NC FI noRouteFound noClusterFound faultInjected',
    resource_exhausted: 'UO OM UH upstreamOverflow overloadManager noHealthyUpstream',
  }),
  // Envoy and Tyk.
  responsecodedetails: tabled({
    quota_exceeded: 'request_rate_limited local_rate_limited quota_exceeded session_rate_limited api_rate_limited',
    authentication_missing: 'jwt_authn_access_denied',
    permission_denied: 'ext_authz_denied',
    misconfiguration: 'route_not_found cluster_not_found',
    resource_exhausted: 'overload no_healthy_upstream',
  }),
  // Tyk.
  responseflag: tabled({
    quota_exceeded: 'QEX RLT',
    authentication_missing: 'AMF AKI TKI TKE TCV CRQ CMM',
    permission_denied: 'EAD',
    resource_exhausted: 'CBO NHU',
  }),
  // AWS API Gateway.
  responsetype: tabled({
    quota_exceeded: 'QUOTA_EXCEEDED THROTTLED',
    authentication_missing: 'MISSING_AUTHENTICATION_TOKEN INVALID_API_KEY UNAUTHORIZED EXPIRED_TOKEN INVALID_SIGNATURE',
    permission_denied: 'ACCESS_DENIED WAF_FILTERED',
    misconfiguration: 'API_CONFIGURATION_ERROR AUTHORIZER_CONFIGURATION_ERROR AUTHORIZER_FAILURE',
  }),
  wafresponsecode: tabled({ permission_denied: 'WAF_BLOCK' }),
  // Gravitee.
  errorkey: tabled({
    quota_exceeded: 'QUOTA_TOO_MANY_REQUESTS RATE_LIMIT_TOO_MANY_REQUESTS',
    authentication_missing: `API_KEY_MISSING API_KEY_INVALID GATEWAY_PLAN_UNRESOLVABLE JWT_MISSING_TOKEN
      JWT_INVALID_TOKEN OAUTH2_MISSING_HEADER OAUTH2_MISSING_ACCESS_TOKEN OAUTH2_INVALID_ACCESS_TOKEN`,
    // The token is good, but there is no subscription for its client, or not for this scope.
    permission_denied: 'GATEWAY_OAUTH2_ACCESS_DENIED OAUTH2_INSUFFICIENT_SCOPE',
    misconfiguration: 'GATEWAY_POLICY_INTERNAL_ERROR OAUTH2_MISSING_SERVER',
  }),
  // WSO2; message and type are coarser than the code and stand behind it.
  errorcode: tabled({
    quota_exceeded: '900800 900801 900802 900803 900804 900806 900807',
    subscription_expired: '900909',
    authentication_missing: '900900 900901 900902 900903 900904',
    permission_denied: '900805 900907 900908 900910 700700',
  }),
  errormessage: tabled({
    quota_exceeded: `API_LEVEL_LIMIT_EXCEEDED HARD_LIMIT_EXCEEDED RESOURCE_LEVEL_LIMIT_EXCEEDED
      APPLICATION_LEVEL_LIMIT_EXCEEDED SUBSCRIPTION_LIMIT_EXCEEDED CUSTOM_POLICY_LIMIT_EXCEEDED
      BURST_CONTROL_LIMIT_EXCEEDED`,
    authentication_missing: 'AUTHENTICATION_FAILURE',
    permission_denied: 'BLOCKED AUTHORIZATION_FAILURE SUBSCRIPTION_VALIDATION_FAILURE',
  }),
  errortype: tabled({ quota_exceeded: 'THROTTLED' }),
}

/** Other names of the fields above: `failure.key`, `error.responseType` written as one word. */
const verdictFieldAliases: Readonly<Record<string, string>> = {
  key: 'errorkey',
  errorresponsetype: 'responsetype',
}

function tabled(words: Partial<Record<Cause, string>>): ReadonlyMap<string, Cause> {
  const table = new Map<string, Cause>()
  for (const [cause, text] of Object.entries(words)) {
    for (const word of text.split(/\s+/)) if (word !== '') table.set(folded(word), cause as Cause)
  }
  return table
}
