import type { Transition } from '../alert/alert.ts'
import type { RuleEngine } from '../alert/engine.ts'
import type { InputHealth } from '../alert/input-health.ts'
import type { AlertPersistence } from '../alert/persistence.ts'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { AlertRecord } from '../history/alert-record.ts'
import type { StateStore } from '../history/state.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import type { WindowView } from '../window/view.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { RefusalMemory } from './trend.ts'

const longestPauseMs = 15_000

/**
 * From closed slices to messages: rules step in event time as the watermark passes, and what they find is handed on in
 * this order, each step repeated until it succeeds:
 *
 *  1. the dispatcher stores the changes. Dying before: the engine steps again from its stored state and finds the same.
 *  2. the alert log. Dying before: as above; the log keeps one row for each change.
 *  3. the engine's own state. Dying before: the changes are found and offered again, which the dispatcher recognises.
 */
export class Alerting {
  readonly #engine: RuleEngine
  readonly #persistence: AlertPersistence
  readonly #dispatcher: Dispatcher
  readonly #refusals: RefusalMemory
  readonly #state: StateStore
  readonly #logAlerts: (records: readonly AlertRecord[]) => Promise<void>
  readonly #clock: Clock
  readonly #log: Log
  readonly #stop = new AbortController()
  #queue: Promise<void> = Promise.resolve()
  #problem: string | null = null

  constructor(options: {
    engine: RuleEngine
    persistence: AlertPersistence
    dispatcher: Dispatcher
    refusals: RefusalMemory
    state: StateStore
    logAlerts: (records: readonly AlertRecord[]) => Promise<void>
    clock: Clock
    log: Log
  }) {
    this.#engine = options.engine
    this.#persistence = options.persistence
    this.#dispatcher = options.dispatcher
    this.#refusals = options.refusals
    this.#state = options.state
    this.#logAlerts = options.logAlerts
    this.#clock = options.clock
    this.#log = options.log
  }

  /** Why changes of alerts wait; null while all goes well. */
  get problem(): string | null {
    return this.#problem
  }

  /** A slice was closed: evaluates the rules and queues what they found. */
  onSlice(endMs: EpochMs, view: WindowView): void {
    this.#refusals.note(endMs, view)
    this.#take(this.#engine.step(endMs, view))
  }

  /** How the inputs are doing, every few seconds of the clock: a log that stands still closes no slice. */
  onHealth(nowMs: EpochMs, inputs: readonly InputHealth[]): void {
    this.#take(this.#engine.health(nowMs, inputs))
  }

  #take(transitions: readonly Transition[]): void {
    for (const { alert } of transitions) {
      if (alert.state === 'pending') continue
      const fields = {
        rule: alert.rule,
        fingerprint: alert.fingerprint,
        labels: alert.labels,
        severity: alert.severity,
      }
      this.#log.warn(
        `${alert.shadow ? 'on trial: ' : ''}alert ${alert.state}: ${alert.annotations['summary'] ?? alert.rule}`,
        fields,
      )
    }
    if (transitions.length > 0) this.#enqueue(transitions)
  }

  /** Once a minute or so: baselines go to the store in a slow round. */
  save(): void {
    this.#enqueue([])
  }

  /** Stores everything, for a clean stop: after it a restart continues exactly here. */
  async close(): Promise<void> {
    await this.#queue
    const { entries, saved } = this.#persistence.changes('all')
    await this.#state.put(entries)
    saved()
  }

  /** Gives up waiting for a store that is away. */
  abandon(): void {
    this.#stop.abort()
  }

  #enqueue(transitions: readonly Transition[]): void {
    this.#queue = this.#queue.then(() => this.#settle(transitions))
  }

  async #settle(transitions: readonly Transition[]): Promise<void> {
    if (transitions.length > 0) {
      // A rule on trial is kept in the log and told to nobody.
      const told = transitions.filter(({ alert }) => !alert.shadow)
      if (told.length > 0) await this.#untilDone(() => this.#dispatcher.accept(told))
      await this.#untilDone(() => this.#logAlerts(transitions.map(recordOf)))
    }
    await this.#untilDone(async () => {
      const { entries, saved } = this.#persistence.changes()
      await this.#state.put(entries)
      saved()
    })
  }

  async #untilDone(step: () => Promise<void>): Promise<void> {
    for (let pauseMs = 200; !this.#stop.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await step()
        this.#problem = null
        return
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        const text = messageOf(error)
        if (text !== this.#problem)
          this.#log.error(`alerts cannot be stored, trying again: ${text}`, { code: error.code })
        this.#problem = text
        await this.#clock.sleep(pauseMs, this.#stop.signal)
      }
    }
  }
}

function recordOf({ alert }: Transition): AlertRecord {
  return {
    atMs: alert.resolvedAtMs ?? alert.firedAtMs ?? alert.activeAtMs,
    fingerprint: alert.fingerprint,
    episode: alert.episode,
    rule: alert.rule,
    state: alert.state,
    severity: alert.severity,
    labels: alert.labels,
    value: alert.value,
    observed: alert.numbers.observed,
    requests: alert.numbers.requests,
    expected: alert.numbers.expected,
    summary: alert.annotations['summary'] ?? '',
  }
}
