import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../../src/time/clock.ts'
import { hourMs } from '../../../src/time/duration.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon } from '../support/world.ts'

let client: Client
beforeEach(async () => {
  client = await startServer({ clock: new ManualClock(noon) })
})
afterEach(() => client.close())

const headers = { 'content-type': 'application/json' }
const post = (body: unknown) => client.ask('/api/v1/silences', { method: 'POST', headers, body: JSON.stringify(body) })

test('adds, lists and ends a silence', async () => {
  const added = await post({ matchers: ['tenant="acme"'], duration: '2h', created_by: 'ann', comment: 'known' })
  expect(added.status).toBe(201)
  expect(added.json).toEqual({
    id: 's1',
    matchers: ['tenant="acme"'],
    starts_at: formatInstant(noon),
    ends_at: formatInstant(noon + 2 * hourMs),
    created_by: 'ann',
    comment: 'known',
    state: 'active',
  })
  expect((await client.ask('/api/v1/silences')).json.silences).toEqual([added.json])
  expect((await client.ask('/api/v1/silences/s1', { method: 'DELETE' })).json).toEqual({ expired: 's1' })
  expect((await client.ask('/api/v1/silences/s1', { method: 'DELETE' })).status).toBe(404)
})

test('ends a silence by ?id= too', async () => {
  await post({ matchers: ['tenant="acme"'], duration: '2h' })
  expect((await client.ask('/api/v1/silences?id=s1', { method: 'DELETE' })).status).toBe(200)
  expect((await client.ask('/api/v1/silences', { method: 'DELETE' })).json.errors[0].parameter).toBe('id')
})

test('takes a start to come and an end', async () => {
  const { json } = await post({ matchers: ['a=b'], starts_at: '+1h', ends_at: formatInstant(noon + 3 * hourMs) })
  expect(json).toMatchObject({ starts_at: formatInstant(noon + hourMs), state: 'scheduled' })
})

test.each([
  [{ duration: '2h' }, 'matchers'],
  [{ matchers: [], duration: '2h' }, 'matchers'],
  [{ matchers: ['a=b'] }, 'duration'],
  [{ matchers: ['a=b'], duration: '2h', ends_at: '+2h' }, 'duration'],
  [{ matchers: ['a=b'], ends_at: '-2h' }, 'ends_at'],
  [{ matchers: ['a=b'], duration: '400d' }, 'duration'],
  [{ matchers: ['a=b'], duration: '2h', color: 'red' }, 'color'],
  [[], 'body'],
])('refuses %j', async (body, parameter) => {
  const { status, json } = await post(body)
  expect(status).toBe(400)
  expect(json.errors[0].parameter).toBe(parameter)
})

test('passes on why a matcher cannot be read', async () => {
  const { status, json } = await post({ matchers: ['acme'], duration: '2h' })
  expect(status).toBe(400)
  expect(json.detail).toBe('a matcher needs a name and a value')
})

test('refuses what is no JSON without quoting it', async () => {
  const { status, text } = await client.ask('/api/v1/silences', { method: 'POST', headers, body: '{"token":"hunter2' })
  expect(status).toBe(400)
  expect(text).not.toContain('hunter2')
})

test('refuses another media type and a huge body', async () => {
  const plain = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }
  expect((await client.ask('/api/v1/silences', plain)).status).toBe(415)
  expect((await client.ask('/api/v1/silences', { method: 'POST', headers, body: ' '.repeat(70_000) })).status).toBe(413)
})
