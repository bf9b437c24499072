import { concernsGroup, fullLabels, type Grouping, type GroupLabels } from './grouping.ts'
import { type Matcher, matchesAll } from './matcher.ts'
import type { Rule } from './rule.ts'
import type { Side } from './spike.ts'
import type { GroupSums, StepSums } from './step-sums.ts'

/** What a spike remembers of how it began, to judge when it is over. */
export interface Memo {
  readonly horizon: 0 | 1
  readonly side: Side
}

/** What a condition says of one group at one step. */
export interface Reading {
  readonly key: string
  readonly labels: GroupLabels
  /** The group's number in this step's grouping, `noGroup` if it has no traffic now. */
  readonly group: number
  /** Enough to become active. */
  readonly met: boolean
  /** Enough to end: the two differ, or alerts would flap. */
  readonly calm: boolean
  readonly value: number
  readonly windowMs: number
  readonly observed: number
  readonly requests: number
  readonly expected: number | null
  readonly pValue: number | null
  readonly learning: boolean
  readonly memo: Memo | null
}

/** One condition over all groups of its rule. What it keeps is a function of the steps it has seen. */
export interface Evaluator {
  readonly grouping: Grouping
  /** Readings of every group that is out of bounds, and of every active one (by key, with its memo). */
  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[]
  /** An alert on the group has become active, or has ended. */
  hold(key: string): void
  release(key: string, calmSinceMs: number | null): void
  /** Takes the group's present level for normal; false where a condition knows no normal. */
  adopt(key: string, sums: StepSums): boolean
  /** Learns from what has passed since the last step. */
  learn(sums: StepSums): void
  /** Sentences for `tollwatch explain`. */
  explain(key: string): readonly string[]
}

/** Filters the groups of a shared grouping by the matchers of one rule. */
export class GroupFilter {
  readonly #matchers: readonly Matcher[]
  #grouping: Grouping | null = null
  #known: Int8Array = new Int8Array(0)

  constructor(rule: Rule) {
    this.#matchers = groupMatchers(rule)
  }

  passes(grouping: Grouping, group: number): boolean {
    if (this.#matchers.length === 0) return true
    if (this.#grouping !== grouping || this.#known.length < grouping.size) {
      const known = new Int8Array(grouping.size * 2)
      if (this.#grouping === grouping) known.set(this.#known)
      this.#grouping = grouping
      this.#known = known
    }
    let known = this.#known[group] ?? 0
    if (known === 0) {
      known = matchesAll(this.#matchers, fullLabels(grouping.labels[group] ?? {})) ? 1 : -1
      this.#known[group] = known
    }
    return known === 1
  }
}

/** Matchers on what the groups are made of are tested once a group; the others must be tested on rows. */
export function rowMatchers(rule: Rule): readonly Matcher[] {
  return rule.matchers.filter((matcher) => !concernsGroup(matcher, rule.groupBy))
}

function groupMatchers(rule: Rule): readonly Matcher[] {
  return rule.matchers.filter((matcher) => concernsGroup(matcher, rule.groupBy))
}

/** Refusals and requests of one group. */
export function groupCounts(
  sums: GroupSums,
  grouping: Grouping,
  group: number,
): { refusals: number; requests: number } {
  return {
    refusals: sums.refusals[group] ?? 0,
    requests: sums.requests[grouping.exposureOf[group] ?? -1] ?? 0,
  }
}
