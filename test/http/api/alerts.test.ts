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
