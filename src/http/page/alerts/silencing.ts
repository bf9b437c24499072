import { matchesAll, parseMatcher } from '../../../alert/matcher.ts'
import type { PageAlert, Silence } from '../answers.ts'

type Silenceable = Pick<PageAlert, 'labels' | 'rule' | 'severity'>

/** A matcher that accepts exactly this value. */
export function exactly(label: string, value: string): string {
  return `${label}=${JSON.stringify(value)}`
}

/** What is usually silenced about an alert, the narrowest choice: who, where and why. */
export function matchersFor({ labels, rule }: Pick<PageAlert, 'labels' | 'rule'>): readonly string[] {
  const own = ['tenant', 'api', 'cause'].flatMap((label) => {
    const value = labels[label]
    return value === undefined ? [] : [exactly(label, value)]
  })
  return own.length > 0 ? own : [exactly('rule', rule)]
}

/** Whether a silence with these matchers holds messages about the alert back. Unreadable matchers hold back nothing. */
export function mutes(matchers: readonly string[], { labels, rule, severity }: Silenceable): boolean {
  const parsed = matchers.map(parseMatcher)
  const readable = parsed.flatMap((one) => (one.ok ? [one.matcher] : []))
  if (readable.length === 0 || readable.length < parsed.length) return false
  return matchesAll(readable, { ...labels, rule, alertname: rule, severity })
}

/** What is wrong with matchers, in words; null when they can be sent. */
export function flawOf(matchers: readonly string[]): string | null {
  if (matchers.length === 0) return 'Name at least one matcher; an empty list would silence everything.'
  for (const text of matchers) {
    const parsed = parseMatcher(text)
    if (!parsed.ok) return `${parsed.message}; ${parsed.fix}.`
  }
  return null
}

/** The active silence that holds the alert back; null when none does. */
export function silenceOf(alert: Silenceable, silences: readonly Silence[]): Silence | null {
  return silences.find(({ state, matchers }) => state === 'active' && mutes(matchers, alert)) ?? null
}
