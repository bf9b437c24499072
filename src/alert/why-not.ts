import { type Cause, causes, familyOf } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import type { WindowView } from '../window/view.ts'
import type { Alert, Transition } from './alert.ts'
import { Backtest } from './backtest.ts'
import { formatMatcher } from './matcher.ts'
import { type Probe, probe } from './probe.ts'
import type { Rule } from './rule.ts'
import type { RuleRunner } from './rule-runner.ts'

/** Series that are looked at; the busiest ones. */
const mostSeries = 3
/** So many minutes before the moment that is asked about. */
const trailMinutes = 10
/** Changes of alerts that are remembered; the oldest are forgotten first. */
const mostChanges = 200

export interface WhyNotQuestion {
  /** Every rule that may have a say: others inhibit. */
  readonly rules: readonly Rule[]
  /** The one that is asked about. */
  readonly rule: Rule
  readonly labels: Readonly<Record<string, string>>
  readonly atMs: EpochMs
  readonly baselineSeriesLimit: number
}

/** A change of an alert with the labels that are asked about. */
export interface StateChange {
  readonly atMs: EpochMs
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'inactive' | Alert['state']
}

/** Why there was no alert, or that there was one. */
export interface WhyNotAnswer {
  /** What the rule saw at the moment, the busiest series first. */
  readonly series: readonly Probe[]
  /** What it saw of the first of them in the minutes before. */
  readonly trail: readonly Probe[]
  readonly changes: readonly StateChange[]
  /** What else there is to know of the rule. */
  readonly status: readonly string[]
}

/** Lives through history up to a moment and looks closely at one rule at its end. */
export class WhyNot {
  readonly #question: WhyNotQuestion
  readonly #backtest: Backtest
  readonly #probes: (readonly Probe[])[] = []
  /** By series, as they stood at the minute before. */
  readonly #states = new Map<string, StateChange>()
  readonly #changes: StateChange[] = []
  #status: readonly string[] = []

  constructor(question: WhyNotQuestion) {
    this.#question = question
    this.#backtest = new Backtest(question.rules, {
      baselineSeriesLimit: question.baselineSeriesLimit,
      reportFromMs: Number.NEGATIVE_INFINITY,
      onEvaluated: (runner, sums) => {
        if (runner.rule.name !== question.rule.name) return
        this.#note(runner, sums.atMs)
        if (sums.atMs <= question.atMs - trailMinutes * minuteMs) return
        this.#probes.push(probe(runner, sums, question.labels, mostSeries))
        this.#status = runner.evaluator.status?.() ?? []
      },
    })
  }

  /** Judges the minute with which the windows end now. */
  step(view: WindowView): readonly Transition[] {
    return this.#backtest.step(view)
  }

  answer(): WhyNotAnswer {
    const series = this.#probes.at(-1) ?? []
    const [first] = series
    const trail = this.#probes.flatMap((minute) => minute.find(({ key }) => key === first?.key) ?? [])
    return { series, trail, changes: this.#changes, status: this.#status }
  }

  #note({ instances }: RuleRunner, atMs: EpochMs): void {
    for (const [key, { alert, clocks }] of instances) {
      if (this.#states.get(key)?.state === clocks.state || !this.#fits(alert.labels)) continue
      const change = { atMs, labels: alert.labels, state: clocks.state }
      this.#states.set(key, change)
      this.#add(change)
    }
    for (const [key, before] of this.#states) {
      if (instances.has(key)) continue
      this.#states.delete(key)
      // One that was resolved is forgotten a while later, which is no news.
      if (before.state === 'pending') this.#add({ ...before, atMs, state: 'inactive' })
    }
  }

  #add(change: StateChange): void {
    this.#changes.push(change)
    if (this.#changes.length > mostChanges) this.#changes.shift()
  }

  #fits(labels: Readonly<Record<string, string>>): boolean {
    return Object.entries(this.#question.labels).every(([name, value]) => (labels[name] ?? value) === value)
  }
}

/** Why a rule cannot raise an alert with these labels at all, as sentences; empty when it can. */
export function misfits(rule: Rule, labels: Readonly<Record<string, string>>): readonly string[] {
  const cause = causes.find((one): one is Cause => one === labels['cause'])
  const known: Readonly<Record<string, string>> = {
    ...(cause === undefined ? {} : { family: familyOf[cause] }),
    ...labels,
  }
  const left = rule.matchers.filter(({ label, test }) => known[label] !== undefined && !test(known[label] ?? ''))
  const by: readonly string[] = [...rule.groupBy, ...(rule.ownLabel === null ? [] : [rule.ownLabel])]
  const apart = Object.keys(labels).filter((name) => !by.includes(name) && !(name === 'family' && by.includes('cause')))
  const named = by.length === 0 ? 'everything together' : by.join(', ')
  return [
    ...left.map((matcher) => `${rule.name} looks only at ${formatMatcher(matcher)}`),
    ...apart.map(
      (name) => `${rule.name} does not tell series apart by ${name}, but by ${named}; ${name} is passed over`,
    ),
    ...(rule.mode === 'shadow' ? [`${rule.name} is on trial (mode: shadow): its alerts are told to nobody`] : []),
  ]
}
