import { formatDuration } from '../time/duration.ts'
import { lineOf, probe } from './probe.ts'
import type { Rule } from './rule.ts'
import type { Look } from './rule-test.ts'
import type { RuleTest } from './rule-test-file.ts'
import { playedRules, playRuleTest } from './rule-test-play.ts'

/** So many values before the moment that is looked at, and as many after it. */
const before = 5
const after = 2

/**
 * The values that led to what a test did not expect, a line for each evaluation interval: what the rule saw of the
 * series, and the first gate that it did not pass. Plays the test once more, since nobody watched the first time.
 */
export function traceOf(test: RuleTest, rules: readonly Rule[], intervalMs: number, look: Look): readonly string[] {
  const fromMs = look.atMs - before * intervalMs
  const toMs = look.atMs + after * intervalMs
  const rule = playedRules(test, rules).find(({ name }) => name === look.rule)
  if (rule === undefined) return []
  const lines: string[] = []
  playRuleTest(test, [rule], intervalMs, (runner, sums) => {
    const atMs = sums.atMs - test.startMs
    if (atMs < fromMs || atMs > toMs || atMs % intervalMs !== 0) return
    const [found] = probe(runner, sums, look.labels, 1)
    lines.push(`${formatDuration(atMs).padStart(8)}  ${found === undefined ? 'no such series' : lineOf(found)}`)
  })
  return lines
}
