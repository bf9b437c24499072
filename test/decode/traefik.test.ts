import { describe, expect, test } from 'vitest'
import { decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const base = {
  ClientAddr: '203.0.113.61:40112',
  ClientHost: '203.0.113.61',
  ClientPort: '40112',
  ClientUsername: '-',
  DownstreamContentSize: 61,
  DownstreamStatus: 402,
  Duration: 8214873,
  OriginContentSize: 61,
  OriginDuration: 7990211,
  OriginStatus: 402,
  Overhead: 224662,
  RequestAddr: 'api.example.org',
  RequestCount: 90,
  RequestMethod: 'PATCH',
  RequestPath: '/v2/plans/1881?lang=en',
  RequestProtocol: 'HTTP/2.0',
  RequestScheme: 'https',
  RetryAttempts: 0,
  RouterName: 'plans@file',
  ServiceAddr: '10.9.2.2:8080',
  ServiceName: 'plans-svc@file',
  ServiceURL: 'http://10.9.2.2:8080',
  StartLocal: '2026-10-05T10:15:36.042194835+02:00',
  StartUTC: '2026-10-05T08:15:36.042194835Z',
  entryPointName: 'websecure',
  level: 'info',
  msg: '',
  'request_X-Tenant-Id': 'grey-owl',
  time: '2026-10-05T10:19:02+02:00',
}

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'grey-owl',
  api: 'plans@file',
  cause: 'unknown',
}
const own = { OriginStatus: undefined, ServiceName: undefined, ServiceURL: undefined, ServiceAddr: undefined }

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads what an upstream answered', base, outline],
  ['reads numbers that came as text', vary(base, { DownstreamStatus: '402', Duration: '8214873' }), outline],
  [
    'takes the local start without the UTC one',
    vary(base, { StartUTC: undefined }),
    { ...outline, time: '2026-10-05T08:15:36.042Z' },
  ],
  [
    'takes the time of writing last',
    vary(base, { StartUTC: undefined, StartLocal: undefined }),
    { ...outline, time: '2026-10-05T08:19:02.000Z' },
  ],
  [
    'has no time where all were dropped',
    vary(base, { StartUTC: undefined, StartLocal: undefined, time: '-' }),
    { ...outline, time: null },
  ],
  [
    'takes the login without a tenant header',
    vary(base, { 'request_X-Tenant-Id': undefined, ClientUsername: 'jay' }),
    { ...outline, tenant: 'jay' },
  ],
  ['knows no tenant of a dash', vary(base, { 'request_X-Tenant-Id': '-' }), { ...outline, tenant: null }],
  [
    'takes a redacted header for no tenant',
    vary(base, { 'request_X-Tenant-Id': 'REDACTED', 'request_X-Customer-Id': 'cust-4' }),
    { ...outline, tenant: 'cust-4' },
  ],
  ['prefers a tenant the operator added', vary(base, { tenant_id: 'acme' }), { ...outline, tenant: 'acme' }],
  ['takes the service without a router', vary(base, { RouterName: '-' }), { ...outline, api: 'plans-svc@file' }],
  [
    'takes the path where no router matched',
    vary(base, { ...own, RouterName: undefined }),
    { ...outline, api: '/v2/plans/{id}' },
  ],
  [
    'takes the service URL of release 2, an object',
    vary(base, { ServiceURL: { Scheme: 'http', Host: '10.9.2.2:8080' } }),
    outline,
  ],
  [
    'reads the names of release 1',
    vary(base, {
      ...own,
      RouterName: undefined,
      FrontendName: 'Host-api-example-org-0',
      BackendName: 'backend-plans',
      BackendURL: { Scheme: 'http', Host: '10.9.2.2:8080' },
      DownstreamStatus: undefined,
      DownstreamStatusLine: '402 Payment Required',
      OriginStatusLine: '402 Payment Required',
    }),
    { ...outline, api: 'Host-api-example-org-0' },
  ],
  [
    'takes the path of the request line of release 1',
    vary(base, {
      ...own,
      RouterName: undefined,
      RequestPath: undefined,
      RequestMethod: undefined,
      RequestLine: 'PATCH /v2/plans/1881 HTTP/1.1',
    }),
    { ...outline, api: '/v2/plans/{id}' },
  ],
  [
    'believes a used-up limit of its own answer',
    vary(base, { ...own, 'downstream_X-Ratelimit-Remaining': '0' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'does not believe rate-limit headers on an answer of the upstream',
    vary(base, { 'downstream_X-Ratelimit-Remaining': '0', 'origin_X-Ratelimit-Remaining': '0' }),
    outline,
  ],
  [
    'reads an error code in a header of the origin',
    vary(base, { 'origin_X-Error-Code': 'subscription_expired', 'downstream_X-Error-Code': 'subscription_expired' }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'takes a payment challenge',
    vary(base, { 'downstream_Payment-Required': 'eyJ4NDAyVmVyc2lvbiI6Mn0=' }),
    { ...outline, cause: 'authentication_missing' },
  ],
  [
    'takes a status of 0 as no response',
    vary(base, { DownstreamStatus: 0, OriginStatus: 0 }),
    { ...outline, status: null, cause: null },
  ],
]

const head = '203.0.113.61 - jay [05/Oct/2026:08:15:36 +0000]'
const line = `${head} "PATCH /v2/plans/1881?lang=en HTTP/2.0" 402 61 "-" "-" 90 "plans@file" "http://10.9.2.2:8080" 8ms`
const lineOutline = { ...outline, time: '2026-10-05T08:15:36.000Z', tenant: 'jay' }

const lines: [name: string, record: string, expected: object][] = [
  ['reads a line', line, lineOutline],
  ['knows no tenant without a login', line.replace('- jay', '- -'), { ...lineOutline, tenant: null }],
  [
    'reads a list of addresses in front',
    line.replace('203.0.113.61', '2001:db8::7, 203.0.113.61, 10.0.0.3'),
    lineOutline,
  ],
  [
    'reads a time in the zone of the machine',
    line.replace('08:15:36 +0000', '00:15:36 -0800'),
    { ...lineOutline, time: '2026-10-05T08:15:36.000Z' },
  ],
  ['has no time where it was dropped', line.replace(/\[[^\]]+\]/, '[-]'), { ...lineOutline, time: null }],
  [
    'takes the path where no router matched',
    line.replace('"plans@file" "http://10.9.2.2:8080"', '"-" "-"'),
    { ...lineOutline, api: '/v2/plans/{id}' },
  ],
  [
    'reads dashes of older releases without quotes',
    line.replace('"plans@file" "http://10.9.2.2:8080"', '- -'),
    { ...lineOutline, api: '/v2/plans/{id}' },
  ],
  [
    'is not fooled by an agent that Traefik did not escape',
    line.replace('"-" "-"', '"-" "x" 200 1 "evil@file" "http://10.0.0.9" 5ms"'),
    lineOutline,
  ],
  ['is not fooled by quotes in the query', line.replace('lang=en', 'q="200"'), lineOutline],
  ['reads a client that left', line.replace(' 402 61', ' 499 0'), { ...lineOutline, status: 499, cause: null }],
]

describe('traefik', () => {
  test.each([...cases, ...lines])('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'traefik' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
    expect(recordOf({}, record).format).toBe('traefik')
  })

  test('reads latency in nanoseconds, from text in milliseconds', () => {
    expect(recordOf({}, vary(base, { 'request_X-Request-Id': 'r-1' }))).toMatchObject({
      latencyMs: 8.215,
      method: 'PATCH',
      consumer: null,
      requestId: 'r-1',
    })
    expect(recordOf({}, line)).toMatchObject({ latencyMs: 8, method: 'PATCH', consumer: 'jay' })
    expect(recordOf({}, vary(base, { Duration: undefined })).latencyMs).toBe(null)
  })

  test.each([
    ['a service', {}, 'upstream', 402],
    ['Traefik, in release 2 and 3', own, 'gateway', null],
    ['Traefik, where it writes 0', { OriginStatus: 0 }, 'gateway', null],
    ['Traefik, in place of a service', { OriginStatus: 500 }, 'gateway', 500],
    ['nobody knows whom, where the status was dropped', { OriginStatus: undefined }, null, null],
  ])('tells an answer by %s', (_, changes, answeredBy, upstreamStatus) => {
    const record = recordOf({}, vary(base, changes))
    expect(record.evidence().answeredBy).toBe(answeredBy)
    expect(record.upstreamStatus).toBe(upstreamStatus)
  })

  test('tells from a line whether a service was asked', () => {
    expect(recordOf({}, line)).toMatchObject({ upstreamStatus: 402 })
    const refused = recordOf({}, line.replace('"http://10.9.2.2:8080"', '"-"'))
    expect(refused.upstreamStatus).toBe(null)
    expect(refused.evidence().answeredBy).toBe('gateway')
  })

  test('sees that a payment was sent, and keeps nothing of it', () => {
    const { verdicts } = recordOf(
      {},
      vary(base, { 'request_X-Payment': 'hush', request_Authorization: 'b' }),
    ).evidence()
    expect(verdicts).toEqual([{ value: 'x-payment', where: 'request.headers' }])
    expect(recordOf({}, base).evidence().verdicts).toEqual([])
  })

  test('names the service for the rules of operators', () => {
    expect(recordOf({}, base).origin()).toEqual({
      service: 'plans-svc@file',
      tenantPlace: 'request_X-Tenant-Id',
      apiPlace: 'RouterName',
    })
  })

  test.each([
    { level: 'info', msg: 'Configuration loaded', time: '2026-10-05T08:15:36Z', entryPointName: 'web' },
    { level: 'error', error: 'x', providerName: 'docker', time: '2026-10-05T08:15:36Z', message: 'Provider error' },
    'time="2026-10-05T08:15:36Z" level=error msg="cannot reach provider" providerName=docker',
    '2026-10-05T08:15:36Z INF Traefik starts version=3.9',
    '\u001b[90m2026-10-05T08:15:36+02:00\u001b[0m \u001b[33mWRN\u001b[0m no entry point',
  ])('passes by a line of its own log: %j', (entry) => {
    const skipped = { kind: 'skipped', index: 0, reason: 'event' }
    expect(decodeOne({ format: 'traefik' }, entry)).toEqual(skipped)
    expect(decodeOne({}, entry), 'auto').toEqual(skipped)
  })

  test('passes by any line of a log under its own name only', () => {
    const entry = { level: 'info', message: 'ready', time: '2026-10-05T08:15:36Z' }
    expect(decodeOne({ format: 'traefik' }, entry)).toMatchObject({ kind: 'skipped' })
  })

  test.each([
    ['no-status', vary(base, { DownstreamStatus: undefined })],
    ['no-status', vary(base, { DownstreamStatus: '-' })],
    ['wrong-type', vary(base, { DownstreamStatus: { a: 1 } })],
    ['wrong-type', vary(base, { DownstreamStatus: 402.5 })],
    ['bad-time', vary(base, { StartUTC: '2026-13-05T08:15:36Z', StartLocal: 7, time: undefined })],
    ['no-status', line.replace(' 402 61', ' - -')],
    ['wrong-type', line.replace(' 402 61', ' %!d(<nil>) %!d(<nil>)')],
    ['bad-time', line.replace('05/Oct', '35/Oct')],
  ])('answers %s to %j', (failure, record) => {
    expect(decodeOne({ format: 'traefik' }, record)).toMatchObject({ kind: 'unreadable', index: 0, failure })
    expect(decodeOne({}, record), 'auto').toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('says how to get the status of what Traefik answered itself', () => {
    const decoded = decodeOne({}, line.replace(' 402 61', ' - -'))
    expect(decoded).toMatchObject({ message: expect.stringContaining('accessLog.format') })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(base, { RouterName: [1], ServiceName: {}, RequestPath: 7, Duration: 'x', ServiceURL: null })
    expect(outlineOf(recordOf({}, odd))).toMatchObject({ api: '7', status: 402 })
  })
})
