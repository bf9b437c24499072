import { type Grouping, noGroup, planGrouping } from './grouping.ts'
import type { InputHealth } from './input-health.ts'
import { matchesAll } from './matcher.ts'
import { type Evaluator, type Memo, type Reading, uncounted } from './reading.ts'
import type { Rule, StalledCondition } from './rule.ts'
import { spanText } from './span.ts'
import type { Groupings } from './step-sums.ts'
import { formatCount } from './summary.ts'

/**
 * Tells when an input is old or far behind. Event time stands still with the input, so steps tell it nothing: it is
 * judged by what is said of the inputs and when, and keeps nothing.
 */
export class StalledEvaluator implements Evaluator {
  readonly #rule: Rule
  readonly #condition: StalledCondition
  readonly #groupings: Groupings

  constructor(rule: Rule, condition: StalledCondition, groupings: Groupings) {
    this.#rule = rule
    this.#condition = condition
    this.#groupings = groupings
  }

  get grouping(): Grouping {
    return this.#groupings.get(planGrouping([], []))
  }

  /** Readings of the inputs that are stalled, and of every active one; an input that is gone counts as well. */
  read(inputs: readonly InputHealth[], active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    const readings: Reading[] = []
    const seen = new Set<string>()
    for (const input of inputs) {
      const key = JSON.stringify([input.topic])
      // Two inputs of one name are one; the first is taken.
      if (seen.has(key) || !matchesAll(this.#rule.matchers, { topic: input.topic })) continue
      seen.add(key)
      const reading = this.#judge(key, input)
      if (reading.met || active.has(key)) readings.push(reading)
    }
    for (const key of active.keys()) {
      if (seen.has(key)) continue
      const [topic = ''] = JSON.parse(key) as string[]
      readings.push(this.#judge(key, { topic, watermarkAgeMs: null, lagSeconds: null }))
    }
    return readings
  }

  #judge(key: string, { topic, watermarkAgeMs, lagSeconds }: InputHealth): Reading {
    const { watermarkAgeMs: mostAgeMs, lagSeconds: mostLag } = this.#condition
    const isOld = mostAgeMs !== null && watermarkAgeMs !== null && watermarkAgeMs > mostAgeMs
    const isBehind = mostLag !== null && lagSeconds !== null && lagSeconds > mostLag
    const age = watermarkAgeMs === null ? '' : `its newest records are ${spanText(watermarkAgeMs)} old`
    const lag = lagSeconds === null ? '' : `it is ${spanText(lagSeconds * 1000)} behind`
    const state = [age, lag].filter((text) => text !== '').join(', ')
    const limits = [
      mostAgeMs === null ? '' : `age ${spanText(mostAgeMs)}`,
      mostLag === null ? '' : `lag ${formatCount(mostLag)} s`,
    ].filter((text) => text !== '')
    const facts = [{ label: 'Limit', text: limits.join(', ') }]
    if (watermarkAgeMs !== null) facts.unshift({ label: 'Newest record', text: `${spanText(watermarkAgeMs)} old` })
    if (lagSeconds !== null) facts.unshift({ label: 'Lag', text: spanText(lagSeconds * 1000) })
    const stalled = `The input ${topic} has stalled${state === '' ? '' : `: ${state}`}; rules judge nothing new until it goes on`
    const fresh = `The input ${topic} goes on${state === '' ? '' : `: ${state}`}`
    return {
      ...uncounted,
      key,
      labels: { topic },
      group: noGroup,
      met: isOld || isBehind,
      calm: !isOld && !isBehind,
      value: isBehind && !isOld ? (lagSeconds ?? 0) : (watermarkAgeMs ?? 0) / 1000,
      facts,
      words: { now: stalled, calm: fresh, over: `The input ${topic} goes on` },
    }
  }

  evaluate(): readonly Reading[] {
    return []
  }

  hold(): void {}

  release(): void {}

  adopt(): boolean {
    return false
  }

  learn(): void {}

  explain(): readonly string[] {
    const { watermarkAgeMs, lagSeconds } = this.#condition
    const age = watermarkAgeMs === null ? '' : `the newest records are more than ${spanText(watermarkAgeMs)} old`
    const lag = lagSeconds === null ? '' : `it is more than ${formatCount(lagSeconds)} s behind`
    return [`fires when ${[age, lag].filter((text) => text !== '').join(', or ')}, by the clock`]
  }
}
