import type { Evidence, Sign } from '../decode/decode.ts'
import type { Cause } from './cause.ts'
import { moneyText } from './messages.ts'
import { codeCauses, codePrefixes, folded } from './signals.ts'

/** The cause a machine word speaks of, or null where it says nothing by itself. */
export function causeOfCode(sign: Sign, evidence: Evidence): Cause | null {
  for (const word of wordsOf(sign.value)) {
    const cause = inContext(word, sign, evidence) ?? codeCauses.get(word)
    if (cause === 'skip') continue
    if (cause !== undefined) return cause
    for (const [prefix, family] of codePrefixes) if (word.startsWith(prefix)) return family
  }
  return null
}

/** The folded words of a code: of a problem type's URL or URN its end, once with the segment before it. */
function wordsOf(value: string): readonly string[] {
  if (!/[/#:]/.test(value)) return [folded(value)]
  const ends = value
    .replace(/[?].*$/s, '')
    .split(/[/#:]/)
    .filter((part) => part !== '')
  const last = ends.at(-1) ?? ''
  return [folded(value), folded(`${ends.at(-2) ?? ''}/${last}`), folded(last)]
}

/** Words that mean different things in different mouths; `skip` where they say nothing here. */
function inContext(word: string, sign: Sign, evidence: Evidence): Cause | 'skip' | undefined {
  const key = sign.where.slice(sign.where.lastIndexOf('.') + 1)
  switch (word) {
    case 'paymentrequired':
      // OpenRouter's error_type for used-up credit; a problem type of HTTP "Payment" authentication; else just the status.
      if (key === 'error_type') return 'insufficient_funds'
      return /paymentauth\.org/.test(sign.value) ? 'authentication_missing' : 'skip'
    case 'resourceexhausted':
      return evidence.texts.some((text) => moneyText.test(text.value)) ? 'skip' : 'resource_exhausted'
    case 'authenticationrequired':
      // As a card's answer it is 3-D Secure; from anybody else it asks for credentials.
      return isPayment(key, evidence) ? 'payment_failed' : 'authentication_missing'
    case 'notpermitted':
      return isPayment(key, evidence) ? 'payment_failed' : 'permission_denied'
    case 'apikeyexpired':
      // Inside a payment error it is the merchant's key, and the caller is fine.
      return evidence.answeredBy === 'gateway' && !isPayment(key, evidence)
        ? 'authentication_missing'
        : 'misconfiguration'
    case 'apierror':
      return isPayment(key, evidence) ? 'payment_gateway_error' : 'skip'
    case '1008':
      // MiniMax, and nobody else's number.
      return sign.where.includes('base_resp') ? 'insufficient_funds' : 'skip'
    default:
      return undefined
  }
}

/** Whether the error is one of a payment service: its own keys or types stand beside the word. */
function isPayment(key: string, { codes }: Evidence): boolean {
  if (key === 'decline_code') return true
  return codes.some(({ value, where }) => {
    if (where.endsWith('.decline_code')) return true
    const word = folded(value)
    return paymentMarks.has(word) && (where.endsWith(`.${value}`) || word.startsWith('card'))
  })
}

const paymentMarks = new Set([
  ...['carderror', 'carddeclined', 'paymentintent', 'setupintent', 'paymentmethod', 'charge'],
  ...['declinecode', 'advicecode', 'networkdeclinecode'],
])
