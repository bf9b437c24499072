import type { AccessRecord, Evidence } from '../decode/decode.ts'
import type { Cause, CauseVerdict } from './cause.ts'
import { challengeIn } from './challenge.ts'
import { causeOfCode } from './codes.ts'
import { textCauses } from './messages.ts'
import type { CauseRule } from './options.ts'
import { ruledCause } from './rules.ts'
import { folded, meaningOfVerdict } from './signals.ts'

// What is kept of a deciding word.
const codeLimit = 120

const unknown: CauseVerdict = { cause: 'unknown', code: null, source: null }

/** One thing that speaks of a record's cause, or does not although it might have. */
export interface Signal {
  readonly kind: 'code' | 'verdict' | 'text' | 'provider' | 'header' | 'challenge'
  /** Null where it says nothing: a word that is too general, a flag on an answer that the upstream gave. */
  readonly cause: Cause | null
  /** The word or phrase alone, never a whole message. */
  readonly code: string
  readonly source: string
}

/**
 * Why a request was refused. In this order: the operator's rules; a specific machine word of the response; the gateway's
 * own verdict, if the gateway answered; a message; a header; else `unknown`. Never guessed from the path or the tenant.
 *
 * The status is not looked at: ask for records that `kindOf` names. What is kept of the evidence is the deciding word
 * alone, never a whole message.
 */
export function causeOf(record: AccessRecord, rules: readonly CauseRule[]): CauseVerdict {
  const ruled = rules.length === 0 ? null : ruledCause(record, rules)
  if (ruled !== null) return ruled
  for (const { cause, code, source } of signalsIn(record)) if (cause !== null) return { cause, code, source }
  return unknown
}

/** Everything that might speak of the cause, the one that decides first; each found only when it is asked for. */
export function* signalsIn(record: AccessRecord): Generator<Signal> {
  const evidence = record.evidence()
  yield* fromCodes(evidence)
  yield* fromVerdicts(evidence)
  yield* fromTexts(evidence)
  yield* fromProviders(evidence, record)
  yield* fromHeaders(evidence)
}

function signal(kind: Signal['kind'], cause: Cause | null, code: string, source: string): Signal {
  return { kind, cause, code: code.slice(0, codeLimit), source }
}

function* fromCodes(evidence: Evidence): Generator<Signal> {
  for (const sign of evidence.codes) yield signal('code', causeOfCode(sign, evidence), sign.value, sign.where)
}

function* fromVerdicts({ answeredBy, verdicts }: Evidence): Generator<Signal> {
  for (const { value, where } of verdicts) {
    const field = where.slice(where.lastIndexOf('.') + 1)
    // Envoy puts its reasons behind the word: rbac_access_denied_matched_policy[ns[shop]-policy[basic]].
    const word = folded(/^[^[{(]*/.exec(value)?.[0] ?? '')
    // An upstream's answer may pass through a gateway that has a flag or a strategy of its own on it.
    const cause = answeredBy === 'upstream' ? null : meaningOfVerdict(field, word)
    yield signal('verdict', cause, value, where)
  }
}

function* fromTexts({ texts }: Evidence): Generator<Signal> {
  for (const sign of texts) {
    for (const [cause, pattern] of textCauses) {
      const match = pattern.exec(sign.value)
      if (match !== null) yield signal('text', cause, match[0], sign.where)
    }
  }
}

/**
 * Apinto calls a key "quota exhausted" because its provider answered 402. So it stands behind the provider's own words,
 * and says something only about a 402 that came from the provider.
 */
function* fromProviders({ verdicts }: Evidence, record: AccessRecord): Generator<Signal> {
  if (record.upstreamStatus !== 402 && record.upstreamRefused !== true) return
  const sign = verdicts.findLast(
    ({ value, where }) => where.startsWith('ai_provider_statuses') && value === 'quota exhausted',
  )
  if (sign !== undefined) yield signal('provider', 'insufficient_funds', sign.value, sign.where)
}

function* fromHeaders(evidence: Evidence): Generator<Signal> {
  const spent = spentLimit(evidence.headers)
  if (spent !== null) {
    // Limits of the gateway's own stand on every answer that it passes through.
    const cause = evidence.answeredBy === 'upstream' ? null : 'quota_exceeded'
    yield signal('header', cause, spent.code, `response.headers.${spent.name}`)
  }
  const challenge = challengeIn(evidence)
  if (challenge !== null) yield signal('challenge', 'authentication_missing', challenge.value, challenge.where)
}

/** A rate-limit header that says "none left". Limits and resets prove nothing, they stand on every answer. */
function spentLimit(headers: ReadonlyMap<string, string>): { readonly name: string; readonly code: string } | null {
  for (const [name, value] of headers) {
    if (!name.includes('limit')) continue
    if (remainingName.test(name)) {
      // Several values: one limit of many is used up.
      if (value.split(',').some((item) => /^\s*0+(?:\.0+)?\s*(?:;|$)/.test(item))) return { name, code: `${name}: 0` }
    } else if (name === 'ratelimit' || name === 'x-ratelimit') {
      // The names of policies are quoted, and may look like parameters.
      const item = /(?:^|[;,\s])(?:r|remaining)=0(?=\s*(?:[;,]|$))/.exec(value.replaceAll(/"[^"]*"/g, '""'))
      if (item !== null) return { name, code: item[0].replace(/^[;,\s]+/, '') }
    }
  }
  return null
}

const remainingName = /rate-?limit.*remaining|remaining.*rate-?limit/
