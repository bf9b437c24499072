import { describe, expect, test } from 'vitest'
import { decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const istio = {
  start_time: '2026-10-05T08:15:36.042Z',
  route_name: 'default',
  method: 'POST',
  path: '/v1/orders/5501?dry=1',
  protocol: 'HTTP/1.1',
  response_code: 402,
  response_flags: '-',
  response_code_details: 'via_upstream',
  bytes_sent: 51,
  duration: 6,
  upstream_service_time: '5',
  request_id: 'req-5',
  authority: 'api.example.org',
  upstream_host: '10.4.2.2:8080',
  upstream_cluster: 'outbound|443||orders.shop.svc.cluster.local',
}

const gateway = {
  start_time: '2026-10-05T08:15:36.042Z',
  method: 'POST',
  'x-envoy-origin-path': '/v1/orders/5501?dry=1',
  response_code: '402',
  response_flags: '-',
  response_code_details: 'via_upstream',
  duration: '6',
  'x-envoy-upstream-service-time': '5',
  'x-request-id': 'req-5',
  ':authority': 'api.example.org',
  upstream_cluster: 'httproute/default/orders/rule/0',
  route_name: 'httproute/default/orders/rule/0/match/0',
}

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: null,
  api: '/v1/orders/{id}',
  cause: 'unknown',
}
const own = { upstream_service_time: null, upstream_host: null }
const decided = (flags: string, details: string | undefined) =>
  vary(istio, { ...own, response_flags: flags, response_code_details: details })

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads Istio', istio, outline],
  [
    'reads Istio with everything as text',
    vary(istio, { response_code: '402', duration: '6', bytes_sent: '51' }),
    outline,
  ],
  ['reads Envoy Gateway', gateway, { ...outline, api: 'httproute/default/orders/rule/0/match/0' }],
  ['reads Envoy Gateway without a route', vary(gateway, { route_name: '-' }), outline],
  [
    'takes external authorization as a permission',
    decided('UAEX', 'ext_authz_denied'),
    { ...outline, cause: 'permission_denied' },
  ],
  ['takes the flag alone', decided('UAEX', undefined), { ...outline, cause: 'permission_denied' }],
  [
    'believes the details before the flag',
    decided('UAEX', 'jwt_authn_access_denied{Jwt_is_missing}'),
    { ...outline, cause: 'authentication_missing' },
  ],
  ['takes the rate limit as a quota', decided('RL', 'request_rate_limited'), { ...outline, cause: 'quota_exceeded' }],
  [
    'takes the local rate limit as a quota',
    decided('-', 'local_rate_limited'),
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['takes one flag of several', decided('DI,RL', undefined), { ...outline, cause: 'quota_exceeded' }],
  [
    'takes RBAC as a permission',
    decided('-', 'rbac_access_denied_matched_policy[ns[a]-policy[b]-rule[0]]'),
    { ...outline, cause: 'permission_denied' },
  ],
  [
    'takes a missing route as a misconfiguration',
    decided('NR', 'route_not_found'),
    { ...outline, cause: 'misconfiguration' },
  ],
  ['takes an overflow as exhaustion', decided('UO', undefined), { ...outline, cause: 'resource_exhausted' }],
  ['knows nothing of an answer the operator wrote', decided('-', 'direct_response'), outline],
  ['does not blame payment for an upstream that cannot be reached', decided('UF,URX', undefined), outline],
  ['reads epoch seconds as a number', vary(istio, { start_time: 1791188136.042 }), outline],
  ['reads epoch seconds as text', vary(istio, { start_time: '1791188136.042' }), outline],
  [
    'takes 0 as no response',
    vary(istio, { response_code: 0, response_flags: 'DC' }),
    { ...outline, status: null, cause: null },
  ],
  ['takes a tenant the operator logs', vary(istio, { 'x-tenant-id': 'acme' }), { ...outline, tenant: 'acme' }],
  ['takes the tenant of an AI gateway', vary(istio, { 'tenant.id': 'acme' }), { ...outline, tenant: 'acme' }],
  [
    'takes a header the operator logs',
    vary(decided('-', 'direct_response'), { 'x-ratelimit-remaining': '0' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['takes a route by its name', vary(istio, { route_name: 'orders' }), { ...outline, api: 'orders' }],
  [
    'reads what an AI gateway adds',
    vary(gateway, { 'gen_ai.request.model': 'small-1', 'gen_ai.provider.name': 'openai', 'tenant.id': 'acme' }),
    { ...outline, tenant: 'acme', api: 'httproute/default/orders/rule/0/match/0' },
  ],
  [
    'knows no API where nothing names one',
    vary(istio, { route_name: null, path: null, method: 'POST' }),
    { ...outline, api: null },
  ],
  ['has no time without a start', vary(istio, { start_time: null }), { ...outline, time: null }],
  [
    'takes a body that the operator logs',
    vary(istio, { response_body: '{"code":"quota_exceeded"}' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['counts a request at its end', vary(istio, { access_log_type: 'DownstreamEnd' }), outline],
]

describe('envoy', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'envoy' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
  })

  test('knows the upstream status only of an answer that was passed through', () => {
    expect(recordOf({}, istio).upstreamStatus).toBe(402)
    expect(recordOf({}, decided('UAEX', 'ext_authz_denied')).upstreamStatus).toBe(null)
    expect(recordOf({}, vary(istio, { response_code_details: undefined })).upstreamStatus).toBe(402)
    expect(recordOf({}, decided('-', undefined)).evidence().answeredBy).toBe('gateway')
  })

  test('reads latency, method and request id under both sets of names', () => {
    for (const record of [istio, gateway]) {
      expect(recordOf({}, record)).toMatchObject({ latencyMs: 6, method: 'POST', requestId: 'req-5' })
    }
  })

  test('names the provider of a model as the service', () => {
    const named = vary(gateway, { 'gen_ai.provider.name': 'openai' })
    expect(recordOf({}, named).origin()).toMatchObject({ service: 'openai' })
    expect(recordOf({}, gateway).origin()).toMatchObject({ service: 'httproute/default/orders/rule/0' })
  })

  const tcp = { response_code: 0, method: null, path: null, protocol: null, response_code_details: null }

  test.each([
    ['a TCP session of Istio', vary(istio, tcp), 'no-http'],
    [
      'a TCP session as text',
      vary(istio, { ...tcp, response_code: '0', method: '-', path: '-', protocol: '-' }),
      'no-http',
    ],
    ['a request at its start', vary(istio, { access_log_type: 'DownstreamStart', response_code: 0 }), 'duplicate'],
    ['a request on its way', vary(istio, { access_log_type: 'DownstreamPeriodic' }), 'duplicate'],
    ['an attempt at an upstream', vary(istio, { access_log_type: 'UpstreamEnd' }), 'duplicate'],
    ['the end of a TCP connection', vary(istio, { access_log_type: 'TcpConnectionEnd' }), 'no-http'],
  ])('skips %s', (_, record, reason) => {
    expect(decodeOne({}, record)).toEqual({ kind: 'skipped', index: 0, reason })
  })

  test('keeps the request of a client that left before it had sent one in full', () => {
    expect(recordOf({}, vary(istio, { response_code: 0, path: null, response_flags: 'DC' })).status).toBe(null)
  })

  test.each([
    ['no-status', { response_code: null }],
    ['no-status', { response_code: '-' }],
    ['wrong-type', { response_code: {} }],
    ['bad-time', { start_time: '10/05/2026' }],
    ['bad-time', { start_time: '2026-10-05T08:15:36.042' }],
    // Milliseconds where seconds are due: the unit is never guessed.
    ['bad-time', { start_time: 1791188136042 }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'envoy' }, vary(istio, changes))).toMatchObject({
      kind: 'unreadable',
      index: 0,
      failure,
    })
  })
})
