import type { AccessRecord, Sign } from '../decode/decode.ts'
import type { CauseVerdict } from './cause.ts'
import type { CauseRule } from './options.ts'
import { folded } from './signals.ts'

/** What the first rule that fits a record says; null when none does. Rules are the operator's word and come first. */
export function ruledCause(record: AccessRecord, rules: readonly CauseRule[]): CauseVerdict | null {
  for (const rule of rules) {
    const match = matchOf(rule, record)
    if (match !== null) return { cause: rule.cause, code: match.code, source: `rule:${rule.name}` }
  }
  return null
}

function matchOf({ when }: CauseRule, record: AccessRecord): { readonly code: string | null } | null {
  if (when.status !== undefined && record.status !== when.status) return null
  if (!isLike(record.tenant, when.tenant) || !isLike(record.api, when.api) || !isLike(record.api, when.route))
    return null
  if (when.service !== undefined && !isLike(record.origin().service, when.service)) return null
  if (when.code === undefined && when.text === undefined) return { code: null }
  // Evidence is worked out last, for the records whose labels fit.
  const { codes, verdicts, texts } = record.evidence()
  let code: string | null = null
  if (when.code !== undefined) {
    const wanted = folded(when.code)
    const isWanted = (sign: Sign) => globMatches(wanted, folded(sign.value))
    const found = codes.find(isWanted) ?? verdicts.find(isWanted)
    if (found === undefined) return null
    code = found.value
  }
  if (when.text !== undefined) {
    const wanted = when.text
    const found = texts.map((sign) => phraseIn(sign.value, wanted)).find((phrase) => phrase !== null)
    if (found === undefined || found === null) return null
    code ??= found
  }
  return { code }
}

function isLike(label: string | null, pattern: string | undefined): boolean {
  return pattern === undefined || (label !== null && globMatches(pattern, label))
}

/** Matches `*` as any run of characters; in time bounded by the product of the lengths, never more. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let retry = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      retry = t
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++retry
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

/** The phrase as it stands in a text, at word boundaries and in any case; null where it does not. */
export function phraseIn(text: string, phrase: string): string | null {
  const low = text.toLowerCase()
  const wanted = phrase.toLowerCase()
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, at + 1)) {
    if (!isBoundary(low, at - 1, at) || !isBoundary(low, at + wanted.length - 1, at + wanted.length)) continue
    return text.slice(at, at + wanted.length)
  }
  return null
}

/** Whether a word may end between two neighbours, that is, not inside a run of Latin letters and digits. */
function isBoundary(text: string, left: number, right: number): boolean {
  return !(isWordAt(text, left) && isWordAt(text, right))
}

function isWordAt(text: string, at: number): boolean {
  return /^[a-z0-9_]$/.test(text[at] ?? '')
}
