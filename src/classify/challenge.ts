import type { Evidence, Sign } from '../decode/decode.ts'
import { paymentSentPlace } from '../decode/evidence.ts'

/**
 * The price tag of a machine payment (x402, HTTP "Payment" authentication): the server asks for a payment that the
 * client has not sent yet. Null when a payment was sent, for then the 402 is a refusal.
 */
export function challengeIn(evidence: Evidence): Sign | null {
  // Asked for every 402, and nearly all of them name no price.
  const price = priceIn(evidence)
  return price === null || isPaid(evidence) ? null : price
}

function isPaid({ verdicts, headers }: Evidence): boolean {
  if (headers.has('payment-response') || headers.has('x-payment-response')) return true
  return verdicts.some(({ where }) => where === paymentSentPlace)
}

function priceIn({ codes, headers }: Evidence): Sign | null {
  if (headers.has('payment-required')) return { value: 'payment-required', where: 'response.headers.payment-required' }
  const asked = headers.get('www-authenticate')
  // A quoted realm may hold any words.
  if (asked !== undefined && /(?:^|,\s*)payment\s/i.test(asked.replaceAll(/"[^"]*"/g, '""'))) {
    return { value: 'Payment', where: 'response.headers.www-authenticate' }
  }
  for (const code of codes) if (code.value === 'x402Version' && code.where.endsWith('.x402Version')) return code
  for (const code of codes) if (code.value.endsWith(problemType)) return code
  return null
}

const problemType = 'paymentauth.org/problems/payment-required'
