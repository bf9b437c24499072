import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runRuleTest } from '../../src/alert/rule-test.ts'
import { expandValues, parseRuleTests } from '../../src/alert/rule-test-file.ts'
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

function failuresOf(expectations: string, values = '_x9 20x9 _x10'): readonly string[] {
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
  return test === undefined ? ['no test'] : runRuleTest(test, rules, parsed.tests.intervalMs)
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
  it.each(['notification_test', 'route_test', 'events', 'generate'])('says that %s comes in a later release', (key) => {
    const parsed = parseRuleTests(`rule_files: [a]\ntests:\n  - {name: t, ${key}: []}\n`, 't.yaml')
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([
      `t.yaml:3: tests[0].${key} ${key} comes in a later release. Fix: take it out.`,
    ])
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
      expect.stringMatching(/^10 /),
      '9 the key wrong is not known',
    ])
  })

  it('reads the tests that come with Tollwatch', () => {
    const file = new URL('../../alerts/tests/starter.test.yaml', import.meta.url)
    expect(parseRuleTests(readFileSync(file, 'utf8'), 'starter.test.yaml')).toMatchObject({ ok: true })
  })
})
