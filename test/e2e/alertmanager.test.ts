import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { openReceivers } from '../../src/notify/receivers.ts'
import type { WebhookBody } from '../../src/notify/webhook.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { alertOf, desk, firing, minute, resolved, routingOf } from '../notify/sample.ts'
import { type Alertmanager, startAlertmanager } from '../support/alertmanager.ts'
import { describeWithAlertmanager } from '../support/available.ts'
import { type HttpSink, startHttpSink } from '../support/http-sink.ts'
import { waitFor } from '../support/process.ts'

describeWithAlertmanager('A real Alertmanager', () => {
  let sink: HttpSink
  let server: Alertmanager

  beforeAll(async () => {
    sink = await startHttpSink()
    server = await startAlertmanager({ webhook: `${sink.url}/grouped` })
  })

  afterEach(async () => {
    await server.stop()
    server = await startAlertmanager({ webhook: `${sink.url}/grouped` })
  })

  afterAll(async () => {
    await server?.stop()
    await sink?.close()
  })

  /** The clock is moved by hand but begins now: to Alertmanager an end in the past is an end. */
  async function open() {
    const now = Date.now()
    const routing = routingOf(`
route: {receiver: am}
receivers: [{name: am, alertmanager_configs: [{urls: ['${server.url}']}]}]
`)
    const receivers = openReceivers(routing, { log: silentLog })
    const series = (tenant: string, api: string) =>
      alertOf({ labels: { tenant, api, cause: '' }, activeAtMs: now - minute, evaluatedAtMs: now })
    return { now, series, ...(await desk(routing, { receivers, clock: new ManualClock(now) })) }
  }

  /** The newest message about a tenant. */
  const newest = (tenant: string) =>
    sink.posts.map(({ body }) => body as WebhookBody).findLast(({ groupLabels }) => groupLabels['tenant'] === tenant)

  test('takes our alerts, groups them, and hears of their end', async () => {
    const { now, series, dispatcher, pass } = await open()
    const alerts = [series('acme', 'chat'), series('acme', 'search'), series('birch', 'chat')]
    await dispatcher.accept(alerts.map(firing))
    await pass(1_000)
    const shown = await waitFor('three alerts', async () => {
      const all = await server.alerts()
      return all.length === 3 && all
    })
    const chat = shown.find(({ labels }) => labels['tenant'] === 'acme' && labels['api'] === 'chat')
    expect(chat?.labels).toEqual({
      ...{ tenant: 'acme', api: 'chat', alertname: 'QuotaExhaustionSpike', rule: 'QuotaExhaustionSpike' },
      severity: 'page',
    })
    expect(Date.parse(chat?.startsAt ?? '')).toBe(now - minute)
    expect(Date.parse(chat?.endsAt ?? '')).toBe(now + 1_000 + 4 * minute)
    expect(chat?.generatorURL).toBe('http://127.0.0.1:8402/?tenant=acme&api=chat')
    await waitFor('both groups', () => newest('acme')?.alerts.length === 2 && newest('birch')?.alerts.length === 1)
    await dispatcher.accept(alerts.slice(0, 2).map((alert) => resolved(alert, now - 1_000)))
    await pass(1_000)
    await waitFor('the end of one group', () => newest('acme')?.status === 'resolved')
    expect(newest('acme')?.alerts.map(({ status }) => status)).toEqual(['resolved', 'resolved'])
    expect((await server.alerts()).map(({ labels }) => labels['tenant'])).toEqual(['birch'])
  })

  test('that was restarted and has forgotten everything knows it again after one resend', async () => {
    const { series, dispatcher, pass } = await open()
    await dispatcher.accept([firing(series('cedar', 'chat'))])
    await pass(1_000)
    await waitFor('the alert', async () => (await server.alerts()).length === 1)
    const port = Number(new URL(server.url).port)
    await server.stop()
    await pass(minute)
    server = await startAlertmanager({ webhook: `${sink.url}/grouped`, port })
    expect(await server.alerts()).toEqual([])
    await pass(minute)
    expect((await server.alerts()).map(({ labels }) => labels['tenant'])).toEqual(['cedar'])
  })

  test('takes another severity for another alert, and the former is over', async () => {
    const { now, series, dispatcher, pass } = await open()
    const ticket = { ...series('dale', 'chat'), severity: 'ticket' as const }
    await dispatcher.accept([firing(ticket)])
    await pass(1_000)
    await dispatcher.accept([{ from: 'firing', alert: { ...ticket, severity: 'page', evaluatedAtMs: now + 1 } }])
    await pass(1_000)
    const severities = await waitFor('the new severity', async () => {
      const all = (await server.alerts()).map(({ labels }) => labels['severity'])
      return all.includes('page') && !all.includes('ticket') && all
    })
    expect(severities).toEqual(['page'])
  })
})
