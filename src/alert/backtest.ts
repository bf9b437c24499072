import assert from 'node:assert/strict'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import type { WindowView } from '../window/view.ts'
import type { Alert, Transition } from './alert.ts'
import { RuleEngine, type RuleEngineOptions } from './engine.ts'
import type { Rule } from './rule.ts'

/** One firing of one series, from start to end. */
export interface Episode {
  readonly rule: string
  readonly fingerprint: string
  readonly labels: Readonly<Record<string, string>>
  readonly severity: Alert['severity']
  /** When it became active, when it fired, and when it was over; null while it still fires at the end. */
  readonly activeAtMs: EpochMs
  readonly firedAtMs: EpochMs
  readonly resolvedAtMs: EpochMs | null
  readonly peak: number
  readonly refused: number
  readonly summary: string
}

export interface BacktestOptions extends RuleEngineOptions {
  /** What fires before it belongs to the warm-up and is left out. */
  readonly reportFromMs: EpochMs
}

/**
 * What rules would have done: history minute by minute through the same engine as live, with event time for a clock.
 * Rules that are evaluated more often live are evaluated once a minute here, for history knows no finer.
 */
export class Backtest {
  readonly #engine: RuleEngine
  readonly #reportFromMs: EpochMs
  /** By episode, in the order in which they fired. */
  readonly #episodes = new Map<string, Episode>()

  constructor(rules: readonly Rule[], options: BacktestOptions) {
    const slowed = rules.map((rule) => ({ ...rule, intervalMs: Math.max(rule.intervalMs, minuteMs) }))
    this.#engine = new RuleEngine(slowed, options)
    this.#reportFromMs = options.reportFromMs
  }

  /**
   * Judges the minute with which the windows end now.
   *
   * @returns what changed for people, warm-up excluded
   */
  step(view: WindowView): readonly Transition[] {
    assert(view.endMs !== null, 'a minute of history has been taken')
    return this.#engine.step(view.endMs, view).filter(({ alert }) => this.#note(alert))
  }

  episodes(): readonly Episode[] {
    // What still fires has gone on since its last change.
    for (const alert of this.#engine.alerts()) if (alert.state === 'firing') this.#note(alert)
    return [...this.#episodes.values()]
  }

  #note(alert: Alert): boolean {
    const { episode, state, firedAtMs } = alert
    if (firedAtMs === null || state === 'pending' || firedAtMs < this.#reportFromMs) return false
    this.#episodes.set(episode, {
      ...{ rule: alert.rule, fingerprint: alert.fingerprint, labels: alert.labels, severity: alert.severity },
      ...{ activeAtMs: alert.activeAtMs, firedAtMs, resolvedAtMs: alert.resolvedAtMs },
      ...{ peak: alert.numbers.peak, refused: alert.numbers.soFar, summary: alert.annotations['summary'] ?? '' },
    })
    return true
  }
}
