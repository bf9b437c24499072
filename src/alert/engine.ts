import assert from 'node:assert/strict'
import { noDirectory, type TenantDirectory } from '../tenants/directory.ts'
import type { EpochMs } from '../time/clock.ts'
import { formatDuration } from '../time/duration.ts'
import { sliceMs, type WindowView } from '../window/view.ts'
import type { Alert, Transition } from './alert.ts'
import { createEvaluator } from './create-evaluator.ts'
import { type InputHealth, staleForMs } from './input-health.ts'
import { QuotaBoard, type QuotaReading } from './quota-reading.ts'
import { isCombined, type Rule } from './rule.ts'
import { type Instance, RuleRunner } from './rule-runner.ts'
import { emptySnapshot, memoriesOf, type Orphan, readSnapshot, type Snapshot, saveMemory } from './snapshot.ts'
import { SpikeEvaluator } from './spike-rule.ts'
import { StalledEvaluator } from './stalled-rule.ts'
import { Groupings, type StepSums } from './step-sums.ts'

export interface RuleEngineOptions {
  /** The most series one rule keeps a baseline, or another memory, for. */
  readonly baselineSeriesLimit: number
  /** Whose subscriptions end when; asked at each step. */
  readonly tenants?: TenantDirectory
  /** Called when a rule was evaluated, before it learns from the step; for whoever asks what it saw. */
  readonly onEvaluated?: (runner: RuleRunner, sums: StepSums) => void
}

/** How one rule is doing, for metrics and `explain`. */
export interface RuleStats {
  readonly rule: string
  readonly pending: number
  readonly firing: number
  /** Series that something is remembered of, and those that found no room; 0 for thresholds. */
  readonly series: number
  readonly turnedAway: number
  /** Series that share the budget of false alerts, and the chance each test may take; null except for spikes. */
  readonly tested: number | null
  readonly alpha: number | null
  readonly inflation: number | null
}

export interface AlertExplanation {
  readonly alert: Alert
  readonly rule: Rule
  readonly sentences: readonly string[]
}

/**
 * Evaluates rules over the rolling windows in event time. It owns no clock and reads nothing but its arguments: the
 * same rules, windows and steps give the same transitions, live, replayed, tested or after a restart.
 *
 * While the input is stale nobody calls `step`: nothing is evaluated, no clock runs, nothing resolves.
 */
export class RuleEngine {
  readonly runners: readonly RuleRunner[]
  readonly #groupings = new Groupings()
  readonly #onEvaluated: RuleEngineOptions['onEvaluated']
  readonly #quota: QuotaBoard
  /** Alerts of rules that are gone: they are resolved at the next step, or their receivers would wait for ever. */
  #orphans: Orphan[] = []
  #lastStepMs: EpochMs | null = null
  #pausedFor: string | null = null

  constructor(rules: readonly Rule[], options: RuleEngineOptions) {
    this.#onEvaluated = options.onEvaluated
    // Room for the minutes that readings may run ahead of the rules.
    this.#quota = new QuotaBoard(4 * options.baselineSeriesLimit)
    const { baselineSeriesLimit: seriesLimit, tenants = noDirectory } = options
    const shared = { groupings: this.#groupings, board: this.#quota, seriesLimit, tenants }
    this.runners = rules.map((rule) => new RuleRunner(rule, createEvaluator(rule, shared)))
  }

  get rules(): readonly Rule[] {
    return this.runners.map(({ rule }) => rule)
  }

  /** Whether any rule looks at what gateways say of quotas. */
  get wantsQuotas(): boolean {
    return this.rules.some(({ condition }) => {
      const simple = isCombined(condition) ? condition.conditions : [condition]
      return simple.some(({ type }) => type === 'quota_forecast')
    })
  }

  /** The event time of the last step; null before the first. */
  get lastStepMs(): EpochMs | null {
    return this.#lastStepMs
  }

  /**
   * Evaluates every rule that is due at this time.
   *
   * @param atMs a slice boundary after the last step, and the view's `endMs`; a step that was taken before is skipped
   * @returns what changed, by rule in the order of the files, then by series
   */
  step(atMs: EpochMs, view: WindowView): readonly Transition[] {
    assert(atMs % sliceMs === 0, 'a step falls on a slice boundary')
    assert(view.endMs === atMs, 'the windows end where the step is')
    if (this.#lastStepMs !== null && atMs <= this.#lastStepMs) return []
    this.#pausedFor = null
    const sums = this.#groupings.step(view, atMs)
    this.#quota.open(atMs)
    const transitions = this.#resolveOrphans(atMs)
    for (const runner of this.runners) {
      if (runner.isDue(atMs)) {
        transitions.push(...runner.evaluate(sums))
        this.#onEvaluated?.(runner, sums)
      }
      // After the evaluation, so that a minute is judged before it may teach.
      runner.evaluator.learn(sums)
    }
    this.#lastStepMs = atMs
    return transitions
  }

  /**
   * Takes what gateways said of quotas, in any order; it is judged once event time has passed its minute. The same
   * reading twice is one.
   */
  observeQuota(readings: Iterable<QuotaReading>): void {
    this.#quota.observe(readings)
  }

  /**
   * Judges the inputs themselves, which steps cannot: for `stalled_input`, and for `no_data: ok` and `alert`. To be
   * called every ten seconds or so, whether steps are taken or not.
   *
   * @param nowMs the clock; a time that is not after the last one changes nothing
   * @param inputs one for each topic or other source; one that is not among them any more counts as well
   * @returns what changed, by rule in the order of the files
   */
  health(nowMs: EpochMs, inputs: readonly InputHealth[]): readonly Transition[] {
    const staleMs = staleForMs(inputs)
    return this.runners.flatMap((runner) => {
      const { evaluator } = runner
      if (evaluator instanceof StalledEvaluator) {
        return runner.judgeInput(nowMs, (active) => evaluator.read(inputs, active))
      }
      return runner.judgeSilence(nowMs, staleMs)
    })
  }

  /** Quota readings that wait for event time to pass them. */
  get waitingQuota(): readonly QuotaReading[] {
    return this.#quota.waiting
  }

  /** What a rule has seen so far, and why it says nothing where it cannot; null if there is no such rule. */
  status(rule: string): readonly string[] | null {
    const runner = this.runners.find((one) => one.rule.name === rule)
    return runner === undefined ? null : (runner.evaluator.status?.() ?? [])
  }

  /** Notes why no steps are taken, for `explain`; the next step ends it. */
  paused(reason: string): void {
    this.#pausedFor = reason
  }

  /** Everything pending, firing, or resolved in the last quarter of an hour; by rule, then by series. */
  alerts(): readonly Alert[] {
    return this.runners.flatMap((runner) => sortedInstances(runner).map(({ alert }) => alert))
  }

  explain(fingerprint: string): AlertExplanation | null {
    for (const { rule, evaluator, instances } of this.runners) {
      for (const { key, alert, clocks } of instances.values()) {
        if (alert.fingerprint !== fingerprint) continue
        const sentences = [`${alert.state}: ${alert.annotations['summary'] ?? ''}`, ...evaluator.explain(key)]
        if (clocks.state === 'pending') {
          sentences.push(`it has held for ${formatDuration(clocks.pendingMs)} of ${formatDuration(rule.forMs)}`)
        }
        if (clocks.state === 'firing' && clocks.calmMs !== null) {
          const needed = formatDuration(rule.keepFiringForMs)
          sentences.push(`it has been calm for ${formatDuration(clocks.calmMs)} of the ${needed} it takes to resolve`)
        }
        if (this.#pausedFor !== null) sentences.push(`rules are paused: ${this.#pausedFor}`)
        return { alert, rule, sentences }
      }
    }
    return null
  }

  stats(): readonly RuleStats[] {
    return this.runners.map(({ rule, evaluator, instances }) => {
      const states = [...instances.values()].map(({ clocks }) => clocks.state)
      const spike = evaluator instanceof SpikeEvaluator ? evaluator.stats() : null
      const kept = spike ?? evaluator.kept?.() ?? { series: 0, turnedAway: 0 }
      return {
        rule: rule.name,
        pending: states.filter((state) => state === 'pending').length,
        firing: states.filter((state) => state === 'firing').length,
        series: kept.series,
        turnedAway: kept.turnedAway,
        tested: spike?.tested ?? null,
        alpha: spike?.alpha ?? null,
        inflation: spike?.inflation ?? null,
      }
    })
  }

  get orphans(): readonly Orphan[] {
    return this.#orphans
  }

  /** All that is needed to go on as if nothing had happened; plain data for JSON. */
  snapshot(): Snapshot {
    const snapshot = emptySnapshot(this.#lastStepMs)
    for (const runner of this.runners) {
      const { rule, evaluator } = runner
      snapshot.rules[rule.name] = {
        lastEvaluatedMs: runner.lastEvaluatedMs,
        instances: sortedInstances(runner),
        lastHealthMs: runner.lastHealthMs,
        memories: memoriesOf(evaluator).map(saveMemory),
      }
    }
    snapshot.orphans.push(...this.#orphans)
    snapshot.quota.push(...this.waitingQuota)
    return snapshot
  }

  /**
   * Takes over a snapshot, into an engine that has not stepped yet. What the rules of today have no use for is let
   * go: baselines of a rule that now groups or looks back differently start to learn anew.
   *
   * @returns false if it is no snapshot of ours; then nothing has changed
   */
  restore(saved: unknown): boolean {
    assert(this.#lastStepMs === null, 'an engine is restored before its first step')
    const snapshot = readSnapshot(saved)
    if (snapshot === null) return false
    this.#lastStepMs = snapshot.lastStepMs
    this.#orphans = [...snapshot.orphans]
    for (const [name, state] of Object.entries(snapshot.rules)) {
      const runner = this.runners.find(({ rule }) => rule.name === name)
      if (runner === undefined) {
        for (const instance of state.instances) this.#orphans.push({ rule: name, instance })
        continue
      }
      runner.lastEvaluatedMs = state.lastEvaluatedMs
      runner.lastHealthMs = state.lastHealthMs
      const memories = memoriesOf(runner.evaluator)
      for (const [number, memory] of memories.entries()) {
        const saved = state.memories[number] ?? null
        if (saved !== null) memory.load(saved)
      }
      for (const instance of state.instances) {
        runner.instances.set(instance.key, instance)
        if (instance.clocks.state !== 'resolved') runner.evaluator.hold(instance.key)
      }
      for (const memory of memories) memory.settle()
    }
    this.#quota.observe(snapshot.quota)
    return true
  }

  #resolveOrphans(atMs: EpochMs): Transition[] {
    const transitions: Transition[] = []
    for (const { rule, instance } of this.#orphans) {
      if (instance.clocks.state !== 'firing') continue
      const { alert } = instance
      const summary = `The rule ${rule} is no longer there; it ended with: ${alert.annotations['summary'] ?? ''}`
      const annotations = { ...alert.annotations, summary }
      transitions.push({
        from: 'firing',
        alert: { ...alert, state: 'resolved', annotations, resolvedAtMs: atMs, evaluatedAtMs: atMs },
      })
    }
    this.#orphans = []
    return transitions
  }
}

function sortedInstances({ instances }: RuleRunner): Instance[] {
  return [...instances.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}
