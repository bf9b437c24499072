import type { Alert } from '../alert/alert.ts'
import { matchesAll } from '../alert/matcher.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Labels, labelOf, labelsOf } from './labels.ts'
import type { InhibitRule } from './routing.ts'

/** The sources of one rule with the same `equal` labels. */
interface Sources {
  /** Whether one of them fires. */
  firing: boolean
  /** Whether one that fires is no target itself. */
  firingPure: boolean
  /** When the last one ended that still holds back what began before. */
  endedMs: EpochMs | null
}

/**
 * Which alerts others stand in front of. As in Alertmanager, an alert that matches both sides of a rule is not held
 * back by another such alert, so that none hides itself.
 *
 * A large incident ends for the fleet before it ends for each tenant, whose windows still hold it. So a source may go
 * on for a while after its end, for those that began before, or that are judged by a window which reaches back into it:
 * they belong to what was told.
 */
export class Inhibitions {
  readonly #rules: readonly { rule: InhibitRule; sources: ReadonlyMap<string, Sources> }[]

  /** @param alerts all that fire, also those that are muted themselves, and those that ended a while ago */
  constructor(rules: readonly InhibitRule[], alerts: Iterable<Alert>, now: EpochMs) {
    const indexed = rules.map((rule) => ({ rule, sources: new Map<string, Sources>() }))
    if (rules.length > 0) {
      for (const alert of alerts) {
        const labels = labelsOf(alert)
        for (const { rule, sources } of indexed) {
          if (!isSource(rule, alert, labels, now)) continue
          const key = equalKey(rule, labels)
          sources.set(key, withSource(sources.get(key), alert, matchesAll(rule.target, labels)))
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
      const found = sources.get(equalKey(rule, labels))
      if (found === undefined) continue
      if (found.firingPure) return rule.name
      if (matchesAll(rule.source, labels)) continue
      const sinceMs = alert.activeAtMs - alert.numbers.windowMs
      if (found.firing || (found.endedMs !== null && sinceMs < found.endedMs)) return rule.name
    }
    return null
  }
}

/** Whether an alert that has ended may still hold back others, so that it must be remembered. */
export function stillInhibits(rules: readonly InhibitRule[], alert: Alert, now: EpochMs): boolean {
  if (alert.state !== 'resolved') return false
  return rules.some((rule) => rule.keepMs > 0 && isSource(rule, alert, labelsOf(alert), now))
}

function isSource(rule: InhibitRule, { state, resolvedAtMs }: Alert, labels: Labels, now: EpochMs): boolean {
  if (state !== 'firing' && (resolvedAtMs === null || resolvedAtMs + rule.keepMs <= now)) return false
  return matchesAll(rule.source, labels)
}

function withSource(before: Sources | undefined, { state, resolvedAtMs }: Alert, isTarget: boolean): Sources {
  const { firing, firingPure, endedMs } = before ?? { firing: false, firingPure: false, endedMs: null }
  if (state === 'firing') return { firing: true, firingPure: firingPure || !isTarget, endedMs }
  return { firing, firingPure, endedMs: Math.max(endedMs ?? 0, resolvedAtMs ?? 0) }
}

function equalKey(rule: InhibitRule, labels: Labels): string {
  return JSON.stringify(rule.equal.map((label) => labelOf(labels, label)))
}
