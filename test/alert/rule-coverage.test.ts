import { describe, expect, test } from 'vitest'
import { coverageOf, survivors } from '../../src/alert/rule-coverage.ts'
import { mutantsOf } from '../../src/alert/rule-mutants.ts'
import { parseRuleTests } from '../../src/alert/rule-test-file.ts'
import { rulesOf } from './simulation.ts'

const rules = rulesOf(`- rule: Many
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: count, above: 5}
- rule: Share
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: ratio, above: 0.5, min_total: 10}`)

function testsOf(body: string) {
  const parsed = parseRuleTests(
    `rule_files: [x]
tests:
  - name: t
    input_series:
      - {series: 'requests{tenant="a",api="x"}', values: '100x9'}
      - {series: 'payment_required{tenant="a",api="x",cause="unknown"}', values: '6x4 5x4'}
${body}`,
    'x.test.yaml',
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.tests.tests
}

const pinned = testsOf(`    alert_rule_test:
      - {eval_time: 4m, rule: Many, exp_alerts: [{exp_labels: {tenant: a}}]}
    timeline_test:
      - {rule: Many, exp_firing: [1m..6m], tolerance: 20s}
`)

describe('coverage', () => {
  test('says which rule is never made to fire, and which never to keep silent', () => {
    expect(coverageOf(pinned, rules)).toEqual([
      { rule: 'Many', mustFire: true, mustNotFire: false },
      { rule: 'Share', mustFire: false, mustNotFire: false },
    ])
  })

  test('takes "no other alerts" as a wish for silence', () => {
    const tests = testsOf('    expect_no_other_alerts: true\n    only_rules: [Share]\n')
    expect(coverageOf(tests, rules).map(({ mustNotFire }) => mustNotFire)).toEqual([false, true])
  })
})

describe('mutants', () => {
  test('change every bound and comparison, one at a time', () => {
    const names = mutantsOf(rules[0]!).map(({ name }) => name)
    expect(names).toContain('Many: side above -> below')
    expect(names).toContain('Many: bound 5 -> 10')
    expect(names).toContain('Many: bound 5 -> 2')
    expect(names).toContain('Many: for 0 ms -> 60000 ms')
    expect(names).toContain('Many: keep_firing_for 0 ms -> 60000 ms')
    expect(new Set(names).size).toBe(names.length)
  })

  test('leave out what does not matter for the measure', () => {
    const fieldsOf = (place: number) => {
      const [rule] = rules.slice(place)
      if (rule === undefined) throw new Error('no such rule')
      return [...new Set(mutantsOf(rule).map(({ name }) => name.split(/[: ]+/)[1]))]
    }
    expect(fieldsOf(0)).toEqual(['for', 'keep_firing_for', 'side', 'bound', 'recover'])
    expect(fieldsOf(1)).toEqual([
      ...['for', 'keep_firing_for', 'side', 'bound', 'recover', 'minTotal', 'minCount', 'confidence'],
    ])
  })

  test('reach what is nested: levels, forecasts, burn windows and combined conditions', () => {
    const nested = rulesOf(`- rule: Levels
  group_by: [tenant]
  window: 5m
  condition: {type: threshold, measure: rate, levels: {ticket: 1, page: 3}}
- rule: Quota
  group_by: [tenant, quota]
  condition: {type: quota_forecast, levels: {page: 0.9}, forecast: {within: 24h}}
- rule: Burn
  group_by: [tenant]
  condition: {type: burn_rate, objective: 99, windows: [{long: 1h, short: 5m, factor: 14, severity: page}]}
- rule: Both
  group_by: [tenant]
  window: 5m
  condition:
    all:
      - {type: threshold, measure: ratio, above: 0.1}
      - {type: spike, direction: both}`)
    const names = nested.flatMap((rule) => mutantsOf(rule).map(({ name }) => name))
    expect(names).toEqual(
      expect.arrayContaining([
        'Levels: levels.ticket 1 -> 2',
        'Levels: levels.page 3 -> 6',
        'Quota: levels.page 0.9 -> 0.45',
        'Quota: forecast.probability 0.8 -> 0.4',
        'Burn: windows[0].factor 14 -> 7',
        'Burn: objective 0.99 -> 0.98',
        'Both: all -> any',
        'Both: all[0].bound 0.1 -> 0.2',
        'Both: all[1].direction both -> up',
        'Both: all[1].minRatio 2 -> 4',
      ]),
    )
  })

  test('survive where no test pins the value down', () => {
    const { tried, survived, untried } = survivors(pinned, rules, 60_000)
    expect(tried).toBeGreaterThan(5)
    expect(survived).not.toContain('Many: bound 5 -> 10')
    expect(survived).not.toContain('Many: bound 5 -> 2')
    expect(survived).not.toContain('Many: side above -> below')
    expect(survived.some((name) => name.startsWith('Share'))).toBe(false)
    expect(untried).toEqual(['Share'])
  })

  test('of a rule with a loose test survive where a tight test kills them', () => {
    const loose = testsOf('    alert_rule_test:\n      - {eval_time: 4m, rule: Many, exp_alerts: [{}]}\n')
    expect(survivors(loose, rules, 60_000).survived).toContain('Many: bound 5 -> 2')
  })
})
