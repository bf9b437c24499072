import type { Alert } from '../alert/alert.ts'
import type { Matcher } from '../alert/matcher.ts'

/** Labels as routes, silences and inhibitions see them; a label that is missing counts as the empty text. */
export type Labels = Readonly<Record<string, string>>

/** The labels of an alert with its rule (also as `alertname`, Alertmanager's word for it) and its severity. */
export function labelsOf(alert: Alert): Labels {
  return { ...alert.labels, rule: alert.rule, alertname: alert.rule, severity: alert.severity }
}

/** A label's value; only own properties count, so that a label called `constructor` is missing unless it was given. */
export function labelOf(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : ''
}

/**
 * Whether a matcher singles something out: it refuses the empty text and a name nobody has. `tenant=~".+"` does not,
 * nor does any `!=`.
 */
export function isSpecific(matcher: Matcher): boolean {
  return !matcher.test('') && !matcher.test('a name that nobody would ever give 7f3a')
}
