import { formatDuration } from '../time/duration.ts'
import { type Probe, probe } from './probe.ts'
import type { Rule } from './rule.ts'
import type { Look } from './rule-test.ts'
import type { RuleTest } from './rule-test-file.ts'
import { playedRules, playRuleTest } from './rule-test-play.ts'
import { spanText } from './span.ts'
import { formatCount } from './summary.ts'

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

/** What a rule saw of a series at one step, on one line. */
export function lineOf({ labels, reading, state, gates }: Probe): string {
  const named = ['tenant', 'api', 'cause', 'quota', 'topic'].flatMap((name) => labels[name] ?? [])
  const failed = gates.find(({ passed }) => !passed)
  const verdict = failed === undefined ? 'all gates passed' : `fails: ${failed.text}`
  const { observed, requests, windowMs, expected } = reading
  const of = requests > 0 ? ` of ${formatCount(requests)}` : ''
  const usual = expected === null ? '' : `, ${Number(expected.toPrecision(3))} expected`
  const seen =
    windowMs === 0
      ? `value ${Number(reading.value.toPrecision(4))}`
      : `${formatCount(observed)}${of} in ${spanText(windowMs)}${usual}`
  return `${named.length === 0 ? 'all' : named.join(' ')}: ${seen}; ${state}; ${verdict}`
}
