import { describe, expect, test } from 'vitest'
import { parseRules } from '../../src/alert/parse-rules.ts'
import { parseRuleTests } from '../../src/alert/rule-test-file.ts'
import { playRuleTest } from '../../src/alert/rule-test-play.ts'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { checkNotifications } from '../../src/notify/notification-test.ts'
import { routingOf } from './sample.ts'

const rules = parseRules([
  {
    file: 'x.rules.yaml',
    text: `version: 1
groups:
  - name: g
    interval: 1m
    rules:
      - {rule: Many, group_by: [tenant], window: 1m, condition: {type: threshold, measure: count, above: 5}, severity: page}
      - {rule: Some, group_by: [tenant], window: 1m, condition: {type: threshold, measure: count, above: 2, min_count: 1}}
`,
  },
])

const routes = `
route:
  receiver: log
  group_by: [rule]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 10m
  routes:
    - {matchers: ['severity="page"'], receiver: oncall, continue: true, group_wait: 10s, group_by: [tenant]}
    - {matchers: ['rule="Some"'], receiver: none}
receivers:
  - name: oncall
    slack_configs: [{api_url: '\${HOOK}'}]
    email_configs: [{to: oncall@example.com}]
inhibit_rules:
  - {name: many hides some, source_matchers: ['rule="Many"'], target_matchers: ['rule="Some"'], equal: [tenant]}
global: {smtp_smarthost: 'mail.example.com:587', smtp_from: a@example.com}
`

/** Refusals of one tenant from the tenth to the twentieth minute, another one's five minutes later. */
async function failuresOf(expectations: string, routing = routes): Promise<readonly string[]> {
  const parsed = parseRuleTests(
    `
rule_files: [x]
notify_file: y
tests:
  - name: t
    input_series:
      - {series: 'requests{tenant="a",api="x"}', values: '100x40'}
      - {series: 'payment_required{tenant="a",api="x",cause="unknown"}', values: '_x10 20x9 _x20'}
      - {series: 'payment_required{tenant="b",api="x",cause="unknown"}', values: '_x15 20x4 _x20'}
${expectations.replace(/^/gm, '    ')}
`,
    't.yaml',
  )
  if (!parsed.ok || !rules.ok) throw new Error(parsed.ok ? 'rules' : parsed.problems.map(formatProblem).join('\n'))
  const [one] = parsed.tests.tests
  if (one === undefined) throw new Error('no test')
  const played = playRuleTest(one, rules.rules, parsed.tests.intervalMs)
  return checkNotifications(one, played, routingOf(routing, { HOOK: 'https://hooks.example.com/x' }))
}

describe('a notification test', () => {
  test('passes when each way of a receiver gets exactly these messages', async () => {
    expect(
      await failuresOf(`
notification_test:
  - receiver: oncall
    tolerance: 20s
    exp:
      - {at: 11m10s, status: firing}
      - {at: 16m10s, status: firing}
      - {at: 21m10s, status: resolved, in_thread_of: 0}
      - {at: 21m10s, status: resolved, in_thread_of: 1}
  - {receiver: none, exp: []}`),
    ).toEqual([])
  })

  test('counts reminders, and groups as the routes say', async () => {
    // With the second tenant's message five minutes later the next one is due in the fifteenth.
    const grouped = routes.replace('group_by: [tenant]', 'group_by: []')
    expect(
      await failuresOf(
        `
notification_test:
  - receiver: oncall
    exp: [{at: 11m10s}, {at: 16m20s, in_thread_of: 0}, {at: 21m30s, status: resolved, in_thread_of: 0}]`,
        grouped,
      ),
    ).toEqual([])
  })

  test.each([
    ['exp: []', /^oncall \(oncall\/email\/0\): 4 more than expected; it got:\n {2}11m10s \[PAGE\] /],
    ['exp: [{at: 5m}]', /message 0 \(firing at 5m\) came at 11m10s/],
    ['exp: [{at: 11m10s, status: resolved}]', /message 0 \(resolved at 11m10s\) is firing/],
    ['exp: [{at: 11m10s}, {at: 16m10s, in_thread_of: 0}]', /message 1 .* is not in the thread of message 0/],
    [
      'exp: [{at: 11m}, {at: 16m}, {at: 21m, status: resolved}, {at: 21m, status: resolved}, {at: 38m}]',
      /message 4 \(firing at 38m\) did not come/,
    ],
  ])('fails on %s', async (messages, reason) => {
    const failures = await failuresOf(`notification_test: [{receiver: oncall, ${messages}}]`)
    // One for each way of the receiver.
    expect(failures).toHaveLength(2)
    expect(failures[0]).toMatch(reason)
  })

  test('knows scheduled silences, time intervals and inhibition', async () => {
    const nothing = 'notification_test: [{receiver: oncall, exp: []}]'
    const silence = `
silences:
  - id: s
    matchers: ['rule="Many"']
    schedule: {rrule: 'FREQ=DAILY;BYHOUR=0', duration: 2h}
    created_by: ann
    comment: known
`
    const closed = `
time_intervals:
  - {name: evenings, time_intervals: [{times: [{start_time: '18:00', end_time: '22:00'}]}]}
`
    expect(await failuresOf(nothing, routes + silence)).toEqual([])
    expect(
      await failuresOf(nothing, routes.replace('continue: true', 'active_time_intervals: [evenings]') + closed),
    ).toEqual([])
    // Without inhibition the log would hear of the milder rule, too.
    const plain = routes.replace(
      '{matchers: [\'rule="Some"\'], receiver: none}',
      '{matchers: [\'x="y"\'], receiver: none}',
    )
    const some = 'only_rules: [Some]\nnotification_test: [{receiver: log, exp: []}]'
    const [heard] = await failuresOf(some, plain.replace(/inhibit_rules:\n.*\n/, ''))
    expect(heard).toMatch(/^log \(log\/log\/0\): \d more than expected/)
  })

  test('names the receivers there are when it asks for another', async () => {
    expect(await failuresOf('notification_test: [{receiver: nobody, exp: []}]')).toEqual([
      'there is no receiver nobody in the routes; they have: log, none, oncall',
    ])
  })
})

describe('a route test', () => {
  test('follows `continue` and the deepest match', async () => {
    expect(
      await failuresOf(`
route_test:
  - {labels: {severity: page, rule: Some}, exp_receivers: [oncall, none]}
  - {labels: {severity: info}, exp_receivers: [log]}`),
    ).toEqual([])
    expect(await failuresOf('route_test: [{labels: {severity: page}, exp_receivers: [log]}]')).toEqual([
      'routes for severity=page: expected log, got oncall',
    ])
  })
})
