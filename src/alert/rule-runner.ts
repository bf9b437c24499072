import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import { type Alert, severities, type Transition } from './alert.ts'
import { describe, type Episode, identityOf, labelsOf } from './alert-text.ts'
import { type Contributors, compareContributors, contributorsOf, topLength } from './contributors.ts'
import { fingerprint } from './fingerprint.ts'
import { noGroup } from './grouping.ts'
import { advance, type Lifecycle } from './lifecycle.ts'
import { type Evaluator, groupCounts, type Memo, type Reading } from './reading.ts'
import type { Rule } from './rule.ts'
import type { StepSums } from './step-sums.ts'

/** An alert with its clocks: all that is needed to go on after a restart. JSON-able. */
export interface Instance {
  /** The key of its group; `overflowKey` for the alert that stands for those beyond the limit. */
  readonly key: string
  readonly alert: Alert
  readonly clocks: Lifecycle
  readonly memo: Memo | null
}

export const overflowKey = 'overflow'

/** How long a resolved alert is still shown. */
export const showResolvedMs: number = 15 * minuteMs

/** After this time a spike that does not end is taken for normal. */
const longestFreezeMs = dayMs

/** Takes one rule from step to step: asks its condition, moves its alerts, says what changed. */
export class RuleRunner {
  readonly rule: Rule
  readonly evaluator: Evaluator
  readonly instances = new Map<string, Instance>()
  lastEvaluatedMs: EpochMs | null = null
  /** Goes up whenever something changed that a restart must know. */
  revision = 0

  constructor(rule: Rule, evaluator: Evaluator) {
    this.rule = rule
    this.evaluator = evaluator
  }

  /** Whether a multiple of the interval has been passed since the last evaluation. */
  isDue(atMs: EpochMs): boolean {
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
    const active = new Map<string, Memo | null>()
    for (const { key, clocks, memo } of this.instances.values()) {
      if (clocks.state !== 'resolved' && key !== overflowKey) active.set(key, memo)
    }
    const found = this.evaluator.evaluate(sums, active)
    const extras = this.#extras(sums, found, active.size > 0 || this.instances.has(overflowKey))
    const readings = new Map(found.map((reading) => [reading.key, this.#gated(reading, extras)]))
    const folded = this.#foldOverLimit(readings, active)
    const transitions: Transition[] = []
    const keys = [...new Set([...readings.keys(), ...this.instances.keys()])].sort()
    for (const key of keys) {
      if (key === overflowKey) continue
      const reading = readings.get(key)
      if (reading !== undefined) this.#move(sums, reading, extras.get(key) ?? noExtras, elapsedMs, transitions)
      this.#expire(key, atMs)
    }
    this.#moveOverflow(sums, folded, extras, elapsedMs, transitions)
    this.#expire(overflowKey, atMs)
    this.lastEvaluatedMs = atMs
    return transitions
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
    fresh.sort((a, b) => b.observed - a.observed || (a.key < b.key ? -1 : 1))
    const folded = fresh.slice(room)
    for (const { key } of folded) readings.delete(key)
    return folded
  }

  /** What the readings leave out because it costs a pass over the rows: contributors, and what is new since last. */
  #extras(sums: StepSums, readings: readonly Reading[], anyActive: boolean): ReadonlyMap<string, Extras> {
    const { grouping } = this.evaluator
    const extras = new Map<string, Extras>()
    if (readings.length === 0) return extras
    const passedMs = Math.min(sums.atMs - (this.lastEvaluatedMs ?? sums.atMs), hourMs)
    const passed = anyActive && passedMs > 0 ? sums.sums(grouping, passedMs) : null
    for (const windowMs of new Set(readings.map((reading) => reading.windowMs))) {
      const here = readings.filter((reading) => reading.windowMs === windowMs)
      const wanted = new Set(here.map(({ group }) => group).filter((group) => group !== noGroup))
      const contributors = contributorsOf(sums.rows(windowMs), grouping, wanted)
      for (const { key, group } of here) {
        const since = passed === null || group === noGroup ? 0 : groupCounts(passed, grouping, group).refusals
        extras.set(key, { since, contributors: contributors.get(group) ?? nobody })
      }
    }
    return extras
  }

  #move(sums: StepSums, reading: Reading, extras: Extras, elapsedMs: number, transitions: Transition[]): void {
    const before = this.instances.get(reading.key)
    const { forMs, keepFiringForMs } = this.rule
    const { met, calm } = reading
    let clocks = advance(before?.clocks ?? null, { met, calm, elapsedMs, forMs, keepFiringForMs })
    let newNormal = false
    const firedAtMs = before?.alert.firedAtMs ?? null
    if (clocks?.state === 'firing' && firedAtMs !== null && sums.atMs - firedAtMs >= longestFreezeMs) {
      newNormal = this.evaluator.adopt(reading.key, sums)
      if (newNormal) clocks = { ...clocks, state: 'resolved' }
    }
    if (clocks === null) {
      if (before !== undefined) this.#drop(before)
      return
    }
    if (clocks.state === 'resolved' && before?.clocks.state === 'resolved') return
    const starts = before === undefined || before.clocks.state === 'resolved'
    const after = this.#describe(sums.atMs, starts ? null : before, reading, { clocks, newNormal, extras })
    this.#keep(before, after, transitions)
    if (starts) this.evaluator.hold(reading.key)
    if (clocks.state === 'resolved') {
      // After an episode of the long horizon that horizon is calm itself; after a short one it still remembers.
      const mute = reading.memo?.horizon === 0 && !newNormal ? sums.atMs - (clocks.calmMs ?? 0) : null
      this.evaluator.release(reading.key, mute)
    }
  }

  #describe(
    atMs: EpochMs,
    before: Instance | null,
    reading: Reading,
    { clocks, newNormal, extras }: { clocks: Lifecycle; newNormal: boolean; extras: Extras },
  ): Instance {
    const { rule } = this
    const identity = before === null ? identityOf(rule, reading.labels) : null
    const print = before?.alert.fingerprint ?? fingerprint(rule.name, identity ?? {})
    const activeAtMs = before?.alert.activeAtMs ?? atMs
    const episode: Episode = {
      fingerprint: print,
      labels: labelsOf(rule, before === null ? reading.labels : before.alert.labels),
      activeAtMs,
      firedAtMs: before?.alert.firedAtMs ?? (clocks.state === 'firing' ? atMs : null),
      resolvedAtMs: clocks.state === 'resolved' ? atMs : null,
      soFar: before === null ? reading.observed : before.alert.numbers.soFar + extras.since,
      peak: Math.max(before?.alert.numbers.peak ?? 0, reading.observed),
      lastTop: before?.alert.numbers.top ?? [],
      newNormal,
    }
    const { state, calmMs } = clocks
    const alert = describe(rule, episode, { atMs, state, reading, contributors: extras.contributors, calmMs })
    return { key: reading.key, alert, clocks, memo: reading.memo }
  }

  /** Stores the instance and reports it, if its state changed or its severity rose. */
  #keep(before: Instance | undefined, after: Instance, transitions: Transition[]): void {
    this.instances.set(after.key, after)
    const from = before?.clocks.state ?? 'inactive'
    const rose =
      before !== undefined && severities.indexOf(after.alert.severity) > severities.indexOf(before.alert.severity)
    const changed = from !== after.clocks.state || (rose && after.clocks.state === 'firing')
    if (changed) transitions.push({ from, alert: after.alert })
    const clockTurned = (before?.clocks.calmMs === null) !== (after.clocks.calmMs === null)
    if (changed || clockTurned) this.revision++
  }

  #moveOverflow(
    sums: StepSums,
    folded: readonly Reading[],
    extras: ReadonlyMap<string, Extras>,
    elapsedMs: number,
    transitions: Transition[],
  ): void {
    if (folded.length === 0 && !this.instances.has(overflowKey)) return
    const each = folded.map(({ key }) => extras.get(key) ?? noExtras)
    const top = each.flatMap(({ contributors }) => contributors.top).sort(compareContributors)
    const since = each.reduce((sum, one) => sum + one.since, 0)
    const reading: Reading = {
      key: overflowKey,
      labels: {},
      group: noGroup,
      met: folded.length > 0,
      calm: folded.length === 0,
      value: folded.length,
      windowMs: this.rule.windowMs,
      observed: folded.reduce((sum, one) => sum + one.observed, 0),
      requests: 0,
      expected: null,
      pValue: null,
      learning: false,
      memo: null,
    }
    const contributors = { top: top.slice(0, topLength), tenants: countTenants(folded), most: 0 }
    this.#move(sums, reading, { since, contributors }, elapsedMs, transitions)
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

interface Extras {
  /** Refusals since the last evaluation. */
  readonly since: number
  readonly contributors: Contributors
}

const nobody: Contributors = { top: [], tenants: 0, most: 0 }
const noExtras: Extras = { since: 0, contributors: nobody }

function countTenants(readings: readonly Reading[]): number {
  return new Set(readings.map(({ labels }) => labels.tenant ?? '')).size
}
