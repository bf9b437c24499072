import { describe, expect, test } from 'vitest'
import { causeOf } from '../../src/classify/classify.ts'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const common = {
  startTime: '2026-10-05T08:15:36.042194835Z',
  duration: '0.016s',
  timeToLastDownstreamTxByte: '0.015894211s',
  downstreamRemoteAddress: { socketAddress: { address: '203.0.113.9', portValue: 41562 } },
  upstreamRemoteAddress: { socketAddress: { address: '10.4.2.2', portValue: 8443 } },
  upstreamCluster: 'orders',
  routeName: 'orders-v1',
  streamId: 'stream-1',
  accessLogType: 'DownstreamEnd',
  responseFlags: {},
}
const request = {
  requestMethod: 'POST',
  scheme: 'https',
  authority: 'api.example.org',
  path: '/internal/orders/5501?dry=1',
  originalPath: '/v1/orders/5501?dry=1',
  requestId: 'req-5',
  requestBodyBytes: '27',
  requestHeaders: { 'x-tenant-id': 'grey-owl' },
}
const response = {
  responseCode: 402,
  responseCodeDetails: 'via_upstream',
  responseBodyBytes: '51',
  responseHeaders: { 'content-type': 'application/json' },
}
const entry = { commonProperties: common, protocolVersion: 'HTTP11', request, response }

const withCommon = (changes: object) => vary(entry, { commonProperties: vary(common, { ...changes }) })
const withResponse = (changes: object) => vary(entry, { response: vary(response, { ...changes }) })
const decided = (responseFlags: unknown, responseCodeDetails: string | undefined) =>
  vary(entry, {
    commonProperties: vary(common, { responseFlags, upstreamRemoteAddress: undefined }),
    response: vary(response, { responseCodeDetails }),
  })
const wrapper = (logEntry: readonly unknown[]) => ({
  identifier: { node: { id: 'gw-1' }, logName: 'http' },
  httpLogs: { logEntry },
})

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'grey-owl',
  api: 'orders-v1',
  cause: 'unknown',
}
const noHeaders = vary(request, { requestHeaders: undefined })

const cases: [name: string, value: unknown, expected: object][] = [
  ['reads an entry alone', entry, outline],
  ['reads an entry in a message', wrapper([entry]), outline],
  ['reads a status as text', withResponse({ responseCode: '402' }), outline],
  ['reads a status as a wrapped integer', withResponse({ responseCode: { value: 402 } }), outline],
  [
    'takes a missing status as no response',
    withResponse({ responseCode: undefined }),
    { ...outline, status: null, cause: null },
  ],
  [
    'takes a missing response as no response',
    vary(entry, { response: undefined }),
    { ...outline, status: null, cause: null },
  ],
  ['takes a status of 0 as no response', withResponse({ responseCode: 0 }), { ...outline, status: null, cause: null }],
  [
    'takes the path from before it was rewritten',
    withCommon({ routeName: '' }),
    { ...outline, api: '/v1/orders/{id}' },
  ],
  [
    'takes the path without an original one',
    vary(withCommon({ routeName: 'default' }), { request: vary(request, { originalPath: '' }) }),
    { ...outline, api: '/internal/orders/{id}' },
  ],
  ['prefers a custom tag', withCommon({ customTags: { tenant: 'acme' } }), { ...outline, tenant: 'acme' }],
  [
    'takes dynamic metadata',
    vary(withCommon({ metadata: { filterMetadata: { 'envoy.filters.http.jwt_authn': { tenant_id: 'acme' } } } }), {
      request: noHeaders,
    }),
    { ...outline, tenant: 'acme' },
  ],
  ['knows no tenant where none is logged', vary(entry, { request: noHeaders }), { ...outline, tenant: null }],
  ['has no time without a start', withCommon({ startTime: undefined }), { ...outline, time: null }],
  ['reads a time in two fields', withCommon({ startTime: { seconds: '1791188136', nanos: 42194835 } }), outline],
  ['takes a rate limit as a quota', decided({ rateLimited: true }, undefined), { ...outline, cause: 'quota_exceeded' }],
  ['takes a flag that is false as none', decided({ rateLimited: false }, undefined), outline],
  [
    'takes external authorization as a permission',
    decided({ unauthorizedDetails: { reason: 'EXTERNAL_SERVICE' } }, undefined),
    { ...outline, cause: 'permission_denied' },
  ],
  [
    'believes the details before the flag',
    decided({ unauthorizedDetails: {} }, 'jwt_authn_access_denied{Jwt_is_missing}'),
    { ...outline, cause: 'authentication_missing' },
  ],
  [
    'takes a missing route as a misconfiguration',
    decided({ noRouteFound: true }, 'route_not_found'),
    { ...outline, cause: 'misconfiguration' },
  ],
  [
    'takes an unhealthy upstream as exhaustion',
    decided({ noHealthyUpstream: true }, undefined),
    { ...outline, cause: 'resource_exhausted' },
  ],
  ['knows nothing of an answer the operator wrote', decided({}, 'direct_response'), outline],
  [
    'does not believe a flag on an answer of the upstream',
    withCommon({ responseFlags: { rateLimited: true } }),
    outline,
  ],
  [
    'reads the headers of the response',
    withResponse({ responseHeaders: { 'x-error-code': 'subscription_expired' } }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'reads snake_case',
    {
      common_properties: {
        start_time: common.startTime,
        duration: '0.016s',
        route_name: 'orders-v1',
        response_flags: { rate_limited: true },
        access_log_type: 'DownstreamEnd',
      },
      request: { request_method: 'POST', request_id: 'req-5', request_headers: { 'x-tenant-id': 'grey-owl' } },
      response: { response_code: 402, response_code_details: 'request_rate_limited' },
    },
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['reads a message in snake_case', { http_logs: { log_entry: [entry] } }, outline],
]

describe("envoy's access log service", () => {
  test.each(cases)('%s', (_, value, expected) => {
    expect(outlineOf(recordOf({ format: 'envoy' }, value))).toEqual(expected)
    expect(outlineOf(recordOf({}, value)), 'auto').toEqual(expected)
  })

  test('reads latency, method, request id and service', () => {
    const record = recordOf({}, entry)
    expect(record).toMatchObject({ latencyMs: 16, method: 'POST', requestId: 'req-5', upstreamStatus: 402 })
    expect(record.origin()).toMatchObject({ service: 'orders', apiPlace: 'commonProperties.routeName' })
    expect(recordOf({}, vary(entry, { request: {} }))).toMatchObject({ method: null, requestId: 'stream-1' })
    expect(recordOf({}, vary(entry, { request: { requestMethod: 3 } })).method).toBe('POST')
  })

  test.each([
    ['0.016s', undefined, 16],
    ['1.5s', undefined, 1500],
    [undefined, '0.015894211s', 15.894],
    [{ seconds: '1', nanos: 500000000 }, undefined, 1500],
    ['16', undefined, null],
    ['-1s', undefined, null],
  ])('reads the duration %j, else %j', (duration, timeToLastDownstreamTxByte, ms) => {
    expect(recordOf({}, withCommon({ duration, timeToLastDownstreamTxByte })).latencyMs).toBe(ms)
  })

  test('tells who answered', () => {
    expect(recordOf({}, entry).evidence().answeredBy).toBe('upstream')
    expect(recordOf({}, withResponse({ responseCodeDetails: undefined })).evidence().answeredBy).toBe('upstream')
    expect(recordOf({}, decided({ rateLimited: true }, undefined)).evidence().answeredBy).toBe('gateway')
    expect(recordOf({}, decided({ downstreamConnectionTermination: true }, '')).evidence().answeredBy).toBe(null)
    expect(recordOf({}, decided({}, 'ext_authz_denied')).upstreamStatus).toBe(null)
  })

  test('tells where the cause stands', () => {
    expect(causeOf(recordOf({}, decided({ rateLimited: true }, undefined)), [])).toMatchObject({
      code: 'rateLimited',
      source: 'commonProperties.responseFlags',
    })
  })

  test.each([
    ['a request at its start', withCommon({ accessLogType: 'DownstreamStart' }), 'duplicate'],
    ['a request on its way', withCommon({ accessLogType: 'DownstreamPeriodic' }), 'duplicate'],
    ['a request on its way, by number', withCommon({ accessLogType: 5 }), 'duplicate'],
    ['a request on its way, by the old field', withCommon({ intermediateLogEntry: true }), 'duplicate'],
    ['an attempt at an upstream', withCommon({ accessLogType: 'UpstreamEnd' }), 'duplicate'],
    ['a TCP connection', { commonProperties: common, connectionProperties: { receivedBytes: '1' } }, 'no-http'],
    [
      'a message of TCP connections',
      { tcpLogs: { logEntry: [{ commonProperties: common, connectionProperties: {} }] } },
      'no-http',
    ],
  ])('skips %s', (_, value, reason) => {
    expect(decodeOne({ format: 'envoy' }, value)).toEqual({ kind: 'skipped', index: 0, reason })
    expect(decodeOne({}, value), 'auto').toEqual({ kind: 'skipped', index: 0, reason })
  })

  test('numbers the entries of a message', () => {
    const decoded = decodeAll({}, wrapper([entry, 'x', withCommon({ accessLogType: 'DownstreamStart' }), entry]))
    expect(decoded.map((one) => [one.index, one.kind])).toEqual([
      [0, 'record'],
      [1, 'unreadable'],
      [2, 'skipped'],
      [3, 'record'],
    ])
    expect(decodeAll({}, wrapper([]))).toMatchObject([{ failure: 'empty' }])
  })

  test.each([
    ['wrong-type', withResponse({ responseCode: 'many' })],
    ['bad-time', withCommon({ startTime: 'soon' })],
    ['bad-time', withCommon({ startTime: { seconds: -1 } })],
    ['bad-time', withCommon({ startTime: { seconds: 1791188136, nanos: -5e20 } })],
    ['bad-time', withCommon({ startTime: { seconds: 1e300 } })],
  ] as const)('answers %s', (failure, value) => {
    expect(decodeOne({}, value)).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = {
      commonProperties: vary(common, { responseFlags: 3, metadata: [], customTags: 'x', duration: {} }),
      request: 1,
      response,
    }
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: null })
    expect(decodeOne({}, { commonProperties: 7, request: 1, response })).toMatchObject({ kind: 'record' })
  })
})
