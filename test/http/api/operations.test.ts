import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../../../src/fault/fault.ts'
import { silentLog } from '../../../src/fault/log.ts'
import { MemoryState } from '../../../src/history/state.ts'
import { AuditLog } from '../../../src/http/audit.ts'
import { ManualClock } from '../../../src/time/clock.ts'
import { dayMs } from '../../../src/time/duration.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldDeps } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

const json = { 'content-type': 'application/json' }

describe('the audit log', () => {
  test('has what was done and by whom, the newest first', async () => {
    const clock = new ManualClock(noon)
    const token = 'anna-token-of-many-letters'
    const audit = await AuditLog.open(new MemoryState(), clock)
    client = await startServer({ clock, audit }, { tokens: [{ name: 'anna', token, scopes: ['operate', 'read'] }] })
    const headers = { ...json, authorization: `Bearer ${token}` }
    const body = JSON.stringify({ matchers: ['tenant="acme"', 'api="chat"'], duration: '1h' })
    await client.ask('/api/v1/silences', { method: 'POST', headers, body })
    await clock.advance(1_000)
    await client.ask('/api/v1/silences/s1', { method: 'DELETE', headers })
    await client.ask('/api/v1/silences/s9', { method: 'DELETE', headers })
    await client.ask('/api/v1/drills', { method: 'POST', headers, body: '{"receiver":"oncall"}' })
    // What was not understood was not tried, and looking is no operation.
    await client.ask('/api/v1/silences', { method: 'POST', headers, body: '{}' })
    await client.ask('/api/v1/silences', { headers })
    const { rows, next } = (await client.ask('/api/v1/audit', { headers })).json
    expect(next).toBeNull()
    expect(rows.map(({ who, what, target, result }: Record<string, string>) => [who, what, target, result])).toEqual([
      ['anna', 'drill started', 'for the receiver oncall', 'done'],
      ['anna', 'silence ended', 'silence s9', 'refused with 404'],
      ['anna', 'silence ended', 'silence s1', 'done'],
      ['anna', 'silence added', 'of tenant="acme" api="chat" until 1h later', 'done'],
    ])
    expect(rows[3].at).toBe(formatInstant(noon))
  })

  test('comes page by page', async () => {
    const clock = new ManualClock(noon)
    const audit = await AuditLog.open(new MemoryState(), clock)
    for (let at = 0; at < 5; at++) await audit.add({ who: 'a', what: 'w', target: String(at), result: 'done' })
    client = await startServer({ clock, audit })
    const targets: string[] = []
    for (let cursor = ''; ; ) {
      const page = (await client.ask(`/api/v1/audit?limit=2${cursor}`)).json
      targets.push(...page.rows.map(({ target }: { target: string }) => target))
      if (page.next === null) break
      cursor = `&cursor=${page.next}`
    }
    expect(targets).toEqual(['4', '3', '2', '1', '0'])
  })

  test('is there again after a restart, and forgets the oldest', async () => {
    const store = new MemoryState()
    const clock = new ManualClock(noon)
    const entry = { who: 'a', what: 'w', result: 'done' }
    const first = await AuditLog.open(store, clock)
    await first.add({ ...entry, target: 'old' })
    await clock.advance(200 * dayMs)
    await first.add({ ...entry, target: 'new' })
    const again = await AuditLog.open(store, clock)
    expect(again.list().map(({ target }) => target)).toEqual(['new', 'old'])
    await clock.advance(200 * dayMs)
    await again.add({ ...entry, target: 'newest' })
    expect((await AuditLog.open(store, clock)).list().map(({ target }) => target)).toEqual(['newest', 'new'])
    for (let at = 0; at < 5_010; at++) await again.add({ ...entry, target: String(at) })
    expect(again.list()).toHaveLength(5_000)
    expect((await store.load('audit')).size).toBe(5_000)
  })

  test('an operation is done also when it cannot be noted, which the log then says', async () => {
    const said: unknown[] = []
    const log = { ...silentLog, error: (message: string, fields?: object) => void said.push({ message, ...fields }) }
    const audit = {
      add: async () => {
        throw new Fault('store-unreachable', 'away', { retryable: true })
      },
      list: () => [],
    }
    client = await startServer({ log, audit })
    const asked = { method: 'POST', headers: json, body: '{"matchers":["tenant=\\"acme\\""],"duration":"1h"}' }
    expect((await client.ask('/api/v1/silences', asked)).status).toBe(201)
    expect(said).toMatchObject([{ what: 'silence added', who: 'loopback', result: 'done' }])
    expect(JSON.stringify(said)).not.toContain('acme')
  })
})

describe('GET /api/v1/health-report', () => {
  test('tells of inputs, dead letters, the last proof and the messages', async () => {
    client = await startServer({ clock: new ManualClock(noon), ready: () => ['Kafka does not answer'] })
    expect((await client.ask('/api/v1/health-report')).json).toMatchObject({
      lanes: [{ label: 'gateway-logs/0', lag: 12, position: 4_711, problem: null }],
      dead_letters: { last_hour: 3, by_reason: { 'not-json': 3 } },
      verify: { ok: true, at: '2026-05-01T11:50:00.000Z' },
      notifications: { oncall: { ok: 3, failed: 1, waiting: 0 } },
      lateness_ms: 30_000,
      problems: ['Kafka does not answer'],
    })
  })

  test('still answers while history is away', async () => {
    const away = async () => {
      throw new Fault('store-unreachable', 'ClickHouse does not answer', { retryable: true })
    }
    client = await startServer({ facts: { ...worldDeps().facts, deadLetterReasons: away, lastFired: away } })
    const { status, json: report } = await client.ask('/api/v1/health-report')
    expect([status, report.dead_letters]).toEqual([200, null])
    const { rules } = (await client.ask('/api/v1/rules')).json
    expect(rules[0].last_fired).not.toBeNull()
  })
})

describe('/mcp', () => {
  test('hands the request over with who asks, to those who may look at everything', async () => {
    const token = (name: string) => `${name}-token-of-many-letters`
    const tokens = [
      { name: 'reader', token: token('reader'), scopes: ['read'] },
      { name: 'shipper', token: token('shipper'), scopes: ['ingest'] },
      { name: 'acme', token: token('acme'), scopes: ['tenant:acme'] },
    ]
    client = await startServer(
      {
        mcp: async ({ response, json: body, caller }) => {
          response.writeHead(200, { 'content-type': 'application/json' })
          response.end(JSON.stringify({ body, who: caller.name }))
        },
      },
      { tokens },
    )
    const ask = (name: string, more: object = {}) =>
      client?.ask('/mcp', {
        method: 'POST',
        headers: { ...json, authorization: `Bearer ${token(name)}`, ...more },
        body: '{"id":1}',
      })
    const answer = await ask('reader')
    expect(answer?.json).toEqual({ body: { id: 1 }, who: 'reader' })
    expect(answer?.headers['x-content-type-options']).toBe('nosniff')
    expect([(await ask('shipper'))?.status, (await ask('acme'))?.status, (await ask('nobody'))?.status]).toEqual([
      403, 403, 401,
    ])
    expect((await ask('reader', { origin: 'https://elsewhere.example' }))?.status).toBe(403)
    expect((await ask('reader', { 'content-type': 'text/plain' }))?.status).toBe(415)
  })

  test('is not there where nothing answers it', async () => {
    client = await startServer()
    expect((await client.ask('/mcp', { method: 'POST', headers: json, body: '{}' })).status).toBe(404)
  })
})
