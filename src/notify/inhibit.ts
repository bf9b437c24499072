import type { Alert } from '../alert/alert.ts'
import { matchesAll } from '../alert/matcher.ts'
import { type Labels, labelOf, labelsOf } from './labels.ts'
import type { InhibitRule } from './routing.ts'

/**
 * Which alerts others stand in front of. As in Alertmanager, an alert that matches both sides of a rule is not held
 * back by another such alert, so that none hides itself.
 */
export class Inhibitions {
  readonly #rules: readonly { rule: InhibitRule; sources: ReadonlyMap<string, boolean> }[]

  /** @param firing every alert that fires now, also those that are muted themselves */
  constructor(rules: readonly InhibitRule[], firing: Iterable<Alert>) {
    const indexed = rules.map((rule) => ({ rule, sources: new Map<string, boolean>() }))
    if (rules.length > 0) {
      for (const alert of firing) {
        const labels = labelsOf(alert)
        for (const { rule, sources } of indexed) {
          if (!matchesAll(rule.source, labels)) continue
          // The value tells whether a source is there that is no target itself.
          const key = equalKey(rule, labels)
          sources.set(key, (sources.get(key) ?? false) || !matchesAll(rule.target, labels))
        }
      }
    }
    this.#rules = indexed
  }

  /** The name of the rule that holds the alert back; null when none does. */
  inhibitorOf(alert: Alert): string | null {
    if (this.#rules.length === 0) return null
    const labels = labelsOf(alert)
    for (const { rule, sources } of this.#rules) {
      if (!matchesAll(rule.target, labels)) continue
      const pureSource = sources.get(equalKey(rule, labels))
      if (pureSource === undefined) continue
      if (pureSource || !matchesAll(rule.source, labels)) return rule.name
    }
    return null
  }
}

function equalKey(rule: InhibitRule, labels: Labels): string {
  return JSON.stringify(rule.equal.map((label) => labelOf(labels, label)))
}
