import type { AccessRecord, Evidence, Sign } from '../decode/decode.ts'
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
  const first = new FirstCause()
  hear(record, first)
  return first.verdict
}

/** Everything that might speak of the cause, the one that decides first. */
export function signalsIn(record: AccessRecord): readonly Signal[] {
  const all = new AllSignals()
  hear(record, all)
  return all.signals
}

/** Is told what speaks of a cause, in the order in which it decides. */
interface Listener {
  /** @returns whether that is enough */
  hears(kind: Signal['kind'], cause: Cause | null, sign: Sign): boolean
}

class FirstCause implements Listener {
  verdict: CauseVerdict = unknown

  hears(_: Signal['kind'], cause: Cause | null, { value, where }: Sign): boolean {
    if (cause === null) return false
    this.verdict = { cause, code: value.slice(0, codeLimit), source: where }
    return true
  }
}

class AllSignals implements Listener {
  readonly signals: Signal[] = []

  hears(kind: Signal['kind'], cause: Cause | null, { value, where }: Sign): boolean {
    this.signals.push({ kind, cause, code: value.slice(0, codeLimit), source: where })
    return false
  }
}

function hear(record: AccessRecord, listener: Listener): void {
  const evidence = record.evidence()
  void (
    fromCodes(evidence, listener) ||
    fromVerdicts(evidence, listener) ||
    fromTexts(evidence, listener) ||
    fromProviders(evidence, record, listener) ||
    fromHeaders(evidence, listener)
  )
}

// Each of these looks at one kind of evidence, and tells whether that was enough. Generators would cost as much as all the
// rest of a refused call's judgement.

function fromCodes(evidence: Evidence, listener: Listener): boolean {
  for (const sign of evidence.codes) if (listener.hears('code', causeOfCode(sign, evidence), sign)) return true
  return false
}

function fromVerdicts({ answeredBy, verdicts }: Evidence, listener: Listener): boolean {
  for (const sign of verdicts) {
    const field = sign.where.slice(sign.where.lastIndexOf('.') + 1)
    // Envoy puts its reasons behind the word: rbac_access_denied_matched_policy[ns[shop]-policy[basic]].
    const word = folded(/^[^[{(]*/.exec(sign.value)?.[0] ?? '')
    // An upstream's answer may pass through a gateway that has a flag or a strategy of its own on it.
    const cause = answeredBy === 'upstream' ? null : meaningOfVerdict(field, word)
    if (listener.hears('verdict', cause, sign)) return true
  }
  return false
}

function fromTexts({ texts }: Evidence, listener: Listener): boolean {
  for (const { value, where } of texts) {
    for (const [cause, pattern] of textCauses) {
      const match = pattern.exec(value)
      if (match !== null && listener.hears('text', cause, { value: match[0], where })) return true
    }
  }
  return false
}

/**
 * Apinto calls a key "quota exhausted" because its provider answered 402. So it stands behind the provider's own words,
 * and says something only about a 402 that came from the provider.
 */
function fromProviders({ verdicts }: Evidence, record: AccessRecord, listener: Listener): boolean {
  if (record.upstreamStatus !== 402 && record.upstreamRefused !== true) return false
  const sign = verdicts.findLast(
    ({ value, where }) => where.startsWith('ai_provider_statuses') && value === 'quota exhausted',
  )
  return sign !== undefined && listener.hears('provider', 'insufficient_funds', sign)
}

function fromHeaders(evidence: Evidence, listener: Listener): boolean {
  const spent = spentLimit(evidence.headers)
  if (spent !== null) {
    // Limits of the gateway's own stand on every answer that it passes through.
    const cause = evidence.answeredBy === 'upstream' ? null : 'quota_exceeded'
    if (listener.hears('header', cause, { value: spent.code, where: `response.headers.${spent.name}` })) return true
  }
  const challenge = challengeIn(evidence)
  return challenge !== null && listener.hears('challenge', 'authentication_missing', challenge)
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
