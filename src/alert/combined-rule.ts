import type { EpochMs } from '../time/clock.ts'
import type { Grouping } from './grouping.ts'
import type { Evaluator, Memo, Reading } from './reading.ts'
import type { SimpleCondition } from './rule.ts'
import type { StepSums } from './step-sums.ts'

/** One of several conditions, with what judges it. */
export interface Part {
  readonly condition: SimpleCondition
  readonly evaluator: Evaluator
}

/**
 * Several conditions over the same groups. `all` holds while each of them does and is calm once one is; `any` holds
 * while one does and is calm once all are. The numbers are those of the first that holds.
 */
export class CombinedEvaluator implements Evaluator {
  readonly #kind: 'all' | 'any'
  readonly #parts: readonly Part[]

  constructor(kind: 'all' | 'any', parts: readonly Part[]) {
    this.#kind = kind
    this.#parts = parts
  }

  get grouping(): Grouping {
    const [first] = this.#parts
    if (first === undefined) throw new RangeError('a combined condition has parts')
    return first.evaluator.grouping
  }

  evaluate(sums: StepSums, active: ReadonlyMap<string, Memo | null>): readonly Reading[] {
    const found = this.#parts.map(({ evaluator }, at) => {
      const own = new Map<string, Memo | null>()
      for (const [key, memo] of active) own.set(key, memo?.parts?.[at] ?? null)
      return new Map(evaluator.evaluate(sums, own).map((reading) => [reading.key, reading]))
    })
    const readings: Reading[] = []
    for (const key of [...new Set(found.flatMap((part) => [...part.keys()]))].sort()) {
      const reading = this.#combine(found.map((part) => part.get(key)))
      if (reading !== null && (reading.met || active.has(key))) readings.push(reading)
    }
    return readings
  }

  /** A part that reads nothing of a group finds nothing wrong with it. */
  #combine(parts: readonly (Reading | undefined)[]): Reading | null {
    const met =
      this.#kind === 'all' ? parts.every((part) => part?.met === true) : parts.some((part) => part?.met === true)
    const calm =
      this.#kind === 'all' ? parts.some((part) => part?.calm !== false) : parts.every((part) => part?.calm !== false)
    const at = Math.max(
      0,
      parts.findIndex((part) => part?.met === true),
    )
    const shown = parts[at] ?? parts.find((part) => part !== undefined)
    const condition = this.#parts[parts.indexOf(shown)]?.condition
    if (shown === undefined || condition === undefined) return null
    const memos = parts.map((part) => part?.memo ?? null)
    const spike = memos.find((memo) => memo !== null)
    const memo: Memo | null = spike === undefined ? null : { ...spike, parts: memos }
    const facts = parts.flatMap((part) => part?.facts ?? [])
    const { levels: _, ends: __, ...rest } = shown
    return { ...rest, met, calm, memo, lead: condition, ...(facts.length === 0 ? {} : { facts }) }
  }

  hold(key: string): void {
    for (const { evaluator } of this.#parts) evaluator.hold(key)
  }

  release(key: string, calmSinceMs: EpochMs | null): void {
    for (const { evaluator } of this.#parts) evaluator.release(key, calmSinceMs)
  }

  /** One part that takes the present for normal ends `all`; `any` needs every one of them to. */
  adopt(key: string, sums: StepSums): boolean {
    const adopted = this.#parts.map(({ evaluator }) => evaluator.adopt(key, sums))
    return this.#kind === 'all' ? adopted.some((one) => one) : adopted.every((one) => one)
  }

  learn(sums: StepSums): void {
    for (const { evaluator } of this.#parts) evaluator.learn(sums)
  }

  explain(key: string): readonly string[] {
    const needed = this.#kind === 'all' ? 'all of these must hold' : 'one of these must hold'
    const texts = this.#parts.flatMap(({ condition, evaluator }) =>
      evaluator.explain(key).map((text) => `${condition.type}: ${text}`),
    )
    return [needed, ...texts]
  }

  status(): readonly string[] {
    return this.#parts.flatMap(({ evaluator }) => evaluator.status?.() ?? [])
  }

  kept(): { series: number; turnedAway: number } {
    const each = this.#parts.map(({ evaluator }) => evaluator.kept?.() ?? { series: 0, turnedAway: 0 })
    const sum = (of: 'series' | 'turnedAway') => each.reduce((total, one) => total + one[of], 0)
    return { series: sum('series'), turnedAway: sum('turnedAway') }
  }

  /** The parts, for what only their own kind can tell. */
  get evaluators(): readonly Evaluator[] {
    return this.#parts.map(({ evaluator }) => evaluator)
  }
}
