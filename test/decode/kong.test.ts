import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const base = {
  request: {
    id: 'a1b2',
    uri: '/v1/reports/2026?lang=en',
    url: 'https://api.example.org/v1/reports/2026?lang=en',
    method: 'GET',
    headers: { host: 'api.example.org', authorization: 'REDACTED' },
    size: 12,
  },
  upstream_uri: '/v1/reports/2026?lang=en',
  upstream_status: '',
  response: { status: 402, headers: { 'content-type': 'application/json' }, size: 12 },
  latencies: { kong: 3, proxy: -1, request: 4, receive: 0 },
  tries: [],
  route: { id: 'route-id', name: 'reports', created_at: 1782864000 },
  service: { id: 'service-id', name: 'reports-svc', created_at: 1782864000 },
  consumer: { id: 'c-id', username: 'grey-owl', custom_id: 'cust_77' },
  started_at: 1791188136042,
  source: 'kong',
}

const spent = { status: 402, headers: { 'ratelimit-limit': '10', 'ratelimit-remaining': '0', 'retry-after': '9' } }
const outline = { time: '2026-10-05T08:15:36.042Z', status: 402, tenant: 'cust_77', api: 'reports', cause: 'unknown' }
const stripe = (error: object) => ({ status: 402, headers: {}, body: JSON.stringify({ error }) })

const cases: [name: string, record: unknown, expected: object][] = [
  ['knows nothing of a fixed response', base, outline],
  ['takes remaining 0 as a quota', vary(base, { response: spent }), { ...outline, cause: 'quota_exceeded' }],
  [
    'reads header names in any case and values in lists',
    vary(base, { response: { status: 402, headers: { 'X-RateLimit-Remaining-Minute': ['4', '0'] } } }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'does not believe rate-limit headers on an answer of the upstream',
    vary(base, { response: spent, source: 'upstream', upstream_status: '402' }),
    outline,
  ],
  [
    'takes the username without a custom id',
    vary(base, { consumer: { username: 'grey-owl', id: 'c' } }),
    { ...outline, tenant: 'grey-owl' },
  ],
  ['takes the consumer id last', vary(base, { consumer: { id: 'c' } }), { ...outline, tenant: 'c' }],
  [
    'takes an external identity without a consumer',
    vary(base, { consumer: undefined, authenticated_entity: { id: 'cred', consumer_id: 'ext-5' } }),
    { ...outline, tenant: 'ext-5' },
  ],
  ['knows no tenant without a login', vary(base, { consumer: undefined }), { ...outline, tenant: null }],
  ['prefers a tenant the operator added', vary(base, { tenant: 'acme' }), { ...outline, tenant: 'acme' }],
  ['takes the route id', vary(base, { route: { id: 'r-9' } }), { ...outline, api: 'r-9' }],
  ['takes the service without a route', vary(base, { route: undefined }), { ...outline, api: 'reports-svc' }],
  [
    'takes the path where no route matched',
    vary(base, { route: undefined, service: undefined }),
    { ...outline, api: '/v1/reports/{id}' },
  ],
  [
    'reads numbers that came as text',
    vary(base, { started_at: '1791188136042', response: { status: '402' } }),
    outline,
  ],
  ['reads a float of milliseconds', vary(base, { started_at: 1791188136042.9 }), outline],
  [
    'takes a status of 0 as no response',
    vary(base, { response: { status: 0 } }),
    { ...outline, status: null, cause: null },
  ],
  ['has no time without started_at 0', vary(base, { started_at: 0 }), { ...outline, time: null }],
  [
    'prefers the finer decline code',
    vary(base, {
      source: 'upstream',
      response: stripe({ type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }),
    }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'takes a decline without a finer word as failed',
    vary(base, { source: 'upstream', response: stripe({ type: 'card_error', code: 'card_declined' }) }),
    { ...outline, cause: 'payment_failed' },
  ],
  [
    'reads a body that the operator kept as an object',
    vary(base, { response: { status: 402, headers: {}, body: { code: 'QUOTA_EXCEEDED' } } }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads the answer of a model that the AI plug-in kept',
    vary(base, {
      source: 'upstream',
      ai: { 'ai-proxy': { payload: { response: '{"error":{"message":"Insufficient Balance"}}' } } },
    }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'reads an error code in a header',
    vary(base, { response: { status: 402, headers: { 'X-Error-Code': 'subscription_expired' } } }),
    { ...outline, cause: 'subscription_expired' },
  ],
]

describe('kong', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'kong' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
  })

  test.each([
    ['', null, false],
    ['402', 402, true],
    [402, 402, true],
    ['502, 402', 402, true],
    ['402, 200', 200, true],
    ['500, 200 : 402', 402, true],
    ['500, 200', 200, false],
    ['-', null, false],
  ])('reads the upstream status %j', (text, upstreamStatus, upstreamRefused) => {
    expect(recordOf({}, vary(base, { upstream_status: text }))).toMatchObject({ upstreamStatus, upstreamRefused })
  })

  test('tells who answered', () => {
    const by = (changes: object) => recordOf({}, vary(base, { ...changes })).evidence().answeredBy
    expect(by({ source: 'upstream' })).toBe('upstream')
    expect(by({ source: 'kong' })).toBe('gateway')
    expect(by({ source: undefined })).toBe('gateway')
    expect(by({ source: undefined, latencies: { proxy: 7 }, upstream_status: '402' })).toBe(null)
  })

  test('reads latency, method, consumer and request id', () => {
    expect(recordOf({}, base)).toMatchObject({ latencyMs: 4, method: 'GET', consumer: 'grey-owl', requestId: 'a1b2' })
    expect(recordOf({}, vary(base, { latencies: { request: -1 } })).latencyMs).toBe(null)
  })

  test('numbers the records of a batch', () => {
    const decoded = decodeAll({}, [base, vary(base, { response: {} }), 'x', base])
    expect(decoded.map((entry) => [entry.index, entry.kind === 'unreadable' ? entry.failure : entry.kind])).toEqual([
      [0, 'record'],
      [1, 'no-status'],
      [2, 'not-json'],
      [3, 'record'],
    ])
  })

  test('skips TCP sessions', () => {
    const stream = vary(base, { request: undefined, response: undefined, session: { status: 200, sent: 7 } })
    expect(decodeOne({}, stream)).toEqual({ kind: 'skipped', index: 0, reason: 'no-http' })
  })

  test.each([
    ['no-status', { response: undefined }],
    ['no-status', { response: { status: null } }],
    ['wrong-type', { response: 'x' }],
    ['wrong-type', { response: { status: [402] } }],
    ['wrong-type', { response: { status: 402.5 } }],
    ['bad-time', { started_at: '2026' + '-13-01' }],
    ['bad-time', { started_at: -5 }],
    ['bad-time', { started_at: 1e300 }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'kong' }, vary(base, changes))).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(base, {
      request: 'x',
      consumer: [1],
      route: 7,
      service: 'y',
      latencies: 1,
      authenticated_entity: null,
      ai: 3,
    })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: null, api: null })
  })
})
