import type { Cause } from './cause.ts'

/**
 * What messages for people say, in the order they are tried: a message often names a general thing beside the exact one
 * ("payment failed: insufficient funds"). English phrases stand at word boundaries, Chinese has none. Every gap is
 * bounded, so that matching stays linear.
 */
export const textCauses: readonly (readonly [cause: Cause, pattern: RegExp])[] = [
  said('billing_limit_exceeded', [
    'budget (?:has been |was |is )?exceeded',
    'ExceededBudget|over budget',
    '(?:spending|spend|billing|key|budget) limit',
  ]),
  said(
    'subscription_expired',
    [
      'subscription\\b[^.\\n]{0,60}\\b(?:expired|inactive|not active|cancell?ed|ended|lapsed)',
      'trial\\b[^.\\n]{0,40}\\b(?:ended|expired|over)',
      'plan (?:has |is )?(?:been )?expired',
      '(?:shop|store) is (?:currently )?frozen',
      'key has expired, please renew',
      'past due|unpaid',
    ],
    ['(?:订阅|套餐)已(?:过期|到期)'],
  ),
  said('invalid_payment_info', [
    'card has expired',
    'security code is incorrect',
    'card number is (?:incorrect|invalid)',
    '(?:no|missing|add a) (?:valid )?payment method',
  ]),
  said(
    'insufficient_funds',
    [
      'insufficient (?:account )?(?:balance|credits?|funds)',
      'requires more credits',
      '(?:credit )?balance is too low',
      'credits (?:are|have been) (?:depleted|exhausted|used up)',
      'not enough (?:balance|credits?|funds)',
    ],
    ['余额不足', '余额已(?:用尽|耗尽)', '欠费'],
  ),
  said('payment_gateway_error', [
    'error occurred while processing',
    'payment (?:provider|service|processor) (?:is )?unavailable',
    'facilitator\\b[^.\\n]{0,60}\\b(?:error|failed|unavailable)',
  ]),
  said('payment_failed', ['was declined', 'payment (?:verification )?(?:has )?failed']),
  said('resource_exhausted', [
    'all balances exhausted or unavailable',
    'no key resource for provider',
    'no available keys?',
  ]),
  said(
    'quota_exceeded',
    [
      'quota (?:has been |is |was )?(?:exceeded|exhausted)',
      'exceeded your (?:current |monthly |daily )?quota',
      'limit (?:has been |was |is )?(?:reached|exceeded)',
      '(?:usage|request) limits?',
      'out of calls',
    ],
    ['额度已用尽', '额度不足', '配额(?:不足|已用尽)'],
  ),
  said('authentication_missing', [
    'no api key found',
    'missing or invalid token',
    'authentication required',
    'header is required',
  ]),
  said('permission_denied', [
    'not available (?:on|in|for) your (?:current )?plan',
    'upgrade your (?:current )?plan',
    'not subscribed',
    'not on a paid plan',
    'forbidden',
  ]),
  said('misconfiguration', ['not configured', 'no price', 'misconfigured']),
  said('resource_exhausted', ['capacity']),
]

/** A message that speaks of money: then `RESOURCE_EXHAUSTED` is not about capacity. */
export const moneyText = /\b(?:credits?|billing|balance|prepa(?:id|yment)|payment|spend|spending|budget)\b|余额|欠费/i

function said(cause: Cause, english: readonly string[], chinese: readonly string[] = []): readonly [Cause, RegExp] {
  return [cause, new RegExp([`\\b(?:${english.join('|')})\\b`, ...chinese].join('|'), 'i')]
}
