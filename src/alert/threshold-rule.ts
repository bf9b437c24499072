import { hourMs } from '../time/duration.ts'
import type { Severity } from './alert.ts'
import { type Grouping, type GroupingPlan, type GroupLabels, noGroup, planGrouping } from './grouping.ts'
import type { LevelReading } from './levels.ts'
import { type Evaluator, GroupFilter, groupCounts, type Memo, type Reading, rowMatchers } from './reading.ts'
import type { Rule, ThresholdCondition } from './rule.ts'
import type { Groupings, StepSums } from './step-sums.ts'
import { expectedAtBound, judgeThreshold, perLevel, type ThresholdInput } from './threshold.ts'

/** Evaluates a threshold rule. It keeps nothing between steps. */
export class ThresholdEvaluator implements Evaluator {
  readonly #rule: Rule
  readonly #condition: ThresholdCondition
  readonly #groupings: Groupings
  readonly #filter: GroupFilter
  readonly #plan: GroupingPlan
  /** The same by tenant, and the same with all causes. */
  readonly #finePlan: GroupingPlan
  readonly #wholePlan: GroupingPlan
  /** Each level as a condition; empty where the rule has one severity. */
  readonly #levels: readonly { readonly severity: Severity; readonly condition: ThresholdCondition }[]

  constructor(rule: Rule, condition: ThresholdCondition, groupings: Groupings) {
    this.#rule = rule
    this.#condition = condition
    this.#groupings = groupings
    this.#filter = new GroupFilter(rule)
    const conditions = perLevel(condition)
    this.#levels = condition.levels.map(({ severity }, at) => ({ severity, condition: conditions[at] ?? condition }))
    const matchers = rowMatchers(rule)
    this.#plan = planGrouping(rule.groupBy, matchers)
    this.#finePlan = planGrouping(['tenant', ...rule.groupBy], matchers)
    const others = matchers.filter(({ label }) => label !== 'cause' && label !== 'family')
    this.#wholePlan = planGrouping(rule.groupBy, others)
  }

  get grouping(): Grouping {
    return this.#groupings.get(this.#plan)
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    const { grouping } = this
    const window = sums.sums(grouping, this.#rule.windowMs)
    const hour = this.#condition.side === 'below' ? sums.sums(grouping, hourMs) : null
    const affected = this.#condition.measure === 'distinct(tenant)' ? this.#affected(sums, grouping) : null
    const totals = this.#condition.over === 'refusals' ? this.#allRefusals(sums, grouping) : null
    const readings: Reading[] = []
    const seen = new Set<string>()
    for (let group = 0; group < grouping.size; group++) {
      const quiet = (window.refusals[group] ?? 0) === 0 && this.#condition.side === 'above'
      // Nearly every group of a large fleet.
      if (quiet && active.size === 0) continue
      const key = grouping.keys[group] ?? ''
      const { refusals, requests } = groupCounts(window, grouping, group)
      if (!active.has(key)) {
        // Whether something is too low can only be said of those who were there before the window began.
        if (quiet || (hour !== null && groupCounts(hour, grouping, group).requests <= requests)) continue
        if (!this.#filter.passes(grouping, group)) continue
      }
      const hits = affected === null ? refusals : (affected[group] ?? 0)
      const total = totals === null ? requests : (totals[group] ?? 0)
      const reading = this.#read(key, group, grouping.labels[group] ?? {}, { hits, total, refusals, requests })
      seen.add(key)
      if (reading.met || active.has(key)) readings.push(reading)
    }
    for (const key of active.keys()) {
      if (!seen.has(key)) readings.push(this.#read(key, noGroup, {}, { hits: 0, total: 0, refusals: 0, requests: 0 }))
    }
    return readings
  }

  #read(
    key: string,
    group: number,
    labels: GroupLabels,
    counts: { hits: number; total: number; refusals: number; requests: number },
  ): Reading {
    const windowMs = this.#rule.windowMs
    const input = { hits: counts.hits, total: counts.total, windowMs }
    const verdict = judgeThreshold(this.#condition, input)
    return {
      key,
      labels,
      group,
      met: verdict.met,
      calm: verdict.calm,
      value: verdict.value,
      windowMs,
      observed: counts.refusals,
      requests: counts.requests,
      expected: expectedAtBound(this.#condition, counts.total, windowMs),
      pValue: null,
      learning: false,
      memo: null,
      ...(this.#levels.length === 0 ? {} : { levels: this.#judgeLevels(input) }),
    }
  }

  #judgeLevels(input: ThresholdInput): LevelReading {
    let reached: Severity | null = null
    let kept: Severity | null = null
    for (const { severity, condition } of this.#levels) {
      const { met, calm } = judgeThreshold(condition, input)
      if (met) reached = severity
      if (!calm) kept = severity
    }
    return { reached, kept }
  }

  /** Tenants with enough refusals, by group. */
  #affected(sums: StepSums, grouping: Grouping): Float64Array {
    const fine = this.#groupings.get(this.#finePlan)
    const tenants = sums.sums(fine, this.#rule.windowMs)
    const groups = new Map(grouping.keys.map((key, group) => [key, group]))
    const counts = new Float64Array(grouping.size)
    const least = Math.max(1, this.#condition.minCount)
    for (let group = 0; group < fine.size; group++) {
      if ((tenants.refusals[group] ?? 0) < least) continue
      const { refusals, requests } = groupCounts(tenants, fine, group)
      if (refusals < this.#condition.minShare * requests) continue
      const labels = fine.labels[group] ?? {}
      const parent = groups.get(JSON.stringify(grouping.by.map((label) => labels[label] ?? '')))
      if (parent !== undefined) counts[parent] = (counts[parent] ?? 0) + 1
    }
    return counts
  }

  /** Refusals of any cause, by group: the whole that a share of refusals is taken of. */
  #allRefusals(sums: StepSums, grouping: Grouping): Float64Array {
    const whole = this.#groupings.get(this.#wholePlan)
    const totals = sums.sums(whole, this.#rule.windowMs)
    const groups = new Map(whole.keys.map((key, group) => [key, group]))
    return Float64Array.from(grouping.keys, (key) => totals.refusals[groups.get(key) ?? -1] ?? 0)
  }

  hold(): void {}

  release(): void {}

  adopt(): boolean {
    return false
  }

  learn(): void {}

  explain(): readonly string[] {
    const { measure, side, bound, recover, levels, confidence, minTotal, minCount } = this.#condition
    const sure = measure === 'ratio' ? ` with ${confidence * 100} % confidence, from ${minTotal} on` : ''
    return [
      `fires when ${measure} is ${side} ${bound}${sure}, with at least ${minCount} refusals`,
      ...(levels.length === 0
        ? []
        : [`severities: ${levels.map((one) => `${one.severity} ${side} ${one.bound}`).join(', ')}`]),
      `ends when it is back at ${recover} for the time in keep_firing_for`,
    ]
  }
}
