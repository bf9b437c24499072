import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { openReceivers } from '../../src/notify/receivers.ts'
import { testMessage } from '../../src/notify/test-message.ts'
import { openWebhook, type WebhookBody } from '../../src/notify/webhook.ts'
import { type HttpSink, startHttpSink } from '../support/http-sink.ts'
import { alertOf, context, desk, eleven, firing, minute, resolved, routingOf } from './sample.ts'

let sink: HttpSink

beforeEach(async () => {
  sink = await startHttpSink()
})

afterEach(() => sink.close())

const bodies = () => sink.posts.map(({ body }) => body as WebhookBody)

function routing(more = '', environment: Record<string, string> = {}) {
  return routingOf(
    `
route: {receiver: programs, group_by: [tenant], group_wait: 1s, group_interval: 10s}
receivers: [{name: programs, webhook_configs: [{url: '${sink.url}/hook?key=secret', timeout: 1500ms ${more}}]}]
`,
    environment,
  )
}

async function open(more?: string, environment?: Record<string, string>) {
  const read = routing(more, environment)
  return desk(read, { receivers: openReceivers(read, { log: silentLog }) })
}

const second = alertOf({ labels: { tenant: 'acme', api: 'search', cause: 'quota_exceeded' }, severity: 'ticket' })

test("speaks Alertmanager's webhook JSON, version 4", async () => {
  const { dispatcher, pass } = await open()
  await dispatcher.accept([firing(alertOf()), firing(second)])
  await pass(2_000)
  await dispatcher.accept([resolved(second, eleven + minute)])
  await pass(minute)
  await expect(`${JSON.stringify(bodies(), null, 2)}\n`).toMatchFileSnapshot('../golden/notify/webhook.json')
})

test('says how many alerts did not fit', async () => {
  const { dispatcher, pass } = await open(', max_alerts: 2')
  const alerts = ['a', 'b', 'c', 'd'].map((api) => alertOf({ labels: { tenant: 'acme', api } }))
  await dispatcher.accept(alerts.map(firing))
  await pass(2_000)
  expect(bodies().map(({ alerts: shown, truncatedAlerts }) => [shown.length, truncatedAlerts])).toEqual([[2, 2]])
})

test('is tried again until it is taken, with the same body', async () => {
  const troubles = [{ status: 500 }, { status: 429, retryAfter: 20 }, { hangUp: 'before' as const }, { delayMs: 1_700 }]
  sink.trouble = (attempt) => troubles[attempt - 1] ?? null
  const { dispatcher, pass, counted } = await open()
  await dispatcher.accept([firing(alertOf())])
  await pass(5 * minute)
  expect(counted.failed).toEqual(['server-error', 'rate-limited', 'connection', 'timeout'])
  // The last one that failed was taken after all: that is the doubling which at-least-once allows.
  expect(new Set(bodies().map((body) => JSON.stringify(body))).size).toBe(1)
  expect(counted.sent).toBe(1)
})

test('is dead at once when the body itself is refused', async () => {
  sink.trouble = () => ({ status: 422 })
  const { dispatcher, pass } = await open()
  await dispatcher.accept([firing(alertOf())])
  await pass(10_000)
  expect([sink.attempts(), dispatcher.status().dead, dispatcher.status().pending]).toEqual([1, 1, 0])
})

test('logs in as it is told', async () => {
  const bearer = await open(", http_config: {authorization: {credentials: '${TOKEN}'}}", { TOKEN: 'open-sesame' })
  const basic = await open(", http_config: {basic_auth: {username: me, password: '${WORD}'}}", { WORD: 'sesame' })
  for (const { dispatcher, pass } of [bearer, basic]) {
    await dispatcher.accept([firing(alertOf())])
    await pass(2_000)
  }
  expect(sink.posts.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer open-sesame',
    `Basic ${Buffer.from('me:sesame').toString('base64')}`,
  ])
})

test('keeps its address out of what it says of failures', async () => {
  const settings = { url: 'http://127.0.0.1:1/secret', authorization: null, maxAlerts: 10, timeoutMs: 5_000 }
  const message = testMessage('programs', 'programs/webhook/0', eleven, context)
  const delivery = await openWebhook(settings).deliver(message, { receipt: null })
  expect(delivery).toMatchObject({ kind: 'failed', reason: 'connection', final: false })
  expect(JSON.stringify(delivery)).not.toMatch(/secret|127\.0\.0\.1/)
})

test('a test message is one alert that says so', async () => {
  const settings = { url: sink.url, authorization: null, maxAlerts: 10, timeoutMs: 5_000 }
  const message = testMessage('programs', 'programs/webhook/0', eleven, context)
  await openWebhook(settings).deliver(message, { receipt: null })
  expect(bodies()[0]).toMatchObject({ status: 'firing', alerts: [{ labels: { alertname: 'TestMessage' } }] })
})
