import type { Evidence, Sign } from '../decode/decode.ts'
import { paymentSentPlace } from '../decode/evidence.ts'

/**
 * The price tag of a machine payment (x402, HTTP "Payment" authentication): the server asks for a payment that the
 * client has not sent yet. Null when a payment was sent, for then the 402 is a refusal.
 */
export function challengeIn({ codes, verdicts, headers }: Evidence): Sign | null {
  if (headers.has('payment-response') || headers.has('x-payment-response')) return null
  if (verdicts.some(({ where }) => where === paymentSentPlace)) return null
  if (headers.has('payment-required')) return { value: 'payment-required', where: 'response.headers.payment-required' }
  // A quoted realm may hold any words.
  const schemes = (headers.get('www-authenticate') ?? '').replaceAll(/"[^"]*"/g, '""')
  if (/(?:^|,\s*)payment\s/i.test(schemes)) {
    return { value: 'Payment', where: 'response.headers.www-authenticate' }
  }
  const mark = codes.find(({ value, where }) => value === 'x402Version' && where.endsWith('.x402Version'))
  if (mark !== undefined) return mark
  return codes.find(({ value }) => /paymentauth\.org\/problems\/payment-required$/.test(value)) ?? null
}
