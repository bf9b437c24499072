import { describe, expect, it } from 'vitest'
import { parseRules } from '../../src/alert/parse-rules.ts'
import { loadRules } from '../../src/alert/rule-files.ts'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { rulesOf } from './simulation.ts'

function problemsOf(...texts: string[]): string[] {
  const parsed = parseRules(texts.map((text, at) => ({ file: `${at + 1}.yaml`, text })))
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

function problemsOfRule(rule: string): string[] {
  return problemsOf(`version: 1\ngroups:\n  - name: g\n    rules:\n${rule.replace(/^/gm, '      ')}\n`)
}

function warningsOfRule(rule: string): string[] {
  const text = `version: 1\ngroups:\n  - name: g\n    rules:\n${rule.replace(/^/gm, '      ')}\n`
  const parsed = parseRules([{ file: '1.yaml', text }])
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.warnings.map(formatProblem)
}

describe('parseRules', () => {
  it('fills in defaults', () => {
    const [rule] = rulesOf('- {alert: A, condition: {type: spike}}', 'labels: {team: billing}')
    expect(rule).toMatchObject({
      name: 'A',
      groupBy: ['tenant', 'api', 'cause'],
      intervalMs: 60_000,
      windowMs: 300_000,
      forMs: 0,
      keepFiringForMs: 900_000,
      severity: 'ticket',
      limit: 200,
      labels: { team: 'billing' },
      condition: {
        exposure: 'requests',
        alsoWindowMs: 3_600_000,
        halfLifeMs: 86_400_000,
        falseAlertsPerWeek: 1,
        minCount: 5,
        minRatio: 2,
        direction: 'up',
        maxTenantShare: 1,
      },
    })
  })

  it('recovers at eight tenths of the bound unless told otherwise', () => {
    const [rule] = rulesOf('- {rule: A, condition: {type: threshold, measure: ratio, above: 0.05}}')
    expect(rule?.condition).toMatchObject({ recover: 0.04, minTotal: 50, minCount: 5, confidence: 0.99 })
  })

  it('reports everything in all files at once, with lines and fixes', () => {
    const first = [
      'version: 2',
      'groups:',
      '  - name: a',
      '    interval: 7m',
      '    rules:',
      '      - rule: A',
      '        windw: 5m',
      '        window: 2h',
      '        condition: {type: threshold, measure: ration, above: 0.1}',
      '      - rule: B',
      '        matchers: [\'cause="quota_exeeded"\', \'plan="free"\']',
      '        condition: {type: spike, also_window: 1m}',
      "        annotations: {summary: '{{ labels.nope }}'}",
    ].join('\n')
    const second = 'version: 1\ngroups: [{name: x, rules: [{rule: C, condition: {type: burn_rate}}]}'
    expect(problemsOf(first, second)).toMatchInlineSnapshot(`
      [
        "1.yaml:1: version is wrong: expected 1. Fix: write version: 1.",
        "1.yaml:4: groups[0].interval does not divide a day. Fix: write 10s, 30s, 1m, 5m, or another multiple of 10s that divides a day.",
        "1.yaml:7: groups[0].rules[0].windw the key windw is not known. Fix: correct its spelling or take it out.",
        "1.yaml:8: groups[0].rules[0].window 2h is too long. Fix: write a duration from 10s to 1h in steps of 10s, such as 5m.",
        "1.yaml:9: groups[0].rules[0].condition.measure Invalid option: expected one of "ratio"|"rate"|"count"|"distinct(tenant)". Fix: use one of ratio, rate, count, distinct(tenant).",
        "1.yaml:11: groups[0].rules[1].matchers[0] no cause passes cause="quota_exeeded". Fix: the values are: invalid_payment_info, insufficient_funds, payment_failed, payment_gateway_error, quota_exceeded, billing_limit_exceeded, subscription_expired, authentication_missing, permission_denied, misconfiguration, resource_exhausted, unknown.",
        "1.yaml:11: groups[0].rules[1].matchers[1] there is no label plan to match. Fix: match any of tenant, api, cause, family.",
        "1.yaml:12: groups[0].rules[1].condition.also_window is not longer than window. Fix: write a duration longer than window, up to 1h.",
        "1.yaml:13: groups[0].rules[1].annotations.summary {{ labels.nope }} names a label that alerts of this rule do not have. Fix: this rule's alerts have: tenant, api, cause, family, rule, severity.",
        "2.yaml:2: is no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]. Fix: mend the syntax; indentation is in spaces, texts with {{ or : stand in quotes.",
      ]
    `)
  })

  it.each([
    ['quota_forecast', '{type: quota_forecast, levels: {info: 0.75, ticket: 0.9, page: 1.0}}', ['tenant'], 'quota'],
    ['burn_rate', '{type: burn_rate, objective: 99.5}', ['api'], null],
    ['absence', '{type: absence}', ['tenant'], null],
    ['stalled_input', '{type: stalled_input, watermark_age: 3m, or_lag_seconds: 120}', [], 'topic'],
    ['new_value', '{type: new_value, of: cause}', ['cause'], null],
  ])('knows what %s is grouped by', (type, condition, groupBy, ownLabel) => {
    const [rule] = rulesOf(`- {rule: A, condition: ${condition}}`)
    expect(rule).toMatchObject({ groupBy, ownLabel, condition: { type }, mode: 'live', noData: 'pause' })
  })

  it('reads every condition of the design with its defaults', () => {
    const rules = rulesOf(`
- rule: Levels
  condition: {type: threshold, measure: ratio, levels: {ticket: 0.05, page: 0.2}}
- rule: Low
  condition: {type: threshold, measure: count, levels: {ticket: 100, page: 10}}
- rule: Quota
  group_by: [tenant, api, quota]
  condition: {type: quota_forecast, forecast: {within: 24h}, rearm_on: [period_reset]}
- rule: Burn
  condition: {type: burn_rate, bad: payment_required, objective: 99.5, windows: google}
- rule: OwnBurn
  condition: {type: burn_rate, objective: 99, windows: [{long: 1h, short: 5m, factor: 10, severity: page}]}
- rule: Quiet
  condition: {type: absence, of: requests, longer_than: 1h, among: all}
- rule: Both
  condition: {all: [{type: spike}, {type: threshold, measure: count, above: 9}]}
  mode: shadow
  no_data: ok
`)
    const seconds = 1000
    expect(rules.map(({ condition }) => condition)).toMatchObject([
      { side: 'above', bound: 0.05, recover: 0.04, levels: [{ severity: 'ticket' }, { severity: 'page', bound: 0.2 }] },
      { side: 'below', bound: 100, recover: 125 },
      {
        levels: [],
        forecast: { withinMs: 86_400 * seconds, probability: 0.8, minUsed: 0.2 },
        rearmOn: ['period_reset'],
      },
      {
        objective: 0.995,
        minBad: 20,
        windows: [
          { longMs: 3600 * seconds, shortMs: 300 * seconds, factor: 14.4, severity: 'page' },
          { longMs: 21_600 * seconds, shortMs: 1800 * seconds, factor: 6, severity: 'page' },
          { longMs: 86_400 * seconds, shortMs: 7200 * seconds, factor: 3, severity: 'ticket' },
          { longMs: 259_200 * seconds, shortMs: 21_600 * seconds, factor: 1, severity: 'ticket' },
        ],
      },
      { windows: [{ factor: 10, severity: 'page' }] },
      { longerThanMs: 3600 * seconds, atLeastMs: 900 * seconds, top: null, learnMs: 0 },
      { type: 'all', conditions: [{ type: 'spike' }, { type: 'threshold', bound: 9 }] },
    ])
    expect(rules.at(-1)).toMatchObject({ mode: 'shadow', noData: 'ok', keepFiringForMs: 900_000 })
  })

  it('names the line and the field of a mistake inside a list', () => {
    const rule = [
      '- rule: A',
      '  condition:',
      '    all:',
      '      - {type: spike}',
      '      - {type: threshold, measure: ratio, above: 7}',
      '- rule: B',
      '  condition:',
      '    type: burn_rate',
      '    objective: 99',
      '    windows:',
      '      - {long: 1h, short: 5m, factor: 10}',
      '      - {long: 6h, short: 30m, factor: many}',
    ].join('\n')
    expect(problemsOfRule(rule)).toEqual([
      '1.yaml:9: groups[0].rules[0].condition.all[1].above a ratio is never above 1. Fix: write 0.05 for 5 %.',
      expect.stringMatching(
        /^1\.yaml:16: groups\[0\]\.rules\[1\]\.condition\.windows\[1\]\.factor is wrong: expected number.*Fix: write a number above 0/,
      ),
    ])
  })

  it.each([
    ['{rule: A, condition: {type: spike, baseline: {seasonal: hour_of_week}}}', /seasonal.*Fix: use none/],
    ['{rule: A, mode: off, condition: {type: spike}}', /mode.*Fix: use live, or shadow/],
    ['{rule: A, no_data: resolve, condition: {type: spike}}', /no_data.*Fix: use pause/],
    ['{rule: A, condition: {type: novelty}}', /condition\.type.*Fix: use one of threshold, spike, quota_forecast/],
    ['{rule: A, condition: {all: []}}', /all is no list.*at least two/],
    ['{rule: A, condition: {all: [{type: spike}]}}', /combines fewer than two/],
    ['{rule: A, condition: {any: [{type: spike}, {all: [{type: spike}]}]}}', /a combination inside a combination/],
    ['{rule: A, condition: {all: [{type: spike}, {type: spike}], type: spike}}', /stands beside all/],
    [
      '{rule: A, group_by: [tenant, quota], condition: {any: [{type: spike}, {type: quota_forecast, levels: {page: 1}}]}}',
      /quota_forecast cannot be combined/,
    ],
    [
      '{rule: A, condition: {all: [{type: spike}, {type: threshold, measure: count, levels: {page: 1}}]}}',
      /levels does not go with combined/,
    ],
    [
      '{rule: A, condition: {type: threshold, measure: ratio, above: 0.1, levels: {page: 0.2}}}',
      /has levels and a bound/,
    ],
    [
      '{rule: A, condition: {type: threshold, measure: ratio, levels: {info: 0.3, ticket: 0.1, page: 0.2}}}',
      /page: 0.2 is not beyond ticket: 0.1/,
    ],
    ['{rule: A, condition: {type: threshold, measure: ratio, levels: {}}}', /levels is empty/],
    ['{rule: A, condition: {type: threshold, measure: ratio, levels: {page: 20}}}', /never above 1/],
    ['{rule: A, condition: {type: quota_forecast}}', /neither levels nor forecast/],
    ['{rule: A, for: 5m, condition: {type: quota_forecast, levels: {page: 1}}}', /for makes a level wait/],
    ['{rule: A, condition: {type: quota_forecast, levels: {page: 90}}}', /more than ten times.*0\.9 for 90 %/],
    ['{rule: A, group_by: [tenant], condition: {type: quota_forecast, levels: {page: 1}}}', /lacks quota.*add quota/],
    ['{rule: A, group_by: [tenant, quota], condition: {type: spike}}', /quota is no label of spike/],
    [
      '{rule: A, group_by: [cause], condition: {type: burn_rate, objective: 99}}',
      /burn_rate looks at requests.*matchers on cause/,
    ],
    [
      '{rule: A, condition: {type: burn_rate, objective: 90}}',
      /14\.4 times the budget of 90 % is more than all requests.*objective above 93\.06/,
    ],
    [
      '{rule: A, condition: {type: burn_rate, objective: 99, windows: [{long: 1h, short: 2h, factor: 2}]}}',
      /short is not shorter than long/,
    ],
    [
      '{rule: A, condition: {type: burn_rate, objective: 99, windows: [{long: 1h, short: 5m, factor: 100}]}}',
      /windows\[0\]\.factor the window of 1h can never fire/,
    ],
    [
      '{rule: A, condition: {type: burn_rate, objective: 99.9, period: 2d}}',
      /the window of 3d is not shorter than the period/,
    ],
    ['{rule: A, condition: {type: burn_rate, objective: 100}}', /objective.*between 0 and 100/],
    ['{rule: A, condition: {type: absence, among: "top(many)"}}', /neither all nor top\(N\)/],
    ['{rule: A, group_by: [tenant, cause], condition: {type: absence}}', /take cause out/],
    ['{rule: A, condition: {type: stalled_input}}', /neither watermark_age nor or_lag_seconds/],
    ['{rule: A, group_by: [tenant], condition: {type: stalled_input, watermark_age: 3m}}', /an input has no tenant/],
    [
      '{rule: A, matchers: [\'tenant="a"\'], condition: {type: stalled_input, watermark_age: 3m}}',
      /no label tenant to match.*topic/,
    ],
    ['{rule: A, group_by: [tenant], condition: {type: new_value, of: cause}}', /cause is not in group_by/],
    ['{rule: A, labels: {no_data: x}, condition: {type: spike}}', /sets no_data/],
    ['{condition: {type: spike}}', /has no name/],
    ['{rule: A, alert: A, condition: {type: spike}}', /both rule and alert/],
    ['{rule: A}', /condition is missing.*write type: and one of/],
    ['{rule: A, condition: {type: threshold, measure: ratio}}', /neither above nor below/],
    ['{rule: A, condition: {type: threshold, measure: ratio, above: 1, below: 1}}', /both above and below/],
    ['{rule: A, condition: {type: threshold, measure: ratio, above: 5}}', /never above 1.*0\.05 for 5 %/],
    ['{rule: A, condition: {type: threshold, measure: ratio, above: 0.1, recover: 0.2}}', /wrong side/],
    ['{rule: A, condition: {type: threshold, measure: distinct(tenant), above: 3}}', /groups of one tenant/],
    ['{rule: A, condition: {type: threshold, measure: ratio, above: 0.1, over: refusals}}', /does not go with/],
    ['{rule: A, group_by: [tenant], condition: {type: spike, max_tenant_share: 0.5}}', /several tenants/],
    ['{rule: A, labels: {severity: page}, condition: {type: spike}}', /sets severity/],
    ['{rule: A, for: 5, condition: {type: spike}}', /for is wrong.*30s, 5m or 1h/],
    ['{rule: A, for: 5s, condition: {type: spike}}', /5s is not a multiple of 10s/],
    ['{rule: A, matchers: ["tenant=~\\"(\\""], condition: {type: spike}}', /no regular expression/],
    ['{rule: A, severity: red, condition: {type: spike}}', /info, ticket, page/],
  ])('turns away %s', (rule, message) => {
    expect(problemsOfRule(`- ${rule}`).join('\n')).toMatch(message)
  })

  it.each([
    [
      '{rule: A, condition: {type: threshold, measure: ratio, above: 0.1, min_total: 0}}',
      /min_total is 0: a single refused/,
    ],
    [
      '{rule: A, condition: {type: threshold, measure: ratio, above: 0.1, recover: 0.1}}',
      /recover is the bound itself/,
    ],
    [
      '{rule: A, condition: {type: threshold, measure: count, above: 2, min_count: 9}}',
      /min_count is 9, so the bound of 2/,
    ],
    [
      '{rule: A, for: 5m, condition: {type: threshold, measure: ratio, levels: {ticket: 0.1}}}',
      /for is 5m, longer than keep_firing_for/,
    ],
    [
      '{rule: A, severity: page, condition: {type: threshold, measure: ratio, levels: {ticket: 0.1}}}',
      /severity is decided by the levels/,
    ],
    ['{rule: A, severity: page, condition: {type: absence}}', /names no runbook/],
    ['{rule: A, window: 5m, condition: {type: absence}}', /window has no meaning for absence/],
    ['{rule: A, condition: {type: absence, longer_than: 5m}}', /at_least is 15m, longer than longer_than/],
    ['{rule: A, condition: {type: quota_forecast, levels: {page: 1}, rearm_on: []}}', /told once and never again/],
    [
      '{rule: A, condition: {type: burn_rate, objective: 99, windows: [{long: 1h, short: 30m, factor: 2}]}}',
      /close to its long one/,
    ],
    ['{rule: A, no_data: ok, condition: {type: stalled_input, watermark_age: 3m}}', /no_data has no meaning/],
  ])('warns of %s', (rule, message) => {
    expect(warningsOfRule(`- ${rule}`).join('\n')).toMatch(message)
  })

  it('has nothing to warn of in a rule that makes sense, with or without a runbook of its own', () => {
    expect(warningsOfRule('- {rule: A, severity: page, condition: {type: spike}}')).toEqual([])
    const named = '- {rule: A, severity: page, annotations: {runbook: r.md}, condition: {type: absence}}'
    expect(warningsOfRule(named)).toEqual([])
  })

  it('finds a name that is given twice, also in another file', () => {
    const text = 'version: 1\ngroups: [{name: g, rules: [{rule: A, condition: {type: spike}}]}]'
    expect(problemsOf(text, text)).toEqual([
      '2.yaml:2: groups[0].rules[0] the name A is taken by 1.yaml:2. Fix: give every rule a name of its own.',
    ])
  })

  it('matches the family of a cause', () => {
    expect(problemsOfRule('- {rule: A, matchers: [\'family="payment"\'], condition: {type: spike}}')).toEqual([])
    expect(problemsOfRule('- {rule: A, matchers: [\'family="money"\'], condition: {type: spike}}')[0]).toMatch(
      /payment, quota, access/,
    )
  })
})

describe('loadRules', () => {
  it('loads the rules that come with Tollwatch', () => {
    const loaded = loadRules(['shipped'], '/')
    expect(loaded.ok ? loaded.rules.map(({ name }) => name) : loaded.problems).toEqual([
      'PaymentRefusalSpike',
      'QuotaExhaustionSpike',
      'AccessRefusalSpike',
      'FleetWideSpike',
      'PaymentRefusalsHigh',
      'ManyTenantsRefused',
      'UnclassifiedCauses',
      'NewCause',
      'QuotaRunsOut',
      'SubscriptionEnds',
      'BudgetBurn',
      'BigTenantWentQuiet',
      'InputStalled',
    ])
    expect(loaded.ok ? loaded.warnings : null).toEqual([])
  })

  it('reports missing files and patterns without a match beside everything else', () => {
    const loaded = loadRules(['nowhere/*.yaml', 'missing.yaml'], '/')
    const problems = loaded.ok ? [] : loaded.problems.map(formatProblem)
    expect(problems).toEqual([
      expect.stringContaining('matches no file'),
      expect.stringMatching(/missing\.yaml: cannot be read/),
    ])
  })
})
