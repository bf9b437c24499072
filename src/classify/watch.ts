import type { AccessRecord, Sign } from '../decode/decode.ts'
import { challengeIn } from './challenge.ts'
import { causeOf } from './classify.ts'
import type { ClassifyOptions } from './options.ts'
import { globMatches, phraseIn } from './rules.ts'
import { folded } from './signals.ts'
import type { WatchedStatus } from './well-known.ts'

/**
 * Why a record is of interest. `payment_required`: the client got a 402; only these count in rates and alerts.
 * `equivalent`: another status that the operator counts as one. `upstream_402`: the upstream's 402, which the client
 * never saw. `challenge`: a 402 that is only the price tag of a machine payment.
 */
export type RefusalKind = 'payment_required' | ApartKind

/** The kinds that do not count in rates and alerts. */
export const apartKinds = ['equivalent', 'upstream_402', 'challenge'] as const

export type ApartKind = (typeof apartKinds)[number]

/**
 * What kind of refusal a record is; null for all others. For a status that nobody watches it asks nothing but whether
 * the upstream refused.
 */
export function kindOf(record: AccessRecord, options: ClassifyOptions): RefusalKind | null {
  if (record.status === 402) {
    return options.count_challenges || !isPaymentChallenge(record) ? 'payment_required' : 'challenge'
  }
  for (const watched of options.watch) {
    if (record.status === watched.status && saysOneOf(record, watched)) return 'equivalent'
  }
  return (record.upstreamRefused ?? record.upstreamStatus === 402) ? 'upstream_402' : null
}

function saysOneOf(record: AccessRecord, wanted: WatchedStatus): boolean {
  const { codes, verdicts, texts } = record.evidence()
  const isWanted = ({ value }: Sign) => wanted.codes.some((code) => globMatches(folded(code), folded(value)))
  return (
    codes.some(isWanted) ||
    verdicts.some(isWanted) ||
    wanted.texts.some((text) => texts.some(({ value }) => phraseIn(value, text) !== null))
  )
}

/**
 * Whether a 402 is only the first leg of a machine payment: the answer names the price, the client has not sent a
 * payment, and nothing in it speaks of a failure. On a healthy service that can be half of all calls.
 */
export function isPaymentChallenge(record: AccessRecord): boolean {
  if (record.status !== 402 || challengeIn(record.evidence()) === null) return false
  const { cause } = causeOf(record, [])
  return cause === 'authentication_missing' || cause === 'unknown'
}
