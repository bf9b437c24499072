import type { AccessRecord } from '../decode/decode.ts'
import { challengeIn } from './challenge.ts'
import { causeOf } from './classify.ts'
import type { ClassifyOptions } from './options.ts'
import { globMatches } from './rules.ts'
import { folded } from './signals.ts'

/** Why a record is of interest: the client got a 402, or what the operator counts as one, or never saw the upstream's. */
export type Watched = 'payment_required' | 'equivalent' | 'upstream_402'

/**
 * Whether a record belongs to what Tollwatch watches. Null for all others, and for payment challenges unless
 * `count_challenges` is set. Costs nothing but a comparison for a status that nobody watches.
 */
export function watchOf(record: AccessRecord, options: ClassifyOptions): Watched | null {
  if (record.status === 402) {
    return options.count_challenges || !isPaymentChallenge(record) ? 'payment_required' : null
  }
  for (const { status, codes } of options.watch) {
    if (record.status === status && hasCode(record, codes)) return 'equivalent'
  }
  return record.upstreamStatus === 402 || record.upstreamRefused === true ? 'upstream_402' : null
}

function hasCode(record: AccessRecord, wanted: readonly string[]): boolean {
  const { codes, verdicts } = record.evidence()
  const signs = [...codes, ...verdicts].map(({ value }) => folded(value))
  return wanted.some((code) => signs.some((sign) => globMatches(folded(code), sign)))
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
