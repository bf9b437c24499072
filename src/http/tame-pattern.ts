import { type Matcher, parseMatcher } from '../alert/matcher.ts'

const longest = 500
/** Each may try as many places as a name has characters. */
const mostRepeats = 2
/** Ways through all that is optional, and through the branches of all groups one after another. */
const mostWays = 1_000

/**
 * Whether a regular expression that came with a request may be run here: ours go back and try again, and one that nests
 * repeats can take longer than the universe. Refused are repeats of groups that repeat or choose within, more than two
 * repeats, too many choices one after another, references back, and looking around. Names of tenants and APIs have at
 * most 200 characters.
 */
export function isTame(pattern: string): boolean {
  if (pattern.length > longest) return false
  const plain = pattern
    .replaceAll(/\\[^1-9k]/g, 'x')
    .replaceAll(/\[\^?\]?[^\]]*\]/g, 'x')
    .replaceAll('(?:', '(')
  if (/\\|\(\?/.test(plain)) return false
  if ((plain.match(/[*+]|\{\d+,\d*\}/g) ?? []).length > mostRepeats) return false
  return waysThrough(plain) <= mostWays
}

/** In how many ways it can be gone through, repeats aside; infinite where a group repeats what repeats or chooses. */
function waysThrough(plain: string): number {
  const open: { isWild: boolean; branches: number }[] = []
  let ways = 1
  for (let at = 0; at < plain.length; at++) {
    const sign = plain[at] ?? ''
    const group = open.at(-1)
    if (sign === '(') open.push({ isWild: false, branches: 1 })
    else if (sign === ')') {
      // One that was never opened would close the one that is put around all of it.
      if (group === undefined) return Number.POSITIVE_INFINITY
      open.pop()
      ways *= group.branches
      const isWild = group.isWild || group.branches > 1
      const isRepeated = /^[*+{]/.test(plain.slice(at + 1))
      if (isWild && isRepeated) return Number.POSITIVE_INFINITY
      const outer = open.at(-1)
      if (outer !== undefined) outer.isWild ||= isWild || isRepeated
    } else if (sign === '|') {
      if (group !== undefined) group.branches++
    } else if (/[*+{?]/.test(sign)) {
      if (sign === '?') ways *= 2
      if (group !== undefined) group.isWild = true
    }
  }
  return ways
}

const fix =
  'has a regular expression that could take for ever; write it with at most two repeats, and none inside another'

/** What is wrong with matchers that would be run; null when nothing is. */
export function wildMatcher(matchers: readonly (Matcher | string)[]): string | null {
  for (const one of matchers) {
    const parsed = typeof one === 'string' ? parseMatcher(one) : { ok: true as const, matcher: one }
    if (!parsed.ok || !parsed.matcher.operator.includes('~')) continue
    if (!isTame(parsed.matcher.value)) return `${parsed.matcher.label} ${fix}`
  }
  return null
}
