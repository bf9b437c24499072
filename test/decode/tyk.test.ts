import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function http(body: string, headers = 'Content-Type: application/json'): string {
  return `HTTP/1.1 402 Payment Required\r\n${headers}\r\n\r\n${body}`
}

const pump = {
  timestamp: '2026-10-05T10:15:36.461203917+02:00',
  method: 'POST',
  path: '/reports/v1',
  raw_path: '/v1',
  response_code: 402,
  alias: 'grey-owl',
  api_key: '77a1b2c3',
  api_version: 'Not Versioned',
  api_name: 'Reports',
  api_id: 'rep0rts77',
  org_id: 'org-of-all',
  oauth_id: '',
  raw_request: '',
  request_time_ms: 17,
  raw_response: '',
  ip_address: '203.0.113.71',
  host: 'api.example.org',
  content_length: 27,
  user_agent: 'test',
  tags: ['key-77a1b2c3', 'org-org-of-all'],
}

const outline = {
  time: '2026-10-05T08:15:36.461Z',
  status: 402,
  tenant: 'grey-owl',
  api: 'rep0rts77',
  cause: 'unknown',
}
const quota = '{"error":"Quota exceeded"}'

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads a record of the pump', pump, outline],
  ['reads numbers that came as text', vary(pump, { response_code: '402', request_time_ms: '17' }), outline],
  [
    'reads @timestamp of older pumps',
    vary(pump, { timestamp: undefined, '@timestamp': '2026-10-05T08:15:36.461Z' }),
    outline,
  ],
  ['has no time without any', vary(pump, { timestamp: '' }), { ...outline, time: null }],
  ['reads tags that are null', vary(pump, { tags: null }), outline],
  ['prefers what the meta data of the pump say', vary(pump, { tenant: 'acme' }), { ...outline, tenant: 'acme' }],
  [
    'takes the header that the API tags',
    vary(pump, { tags: ['key-1', 'x-tenant-id-blue-jay'] }),
    { ...outline, tenant: 'blue-jay' },
  ],
  [
    'takes the OAuth client without an alias',
    vary(pump, { alias: '', oauth_id: 'oa-5' }),
    { ...outline, tenant: 'oa-5' },
  ],
  ['takes the organisation last, and never a key', vary(pump, { alias: '' }), { ...outline, tenant: 'org-of-all' }],
  ['knows no tenant of blanks', vary(pump, { alias: '-', org_id: '' }), { ...outline, tenant: null }],
  ['takes the name of an API without an id', vary(pump, { api_id: '' }), { ...outline, api: 'Reports' }],
  ['takes the path without either', vary(pump, { api_id: '', api_name: '' }), { ...outline, api: '/reports/v1' }],
  [
    'reads the body of a response in base64',
    vary(pump, { raw_response: base64(http(quota)) }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads the body of a response in the clear',
    vary(pump, { raw_response: http('{"error":{"type":"card_error","decline_code":"insufficient_funds"}}') }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'reads the body of a response that the pump put on one line',
    vary(pump, { raw_response: `HTTP/1.1 402 Payment Required Content-Type: application/json ${quota}` }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'believes a used-up limit of the gateway, which signs its answers',
    vary(pump, { raw_response: base64(http('{}', 'X-Generator: tyk.io\r\nX-RateLimit-Remaining: 0')) }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'does not believe rate-limit headers on an answer of the upstream',
    vary(pump, { raw_response: http('{}', 'X-RateLimit-Remaining: 0'), latency: { total: 17, upstream: 15 } }),
    outline,
  ],
  [
    'reads a body that was cut',
    vary(pump, { raw_response: base64(http('{"error":{"code":"subscription_expired","message":"the sub')) }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'opens what the pump writes to its standard output',
    { level: 'info', msg: '', prefix: 'stdout-pump', time: '2026-10-05T08:20:00Z', 'tyk-analytics-record': pump },
    outline,
  ],
  ['reads a call that nobody answered', vary(pump, { response_code: 0 }), { ...outline, status: null, cause: null }],
]

const access = {
  api_id: 'rep0rts77',
  api_key: '9f21ab3c',
  api_name: 'Reports',
  client_ip: '203.0.113.71',
  error_source: '',
  host: 'api.example.org',
  latency_gateway: 2,
  latency_total: 2,
  level: 'info',
  method: 'POST',
  msg: '',
  org_id: 'org-of-all',
  path: '/reports/v1/88',
  prefix: 'access-log',
  protocol: 'HTTP/1.1',
  response_code_details: 'quota_exceeded',
  response_flag: 'QEX',
  status: 402,
  time: '2026-10-05T10:15:36+02:00',
  trace_id: 't-9',
  upstream_latency: 0,
}
const accessOutline = {
  ...outline,
  time: '2026-10-05T08:15:36.000Z',
  tenant: '9f21ab3c',
  cause: 'quota_exceeded',
}
const passed = { response_flag: undefined, response_code_details: undefined, upstream_latency: 12, latency_total: 14 }

const accessCases: [name: string, record: unknown, expected: object][] = [
  ['reads a line of the access log', access, accessOutline],
  ['reads one with numbers as text', vary(access, { status: '402', latency_total: '2' }), accessOutline],
  ['reads the message under its newer name', vary(access, { msg: undefined, message: '' }), accessOutline],
  [
    'takes the hash of an empty key for no tenant',
    vary(access, { api_key: '00000000' }),
    { ...accessOutline, tenant: 'org-of-all' },
  ],
  [
    'takes a hidden empty key for no tenant',
    vary(access, { api_key: '--', org_id: '-' }),
    { ...accessOutline, tenant: null },
  ],
  [
    'takes the path without an API',
    vary(access, { api_id: undefined, api_name: undefined }),
    { ...accessOutline, api: '/reports/v1/{id}' },
  ],
  [
    'takes the flag where the details are new',
    vary(access, { response_flag: 'AMF', response_code_details: 'some_new_word' }),
    { ...accessOutline, cause: 'authentication_missing' },
  ],
  [
    'takes an open circuit',
    vary(access, { response_flag: 'CBO', response_code_details: 'circuit_breaker_open' }),
    { ...accessOutline, cause: 'resource_exhausted' },
  ],
  [
    'takes a refusal of external authorization',
    vary(access, { response_flag: 'EAD', response_code_details: 'x' }),
    { ...accessOutline, cause: 'permission_denied' },
  ],
  ['knows nothing of what was passed through', vary(access, passed), { ...accessOutline, cause: 'unknown' }],
  [
    'says nothing of the cause of a call that went well',
    vary(access, { ...passed, status: 200 }),
    { ...accessOutline, status: 200, cause: null },
  ],
  [
    'reads the text of newer gateways',
    'time="2026-10-05T10:15:36+02:00" level=info api_id=rep0rts77 api_key=9f21ab3c org_id=org-of-all prefix=access-log response_code_details=quota_exceeded response_flag=QEX status=402 user_agent="a \\"b\\" status=200"',
    accessOutline,
  ],
]

describe('tyk', () => {
  test.each([...cases, ...accessCases])('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'tyk' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
    expect(recordOf({}, record).format).toBe('tyk')
  })

  test('reads latency in milliseconds, under the names of all pumps', () => {
    expect(recordOf({}, pump)).toMatchObject({ latencyMs: 17, method: 'POST', consumer: 'grey-owl', requestId: null })
    expect(recordOf({}, access)).toMatchObject({ latencyMs: 2, method: 'POST', consumer: null, requestId: 't-9' })
    expect(recordOf({}, vary(pump, { request_time_ms: undefined, request_time: 18 })).latencyMs).toBe(18)
    expect(recordOf({}, vary(pump, { request_time_ms: undefined, latency: { total: 19 } })).latencyMs).toBe(19)
  })

  test.each([
    ['a flag', access, 'gateway', null],
    ['no flag, and time spent on the upstream', vary(access, passed), 'upstream', 402],
    ['no flag, and no time', vary(access, { ...passed, upstream_latency: 0 }), null, null],
    [
      'a flag for an upstream in trouble',
      vary(access, { response_flag: 'URS', upstream_status: 503 }),
      'upstream',
      503,
    ],
    ['nothing, in a record of the pump', pump, null, null],
    ['time spent, in a record of other pumps', vary(pump, { latency: { upstream: 9 } }), 'upstream', 402],
    ['the signature of the gateway', vary(pump, { raw_response: http('{}', 'X-Generator: tyk.io') }), 'gateway', null],
  ])('tells who answered by %s', (_, record, answeredBy, upstreamStatus) => {
    expect(recordOf({}, record).evidence().answeredBy).toBe(answeredBy)
    expect(recordOf({}, record).upstreamStatus).toBe(upstreamStatus)
  })

  test('names places, and the API by its name for the rules of operators', () => {
    expect(recordOf({}, pump).origin()).toEqual({ service: 'Reports', tenantPlace: 'alias', apiPlace: 'api_id' })
    expect(recordOf({}, access).origin().tenantPlace).toBe('api_key')
    const tagged = vary(pump, { tags: ['x-customer-id-c5'] })
    const settings = { tenant: { tyk: ['tags.x-customer-id'] } }
    expect(recordOf(settings, tagged)).toMatchObject({ tenant: 'c5' })
  })

  test('passes by lines of the logs of gateway and pump', () => {
    const entries = [
      { level: 'info', msg: 'API Gateway starts', prefix: 'main', time: '2026-10-05T08:15:36Z' },
      { level: 'warn', message: 'no key', prefix: 'auth-mgr', time: '2026-10-05T08:15:36Z', org_id: 'x' },
      'time="Oct 05 08:15:36" level=info msg="API Gateway starts" prefix=main',
    ]
    for (const entry of entries) {
      const skipped = { kind: 'skipped', index: 0, reason: 'event' }
      expect(decodeOne({ format: 'tyk' }, entry)).toEqual(skipped)
      expect(decodeOne({}, entry), 'auto').toEqual(skipped)
    }
  })

  test('numbers the records of an array', () => {
    const decoded = decodeAll({}, [pump, access, vary(pump, { response_code: null })])
    expect(decoded.map((entry) => [entry.index, entry.kind])).toEqual([
      [0, 'record'],
      [1, 'record'],
      [2, 'unreadable'],
    ])
  })

  test.each([
    ['no-status', vary(pump, { response_code: '' })],
    ['wrong-type', vary(pump, { response_code: ['402'] })],
    ['bad-time', vary(pump, { timestamp: '2026-10-05 08:15:36' })],
    ['bad-time', vary(pump, { timestamp: 1791188136 })],
    ['no-status', vary(access, { status: undefined })],
    ['bad-time', vary(access, { time: 'Oct 05 08:15:36' })],
    ['bad-time', 'time="Oct 05 08:15:36" level=info api_id=a prefix=access-log status=402'],
  ])('answers %s to %j', (failure, record) => {
    expect(decodeOne({ format: 'tyk' }, record)).toMatchObject({ kind: 'unreadable', index: 0, failure })
    expect(decodeOne({}, record), 'auto').toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('says what to set where the text log has no year', () => {
    const decoded = decodeOne({}, 'time="Oct 05 08:15:36" level=info prefix=access-log status=402')
    expect(decoded).toMatchObject({ message: expect.stringContaining('TYK_LOGFORMAT') })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(pump, { alias: [1], tags: 'x', latency: 4, raw_response: { a: [1] }, method: {}, oauth_id: null })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: 'org-of-all' })
  })
})
