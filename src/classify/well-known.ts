/** A status that counts as a refusal over money where one of these words stands in the answer. */
export interface WatchedStatus {
  readonly status: number
  /** Machine words of the response or the gateway; `*` stands for any run of characters. */
  readonly codes: readonly string[]
  /** Words of a message, at word boundaries. */
  readonly texts: readonly string[]
}

/** In the place of an entry under `classify.watch`, stands for the list below. */
export const wellKnown = 'well-known'

/**
 * Answers of public services that mean "no money" or "budget used up" under another status than 402, never mere rate
 * limiting. Sources: the error pages and code of OpenAI, Anthropic, Google, Moonshot, Zhipu, Alibaba Bailian, Novita,
 * LiteLLM, one-api, new-api and Apinto.
 */
export const wellKnownStatuses: readonly WatchedStatus[] = [
  {
    status: 400,
    codes: ['billing_error', 'budget_exceeded', 'BudgetExceededError'],
    texts: ['credit balance is too low'],
  },
  { status: 401, codes: ['insufficient_user_quota'], texts: ['令牌额度已用尽'] },
  {
    status: 403,
    codes: [
      ...['NOT_ENOUGH_BALANCE', 'insufficient_balance', 'insufficient_credits', 'insufficient_user_quota'],
      ...['pre_consume_token_quota_failed', 'entitlement_*_limit_exceeded', 'entitlement_inactive'],
    ],
    texts: ['用户额度不足'],
  },
  { status: 416, codes: [], texts: ['out of calls'] },
  {
    status: 429,
    codes: [
      ...['insufficient_quota', 'billing_hard_limit_reached', 'exceeded_current_quota_error', 'spend_limit_reached'],
      ...['budget_exceeded', 'BudgetExceededError', 'PrepaidBillOverdue', 'PostpaidBillOverdue', '1113'],
    ],
    texts: ['credits are depleted'],
  },
]
