import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { routesFor } from '../../src/notify/routing.ts'
import { loadRouting, parseRouting } from '../../src/notify/routing-file.ts'
import { routingOf } from './sample.ts'

function problemsOf(yaml: string, environment: Record<string, string> = {}): readonly string[] {
  const readSecret = (file: string) => {
    if (file === 'empty') return ''
    throw Object.assign(new Error('no such file: /run/secrets/somewhere'), { code: 'ENOENT' })
  }
  const read = parseRouting(yaml, { file: 'notify.yaml', environment, readSecret })
  return read.ok ? [] : read.problems.map(formatProblem)
}

test('every problem comes at once, with its line and its fix', async () => {
  const problems = problemsOf(
    `global:
  smtp_smarthost: smtp.example.com
  smtp_auth_password: hunter2
  slack_api_url: \${NOT_SET}
  timezone: Mars/Olympus
route:
  receiver: nobody
  group_wait: soon
  mute_time_intervals: [nights]
  match: {severity: page}
  routes:
    - matchers: ['severity="page']
      receiver: 3
      grup_by: [tenant]
receivers:
  - name: two words
    slack_configs: [{channel: '#billing', api_url: 'https://hooks.example.com/T0/secret'}]
  - name: oncall
    email_configs: [{to: 'not an address', timeout: 5, send_resolved: false}, {}]
    pagerduty_configs: [{routing_key: R0-secret, severity: {page: fatal}}]
    webhook_configs: [{url: 'https://user:word@hooks.example.com/x', proxy_url: x}]
    alertmanager_configs: [{urls: ['am:9093'], resend_delay: 10d}]
    opsgenie_configs: []
time_intervals:
  - name: nights
    time_intervals:
      - {times: [{start_time: '22:00', end_time: '06:00'}, {start_time: '8am', end_time: '24:00'}]}
      - {weekdays: ['friday:monday', funday], days_of_month: ['-1:5', 0, '32'], months: [smarch], location: Mars/Olympus}
silences:
  - {id: x, matchers: ['cause'], schedule: {rrule: 3, duration: soon}, created_by: ' '}
heartbeat: {receiver: log, every: 1s}
`,
  )
  await expect(`${problems.join('\n')}\n`).toMatchFileSnapshot('../golden/notify/routing-problems.txt')
  expect(problems.join()).not.toMatch(/hunter2|T0\/secret|R0-secret|user:word/)
})

test('what does not fit together is found as well', async () => {
  const problems = problemsOf(
    `route:
  repeat_interval: 1m
  matchers: ['severity="page"']
  mute_time_intervals: [nights]
  routes:
    - {receiver: nowhere, active_time_intervals: [nights, days]}
receivers:
  - name: oncall
    email_configs: [{to: oncall@example.com, auth_username: someone}]
  - name: oncall
    slack_configs: [{}, {api_url_file: missing}, {api_url_file: empty}, {channel: '#x'}, {bot_token_file: empty}]
  - name: programs
    webhook_configs: [{}, {url: 'http://127.0.0.1/', http_config: {basic_auth: {username: a}, authorization: {}}}]
    pagerduty_configs: [{}]
  - name: tenants
    email_configs:
      - {to: a@example.com, smarthost: 'x:25', from: b@example.com, audience: external, fallback: log}
      - {to: '{{ tenant.contacts.billing }}', smarthost: 'x:25', from: b@example.com, fallback: tenants}
      - {to: '{{ tenant.contacts.billing }}', smarthost: 'x:25', from: b@example.com, fallback: nobody}
  - name: silent
time_intervals:
  - {name: nights, time_intervals: [{}]}
  - {name: nights, time_intervals: [{}]}
silences:
  - id: always
    matchers: ['tenant!="acme"']
    schedule: {rrule: 'FREQ=WEEKLY', duration: 60d}
    created_by: anna
    comment: no end
  - id: always
    matchers: ['tenant="acme"']
    schedule: {rrule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', duration: 1h}
    created_by: anna
    comment: never
heartbeat: {receiver: oncall}
`,
  )
  await expect(`${problems.join('\n')}\n`).toMatchFileSnapshot('../golden/notify/routing-misfits.txt')
})

test('a text that is no YAML says where', () => {
  expect(problemsOf('route: [1\n')[0]).toMatch(/^notify\.yaml:\d+: is no valid YAML/)
})

test('a file that is not there is a problem, not a crash', async () => {
  const loaded = await loadRouting('alerts/there-is-no-such-file.yaml', {})
  expect(loaded.ok ? [] : loaded.problems.map(({ message }) => message)).toEqual(['cannot be read: ENOENT'])
})

test('the file that comes with Tollwatch loads without any setting and sends to the log', async () => {
  const loaded = await loadRouting('alerts/notify.yaml', {})
  expect(loaded.ok ? [] : loaded.problems).toEqual([])
  if (!loaded.ok) return
  expect(routesFor(loaded.routing.root, { severity: 'page' }).map(({ receiver }) => receiver)).toEqual(['log'])
})

test('its examples load once their comments are taken off', async () => {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile('alerts/notify.yaml', 'utf8')
  const uncommented = text
    .replace('receivers: []', 'receivers:')
    .replace('time_intervals: []', 'time_intervals:')
    .replace('silences: []', 'silences:')
    .replace('# heartbeat', 'heartbeat')
    .replace(/^( {2,})# (?=[ \w-])(?!The zone|smarthost|tls_config)/gm, '$1')
  const environment = {
    SMTP_PASSWORD: 'open-sesame',
    SLACK_WEBHOOK_URL: 'https://hooks.example.com/x',
    SLACK_BOT_TOKEN: 'xoxb-open-sesame',
    PAGERDUTY_ROUTING_KEY: 'open-sesame',
    HOOK_TOKEN: 'open-sesame',
  }
  const read = parseRouting(uncommented, {
    ...{ file: 'notify.yaml', environment },
    readSecret: () => 'https://deadman.example.com/secret',
  })
  expect(read.ok ? [] : read.problems.map(formatProblem)).toEqual([])
  if (!read.ok) return
  const { routing } = read
  expect([...routing.receivers.values()].flat().map(({ key }) => key)).toEqual([
    ...['log/log/0', 'none/none/0', 'oncall/email/0', 'oncall/slack/0', 'oncall/pagerduty/0', 'accounts/email/0'],
    ...['tenants/email/0', 'programs/webhook/0', 'alertmanager/alertmanager/0', 'deadman/webhook/0'],
  ])
  expect(routing.inhibitRules).toHaveLength(7)
  expect(routing.heartbeat).toEqual({ receiver: 'deadman', everyMs: 60_000 })
  expect(routing.silences.map(({ id }) => id)).toEqual(['monthly-charge-run'])
  expect([...routing.timeIntervals.keys()]).toEqual(['office-hours', 'tenant-days'])
})

describe('routes', () => {
  const { root } = routingOf(`
route:
  receiver: log
  group_wait: 1s
  routes:
    - matchers: ['severity="page"']
      receiver: none
      continue: true
      group_wait: 2s
      routes:
        - matchers: ['tenant=~"a.*"']
          group_by: ['...']
    - matchers: ['cause!="unknown"']
      receiver: none
`)
  const taken = (labels: Record<string, string>) => routesFor(root, labels).map(({ key }) => key)

  test.each([
    [{ severity: 'info' }, ['{}/{cause!="unknown"}']],
    [{ severity: 'info', cause: 'unknown' }, ['{}']],
    [{ severity: 'page', cause: 'unknown' }, ['{}/{severity="page"}']],
    [{ severity: 'page', tenant: 'acme' }, ['{}/{severity="page"}/{tenant=~"a.*"}', '{}/{cause!="unknown"}']],
    [{ severity: 'page', tenant: 'big acme', cause: 'unknown' }, ['{}/{severity="page"}']],
  ])('%j go to %j', (labels, keys) => {
    expect(taken(labels)).toEqual(keys)
  })

  test('inherit what they leave out', () => {
    const [deepest] = routesFor(root, { severity: 'page', tenant: 'acme' })
    expect(deepest).toMatchObject({ receiver: 'none', groupWaitMs: 2_000, groupIntervalMs: 300_000, groupBy: 'all' })
  })
})
