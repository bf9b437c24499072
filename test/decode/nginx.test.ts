import { describe, expect, test } from 'vitest'
import { decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const base = {
  time_iso8601: '2026-10-05T08:15:36+00:00',
  msec: '1791188136.042',
  remote_addr: '203.0.113.51',
  remote_user: '',
  request: 'PUT /v1/files/9c1d?x=1 HTTP/1.1',
  request_method: 'PUT',
  request_uri: '/v1/files/77?x=1',
  status: '402',
  body_bytes_sent: '58',
  request_time: '0.004',
  upstream_status: '502, 402',
  upstream_response_time: '0.001, 0.003',
  http_x_tenant_id: 'grey-owl',
  request_id: 'req-6',
}

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'grey-owl',
  api: '/v1/files/{id}',
  cause: 'unknown',
}
const whole = { ...outline, time: '2026-10-05T08:15:36.000Z' }

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads a record of texts', base, outline],
  ['reads a record of numbers', vary(base, { status: 402, msec: 1791188136.042, request_time: 0.004 }), outline],
  [
    'reads whole seconds with the zone of the server',
    vary(base, { msec: undefined, time_iso8601: '2026-10-05T10:15:36+02:00' }),
    whole,
  ],
  ['reads time_local', vary(base, { msec: '', time_iso8601: '', time_local: '05/Oct/2026:08:15:36 +0000' }), whole],
  [
    'reads @timestamp last',
    vary(base, { msec: undefined, time_iso8601: undefined, '@timestamp': '2026-10-05T08:15:36Z' }),
    whole,
  ],
  ['has no time without any', vary(base, { msec: '-', time_iso8601: undefined }), { ...outline, time: null }],
  [
    'takes the login without a tenant',
    vary(base, { http_x_tenant_id: '-', remote_user: 'jay' }),
    { ...outline, tenant: 'jay' },
  ],
  ['knows no tenant of a dash', vary(base, { http_x_tenant_id: '-' }), { ...outline, tenant: null }],
  ['takes the path of the request line', vary(base, { request_uri: undefined }), { ...outline, api: '/v1/files/9c1d' }],
  [
    'knows no path of a broken request',
    vary(base, { request_uri: '', request: '\u0016\u0003' }),
    { ...outline, api: null },
  ],
  ['looks one level down', { '@timestamp': '2026-10-05T08:20:00Z', '@source': 'edge', '@nginx_fields': base }, outline],
  [
    'does not take the status of an upstream for the client',
    { upstream: { status: '200' }, nginx: vary(base, { upstream_status: undefined }) },
    outline,
  ],
  [
    'takes a sent header',
    vary(base, { upstream_status: '-', sent_http_ratelimit: '"day";r=0;t=50' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'takes an error code in a sent header, whoever answered',
    vary(base, { sent_http_x_error_code: 'insufficient_credits' }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'takes a payment challenge',
    vary(base, { sent_http_payment_required: 'eyJ4NDAyVmVyc2lvbiI6Mn0=' }),
    { ...outline, cause: 'authentication_missing' },
  ],
  [
    'takes 000 as no response',
    vary(base, { status: '000', upstream_status: '' }),
    { ...outline, status: null, cause: null },
  ],
  [
    'takes a client that left as itself',
    vary(base, { status: 499, upstream_status: '' }),
    { ...outline, status: 499, cause: null },
  ],
]

describe('nginx', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'nginx' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
  })

  test('reads latency in seconds', () => {
    expect(recordOf({}, base)).toMatchObject({ latencyMs: 4, method: 'PUT', requestId: 'req-6' })
    expect(recordOf({}, vary(base, { request_time: '0.0017' })).latencyMs).toBe(1.7)
  })

  test('takes the method of the request line', () => {
    expect(recordOf({}, vary(base, { request_method: undefined })).method).toBe('PUT')
  })

  test('sees a 402 that a retry made good', () => {
    const record = recordOf({}, vary(base, { status: 200, upstream_status: '402, 200' }))
    expect(record).toMatchObject({ status: 200, upstreamStatus: 200, upstreamRefused: true })
  })

  test.each([
    ['402', 'upstream'],
    ['500, 200 : 402', 'upstream'],
    ['500', 'gateway'],
    ['', 'gateway'],
    ['-', 'gateway'],
    [undefined, null],
  ])('tells from the upstream status %j who answered', (text, answeredBy) => {
    expect(recordOf({}, vary(base, { upstream_status: text })).evidence().answeredBy).toBe(answeredBy)
  })

  test('explains a number variable that was empty and not quoted', () => {
    const decoded = decodeOne({ format: 'nginx' }, '{"status":402,"upstream_status":,"request_time":0.1}')
    expect(decoded).toMatchObject({ failure: 'not-json', message: expect.stringContaining('$upstream_status') })
  })

  test.each([
    ['no-status', { status: undefined }],
    ['no-status', { status: '-' }],
    ['wrong-type', { status: { code: { deep: 1 } } }],
    ['wrong-type', { status: ['402'] }],
    ['bad-time', { msec: 'x', time_iso8601: 'y' }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'nginx' }, vary(base, changes))).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })
})
