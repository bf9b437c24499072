import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { httpOptions } from '../../src/http/options.ts'
import { Tokens } from '../../src/http/tokens.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from './support/client.ts'
import { readEvents } from './support/event-reader.ts'
import { noon, worldAlert } from './support/world.ts'

const tokenOf = (name: string) => `${name}-token-of-many-letters`
const settings = {
  token: tokenOf('main'),
  tokens: [
    { name: 'reader', token: tokenOf('reader'), scopes: ['read'] },
    { name: 'operator', token: tokenOf('operator'), scopes: ['operate'] },
    { name: 'shipper', token: tokenOf('shipper'), scopes: ['ingest'] },
    { name: 'both', token: tokenOf('both'), scopes: ['read', 'operate'] },
    { name: 'acme', token: tokenOf('acme'), scopes: ['tenant:acme'] },
  ],
  reads_per_second: 10_000,
}

const { fingerprint } = worldAlert(new ManualClock(noon))

/** Every operation, what it takes to be let in, and whether a token of one tenant is. */
const operations: readonly (readonly [
  string,
  string,
  'open' | 'any' | 'read' | 'operate' | 'ingest',
  'own' | 'never',
])[] = [
  ['GET', '/healthz', 'open', 'own'],
  ['GET', '/readyz', 'open', 'own'],
  ['GET', '/api/v1/openapi.json', 'any', 'own'],
  ['GET', '/api/v1/whoami', 'any', 'own'],
  ['GET', '/api/v1/live', 'read', 'own'],
  ['GET', '/api/v1/stream', 'read', 'own'],
  ['GET', '/api/v1/tenants', 'read', 'never'],
  ['GET', '/api/v1/tenants/{tenant}', 'read', 'own'],
  ['GET', '/api/v1/trends', 'read', 'own'],
  ['GET', '/api/v1/summary', 'read', 'own'],
  ['GET', '/api/v1/minutes', 'read', 'own'],
  ['GET', '/api/v1/events', 'read', 'own'],
  ['GET', '/api/v1/alerts', 'read', 'own'],
  ['GET', '/api/v1/alerts/history', 'read', 'own'],
  ['GET', '/api/v1/alerts/{fingerprint}/explain', 'read', 'own'],
  ['GET', '/api/v1/alerts/{fingerprint}/chart', 'read', 'own'],
  ['GET', '/api/v1/rules', 'read', 'never'],
  ['POST', '/api/v1/rules/backtest', 'read', 'never'],
  ['GET', '/api/v1/silences', 'read', 'never'],
  ['POST', '/api/v1/silences', 'operate', 'never'],
  ['DELETE', '/api/v1/silences', 'operate', 'never'],
  ['DELETE', '/api/v1/silences/{id}', 'operate', 'never'],
  ['POST', '/api/v1/drills', 'operate', 'never'],
  ['GET', '/api/v1/drills/{id}', 'read', 'never'],
  ['POST', '/api/v1/ingest', 'ingest', 'never'],
  ['GET', '/api/v1/dead-letters', 'read', 'never'],
  ['GET', '/api/v1/history/verify', 'read', 'never'],
  ['GET', '/api/v1/health-report', 'read', 'never'],
  ['GET', '/api/v1/audit', 'read', 'never'],
  ['GET', '/api/v1/status', 'read', 'never'],
]

const bodies: Readonly<Record<string, object>> = {
  '/api/v1/silences': { matchers: ['tenant="acme"'], duration: '1h' },
  '/api/v1/drills': {},
  '/api/v1/rules/backtest': { rule: 'PaymentRefusalsHigh', from: '-5m' },
}

const callers: Readonly<Record<string, readonly string[]>> = {
  main: ['any', 'read', 'operate', 'ingest'],
  reader: ['any', 'read'],
  operator: ['any', 'operate'],
  shipper: ['any', 'ingest'],
  both: ['any', 'read', 'operate'],
}

describe('every operation against every kind of caller', () => {
  let client: Client
  const clock = new ManualClock(noon)
  beforeAll(async () => {
    client = await startServer({ clock }, settings)
  })
  afterAll(() => client.close())

  /** The status that a caller gets. */
  async function statusFor(caller: string | null, method: string, path: string): Promise<number> {
    // Changes are limited to some a second.
    await clock.advance(1_000)
    const headers: Record<string, string> = caller === null ? {} : { authorization: `Bearer ${tokenOf(caller)}` }
    const real = path.replace('{fingerprint}', fingerprint).replace('{tenant}', 'acme').replace('{id}', 'd0')
    if (path.endsWith('/stream')) {
      const reader = await readEvents(client.url + real, headers)
      reader.close()
      return reader.status
    }
    const json = bodies[path]
    const body = method === 'POST' ? (json === undefined ? '{}\n' : JSON.stringify(json)) : undefined
    const type: Record<string, string> = json === undefined ? {} : { 'content-type': 'application/json' }
    const query = method === 'DELETE' && !path.includes('{') ? '?id=none' : ''
    const asked = { method, headers: { ...headers, ...type }, ...(body === undefined ? {} : { body }) }
    return (await client.ask(real + query, asked)).status
  }

  test('the table has every operation of the document', async () => {
    const { json } = await client.ask('/api/v1/openapi.json', {
      headers: { authorization: `Bearer ${tokenOf('reader')}` },
    })
    const documented = Object.entries<object>(json.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const listed = operations.map(([method, path]) => `${method} ${path}`)
    expect([...documented, 'GET /api/v1/openapi.json'].sort()).toEqual([...listed].sort())
  })

  test.each(operations)('%s %s takes %s, a token of one tenant: %s', async (method, path, needed, tenants) => {
    const isOpen = needed === 'open'
    expect(await statusFor(null, method, path), 'no token').toBe(isOpen ? 200 : 401)
    expect(await statusFor('stranger', method, path), 'a wrong token').toBe(isOpen ? 200 : 401)
    for (const [caller, may] of Object.entries(callers)) {
      const status = await statusFor(caller, method, path)
      if (isOpen || may.includes(needed)) expect([200, 201, 404], `${caller}: ${status}`).toContain(status)
      else expect(status, caller).toBe(403)
    }
    expect(await statusFor('acme', method, path), 'acme').toBe(tenants === 'own' ? 200 : 403)
  })

  test('a path that is not there is told only to those who have a token', async () => {
    expect((await client.ask('/api/v1/nothing')).status).toBe(401)
    const headers = { authorization: `Bearer ${tokenOf('acme')}` }
    expect((await client.ask('/api/v1/nothing', { headers })).status).toBe(404)
  })

  test('GET /api/v1/whoami says who asks', async () => {
    const whoami = async (name: string) =>
      (await client.ask('/api/v1/whoami', { headers: { authorization: `Bearer ${tokenOf(name)}` } })).json
    expect(await whoami('main')).toEqual({ name: 'http.token', scopes: ['read', 'operate', 'ingest'], tenant: null })
    expect(await whoami('both')).toEqual({ name: 'both', scopes: ['read', 'operate'], tenant: null })
    expect(await whoami('acme')).toEqual({ name: 'acme', scopes: [], tenant: 'acme' })
  })
})

test('without tokens this machine alone asks, and may do everything', async () => {
  const client = await startServer()
  const { json } = await client.ask('/api/v1/whoami')
  await client.close()
  expect(json).toEqual({ name: 'loopback', scopes: ['read', 'operate', 'ingest'], tenant: null })
})

test('with a token of anybody nobody is let in without one, on loopback too', async () => {
  const client = await startServer({}, { tokens: settings.tokens.slice(0, 1) })
  expect((await client.ask('/api/v1/live')).status).toBe(401)
  await client.close()
})

describe('the settings of tokens', () => {
  const one = { name: 'a', token: tokenOf('a'), scopes: ['read'] }
  test.each([
    [{ ...one, scopes: [] }, 'tokens.0.scopes'],
    [{ ...one, scopes: ['write'] }, 'tokens.0.scopes.0'],
    [{ ...one, scopes: ['tenant:'] }, 'tokens.0.scopes.0'],
    [{ ...one, scopes: ['tenant:__other__'] }, 'tokens.0.scopes.0'],
    [{ ...one, scopes: ['tenant:acme', 'read'] }, 'tokens.0.scopes'],
    [{ ...one, scopes: ['tenant:acme', 'tenant:ember'] }, 'tokens.0.scopes'],
    [{ ...one, token: 'short' }, 'tokens.0.token'],
    [{ ...one, token: undefined }, 'tokens.0.token'],
    [{ ...one, token_file: 'x' }, 'tokens.0.token'],
    [{ ...one, name: 'loopback' }, 'tokens.0.name'],
    [{ ...one, name: 'http.token' }, 'tokens.0.name'],
    [{ ...one, name: 'with space' }, 'tokens.0.name'],
  ])('refuse %j', (token, path) => {
    const { error } = httpOptions.safeParse({ tokens: [token] })
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path)
  })

  test('refuse two of one name, and the same token for two callers', () => {
    const twice = httpOptions.safeParse({ tokens: [one, { ...one, token: tokenOf('b') }] })
    expect(twice.error?.issues[0]?.path).toEqual(['tokens', 1, 'name'])
    const shared = httpOptions.parse({ tokens: [one, { ...one, name: 'b' }] })
    expect(() => new Tokens(shared)).toThrow(/http\.tokens\[1\] holds the same token as a/)
    expect(() => new Tokens(httpOptions.parse({ token: one.token, tokens: [one] }))).toThrow(/as http\.token/)
  })

  test('are enough to listen anywhere', () => {
    expect(httpOptions.safeParse({ listen: '0.0.0.0:8402', tokens: [one] }).success).toBe(true)
    expect(httpOptions.safeParse({ listen: '0.0.0.0:8402', tokens: [] }).success).toBe(false)
  })
})
