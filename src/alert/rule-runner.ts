import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import type { Alert, Transition } from './alert.ts'
import { describe, type Episode, identityOf, labelsOf, type SpecialAlert } from './alert-text.ts'
import { fingerprint } from './fingerprint.ts'
import { compareSeverity, type LevelState, nextLevel } from './levels.ts'
import { advance, type Lifecycle } from './lifecycle.ts'
import { calmed, noDataKey, silent } from './no-data.ts'
import { overflowKey, overflowOf } from './overflow.ts'
import type { Evaluator, Memo, Reading } from './reading.ts'
import { type Extras, extrasOf, noExtras } from './reading-extras.ts'
import type { Rule } from './rule.ts'
import type { StepSums } from './step-sums.ts'

/** An alert with its clocks: all that is needed to go on after a restart. JSON-able. */
export interface Instance {
  /** The key of its group; `overflowKey` for the alert that stands for those beyond the limit. */
  readonly key: string
  readonly alert: Alert
  readonly clocks: Lifecycle
  readonly memo: Memo | null
  /** How long a lower level than that of the alert has been enough; null while it is not. */
  readonly lowerMs: number | null
}

const specialKeys: Readonly<Record<string, SpecialAlert>> = { [overflowKey]: 'overflow', [noDataKey]: 'no_data' }

/** How long a resolved alert is still shown. */
export const showResolvedMs: number = 15 * minuteMs

/** After this time a spike that does not end is taken for normal. */
const longestFreezeMs = dayMs

/** The moment alerts are moved at, and what is known only then. */
interface Turn {
  readonly atMs: EpochMs
  readonly elapsedMs: number
  /** Takes the present level of a series for normal; false where that means nothing. */
  readonly adopt: (key: string) => boolean
  readonly transitions: Transition[]
}

/** Takes one rule from step to step: asks its condition, moves its alerts, says what changed. */
export class RuleRunner {
  readonly rule: Rule
  readonly evaluator: Evaluator
  readonly instances = new Map<string, Instance>()
  lastEvaluatedMs: EpochMs | null = null
  /** When its input was last looked at, by the clock. */
  lastHealthMs: EpochMs | null = null
  /** Goes up whenever something changed that a restart must know. */
  revision = 0

  constructor(rule: Rule, evaluator: Evaluator) {
    this.rule = rule
    this.evaluator = evaluator
  }

  /** Whether a multiple of the interval has been passed since the last evaluation. */
  isDue(atMs: EpochMs): boolean {
    if (this.rule.ownLabel === 'topic') return false
    const turn = Math.floor(atMs / this.rule.intervalMs)
    return this.lastEvaluatedMs === null
      ? atMs % this.rule.intervalMs === 0
      : turn > Math.floor(this.lastEvaluatedMs / this.rule.intervalMs)
  }

  evaluate(sums: StepSums): readonly Transition[] {
    const { atMs } = sums
    const { intervalMs } = this.rule
    // A jump in event time means that nobody watched in between: the clocks stand still over it.
    const elapsedMs = Math.min(atMs - (this.lastEvaluatedMs ?? atMs), intervalMs)
    const transitions: Transition[] = []
    const turn: Turn = { atMs, elapsedMs, adopt: (key) => this.evaluator.adopt(key, sums), transitions }
    const active = this.#active()
    const found = this.evaluator.evaluate(sums, active)
    const anyActive = active.size > 0 || this.instances.has(overflowKey)
    const passedMs = anyActive ? Math.min(atMs - (this.lastEvaluatedMs ?? atMs), hourMs) : 0
    const extras = extrasOf(sums, this.evaluator.grouping, found, passedMs)
    this.#moveAll(turn, found, extras, active)
    this.lastEvaluatedMs = atMs
    return transitions
  }

  /**
   * Judges readings of the input itself, by the clock and not in event time, which stands still when the input does.
   *
   * @param nowMs after the last call; an earlier one changes nothing
   */
  judgeInput(
    nowMs: EpochMs,
    read: (active: ReadonlyMap<string, Memo | null>) => readonly Reading[],
  ): readonly Transition[] {
    const elapsedMs = this.#healthElapsed(nowMs)
    if (elapsedMs === null) return []
    const transitions: Transition[] = []
    const active = this.#active()
    this.#moveAll({ atMs: nowMs, elapsedMs, adopt: () => false, transitions }, read(active), new Map(), active)
    return transitions
  }

  /**
   * What `no_data` asks for while the input is stale: `ok` takes its silence for calm, `alert` says that there is none.
   *
   * @param staleForMs null when the input is fresh
   */
  judgeSilence(nowMs: EpochMs, staleForMs: number | null): readonly Transition[] {
    const { noData } = this.rule
    if (noData === 'pause' || this.rule.ownLabel === 'topic') return []
    const elapsedMs = this.#healthElapsed(nowMs)
    if (elapsedMs === null) return []
    const transitions: Transition[] = []
    const turn: Turn = { atMs: nowMs, elapsedMs, adopt: () => false, transitions }
    if (noData === 'alert') {
      if (staleForMs !== null || this.instances.has(noDataKey))
        this.#move(turn, silent(this.rule, staleForMs), noExtras)
      this.#expire(noDataKey, nowMs)
    } else if (staleForMs !== null) {
      const keys = [...this.instances.keys()].sort()
      for (const key of keys) {
        const instance = this.instances.get(key)
        if (instance !== undefined && instance.clocks.state !== 'resolved') {
          this.#move(turn, calmed(instance, this.rule), noExtras)
        }
      }
    }
    return transitions
  }

  /** Time since the input was last looked at; longer pauses of ours do not count. Null if it was looked at already. */
  #healthElapsed(nowMs: EpochMs): number | null {
    const last = this.lastHealthMs
    if (last !== null && nowMs <= last) return null
    this.lastHealthMs = nowMs
    return Math.min(nowMs - (last ?? nowMs), this.rule.intervalMs)
  }

  #active(): ReadonlyMap<string, Memo | null> {
    const active = new Map<string, Memo | null>()
    for (const { key, clocks, memo } of this.instances.values()) {
      if (clocks.state !== 'resolved' && !(key in specialKeys)) active.set(key, memo)
    }
    return active
  }

  #moveAll(
    turn: Turn,
    found: readonly Reading[],
    extras: ReadonlyMap<string, Extras>,
    active: ReadonlyMap<string, Memo | null>,
  ): void {
    const readings = new Map(found.map((reading) => [reading.key, this.#gated(reading, extras)]))
    const folded = this.#foldOverLimit(readings, active)
    const keys = [...new Set([...readings.keys(), ...this.instances.keys()])].sort()
    for (const key of keys) {
      if (key in specialKeys) continue
      const reading = readings.get(key)
      if (reading !== undefined) this.#move(turn, reading, extras.get(key) ?? noExtras)
      this.#expire(key, turn.atMs)
    }
    this.#moveOverflow(turn, folded, extras)
    this.#expire(overflowKey, turn.atMs)
  }

  /** A rise that one tenant makes up alone is no rise of the fleet. */
  #gated(reading: Reading, extras: ReadonlyMap<string, Extras>): Reading {
    const { condition } = this.rule
    if (condition.type !== 'spike' || condition.maxTenantShare >= 1 || !reading.met) return reading
    const most = extras.get(reading.key)?.contributors.most ?? 0
    return most > condition.maxTenantShare * reading.observed ? { ...reading, met: false } : reading
  }

  /** Takes readings that would become new alerts beyond the limit out of the map; the largest keep their place. */
  #foldOverLimit(readings: Map<string, Reading>, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    const fresh = [...readings.values()].filter(({ key, met }) => met && !active.has(key))
    const room = Math.max(0, this.rule.limit - active.size)
    if (fresh.length <= room) return []
    fresh.sort((a, b) => b.observed - a.observed || b.value - a.value || (a.key < b.key ? -1 : 1))
    const folded = fresh.slice(room)
    for (const { key } of folded) readings.delete(key)
    return folded
  }

  #move(turn: Turn, reading: Reading, extras: Extras): void {
    const { atMs, elapsedMs } = turn
    const before = this.instances.get(reading.key)
    const { forMs, keepFiringForMs } = this.rule
    const { met, calm } = reading
    let clocks = advance(before?.clocks ?? null, { met, calm, elapsedMs, forMs, keepFiringForMs })
    let newNormal = false
    const firedAtMs = before?.alert.firedAtMs ?? null
    if (clocks?.state === 'firing' && firedAtMs !== null && atMs - firedAtMs >= longestFreezeMs) {
      newNormal = turn.adopt(reading.key)
      if (newNormal) clocks = { ...clocks, state: 'resolved' }
    }
    if (reading.ends === true && before !== undefined && clocks !== null) {
      clocks = clocks.state === 'pending' ? null : { ...clocks, state: 'resolved' }
    }
    if (clocks === null) {
      if (before !== undefined) this.#drop(before)
      return
    }
    if (clocks.state === 'resolved' && (before === undefined || before.clocks.state === 'resolved')) return
    const starts = before === undefined || before.clocks.state === 'resolved'
    const level = this.#levelOf(starts ? null : before, reading, clocks, elapsedMs)
    const after = this.#describe(atMs, starts ? null : before, reading, { clocks, newNormal, extras, level })
    this.#keep(before, after, turn.transitions)
    if (reading.key in specialKeys) return
    if (starts) this.evaluator.hold(reading.key)
    if (clocks.state === 'resolved') {
      // After an episode of the long horizon that horizon is calm itself; after a short one it still remembers.
      const mute = reading.memo?.horizon === 0 && !newNormal ? atMs - (clocks.calmMs ?? 0) : null
      this.evaluator.release(reading.key, mute)
    }
  }

  /** The severity: the rule's own, or that of the highest level, which falls only after `keep_firing_for`. */
  #levelOf(before: Instance | null, { levels }: Reading, { state }: Lifecycle, elapsedMs: number): LevelState {
    const { severity } = this.rule
    if (levels === undefined) return { severity, lowerMs: null }
    if (before === null || state === 'pending') return { severity: levels.reached ?? severity, lowerMs: null }
    if (state === 'resolved') return { severity: before.alert.severity, lowerMs: null }
    const current = { severity: before.alert.severity, lowerMs: before.lowerMs ?? null }
    return nextLevel(current, levels, { elapsedMs, keepFiringForMs: this.rule.keepFiringForMs })
  }

  #describe(
    atMs: EpochMs,
    before: Instance | null,
    reading: Reading,
    { clocks, newNormal, extras, level }: { clocks: Lifecycle; newNormal: boolean; extras: Extras; level: LevelState },
  ): Instance {
    const { rule } = this
    const special = specialKeys[reading.key] ?? null
    const identity = before === null ? identityOf(rule, reading.labels, special) : null
    const print = before?.alert.fingerprint ?? fingerprint(rule.name, identity ?? {})
    const activeAtMs = before?.alert.activeAtMs ?? atMs
    const labels = before === null ? reading.labels : before.alert.labels
    const episode: Episode = {
      fingerprint: print,
      labels: labelsOf(rule, labels, { severity: level.severity, special }),
      severity: level.severity,
      special,
      activeAtMs,
      firedAtMs: before?.alert.firedAtMs ?? (clocks.state === 'firing' ? atMs : null),
      resolvedAtMs: clocks.state === 'resolved' ? atMs : null,
      soFar: before === null ? reading.observed : before.alert.numbers.soFar + extras.since,
      peak: Math.max(before?.alert.numbers.peak ?? 0, reading.observed),
      lastTop: before?.alert.numbers.top ?? [],
      lastScope: before?.alert.numbers.scope ?? null,
      newNormal,
    }
    const { state, calmMs } = clocks
    const alert = describe(rule, episode, { atMs, state, reading, contributors: extras.contributors, calmMs })
    return { key: reading.key, alert, clocks, memo: reading.memo, lowerMs: level.lowerMs }
  }

  /** Stores the instance and reports it, if its state or, while it fires, its severity changed. */
  #keep(before: Instance | undefined, after: Instance, transitions: Transition[]): void {
    this.instances.set(after.key, after)
    const from = before?.clocks.state ?? 'inactive'
    const moved = before !== undefined && compareSeverity(after.alert.severity, before.alert.severity) !== 0
    const changed = from !== after.clocks.state || (moved && after.clocks.state === 'firing')
    if (changed) transitions.push({ from, alert: after.alert })
    const calmTurned = (before?.clocks.calmMs === null) !== (after.clocks.calmMs === null)
    const lowerTurned = before?.lowerMs === null && after.lowerMs !== null
    if (changed || calmTurned || lowerTurned) this.revision++
  }

  #moveOverflow(turn: Turn, folded: readonly Reading[], extras: ReadonlyMap<string, Extras>): void {
    if (folded.length === 0 && !this.instances.has(overflowKey)) return
    const { reading, extras: sum } = overflowOf(this.rule, folded, extras)
    this.#move(turn, reading, sum)
  }

  #expire(key: string, atMs: EpochMs): void {
    const instance = this.instances.get(key)
    const resolvedAtMs = instance?.alert.resolvedAtMs ?? null
    if (instance !== undefined && resolvedAtMs !== null && atMs - resolvedAtMs >= showResolvedMs) {
      this.instances.delete(key)
      this.revision++
    }
  }

  #drop(instance: Instance): void {
    this.instances.delete(instance.key)
    this.revision++
    this.evaluator.release(instance.key, null)
  }
}
