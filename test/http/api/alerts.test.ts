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
