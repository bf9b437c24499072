import { expect, test } from 'vitest'
import { RateLimit } from '../../src/http/rate-limit.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { startServer } from './support/client.ts'
import { noon } from './support/world.ts'

test('lets a burst through, then as many as come back each second', async () => {
  const clock = new ManualClock(noon)
  const limit = new RateLimit(clock, { perSecond: 2, burst: 3 })
  expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([null, null, null, 1])
  await clock.advance(500)
  expect([limit.take('a'), limit.take('a')]).toEqual([null, 1])
  await clock.advance(60_000)
  expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([null, null, null, 1])
})

test('keeps callers apart, and says how long a slow limit lasts', () => {
  const limit = new RateLimit(new ManualClock(noon), { perSecond: 0.1, burst: 1 })
  expect([limit.take('a'), limit.take('b'), limit.take('a')]).toEqual([null, null, 10])
})

test('forgets the caller that was quiet longest rather than grow', () => {
  const limit = new RateLimit(new ManualClock(noon), { perSecond: 1, burst: 1 })
  limit.take('first')
  for (let at = 0; at < 9_999; at++) limit.take(`c${at}`)
  expect(limit.take('first')).toBe(1)
  for (let at = 0; at < 10_000; at++) limit.take(`d${at}`)
  expect(limit.take('first')).toBeNull()
})

test('a clock that is set back fills no bucket and empties none', () => {
  let now = noon
  const limit = new RateLimit({ now: () => now, sleep: async () => {} }, { perSecond: 1, burst: 2 })
  limit.take('a')
  now -= 3_600_000
  expect([limit.take('a'), limit.take('a')]).toEqual([null, 1])
})

test('over HTTP too many questions are one 429 that says when to come again', async () => {
  const clock = new ManualClock(noon)
  const client = await startServer({ clock }, { reads_per_second: 1 })
  const statuses = []
  for (let at = 0; at < 5; at++) statuses.push((await client.ask('/api/v1/whoami')).status)
  expect(statuses).toEqual([200, 200, 200, 200, 429])
  const turnedAway = await client.ask('/api/v1/whoami')
  expect(turnedAway.headers['retry-after']).toBe('1')
  expect(turnedAway.headers['content-type']).toMatch(/^application\/problem\+json/)
  // The page, the probes and the log lines are let in all the same, and so are operations.
  expect((await client.ask('/')).status).toBe(200)
  expect((await client.ask('/healthz')).status).toBe(200)
  expect((await client.ask('/api/v1/ingest', { method: 'POST', body: '{}\n' })).status).toBe(200)
  expect((await client.ask('/api/v1/silences?id=none', { method: 'DELETE' })).status).toBe(404)
  await clock.advance(1_000)
  expect((await client.ask('/api/v1/whoami')).status).toBe(200)
  await client.close()
})

test('operations have their own limit', async () => {
  const client = await startServer({ clock: new ManualClock(noon) })
  const statuses = []
  for (let at = 0; at < 21; at++) {
    statuses.push((await client.ask('/api/v1/silences?id=none', { method: 'DELETE' })).status)
  }
  expect([statuses[0], statuses[19], statuses[20]]).toEqual([404, 404, 429])
  await client.close()
})

test('one token that asks too much leaves the others in peace, and guessing is slowed down', async () => {
  const tokens = ['reader-a', 'reader-b'].map((name) => ({
    name,
    token: `${name}-${'x'.repeat(20)}`,
    scopes: ['read'],
  }))
  const client = await startServer({ clock: new ManualClock(noon) }, { tokens, reads_per_second: 1 })
  const ask = (token: string) =>
    client.ask('/api/v1/whoami', { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status)
  const [a = '', b = ''] = tokens.map(({ token }) => token)
  for (let at = 0; at < 4; at++) await ask(a)
  expect([await ask(a), await ask(b)]).toEqual([429, 200])
  const guesses = []
  for (let at = 0; at < 5; at++) guesses.push(await ask(`guess-${at}`))
  expect(guesses).toEqual([401, 401, 401, 401, 429])
  expect(await ask(b)).toBe(200)
  await client.close()
})
