import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { openPagerduty, type PagerdutyEvent } from '../../src/notify/pagerduty.ts'
import { openReceivers } from '../../src/notify/receivers.ts'
import { testMessage } from '../../src/notify/test-message.ts'
import { type HttpSink, startHttpSink } from '../support/http-sink.ts'
import { alertOf, context, desk, eleven, firing, minute, resolved, routingOf } from './sample.ts'

let sink: HttpSink

beforeEach(async () => {
  sink = await startHttpSink()
})

afterEach(() => sink.close())

const events = () => sink.posts.map(({ body }) => body as PagerdutyEvent)
const told = () => events().map(({ event_action, dedup_key }) => `${event_action} ${dedup_key.split('@')[0]}`)

async function open(more = 'repeat_interval: 1h') {
  const routing = routingOf(
    `
route: {receiver: duty, group_by: [tenant], group_wait: 1s, group_interval: 10s, ${more}}
receivers:
  - name: duty
    pagerduty_configs: [{routing_key: '\${KEY}', url: '${sink.url}/v2/enqueue', severity: {ticket: error}}]
`,
    { KEY: 'key-of-the-integration' },
  )
  return desk(routing, { receivers: openReceivers(routing, { log: silentLog }) })
}

const series = (api: string, change: Parameters<typeof alertOf>[0] = {}) =>
  alertOf({ labels: { tenant: 'acme', api, cause: 'quota_exceeded' }, fingerprint: api, ...change })

test('opens an incident for each episode, says each once, and resolves it', async () => {
  const { dispatcher, pass } = await open()
  await dispatcher.accept([firing(series('chat')), firing(series('files', { severity: 'ticket' }))])
  await pass(minute)
  await dispatcher.accept([firing(series('search')), resolved(series('chat'), eleven + minute)])
  await pass(minute)
  await dispatcher.accept([
    resolved(series('files'), eleven + 2 * minute),
    resolved(series('search'), eleven + 2 * minute),
  ])
  await pass(minute)
  expect(told()).toEqual([
    'trigger tollwatch-chat',
    'trigger tollwatch-files',
    'resolve tollwatch-chat',
    'trigger tollwatch-search',
    'resolve tollwatch-files',
    'resolve tollwatch-search',
  ])
  await expect(`${JSON.stringify(events().slice(0, 3), null, 2)}\n`).toMatchFileSnapshot(
    '../golden/notify/pagerduty.json',
  )
})

test('a reminder opens again what somebody resolved by hand', async () => {
  const { dispatcher, pass } = await open('repeat_interval: 5m')
  await dispatcher.accept([firing(series('chat'))])
  await pass(6 * minute)
  expect(told()).toEqual(['trigger tollwatch-chat', 'trigger tollwatch-chat'])
})

test('events that were taken are not sent again when a later one fails', async () => {
  sink.trouble = (attempt) => (attempt === 2 ? { status: 500 } : attempt === 3 ? { status: 429, retryAfter: 30 } : null)
  const { dispatcher, pass } = await open()
  await dispatcher.accept([firing(series('chat')), firing(series('files'))])
  await pass(2 * minute)
  expect(told()).toEqual(['trigger tollwatch-chat', 'trigger tollwatch-files'])
  expect(sink.attempts()).toBe(4)
})

test('a flood opens the worst fifty and counts the rest, and everything is resolved', async () => {
  const { dispatcher, pass } = await open()
  const alerts = Array.from({ length: 70 }, (_, i) => series(`api-${i}`, { numbers: { observed: 1_000 - i } }))
  await dispatcher.accept(alerts.map(firing))
  await pass(minute)
  expect(events()).toHaveLength(50)
  expect(events()[0]?.payload?.['custom_details']).toMatchObject({
    more: '20 more alerts fire; they have no incident of their own',
  })
  await dispatcher.accept(alerts.map((alert) => resolved(alert, eleven + minute)))
  await pass(minute)
  expect(events().filter(({ event_action }) => event_action === 'resolve')).toHaveLength(70)
})

test('a test opens an incident and resolves it at once', async () => {
  const settings = {
    url: sink.url,
    routingKey: 'k',
    timeoutMs: 5_000,
    severities: { page: 'critical', ticket: 'warning', info: 'info' },
  } as const
  await openPagerduty(settings).deliver(testMessage('duty', 'duty/pagerduty/0', eleven, context), { receipt: null })
  expect(events().map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve'])
  expect(new Set(events().map(({ dedup_key }) => dedup_key)).size).toBe(1)
})
