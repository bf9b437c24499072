import { describe, expect, test } from 'vitest'
import { causeOf } from '../../src/classify/classify.ts'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

/** A plain value as OTLP/JSON writes it; whole numbers are text there. */
function any(value: unknown): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(any) } }
  return { kvlistValue: { values: pairs(value as Record<string, unknown>) } }
}

function pairs(attributes: Record<string, unknown>): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: any(value) }))
}

const attributes = {
  'http.request.method': 'POST',
  'http.route': '/v1/orders/{id}',
  'url.path': '/v1/orders/5501',
  'http.response.status_code': 402,
  'tenant.id': 'grey-owl',
}
const record = {
  timeUnixNano: '1791188136042000000',
  observedTimeUnixNano: '1791188136900000000',
  severityNumber: 9,
  body: any('POST /v1/orders/5501 402'),
  attributes: pairs(attributes),
  traceId: 'ab'.repeat(16),
}
const resource = { 'service.name': 'edge', 'host.name': 'gw-1' }

function wrapped(records: readonly object[], above: Record<string, unknown> = resource, scope = {}): object {
  const scopeLogs = [{ scope: { name: 'access', attributes: pairs(scope) }, logRecords: records }]
  return { resourceLogs: [{ resource: { attributes: pairs(above) }, scopeLogs }] }
}

const withAttributes = (changes: Record<string, unknown>, rest: Record<string, unknown> = {}) =>
  wrapped([vary(record, { attributes: pairs(vary(attributes, changes)), ...rest })])
const only = (own: Record<string, unknown>, rest: Record<string, unknown> = {}) =>
  wrapped([vary(record, { attributes: pairs(own), ...rest })])

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'grey-owl',
  api: '/v1/orders/{id}',
  cause: 'unknown',
}

const envoyNames = {
  response_code: '402',
  response_flags: 'RL',
  response_code_details: 'request_rate_limited',
  method: 'POST',
  path: '/v1/orders/5501?dry=1',
  route_name: 'orders',
  duration: '6',
}
const traefikNames = {
  DownstreamStatus: 402,
  RequestMethod: 'POST',
  RequestPath: '/v1/orders/5501?dry=1',
  RouterName: 'orders@file',
  Duration: 6214873,
  ClientUsername: '-',
}

const cases: [name: string, value: unknown, expected: object][] = [
  ['reads the names of the conventions', wrapped([record]), outline],
  [
    'reads the old names',
    only({ 'http.method': 'POST', 'http.target': '/v1/orders/77?a=b', 'http.status_code': 402, 'tenant.id': 'x' }),
    { ...outline, tenant: 'x' },
  ],
  [
    'reads a full URL where there is no path',
    only({ 'http.url': 'https://api.example.org/v1/orders/77?k=s', 'http.status_code': '402' }),
    { ...outline, tenant: null },
  ],
  ['reads whole numbers that came as numbers', wrapped([vary(record, { timeUnixNano: 1791188136042000000 })]), outline],
  ['reads a status that came as text', withAttributes({ 'http.response.status_code': '402' }), outline],
  [
    'reads a status that came as a double',
    wrapped([
      vary(record, {
        attributes: [...pairs(vary(attributes, { 'http.response.status_code': undefined }))].concat([
          { key: 'http.response.status_code', value: { doubleValue: 402 } },
        ]),
      }),
    ]),
    outline,
  ],
  [
    'takes a status of 0 as no response',
    withAttributes({ 'http.response.status_code': '0' }),
    { ...outline, status: null, cause: null },
  ],
  [
    'takes the observed time for a time of 0',
    wrapped([vary(record, { timeUnixNano: '0' })]),
    { ...outline, time: '2026-10-05T08:15:36.900Z' },
  ],
  [
    'takes the observed time for a missing time',
    wrapped([vary(record, { timeUnixNano: undefined })]),
    { ...outline, time: '2026-10-05T08:15:36.900Z' },
  ],
  [
    'has no time where nobody looked at the clock',
    wrapped([vary(record, { timeUnixNano: undefined, observedTimeUnixNano: '0' })]),
    { ...outline, time: null },
  ],
  [
    'does not round a time up into the next millisecond',
    wrapped([vary(record, { timeUnixNano: '1791188136041999999' })]),
    { ...outline, time: '2026-10-05T08:15:36.041Z' },
  ],
  [
    'takes the tenant of the resource',
    wrapped([vary(record, { attributes: pairs(vary(attributes, { 'tenant.id': undefined })) })], {
      'tenant.id': 'acme',
    }),
    { ...outline, tenant: 'acme' },
  ],
  [
    'takes the tenant of the scope',
    wrapped([vary(record, { attributes: pairs(vary(attributes, { 'tenant.id': '' })) })], resource, {
      tenant_id: 'acme',
    }),
    { ...outline, tenant: 'acme' },
  ],
  ['prefers the record to the resource', wrapped([record], { 'tenant.id': 'acme' }), outline],
  [
    'takes a request header as the tenant',
    withAttributes({ 'tenant.id': undefined, 'http.request.header.x-tenant-id': ['acme'] }),
    { ...outline, tenant: 'acme' },
  ],
  [
    'takes the end user last',
    withAttributes({ 'tenant.id': undefined, 'enduser.id': 'u-7' }),
    { ...outline, tenant: 'u-7' },
  ],
  [
    'prefers the organization to its user',
    withAttributes({ 'tenant.id': '-', 'user.id': 'u-7', 'organization.id': 'o-1' }),
    { ...outline, tenant: 'o-1' },
  ],
  [
    'reads attributes that are nested',
    only({ http: { response: { status_code: 402 }, route: '/a' }, tenant: { id: 'n' } }),
    { ...outline, tenant: 'n', api: '/a' },
  ],
  ['takes the path without a route', withAttributes({ 'http.route': undefined }), outline],
  [
    'knows no API without path and route',
    withAttributes({ 'http.route': '', 'url.path': '' }),
    { ...outline, api: null },
  ],
  [
    'reads a body that is an object',
    wrapped([vary(record, { attributes: [], body: any({ ...attributes, error: { code: 'insufficient_quota' } }) })]),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads a body that is the text of an object',
    wrapped([vary(record, { attributes: [], body: any(JSON.stringify(attributes)) })]),
    outline,
  ],
  [
    'takes remaining 0 in a header as a quota',
    withAttributes({ 'http.response.header.x-ratelimit-remaining': ['0'] }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads header names of the old conventions',
    withAttributes({ 'http.response.header.x_error_code': ['subscription_expired'] }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'takes an error type as a code',
    withAttributes({ 'error.type': 'budget_exceeded' }),
    { ...outline, cause: 'billing_limit_exceeded' },
  ],
  ['makes nothing of an error type that repeats the status', withAttributes({ 'error.type': '402' }), outline],
  [
    'reads an error message',
    withAttributes({ 'error.message': 'Insufficient balance' }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'reads a response body as text',
    withAttributes({ 'http.response.body.content': '{"error":{"decline_code":"expired_card"}}' }),
    { ...outline, cause: 'invalid_payment_info' },
  ],
  [
    'reads a response body as bytes',
    wrapped([
      vary(record, {
        attributes: [
          ...pairs(attributes),
          {
            key: 'http.response.body',
            value: { bytesValue: Buffer.from('{"code":"insufficient_funds"}').toString('base64') },
          },
        ],
      }),
    ]),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'takes a message in the body',
    withAttributes({}, { body: any('monthly quota exceeded') }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'does not look for a cause in an access line',
    withAttributes({}, { body: any('POST /ask?q=quota exceeded 402') }),
    outline,
  ],
  [
    'reads snake_case',
    {
      resource_logs: [
        {
          resource: { attributes: [] },
          scope_logs: [
            {
              log_records: [
                {
                  time_unix_nano: '1791188136042000000',
                  attributes: [{ key: 'http.response.status_code', value: { int_value: '402' } }],
                },
              ],
            },
          ],
        },
      ],
    },
    { ...outline, tenant: null, api: null },
  ],
  ['reads a record that stands alone', record, outline],
  [
    'reads what Envoy exports under its own names',
    only({ ...envoyNames, tenant: 'acme' }),
    { ...outline, tenant: 'acme', api: 'orders', cause: 'quota_exceeded' },
  ],
  [
    'reads what Envoy Gateway exports as text in the body',
    only({ 'k8s.pod.name': 'gw-1' }, { body: any(JSON.stringify({ ...envoyNames, 'x-tenant-id': 'acme' })) }),
    { ...outline, tenant: 'acme', api: 'orders', cause: 'quota_exceeded' },
  ],
  [
    'believes the start time of Envoy',
    only({ ...envoyNames, start_time: '2026-10-05T08:15:00.000Z', tenant: 't' }),
    { ...outline, time: '2026-10-05T08:15:00.000Z', tenant: 't', api: 'orders', cause: 'quota_exceeded' },
  ],
  [
    'reads Envoy beside the names of the conventions',
    withAttributes({ response_flags: 'UAEX', response_code_details: 'ext_authz_denied' }),
    { ...outline, cause: 'permission_denied' },
  ],
  [
    'reads what Traefik exports',
    only({ ...traefikNames, StartUTC: '2026-10-05T08:15:00.042194835Z' }),
    { ...outline, time: '2026-10-05T08:15:00.042Z', tenant: null, api: 'orders@file' },
  ],
  [
    'reads the times of Go that Traefik exports',
    only({ ...traefikNames, StartUTC: '2026-10-05 08:15:00.042194835 +0000 UTC m=+12.5' }),
    { ...outline, time: '2026-10-05T08:15:00.042Z', tenant: null, api: 'orders@file' },
  ],
  [
    'reads times in nanoseconds from Traefik',
    only({ ...traefikNames, StartUTC: '1791188100041999999' }),
    { ...outline, time: '2026-10-05T08:15:00.041Z', tenant: null, api: 'orders@file' },
  ],
  [
    'takes the time of the record where Traefik gives none',
    wrapped([vary(record, { attributes: pairs({ ...traefikNames, 'request_X-Tenant-Id': 'acme' }) })]),
    { ...outline, tenant: 'acme', api: 'orders@file' },
  ],
]

describe('otlp', () => {
  test.each(cases)('%s', (_, value, expected) => {
    expect(outlineOf(recordOf({ format: 'otlp' }, value))).toEqual(expected)
    expect(outlineOf(recordOf({}, value)), 'auto').toEqual(expected)
    expect(recordOf({}, value).format).toBe('otlp')
  })

  test('reads method, trace id and what is not told', () => {
    expect(recordOf({}, wrapped([record]))).toMatchObject({
      method: 'POST',
      requestId: 'ab'.repeat(16),
      latencyMs: null,
      upstreamStatus: null,
    })
    expect(recordOf({}, wrapped([record])).origin()).toEqual({
      service: 'edge',
      tenantPlace: 'tenant.id',
      apiPlace: 'http.route',
    })
  })

  test.each([
    ['http.server.request.duration', 0.0125, 12.5],
    ['http.server.duration', 12.5, 12.5],
    ['duration_ms', 12, 12],
    ['event.duration', 12500000, 12.5],
    // Nobody says in which unit this is.
    ['duration', 12, null],
  ])('reads the latency under %s', (name, value, ms) => {
    expect(recordOf({}, withAttributes({ [name]: value })).latencyMs).toBe(ms)
  })

  test.each([
    [6214873, 6.215],
    ['unhandled attribute type: (time.Duration) 6.214873ms', 6.215],
    ['1m2.5s', 62_500],
    ['soon', null],
  ])('reads the duration %j of Traefik', (value, ms) => {
    expect(recordOf({}, only({ ...traefikNames, Duration: value })).latencyMs).toBe(ms)
  })

  test('knows the upstream of what Envoy passed through', () => {
    const passed = { ...envoyNames, response_flags: '-', response_code_details: 'via_upstream' }
    expect(recordOf({}, only(passed))).toMatchObject({ upstreamStatus: 402, latencyMs: 6, method: 'POST' })
    expect(recordOf({}, withAttributes({ response_code_details: 'via_upstream' })).upstreamStatus).toBe(402)
  })

  test('tells where the cause stands', () => {
    const value = withAttributes({ 'error.type': 'budget_exceeded' })
    expect(causeOf(recordOf({}, value), [])).toMatchObject({ code: 'budget_exceeded', source: 'error.type' })
  })

  test('numbers the records of all resources and scopes', () => {
    const one = wrapped([record, vary(record, { attributes: [] }), 'x' as unknown as object]) as {
      resourceLogs: object[]
    }
    const two = wrapped([withStatus(200)]) as { resourceLogs: object[] }
    const decoded = decodeAll({}, { resourceLogs: [...one.resourceLogs, {}, ...two.resourceLogs] })
    expect(decoded.map(({ kind, index }) => [index, kind])).toEqual([
      [0, 'record'],
      [1, 'skipped'],
      [2, 'skipped'],
      [3, 'record'],
    ])
  })

  test.each([
    ['a record without a status', only({ 'log.level': 'info' }), 'event'],
    ['a record whose status is empty', withAttributes({ 'http.response.status_code': '' }), 'event'],
    ['a message of the application', only({}, { body: any('worker started') }), 'event'],
    ['a JSON message of the application', only({}, { body: any('{"level":"info","msg":"started"}') }), 'event'],
    ['metrics', { resourceMetrics: [] }, 'metrics'],
    ['spans', { resourceSpans: [] }, 'event'],
  ])('skips %s', (_, value, reason) => {
    expect(decodeOne({ format: 'otlp' }, value)).toEqual({ kind: 'skipped', index: 0, reason })
    expect(decodeOne({}, value), 'auto').toEqual({ kind: 'skipped', index: 0, reason })
  })

  test.each([
    ['wrong-type', withAttributes({ 'http.response.status_code': 'many' })],
    ['bad-time', wrapped([vary(record, { timeUnixNano: 'soon', observedTimeUnixNano: undefined })])],
    ['bad-time', only({ ...envoyNames, start_time: 'soon' })],
    ['empty', { resourceLogs: [] }],
    ['empty', wrapped([])],
  ] as const)('answers %s', (failure, value) => {
    expect(decodeOne({ format: 'otlp' }, value)).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  describe('a gateway line that a collector tailed', () => {
    const kong = {
      latencies: { request: 4 },
      started_at: 1791188136042,
      response: { status: 402 },
      route: { name: 'r' },
    }

    test.each([
      ['as JSON text', only({ 'log.file.name': 'kong.log' }, { body: any(JSON.stringify(kong)) })],
      ['as an object', only({ 'log.file.name': 'kong.log' }, { body: any(kong) })],
      ['as attributes', only(kong, { body: any('') })],
      ['as attributes beside text of no use', only(kong, { body: any('from kong') })],
      [
        'in a wrapper of Docker',
        only({}, { body: any(JSON.stringify({ log: `${JSON.stringify(kong)}\n`, stream: 'stdout' })) }),
      ],
    ])('is read by its own layout, %s', (_, value) => {
      expect(recordOf({}, value)).toMatchObject({ format: 'kong', status: 402, api: 'r', timeMs: 1791188136042 })
      expect(decodeOne({ format: 'otlp' }, value), 'fixed').toMatchObject({ kind: 'skipped', reason: 'event' })
    })

    test.each([
      ['envoy', '[2026-10-05T08:15:36.042Z] "GET /v1/a HTTP/1.1" 402 - 0 12 3 2 "-" "-" "r-1" "h" "10.0.0.1:80"'],
      ['nginx', '203.0.113.9 - - [05/Oct/2026:08:15:36 +0000] "GET /v1/a HTTP/1.1" 402 58 "-" "curl/8.9.1"'],
    ])('may be text of %s', (format, line) => {
      expect(recordOf({}, only({}, { body: any(line) }))).toMatchObject({ format, status: 402, api: '/v1/a' })
    })

    test('keeps its number among the others', () => {
      const lines = [kong, 'started', kong, { level: 'info' }].map((line) =>
        vary(record, { attributes: [], body: any(typeof line === 'string' ? line : JSON.stringify(line)) }),
      )
      expect(decodeAll({}, wrapped([...lines, record])).map((one) => [one.index, one.kind])).toEqual([
        [0, 'record'],
        [1, 'skipped'],
        [2, 'record'],
        [3, 'skipped'],
        [4, 'record'],
      ])
    })
  })

  test('takes a deep value, a huge resource and many records in its stride', () => {
    const levels = 20_000
    const deep = `${'{"arrayValue":{"values":['.repeat(levels)}${']}}'.repeat(levels)}`
    const text = JSON.stringify(wrapped([vary(record, { attributes: [...pairs(attributes), { key: 'k', value: 0 }] })]))
    expect(recordOf({}, text.replace('"value":0', `"value":${deep}`)).status).toBe(402)
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`k${i}`, 'v'.repeat(50)]))
    const decoded = decodeAll(
      {},
      wrapped(
        Array.from({ length: 2_000 }, () => record),
        many,
      ),
    )
    expect(decoded.length).toBe(2_000)
    expect(decoded.every(({ kind }) => kind === 'record')).toBe(true)
  })

  test('is not misled by an attribute named like a part of every object', () => {
    const value = wrapped([
      vary(record, { attributes: [...pairs(attributes), { key: '__proto__', value: any({ 'tenant.id': 'evil' }) }] }),
    ])
    expect(recordOf({}, value).tenant).toBe('grey-owl')
  })
})

function withStatus(status: number): object {
  return vary(record, { attributes: pairs(vary(attributes, { 'http.response.status_code': status })) })
}
