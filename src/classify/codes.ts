import type { Evidence, Sign } from '../decode/decode.ts'
import { remembered } from '../decode/remembered.ts'
import type { Cause } from './cause.ts'
import { moneyText } from './messages.ts'
import { codeCauses, codePrefixes, folded } from './signals.ts'

/** The cause a machine word speaks of, or null where it says nothing by itself. */
export function causeOfCode(sign: Sign, evidence: Evidence): Cause | null {
  const anywhere = causeAnywhere(sign.value)
  return anywhere === 'depends' ? causeHere(sign, evidence) : anywhere
}

/** What a word means wherever it stands; `depends` where that is not said by the word alone. */
const causeAnywhere = remembered((value): Cause | 'depends' | null => {
  for (const word of wordsOf(value)) {
    if (contexts.has(word)) return 'depends'
    const cause = causeOfWord(word)
    if (cause !== null) return cause
  }
  return null
})

function causeHere(sign: Sign, evidence: Evidence): Cause | null {
  const key = sign.where.slice(sign.where.lastIndexOf('.') + 1)
  for (const word of wordsOf(sign.value)) {
    const cause = contexts.get(word)?.(key, sign, evidence) ?? causeOfWord(word)
    if (cause !== null && cause !== 'skip') return cause
  }
  return null
}

function causeOfWord(word: string): Cause | null {
  const cause = codeCauses.get(word)
  if (cause !== undefined) return cause
  for (const [prefix, family] of codePrefixes) if (word.startsWith(prefix)) return family
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

type MeaningHere = (key: string, sign: Sign, evidence: Evidence) => Cause | 'skip'

/**
 * Words that mean different things in different mouths; `skip` where they say nothing here. The key is the one under
 * which the word stands.
 */
const contexts: ReadonlyMap<string, MeaningHere> = new Map<string, MeaningHere>([
  [
    'paymentrequired',
    (key, { value }) => {
      // OpenRouter's error_type for used-up credit; a problem type of HTTP "Payment" authentication; else just the status.
      if (key === 'error_type') return 'insufficient_funds'
      return value.includes('paymentauth.org') ? 'authentication_missing' : 'skip'
    },
  ],
  [
    'resourceexhausted',
    (_, __, { texts }) => (texts.some((text) => moneyText.test(text.value)) ? 'skip' : 'resource_exhausted'),
  ],
  // As a card's answer it is 3-D Secure; from anybody else it asks for credentials.
  [
    'authenticationrequired',
    (key, _, evidence) => (isPayment(key, evidence) ? 'payment_failed' : 'authentication_missing'),
  ],
  ['notpermitted', (key, _, evidence) => (isPayment(key, evidence) ? 'payment_failed' : 'permission_denied')],
  [
    'apikeyexpired',
    (key, _, evidence) =>
      // Inside a payment error it is the merchant's key, and the caller is fine.
      evidence.answeredBy === 'gateway' && !isPayment(key, evidence) ? 'authentication_missing' : 'misconfiguration',
  ],
  ['apierror', (key, _, evidence) => (isPayment(key, evidence) ? 'payment_gateway_error' : 'skip')],
  // MiniMax, and nobody else's number.
  ['1008', (_, { where }) => (where.includes('base_resp') ? 'insufficient_funds' : 'skip')],
])

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
