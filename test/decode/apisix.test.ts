import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const base = {
  request: {
    url: 'http://api.example.org/v1/maps?z=3',
    uri: '/v1/maps?z=3',
    method: 'GET',
    headers: { host: 'api.example.org' },
    size: 98,
  },
  response: { status: 402, headers: { 'content-type': 'text/html' }, size: 33 },
  server: { hostname: 'apisix-1', version: '3.17.0' },
  service_id: '',
  route_id: 'maps-v1',
  consumer: { username: 'red_kite' },
  client_ip: '203.0.113.40',
  start_time: 1791188136042,
  latency: 1.25,
  apisix_latency: 1.25,
}

const remaining = (value: unknown) => ({ status: 402, headers: { 'X-RateLimit-Remaining': value } })
const upstream = { upstream: '10.0.0.7:80', upstream_latency: 9 }

// A custom log_format replaces everything; only route_id and service_id are added.
const custom = {
  '@timestamp': '2026-10-05T08:15:36+00:00',
  host: 'api.example.org',
  status: '402',
  request_uri: '/v1/maps/17?z=3',
  request_method: 'GET',
  request_time: '0.004',
  upstream_status: '',
  route_id: 'maps-v1',
  service_id: '',
}

const outline = { time: '2026-10-05T08:15:36.042Z', status: 402, tenant: 'red_kite', api: 'maps-v1', cause: 'unknown' }
const plain = { ...outline, time: '2026-10-05T08:15:36.000Z', tenant: null }

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads the default layout', base, outline],
  ['takes remaining 0 as a quota', vary(base, { response: remaining('0') }), { ...outline, cause: 'quota_exceeded' }],
  [
    'takes a number for the header too',
    vary(base, { response: remaining(0) }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['takes remaining 3 for nothing', vary(base, { response: remaining('3') }), outline],
  [
    'does not believe rate-limit headers of the upstream',
    vary(base, { ...upstream, response: remaining('0') }),
    outline,
  ],
  [
    'reads a body that is cut',
    vary(base, {
      ...upstream,
      response: { status: 402, body: '{"error":{"code":"insufficient_quota","message":"You exc' },
    }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads a body in an answer of APISIX itself',
    vary(base, { response: { status: 402, body: '{"error_msg":"Your trial has ended"}' } }),
    { ...outline, cause: 'subscription_expired' },
  ],
  ['reads a start time with a fraction', vary(base, { start_time: 1791188136042.75 }), outline],
  [
    'reads numbers that came as text',
    vary(base, { start_time: '1791188136042', response: { status: '402' } }),
    outline,
  ],
  [
    'takes the service without a route',
    vary(base, { route_id: '', service_id: 'svc-3' }),
    { ...outline, api: 'svc-3' },
  ],
  [
    'takes the path, not the host in service_id, where no route matched',
    vary(base, { route_id: undefined, service_id: 'api.example.org' }),
    { ...outline, api: '/v1/maps' },
  ],
  ['knows no tenant without a login', vary(base, { consumer: undefined }), { ...outline, tenant: null }],
  ['reads a custom format of texts', custom, plain],
  ['reads a custom format with numbers', vary(custom, { status: 402, request_time: 0.004 }), plain],
  [
    'reads a nested custom format',
    {
      route_id: 'maps-v1',
      service_id: '',
      http: { response: { status: '402' }, request: { uri: '/x' } },
      upstream: { status: '200' },
      at: { time_iso8601: '2026-10-05T08:15:36+00:00' },
    },
    plain,
  ],
  [
    'takes a consumer name of a custom format',
    vary(custom, { consumer_name: 'red_kite' }),
    { ...plain, tenant: 'red_kite' },
  ],
  [
    'takes the path of a custom format without a route',
    vary(custom, { route_id: '' }),
    { ...plain, api: '/v1/maps/{id}' },
  ],
  [
    'takes a header that a custom format names',
    vary(custom, { sent_http_x_ratelimit_remaining: '0' }),
    { ...plain, cause: 'quota_exceeded' },
  ],
]

describe('apisix', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'apisix' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, [record])), 'auto, in an array').toEqual(expected)
  })

  test('reads the batch of the batch processor in order', () => {
    const decoded = decodeAll({}, [base, vary(base, { response: { status: 200 } })])
    expect(decoded.map((entry) => entry.kind === 'record' && [entry.index, entry.record.status])).toEqual([
      [0, 402],
      [1, 200],
    ])
  })

  test('reads latencies in milliseconds by default, in seconds in a custom format', () => {
    expect(recordOf({}, base).latencyMs).toBe(1.25)
    expect(recordOf({}, custom).latencyMs).toBe(4)
  })

  test('says what to change when raw requests are logged', () => {
    const raw = 'GET /v1/maps HTTP/1.1\r\nhost: api.example.org\r\n\r\n'
    for (const value of [raw, JSON.stringify(raw), JSON.stringify([raw])]) {
      const decoded = decodeOne({ format: 'apisix' }, value)
      expect(decoded).toMatchObject({ failure: 'not-a-record', message: expect.stringContaining('meta_format') })
    }
  })

  test.each([
    ['no-status', { response: undefined }],
    ['no-status', { response: {} }],
    ['wrong-type', { response: [1] }],
    ['wrong-type', { response: { status: {} } }],
    ['bad-time', { start_time: 'soon' }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'apisix' }, vary(base, changes))).toMatchObject({
      kind: 'unreadable',
      index: 0,
      failure,
    })
  })
})
