import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../../src/time/clock.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon } from '../support/world.ts'

let client: Client
beforeEach(async () => {
  client = await startServer({ clock: new ManualClock(noon) })
})
afterEach(() => client.close())

const headers = { 'content-type': 'application/json' }
const post = (body: unknown) => client.ask('/api/v1/drills', { method: 'POST', headers, body: JSON.stringify(body) })

test('starts a drill and tells how it stands', async () => {
  const { status, json } = await post({ rule: 'FleetWideSpike' })
  expect(status).toBe(201)
  expect(json).toMatchObject({ id: 'd1', rule: 'FleetWideSpike', severity: 'page', done: false, messages: [] })
  expect(json.started_at).toBe(formatInstant(noon))
  expect((await client.ask('/api/v1/drills/d1')).json).toEqual(json)
  expect((await client.ask('/api/v1/drills/d2')).status).toBe(404)
})

test.each([
  [{ severity: 'loud' }, 'severity'],
  [{ colour: 'red' }, 'colour'],
  [[], 'body'],
])('refuses %j', async (body, parameter) => {
  const { status, json } = await post(body)
  expect([status, json.errors[0].parameter]).toEqual([400, parameter])
})

test('passes on why a drill cannot be', async () => {
  const { status, json } = await post({ receiver: 'nobody' })
  expect([status, json.detail]).toEqual([400, 'there is no receiver "nobody"'])
})

test('takes no drill from another site, and none without the token', async () => {
  const foreign = { method: 'POST', headers: { ...headers, origin: 'https://elsewhere.example' }, body: '{}' }
  expect((await client.ask('/api/v1/drills', foreign)).status).toBe(403)
  const guarded = await startServer({}, { token: 'correct-horse-battery' })
  expect((await guarded.ask('/api/v1/drills', { method: 'POST', headers, body: '{}' })).status).toBe(401)
  await guarded.close()
})
