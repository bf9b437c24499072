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

  it.each(['quota_forecast', 'burn_rate', 'absence', 'stalled_input', 'new_value'])(
    'says that %s comes in a later release',
    (type) => {
      expect(problemsOfRule(`- {rule: A, condition: {type: ${type}}}`)).toEqual([
        `1.yaml:5: groups[0].rules[0].condition.type the condition ${type} comes in a later release. Fix: use type: threshold or type: spike, or take the rule out.`,
      ])
    },
  )

  it.each([
    ['{rule: A, condition: {type: spike, baseline: {seasonal: hour_of_week}}}', /hour_of_week comes in a later/],
    ['{rule: A, mode: shadow, condition: {type: spike}}', /mode comes in a later/],
    ['{rule: A, no_data: alert, condition: {type: spike}}', /no_data: alert comes in a later/],
    ['{rule: A, condition: {all: []}}', /combining conditions with all/],
    ['{rule: A, condition: {type: threshold, measure: ratio, levels: {page: 1}}}', /levels comes in a later/],
    ['{condition: {type: spike}}', /has no name/],
    ['{rule: A, alert: A, condition: {type: spike}}', /both rule and alert/],
    ['{rule: A}', /condition is missing/],
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
    ])
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
