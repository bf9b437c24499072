import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runRuleTest } from '../../src/alert/rule-test.ts'
import { parseRuleTests, type RuleTest } from '../../src/alert/rule-test-file.ts'
import { expandValues, generateValues } from '../../src/alert/rule-test-series.ts'
import { traceOf } from '../../src/alert/rule-test-trace.ts'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { rulesOf } from './simulation.ts'

const rules = rulesOf(`
- rule: High
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: count, above: 5, min_count: 1}
- rule: Other
  group_by: [api]
  window: 1m
  condition: {type: threshold, measure: count, above: 50, min_count: 1}
`)

function testOf(expectations: string, values: string): RuleTest {
  const parsed = parseRuleTests(
    `
rule_files: [x.yaml]
tests:
  - name: t
    input_series:
      - {series: 'requests{tenant="a",api="x"}', values: '100x30'}
      - {series: 'payment_required{tenant="a",api="x",cause="unknown"}', values: '${values}'}
${expectations.replace(/^/gm, '    ')}
`,
    't.yaml',
  )
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  const [test] = parsed.tests.tests
  if (test === undefined) throw new Error('no test')
  return test
}

function failuresOf(expectations: string, values = '_x9 20x9 _x10'): readonly string[] {
  return runRuleTest(testOf(expectations, values), rules, 60_000)
}

describe('expandValues', () => {
  it.each([
    ['1 2 3', [1, 2, 3]],
    ['5x3', [5, 5, 5, 5]],
    ['1+2x3', [1, 3, 5, 7]],
    ['5-2x3', [5, 3, 1, 0]],
    ['_ 1 _x2 stale', [0, 1, 0, 0, 0]],
  ])('expands %j', (text, values) => expect(expandValues(text)).toEqual(values))

  it.each(['', 'a', '1+2', '1.5', '-1', '1x99999999'])('turns %j away', (text) => {
    expect(expandValues(text)).toEqual(expect.any(String))
  })
})

describe('generateValues', () => {
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length
  const spread = (values: readonly number[]) => {
    const centre = mean(values)
    return mean(values.map((one) => (one - centre) ** 2)) / centre
  }

  it.each([0.5, 4, 200])('makes Poisson counts with a mean of %d', (wanted) => {
    const values = generateValues({ process: 'poisson', mean: wanted, batch: 1, seed: 3 }, 20_000)
    expect(mean(values)).toBeCloseTo(wanted, wanted < 10 ? 1 : 0)
    expect(spread(values)).toBeCloseTo(1, 1)
  })

  it('makes batches that keep the mean and clump', () => {
    const values = generateValues({ process: 'batch', mean: 4, batch: 5, seed: 3 }, 40_000)
    expect(mean(values)).toBeCloseTo(4, 0)
    // Of a compound Poisson with geometric batches: twice the mean batch, less one.
    expect(spread(values)).toBeGreaterThan(8)
    expect(spread(values)).toBeLessThan(10)
  })

  it('gives the same counts for the same seed, and others for another', () => {
    const of = (seed: number) => generateValues({ process: 'poisson', mean: 3, batch: 1, seed }, 50)
    expect(of(7)).toEqual(of(7))
    expect(of(7)).not.toEqual(of(8))
  })
})

describe('traceOf', () => {
  it('shows the values that led to a failure, and the gate that was not passed', () => {
    const test = testOf(
      'alert_rule_test: [{eval_time: 9m, rule: High, exp_alerts: [{exp_labels: {tenant: a}}]}]',
      '_x5 4x9',
    )
    expect(traceOf(test, rules, 60_000, { rule: 'High', labels: { tenant: 'a' }, atMs: 9 * 60_000 })).toEqual([
      ...['4m', '5m'].map(
        (at) => `${at.padStart(8)}  a: 0 of 100 in 1 min, 5 expected; inactive; fails: count above 5: 0`,
      ),
      ...['6m', '7m', '8m', '9m', '10m', '11m'].map(
        (at) => `${at.padStart(8)}  a: 4 of 100 in 1 min, 5 expected; inactive; fails: count above 5: 4`,
      ),
    ])
    const nobody = traceOf(test, rules, 60_000, { rule: 'High', labels: { tenant: 'z' }, atMs: 60_000 })
    expect(nobody.at(-1)).toBe('      3m  no such series')
  })
})

describe('runRuleTest', () => {
  it('passes when all is as expected', () => {
    expect(
      failuresOf(`
alert_rule_test:
  - {eval_time: 8m, rule: High, exp_alerts: []}
  - eval_time: 12m
    rule: High
    exp_alerts: [{exp_labels: {tenant: a}, exp_annotations: {summary: '~^a is refused'}, exp_value: {min: 20, max: 20}}]
timeline_test:
  - {rule: High, exp_firing: ['9m20s..19m50s'], tolerance: 10s}
expect_no_other_alerts: true`),
    ).toEqual([])
  })

  it.each([
    ['alert_rule_test: [{eval_time: 12m, rule: High, exp_alerts: []}]', /High at 12m: not expected: High/],
    ['alert_rule_test: [{eval_time: 2m, rule: High, exp_alerts: [{}]}]', /nothing fires/],
    ['alert_rule_test: [{eval_time: 12m, rule: High, exp_alerts: [{exp_labels: {tenant: b}}]}]', /got tenant="a"/],
    ['alert_rule_test: [{eval_time: 12m, rule: High, exp_alerts: [{exp_value: {min: 21}}]}]', /got the value 20/],
    [
      'alert_rule_test: [{eval_time: 12m, rule: High, exp_alerts: [{exp_labels: {tenant: a}, match: exact}]}]',
      /more labels/,
    ],
    ['alert_rule_test: [{eval_time: 12m, rule: High, exp_alerts: [{exp_annotations: {summary: no}}]}]', /got summary/],
    ["timeline_test: [{rule: High, exp_firing: ['9m..15m']}]", /expected 9m..15m, got 9m20s..19m50s/],
    ['timeline_test: [{rule: High, exp_firing: []}]', /expected never/],
    ['timeline_test: [{rule: Nope, exp_firing: []}]', /no rule Nope.*High, Other/],
    ['only_rules: [High]\nexpect_no_other_alerts: true', /expected no other alerts, got at 9m20s: High/],
  ])('fails on %s', (expectations, message) => {
    expect(failuresOf(expectations).join('\n')).toMatch(message)
  })

  it('evaluates just the rules it is told to', () => {
    expect(failuresOf('only_rules: [Other]\nexpect_no_other_alerts: true')).toEqual([])
  })
})

describe('parseRuleTests', () => {
  const problemsOf = (text: string) => {
    const parsed = parseRuleTests(text, 't.yaml')
    return parsed.ok ? [] : parsed.problems.map(formatProblem)
  }

  it('says that events come in a later release', () => {
    expect(problemsOf('rule_files: [a]\ntests:\n  - {name: t, events: a.ndjson}\n')).toEqual([
      't.yaml:3: tests[0].events events comes in a later release. Fix: write input_series, whose values or generate stand for the traffic.',
    ])
  })

  it('wants routes for tests of notifications and routes, and traffic for all others', () => {
    const series = `input_series: [{series: 'requests{tenant="a",api="b"}', values: 1}]`
    const problems = problemsOf(`rule_files: [a]
tests:
  - {name: t, ${series}, notification_test: [{receiver: log, exp: []}]}
  - {name: u, route_test: [{labels: {a: b}, exp_receivers: [log]}]}
  - {name: v}
`)
    expect(problems.map((problem) => problem.replace(/ Fix: .*/, ''))).toEqual([
      't.yaml:3: tests[0].notification_test needs routes.',
      't.yaml:4: tests[1].route_test needs routes.',
      't.yaml:5: tests[2].input_series is missing or empty.',
    ])
  })

  it('takes a generator or values, and says when it gets both or neither', () => {
    const text = (values: string) =>
      `rule_files: [a]\ntests:\n  - name: t\n    input_series: [{series: 'requests{tenant="a",api="b"}'${values}}]\n`
    const both = ", values: '1', generate: {mean: 2, for: 1h}"
    for (const wrong of ['', both]) expect(problemsOf(text(wrong))[0]).toMatch(/needs values or generate/)
    expect(problemsOf(text(', generate: {mean: -1, for: 8d}'))).toHaveLength(2)
    const parsed = parseRuleTests(text(', generate: {process: batch, mean: 2, batch: 4, seed: 7, for: 3h}'), 't.yaml')
    const [series] = parsed.ok ? (parsed.tests.tests[0]?.series ?? []) : []
    expect(series?.values).toHaveLength(180)
  })

  it('reports all problems with their lines', () => {
    const text = `rule_files: [a]
tests:
  - name: t
    input_series:
      - {series: 'requests{tenant="a"}', values: '1x3'}
      - {series: 'payment_required{tenant="a",api="b",cause="typo"}', values: '1y3'}
    alert_rule_test: []
  - name: u
    wrong: 1
    input_series: []
`
    const parsed = parseRuleTests(text, 't.yaml')
    expect(parsed.ok ? [] : parsed.problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '5 requests{tenant="a"} lacks a tenant or an api',
      '6 payment_required{tenant="a",api="b",cause="typo"} needs a cause of the list',
      '6 1y3 is no value',
      '9 the key wrong is not known',
    ])
  })

  it('reads the tests that come with Tollwatch', () => {
    const file = new URL('../../alerts/tests/starter.test.yaml', import.meta.url)
    expect(parseRuleTests(readFileSync(file, 'utf8'), 'starter.test.yaml')).toMatchObject({ ok: true })
  })
})
