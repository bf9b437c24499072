import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

// A v2 API, as the Kafka, file and TCP reporters write it.
const v2 = {
  timestamp: 1791188136042,
  proxyResponseTimeMs: 12,
  proxyLatencyMs: 9,
  apiResponseTimeMs: 0,
  requestId: '5e0c7a11-1d2f-4a3b-8c4d-5e6f708192a3',
  api: 'api-reports',
  apiName: 'Reports',
  application: 'app-heron',
  transactionId: '5e0c7a11-1d2f-4a3b-8c4d-5e6f708192a3',
  tenant: 'eu-shard',
  plan: 'plan-gold',
  subscription: 'sub-9',
  remoteAddress: '203.0.113.77',
  httpMethod: 'POST',
  host: 'api.example.org',
  uri: '/reports/417?lang=en',
  requestContentLength: -1,
  responseContentLength: 52,
  status: 402,
  organizationId: 'DEFAULT',
  environmentId: 'DEFAULT',
}

const v4 = {
  timestamp: 1791188136042,
  enabled: true,
  requestId: '6f1d8b22-2e30-4b4c-9d5e-6f7081920314',
  transactionId: '6f1d8b22-2e30-4b4c-9d5e-6f7081920314',
  apiId: 'api-reports',
  apiName: 'Reports',
  apiType: 'proxy',
  planId: 'plan-gold',
  applicationId: 'app-heron',
  subscriptionId: 'sub-9',
  clientIdentifier: 'sub-9',
  tenant: 'eu-shard',
  httpMethod: 'GET',
  uri: '/reports/417?lang=en',
  pathInfo: '/417',
  requestEnded: true,
  entrypointId: 'http-proxy',
  endpoint: 'https://reports.example.net/417',
  endpointResponseTimeMs: 137,
  status: 402,
  responseContentLength: 74,
  gatewayResponseTimeMs: 144,
  gatewayLatencyMs: 7,
}

const es2 = {
  gateway: 'gw-1',
  '@timestamp': '2026-10-05T10:15:36.042+02:00',
  type: 'request',
  date: '2026.10.05',
  _id: '5e0c7a11-1d2f-4a3b-8c4d-5e6f708192a3',
  transaction: '5e0c7a11-1d2f-4a3b-8c4d-5e6f708192a3',
  method: 7,
  uri: '/reports/417?lang=en',
  status: 402,
  'response-time': 12,
  'proxy-latency': 9,
  plan: 'plan-gold',
  api: 'api-reports',
  'api-name': 'Reports',
  application: 'app-heron',
  tenant: 'eu-shard',
  'user-agent': '',
  subscription: 'sub-9',
}

const es4 = {
  gateway: 'gw-1',
  _id: '6f1d8b22-2e30-4b4c-9d5e-6f7081920314',
  type: 'v4-metrics',
  date: '2026.10.05',
  '@timestamp': '2026-10-05T08:15:36.042Z',
  'request-id': '6f1d8b22-2e30-4b4c-9d5e-6f7081920314',
  'transaction-id': '6f1d8b22-2e30-4b4c-9d5e-6f7081920314',
  'api-id': 'api-reports',
  'api-name': 'Reports',
  'plan-id': 'plan-gold',
  'application-id': 'app-heron',
  'subscription-id': 'sub-9',
  tenant: 'eu-shard',
  'http-method': 3,
  uri: '/reports/417?lang=en',
  'request-ended': 'true',
  'entrypoint-id': 'http-proxy',
  status: 402,
  'gateway-response-time-ms': 144,
  'gateway-latency-ms': 7,
}

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'app-heron',
  api: 'api-reports',
  cause: 'unknown',
}
const noType = { type: undefined, date: undefined, _id: undefined }

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads a v2 API', v2, outline],
  ['reads a v4 API', v4, outline],
  ['reads a v2 API in the Elasticsearch form', es2, outline],
  ['reads a v4 API in the Elasticsearch form', es4, outline],
  ['reads a v2 document of a bulk file', vary(es2, noType), outline],
  ['reads a v4 document of a bulk file', vary(es4, noType), outline],
  [
    'reads a v4 document whose latencies are not known',
    vary(es4, { ...noType, 'gateway-response-time-ms': undefined, 'gateway-latency-ms': undefined }),
    outline,
  ],
  ['reads numbers that came as text', vary(v2, { timestamp: '1791188136042', status: '402' }), outline],
  ['has no time of 0', vary(v2, { timestamp: 0 }), { ...outline, time: null }],
  ['takes a status of 0 as no response', vary(v4, { status: 0 }), { ...outline, status: null, cause: null }],
  [
    'takes a quota',
    vary(v2, { errorKey: 'QUOTA_TOO_MANY_REQUESTS', message: 'Quota exceeded' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'takes a rate limit',
    vary(v2, { errorKey: 'RATE_LIMIT_TOO_MANY_REQUESTS' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'takes the failure of a v4 API',
    vary(v4, {
      endpoint: undefined,
      failure: { key: 'API_KEY_MISSING', message: 'Unauthorized', componentType: 'POLICY', componentName: 'api-key' },
    }),
    { ...outline, cause: 'authentication_missing' },
  ],
  [
    'takes the error key of the Elasticsearch form',
    vary(es4, { 'error-key': 'GATEWAY_PLAN_UNRESOLVABLE', 'error-message': 'Unauthorized' }),
    { ...outline, cause: 'authentication_missing' },
  ],
  [
    'takes a role that is missing',
    vary(es2, { 'error-key': 'RBAC_FORBIDDEN' }),
    { ...outline, cause: 'permission_denied' },
  ],
  [
    'takes a policy that broke',
    vary(v4, { errorKey: 'GATEWAY_POLICY_INTERNAL_ERROR' }),
    { ...outline, cause: 'misconfiguration' },
  ],
  [
    'takes the message of a key that says nothing',
    vary(v4, { failure: { key: 'OUR_OWN', message: 'Your trial has ended.' } }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'takes a header that a custom metric holds',
    vary(v4, { customMetrics: { 'x-error-code': 'insufficient_credits' } }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'takes a limit that a custom metric holds, if the gateway answered',
    vary(es2, { custom: { 'ratelimit-remaining': '0' }, 'error-key': 'OUR_OWN' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['does not read keys that hold nothing', vary(v2, { errorKey: '', message: null, failure: null }), outline],
  ['takes the subscription without an application', vary(v2, { application: null }), { ...outline, tenant: 'sub-9' }],
  [
    'knows no tenant of a keyless plan, whose subscription is an address',
    vary(v2, { application: '1', plan: '1', subscription: '203.0.113.77' }),
    { ...outline, tenant: null },
  ],
  [
    'knows no tenant of a keyless plan of a v4 API',
    vary(v4, { applicationId: '1', subscriptionId: '203.0.113.77' }),
    { ...outline, tenant: null },
  ],
  [
    'knows no tenant of a keyless plan in the Elasticsearch form',
    vary(es4, { 'application-id': 1, 'subscription-id': '203.0.113.77' }),
    { ...outline, tenant: null },
  ],
  [
    'prefers a tenant that a custom metric names, also 1',
    vary(v2, { customMetrics: { tenant: '1' } }),
    { ...outline, tenant: '1' },
  ],
  [
    'takes a custom metric of the Elasticsearch form',
    vary(es2, { custom: { customer_id: 'c-4' } }),
    { ...outline, tenant: 'c-4' },
  ],
  [
    'takes the path where no API matched',
    vary(v2, { api: '1', apiName: undefined, application: '1', status: 404 }),
    { ...outline, status: 404, tenant: null, api: '/reports/{id}', cause: null },
  ],
]

describe('gravitee', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'gravitee' }, record))).toEqual(expected)
    const auto = recordOf({}, record)
    expect([auto.format, outlineOf(auto)], 'auto').toEqual(['gravitee', expected])
  })

  test('leaves the sharding tag alone unless the operator points at it', () => {
    const { tenant, origin } = recordOf({ tenant: { gravitee: 'tenant' } }, v2)
    expect([tenant, origin()]).toEqual(['eu-shard', { service: 'Reports', tenantPlace: 'tenant', apiPlace: 'api' }])
  })

  test.each([
    ['v2', v2, { latencyMs: 12, method: 'POST', plan: 'plan-gold', requestId: v2.requestId }],
    ['v4', v4, { latencyMs: 144, method: 'GET', plan: 'plan-gold', requestId: v4.requestId }],
    ['es v2', es2, { latencyMs: 12, method: 'POST', plan: 'plan-gold', requestId: v2.requestId }],
    ['es v4', es4, { latencyMs: 144, method: 'GET', plan: 'plan-gold', requestId: v4.requestId }],
    ['unknown latency', vary(v2, { proxyResponseTimeMs: -1 }), { latencyMs: null }],
    ['unknown plan', vary(v2, { plan: '1' }), { plan: null }],
    ['unknown method', vary(es2, { method: 77 }), { method: null }],
    ['user', vary(v2, { user: 'jay' }), { consumer: 'jay' }],
  ])('reads latency, method, plan and request id: %s', (_, record, expected) => {
    expect(recordOf({}, record)).toMatchObject(expected)
  })

  test.each([
    ['the endpoint', v4, 'upstream', 402],
    [
      'an error key in spite of an endpoint',
      vary(v4, { errorKey: 'GATEWAY_CLIENT_CONNECTION_ERROR' }),
      'gateway',
      null,
    ],
    ['a failure', vary(v4, { failure: { key: 'X' } }), 'gateway', null],
    ['no time at an endpoint', v2, 'gateway', null],
    ['an unknown time at an endpoint', vary(v2, { apiResponseTimeMs: -1 }), 'gateway', null],
    ['a time at an endpoint', vary(v2, { apiResponseTimeMs: 8 }), 'upstream', 402],
    ['nothing', es4, null, null],
  ] as const)('tells from %s who answered', (_, record, answeredBy, upstreamStatus) => {
    const read = recordOf({}, record)
    expect([read.evidence().answeredBy, read.upstreamStatus]).toEqual([answeredBy, upstreamStatus])
  })

  test.each([
    ['no-status', { status: undefined }],
    ['no-status', { status: null }],
    ['wrong-type', { status: 'refused' }],
    ['wrong-type', { status: { code: 402 } }],
    ['bad-time', { timestamp: '2026-10-05' }],
    ['bad-time', { timestamp: -1 }],
  ] as const)('answers %s to %j', (failure, changes) => {
    for (const format of ['gravitee', 'auto'] as const) {
      expect(decodeOne({ format }, vary(v2, changes))).toMatchObject({ kind: 'unreadable', index: 0, failure })
    }
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(v2, { application: [1], subscription: {}, api: 7.5, failure: 'x', customMetrics: 3, custom: [] })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: null, api: '7.5' })
  })
})

const about = { timestamp: 1791188136042, requestId: v2.requestId }
const exchange = { method: 'POST', uri: '/reports', headers: { Authorization: ['hush'] }, body: 'hush' }
const answer = { status: 402, headers: {}, body: '{"code":"insufficient_funds"}' }
const operation = { operation: 'SUBSCRIBE', connectorType: 'ENTRYPOINT', connectorId: 'http-get', apiId: 'a' }
const ofGateway = { timestamp: 1791188136042, gatewayId: 'gw-1', organizationId: 'o', environmentId: 'e', apiId: 'a' }
const esAbout = { '@timestamp': '2026-10-05T08:15:36.042Z', date: '2026.10.05', _id: 'x' }

const others: [name: string, reason: string, message: object][] = [
  ['a body log of a v2 API', 'duplicate', { ...about, api: 'a', clientRequest: exchange, clientResponse: answer }],
  [
    'a body log of the endpoint only',
    'duplicate',
    { ...about, api: 'a', proxyRequest: exchange, proxyResponse: answer },
  ],
  ['a body log of a v4 API', 'duplicate', { ...about, apiId: 'a', requestEnded: true, entrypointResponse: answer }],
  [
    'a body log in the Elasticsearch form',
    'duplicate',
    { ...esAbout, type: 'log', api: 'a', 'client-response': answer },
  ],
  [
    'a v4 body log in the Elasticsearch form',
    'duplicate',
    { ...esAbout, type: 'v4-log', 'entrypoint-response': answer },
  ],
  [
    'a v4 body log of a bulk file',
    'duplicate',
    {
      '@timestamp': esAbout['@timestamp'],
      'api-id': 'a',
      'request-id': 'r',
      'request-ended': 'true',
      'entrypoint-response': answer,
    },
  ],
  [
    'a health check',
    'health',
    {
      timestamp: 1,
      id: 'h',
      api: 'a',
      endpoint: 'e',
      available: true,
      responseTime: 3,
      steps: [{ response: { status: 402 } }],
    },
  ],
  [
    'a health check in the Elasticsearch form',
    'health',
    { ...esAbout, type: 'health', gateway: 'gw-1', available: false },
  ],
  ['what the node does', 'metrics', { timestamp: 1, gateway: 'gw-1', jvm: {}, os: {}, process: {} }],
  [
    'what the node does in the Elasticsearch form',
    'metrics',
    { ...esAbout, type: 'monitor', gateway: 'gw-1', jvm: {} },
  ],
  ['the metrics of messages', 'metrics', { ...about, ...operation, count: 21, errorCount: -1, gatewayLatencyMs: 0 }],
  [
    'the metrics of messages in the Elasticsearch form',
    'metrics',
    {
      '@timestamp': esAbout['@timestamp'],
      'request-id': 'r',
      'api-id': 'a',
      operation: 'publish',
      'connector-type': 'endpoint',
    },
  ],
  ['a message of a stream', 'event', { ...about, ...operation, message: { id: '1', payload: 'hush' } }],
  ['counts of a native API', 'metrics', { ...ofGateway, topic: 't', downstreamActiveConnections: 4 }],
  [
    'counts of a native API in the Elasticsearch form',
    'metrics',
    { ...esAbout, type: 'event-metrics', 'gw-id': 'gw-1', 'org-id': 'o', 'api-id': 'a' },
  ],
  [
    'counts of connections of a bulk file',
    'metrics',
    { gateway: 'gw-1', '@timestamp': esAbout['@timestamp'], 'api-id': 'a', failed_connection_count: '3' },
  ],
  [
    'the decision of a guard',
    'event',
    { ...ofGateway, requestId: 'r', status: 'success', outcome: 'DENY', enforced: 'DENY' },
  ],
  ['a bulk action', 'control', { index: { _index: 'gravitee-request-2026.10.05', _id: 'x' } }],
  ['a bulk action of a data stream', 'control', { create: { _index: 'gravitee-event-metrics' } }],
]

describe('what shares a topic with the metrics of gravitee', () => {
  test.each(others)('skips %s as %s', (_, reason, message) => {
    for (const format of ['gravitee', 'auto'] as const) {
      expect(decodeOne({ format }, message)).toEqual({ kind: 'skipped', index: 0, reason })
    }
  })

  test('reads a bulk file in which lines only say where the next one goes', () => {
    const action = { index: { _index: 'gravitee-request-2026.10.05', _id: 'x', pipeline: 'gravitee_pipeline' } }
    const lines = [action, vary(es2, noType), action, vary(es4, noType)].map((line) => JSON.stringify(line)).join('\n')
    expect(decodeAll({}, `${lines}\n`).map((entry) => entry.kind)).toEqual(['skipped', 'record', 'skipped', 'record'])
  })

  test('does not take an index in an object of somebody else for a bulk action', () => {
    expect(decodeOne({}, { index: { name: 'x' } })).toMatchObject({ failure: 'unknown-format' })
    expect(decodeOne({}, { index: { _id: 'x' }, status: 402 })).toMatchObject({ failure: 'unknown-format' })
  })

  test('does not take a type of somebody else for its own', () => {
    expect(decodeOne({}, { type: 'log', level: 'info' })).toMatchObject({ failure: 'unknown-format' })
  })
})
