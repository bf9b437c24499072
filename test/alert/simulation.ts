import type { Transition } from '../../src/alert/alert.ts'
import { RuleEngine } from '../../src/alert/engine.ts'
import { parseRules } from '../../src/alert/parse-rules.ts'
import type { Rule } from '../../src/alert/rule.ts'
import { ScriptedView, type SliceRow } from '../../src/alert/scripted-view.ts'
import { formatProblem } from '../../src/file/yaml-file.ts'

/** Random numbers that are the same in every run (a 32-bit linear congruential generator). */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
    for (let k = 0; k < 10; k++) this.uniform()
  }

  /** In (0, 1). */
  uniform(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return (this.#state + 0.5) / 2 ** 32
  }

  /** By Knuth's product below 30, by the normal approximation above. */
  poisson(mean: number): number {
    if (mean >= 30) {
      const normal = Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
    }
    const end = Math.exp(-mean)
    let count = -1
    for (let product = 1; product > end; product *= this.uniform()) count++
    return count
  }

  /** Batches arrive at random; each holds a geometric number of events with the given mean. */
  batches(mean: number, batchMean: number): number {
    let count = 0
    for (let batch = this.poisson(mean / batchMean); batch > 0; batch--) {
      count++
      while (this.uniform() > 1 / batchMean) count++
    }
    return count
  }
}

export const startMs: number = Date.UTC(2026, 2, 2, 9, 0, 0)

/** The rules of one group written as YAML; fails loudly when they are wrong. */
export function rulesOf(rules: string, group = 'interval: 10s'): readonly Rule[] {
  const indented = rules.replace(/^/gm, '      ')
  const parsed = parseRules([
    { file: 'test.rules.yaml', text: `version: 1\ngroups:\n  - name: test\n    ${group}\n    rules:\n${indented}\n` },
  ])
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.rules
}

export function engineOf(rules: readonly Rule[]): RuleEngine {
  return new RuleEngine(rules, { baselineSeriesLimit: 10_000 })
}

/** Pushes slices and steps the engine; gives the transitions with the seconds since the start. */
export function run(
  engine: RuleEngine,
  view: ScriptedView,
  slices: number,
  rowsAt: (slice: number) => readonly SliceRow[],
): { second: number; transition: Transition }[] {
  const found: { second: number; transition: Transition }[] = []
  for (let slice = 0; slice < slices; slice++) {
    view.push(rowsAt(slice))
    for (const transition of engine.step(view.endMs, view)) {
      found.push({ second: (view.endMs - startMs) / 1000, transition })
    }
  }
  return found
}

/** `60 inactive>firing`, for short expectations. */
export function moves(found: readonly { second: number; transition: Transition }[]): string[] {
  return found.map(({ second, transition: { from, alert } }) => `${second} ${from}>${alert.state}`)
}

export { ScriptedView }
