import type { AccessRecord, Evidence, Sign } from '../decode/decode.ts'
import type { Cause, CauseVerdict } from './cause.ts'
import { challengeIn } from './challenge.ts'
import { causeOfCode } from './codes.ts'
import type { CauseRule } from './options.ts'
import { ruledCause } from './rules.ts'
import { folded, textCauses, verdictCauses, verdictFieldAliases } from './signals.ts'

// What is kept of a deciding word.
const codeLimit = 120

const unknown: CauseVerdict = { cause: 'unknown', code: null, source: null }

/**
 * Why a request was refused. In this order: the operator's rules; a specific machine word of the response; the gateway's
 * own verdict, if the gateway answered; a message; a header; else `unknown`. Never guessed from the path or the tenant.
 *
 * The status is not looked at: ask for records that `watchOf` names. What is kept of the evidence is the deciding word
 * alone, never a whole message.
 */
export function causeOf(record: AccessRecord, rules: readonly CauseRule[]): CauseVerdict {
  const ruled = rules.length === 0 ? null : ruledCause(record, rules)
  if (ruled !== null) return ruled
  const evidence = record.evidence()
  return (
    fromCodes(evidence) ??
    fromVerdicts(evidence) ??
    fromTexts(evidence) ??
    fromProviders(evidence, record) ??
    fromHeaders(evidence) ??
    unknown
  )
}

function verdict(cause: Cause, code: string, source: string): CauseVerdict {
  return { cause, code: code.slice(0, codeLimit), source }
}

function fromCodes(evidence: Evidence): CauseVerdict | null {
  for (const sign of evidence.codes) {
    const cause = causeOfCode(sign, evidence)
    if (cause !== null) return verdict(cause, sign.value, sign.where)
  }
  return null
}

function fromVerdicts({ answeredBy, verdicts }: Evidence): CauseVerdict | null {
  // An upstream's answer may pass through a gateway that has a flag or a strategy of its own on it.
  if (answeredBy === 'upstream') return null
  for (const sign of verdicts) {
    const cause = causeOfVerdict(sign)
    if (cause !== null) return verdict(cause, sign.value, sign.where)
  }
  return null
}

function causeOfVerdict({ value, where }: Sign): Cause | null {
  const field = where.slice(where.lastIndexOf('.') + 1)
  const table = verdictCauses[verdictFieldAliases[field] ?? field]
  if (table === undefined) return null
  // Envoy puts its reasons behind the word: rbac_access_denied_matched_policy[ns[shop]-policy[basic]].
  const word = folded(/^[^[{(]*/.exec(value)?.[0] ?? '')
  if (word.startsWith('rbac') || (field.endsWith('rrorKey') && word.startsWith('oauth2accessdenied'))) {
    return 'permission_denied'
  }
  return table.get(word) ?? table.get('*') ?? null
}

function fromTexts({ texts }: Evidence): CauseVerdict | null {
  for (const sign of texts) {
    for (const [cause, pattern] of textCauses) {
      const match = pattern.exec(sign.value)
      if (match !== null) return verdict(cause, match[0], sign.where)
    }
  }
  return null
}

/**
 * Apinto calls a key "quota exhausted" because its provider answered 402. So it stands behind the provider's own words,
 * and says something only about a 402 that came from the provider.
 */
function fromProviders({ verdicts }: Evidence, record: AccessRecord): CauseVerdict | null {
  if (record.upstreamStatus !== 402 && record.upstreamRefused !== true) return null
  const sign = verdicts.findLast(
    ({ value, where }) => where.startsWith('ai_provider_statuses') && value === 'quota exhausted',
  )
  return sign === undefined ? null : verdict('insufficient_funds', sign.value, sign.where)
}

function fromHeaders(evidence: Evidence): CauseVerdict | null {
  const spent = evidence.answeredBy === 'upstream' ? null : spentLimit(evidence.headers)
  if (spent !== null) return verdict('quota_exceeded', spent.code, `response.headers.${spent.name}`)
  const challenge = challengeIn(evidence)
  return challenge === null ? null : verdict('authentication_missing', challenge.value, challenge.where)
}

/** A rate-limit header that says "none left". Limits and resets prove nothing, they stand on every answer. */
function spentLimit(headers: ReadonlyMap<string, string>): { readonly name: string; readonly code: string } | null {
  for (const [name, value] of headers) {
    if (!name.includes('limit')) continue
    if (remainingName.test(name)) {
      // Several values: one limit of many is used up.
      if (value.split(',').some((item) => /^\s*0+(?:\.0+)?\s*(?:;|$)/.test(item))) return { name, code: `${name}: 0` }
    } else if (name === 'ratelimit' || name === 'x-ratelimit') {
      const item = /(?:^|[;,\s])(?:r|remaining)=0(?=\s*(?:[;,]|$))/.exec(value)
      if (item !== null) return { name, code: item[0].replace(/^[;,\s]+/, '') }
    }
  }
  return null
}

const remainingName = /rate-?limit.*remaining|remaining.*rate-?limit/
