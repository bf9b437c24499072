import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../../../src/time/clock.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldAlert } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

const clock = new ManualClock(noon)

test('answers alerts with the keys of the contract, and their numbers', async () => {
  client = await startServer({ clock })
  const { json } = await client.ask('/api/v1/alerts')
  expect(json.alerts).toHaveLength(1)
  expect(json.alerts[0]).toMatchObject({
    fingerprint: '5f1c0a9be2d47733',
    rule: 'PaymentRefusalSpike',
    state: 'firing',
    severity: 'page',
    labels: { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' },
    since: formatInstant(noon - 42 * 60_000),
    value: 55,
    annotations: { summary: 'acme is refused on chat: quota exceeded' },
    resolved_at: null,
    numbers: { observed: 55, requests: 1_004, expected: 2.04 },
  })
})

test('puts firing before pending, and pages before tickets', async () => {
  const alerts = [
    worldAlert(clock, { fingerprint: 'a', state: 'pending', severity: 'page' }),
    worldAlert(clock, { fingerprint: 'b', state: 'firing', severity: 'ticket' }),
    worldAlert(clock, { fingerprint: 'c', state: 'resolved', severity: 'page', resolvedAtMs: noon }),
    worldAlert(clock, { fingerprint: 'd', state: 'firing', severity: 'page' }),
  ]
  client = await startServer({ clock, alerts: () => alerts })
  const prints = async (path: string) =>
    (await client?.ask(path))?.json.alerts.map((alert: { fingerprint: string }) => alert.fingerprint)
  expect(await prints('/api/v1/alerts')).toEqual(['d', 'b', 'a', 'c'])
  expect(await prints('/api/v1/alerts?state=firing')).toEqual(['d', 'b'])
  expect((await client.ask('/api/v1/alerts?state=loud')).status).toBe(400)
})

test('names the tenant of an alert and those that contribute most, and nobody for a whole fleet', async () => {
  const one = worldAlert(clock)
  const top = [...one.numbers.top, { tenant: 'ember', api: 'chat', cause: 'unknown' as const, count: 2 }]
  const fleet = worldAlert(clock, {
    fingerprint: 'fleet',
    labels: { cause: 'quota_exceeded' },
    numbers: { ...one.numbers, top },
  })
  client = await startServer({ clock, alerts: () => [one, fleet] })
  const { json } = await client.ask('/api/v1/alerts')
  const names = json.alerts.map((alert: { tenant_name: string | null }) => alert.tenant_name)
  expect(names).toEqual(['Acme Instruments Ltd', null])
  // The labels identify the alert and stay what they were.
  expect(json.alerts[0].labels).toEqual(one.labels)
  expect(json.alerts[1].numbers.top).toEqual([
    { ...top[0], tenant_name: 'Acme Instruments Ltd' },
    { ...top[1], tenant_name: null },
  ])
})

test('explains an alert with who was told, who is not, and what comes next', async () => {
  client = await startServer({ clock })
  const { json } = await client.ask('/api/v1/alerts/5f1c0a9be2d47733/explain')
  const toldAt = noon - 41 * 60_000
  expect(json.sentences).toEqual([
    'It is as it is.',
    `the route severity="page" sends to oncall (oncall/slack/0), grouped by rule=PaymentRefusalSpike tenant=acme: told as page; its next reminder is due at ${formatInstant(toldAt + 4 * 3_600_000)}`,
    'the first route sends to log (log/log/0), grouped by rule=PaymentRefusalSpike tenant=acme: nothing was told yet; held back by the silence s1',
    `${formatInstant(toldAt)} message to oncall (oncall/slack/0), "[PAGE] acme": delivered at ${formatInstant(toldAt + 6_000)} after 2 attempts`,
  ])
  expect(json.ways[1]).toMatchObject({ receiver: 'log', told: null, muted_by: { by: 'silence', name: 's1' } })
  expect(json.messages).toMatchObject([{ id: 'm1', state: 'sent', attempts: 2, retry_at: null }])
})

test('still tells of messages when the rules have forgotten the alert, and knows nothing of others', async () => {
  client = await startServer({ clock, explain: () => null })
  const { json } = await client.ask('/api/v1/alerts/5f1c0a9be2d47733/explain')
  expect(json.sentences[0]).toMatch(/^the rules no longer know it/)
  expect((await client.ask('/api/v1/alerts/0000/explain')).status).toBe(404)
})
