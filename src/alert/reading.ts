import type { AlertFact } from './alert.ts'
import { concernsGroup, fullLabels, type Grouping, type GroupLabels } from './grouping.ts'
import type { LevelReading } from './levels.ts'
import { type Matcher, matchesAll } from './matcher.ts'
import type { Memory } from './memory.ts'
import type { Rule, SimpleCondition } from './rule.ts'
import type { Side } from './spike.ts'
import type { GroupSums, StepSums } from './step-sums.ts'

/** What a spike remembers of how it began, to judge when it is over. */
export interface Memo {
  readonly horizon: 0 | 1
  readonly side: Side
  /** Those of combined conditions, in their order. */
  readonly parts?: readonly (Memo | null)[]
}

/** Sentences with their capital, if they begin with a word of ours, and without their full stops, from conditions that know better than the general ones of `summary.ts`. */
export interface Words {
  readonly now: string
  /** Once it is calm, while the alert is kept. */
  readonly calm: string
  /** Once it has ended; how long it lasted is put behind it. */
  readonly over: string
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
  /** What else was measured, ready to be shown. */
  readonly facts?: readonly AlertFact[]
  /** For conditions that decide the severity. */
  readonly levels?: LevelReading
  /** The episode is over, whatever `keep_firing_for` says: what comes next is another matter. */
  readonly ends?: boolean
  readonly words?: Words
  /** Which of combined conditions the numbers are from. */
  readonly lead?: SimpleCondition
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
  /** Sentences about the rule itself: what it has seen so far, and why it says nothing where it cannot. */
  status?(): readonly string[]
  /** Series of which it remembers something, and those that found no room. */
  kept?(): { readonly series: number; readonly turnedAway: number }
  /** What it keeps between steps, in a fixed order. */
  memories?(): readonly Memory[]
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

/** The numbers of a reading that counts no refusals. */
export const uncounted = {
  windowMs: 0,
  observed: 0,
  requests: 0,
  expected: null,
  pValue: null,
  learning: false,
  memo: null,
} as const
