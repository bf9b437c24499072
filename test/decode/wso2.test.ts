import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const base = {
  requestTimestamp: '2026-10-05T08:15:36.042Z',
  correlationId: '7a2e9c33-3f41-4c5d-8e6f-708192031425',
  keyType: 'PRODUCTION',
  apiId: 'api-77',
  apiType: 'HTTP',
  apiName: 'Reports',
  apiVersion: '1.0.0',
  apiCreator: 'admin',
  apiMethod: 'POST',
  apiContext: '/reports/1.0.0',
  apiResourceTemplate: '/items/{id}',
  apiCreatorTenantDomain: 'carbon.super',
  destination: 'https://reports.example.net',
  applicationId: 'app-heron',
  applicationName: 'GreyHeron',
  applicationOwner: 'heron@example.net',
  regionId: 'default',
  gatewayType: 'SYNAPSE',
  proxyResponseCode: 402,
  targetResponseCode: 402,
  responseCacheHit: false,
  responseLatency: 21,
  backendLatency: 17,
  requestMediationLatency: 2,
  responseMediationLatency: 2,
  userIp: '203.0.113.78',
  properties: { responseSize: 58, responseContentType: 'application/json' },
}

/** A fault has no latencies, and an error instead. */
const fault = vary(base, {
  ...{ responseLatency: undefined, backendLatency: undefined, destination: undefined, responseCacheHit: undefined },
  ...{
    targetResponseCode: -1,
    errorType: 'THROTTLED',
    errorCode: 900803,
    errorMessage: 'APPLICATION_LEVEL_LIMIT_EXCEEDED',
  },
})

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'app-heron',
  api: 'api-77',
  cause: 'unknown',
}
const nobody = { applicationId: 'UNKNOWN', applicationName: 'UNKNOWN', applicationOwner: 'UNKNOWN' }
const auth = (errorCode: unknown) =>
  vary(fault, { errorType: 'AUTH', errorCode, errorMessage: 'AUTHENTICATION_FAILURE' })

const prefix = '08:15:36,042 [-] [PassThroughMessageProcessor-18]  INFO ELKCounterMetric '
const line = (event: object, name = 'response') =>
  `${prefix}apimMetrics: apim:${name}, properties :${JSON.stringify(event)}`

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads a response', base, outline],
  ['reads a response that says what it is', vary(base, { eventType: 'response' }), outline],
  ['reads a fault', fault, { ...outline, cause: 'quota_exceeded' }],
  ['reads a line of the metrics log', line(base), outline],
  ['reads a fault in a line of the metrics log', line(fault, 'faulty'), { ...outline, cause: 'quota_exceeded' }],
  ['reads a line without what Log4j adds', line(base).slice(prefix.length), outline],
  [
    'reads a line that Filebeat ships',
    { '@timestamp': '2026-10-05T08:20:00Z', '@metadata': { beat: 'filebeat' }, message: line(base) },
    outline,
  ],
  [
    'reads numbers that came as text',
    vary(base, { proxyResponseCode: '402', targetResponseCode: '402', requestTimestamp: '1791188136042' }),
    outline,
  ],
  ['reads a time in milliseconds', vary(base, { requestTimestamp: 1791188136042 }), outline],
  [
    'reads a time without seconds',
    vary(base, { requestTimestamp: '2026-10-05T08:15Z' }),
    { ...outline, time: '2026-10-05T08:15:00.000Z' },
  ],
  ['has no time without any', vary(base, { requestTimestamp: null }), { ...outline, time: null }],
  ['takes the whole quota', vary(fault, { errorCode: '900801' }), { ...outline, cause: 'quota_exceeded' }],
  ['takes the burst limit', vary(fault, { errorCode: 900807 }), { ...outline, cause: 'quota_exceeded' }],
  [
    'takes an application that was blocked',
    vary(fault, { errorCode: 900805 }),
    { ...outline, cause: 'permission_denied' },
  ],
  ['takes missing credentials', auth(900902), { ...outline, cause: 'authentication_missing' }],
  ['takes an expired token', auth(900903), { ...outline, cause: 'authentication_missing' }],
  ['takes a subscription that is inactive', auth(900909), { ...outline, cause: 'subscription_expired' }],
  ['takes a subscription that is missing', auth(900908), { ...outline, cause: 'permission_denied' }],
  [
    'takes an API that was blocked',
    vary(fault, { errorType: 'OTHER', errorCode: 700700 }),
    { ...outline, cause: 'permission_denied' },
  ],
  [
    'does not believe a header of an answer of the upstream',
    vary(base, { properties: { 'ratelimit-remaining': '0' } }),
    outline,
  ],
  [
    "takes a header that the operator's data provider adds",
    vary(base, { properties: { 'x-error-code': 'insufficient_credits' } }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'takes the owner without an application',
    vary(base, { applicationId: 'N/A' }),
    { ...outline, tenant: 'heron@example.net' },
  ],
  [
    'knows no tenant without a login',
    vary(auth(900902), nobody),
    { ...outline, tenant: null, cause: 'authentication_missing' },
  ],
  [
    'knows no tenant of an API that asks for no credentials',
    vary(base, { applicationId: 'anonymous', applicationOwner: 'anonymous' }),
    { ...outline, tenant: null },
  ],
  [
    'prefers a tenant that the data provider adds',
    vary(base, { properties: { tenantId: 'acme' } }),
    { ...outline, tenant: 'acme' },
  ],
  [
    "does not take the publisher's domain or organization",
    vary(base, { ...nobody, organizationId: 'o' }),
    { ...outline, tenant: null },
  ],
  ['takes the name without an id', vary(base, { apiId: 'UNKNOWN' }), { ...outline, api: 'Reports' }],
  [
    'takes the context where no API matched',
    vary(base, { apiId: 'UNKNOWN', apiName: 'UNKNOWN' }),
    { ...outline, api: '/reports/1.0.0' },
  ],
  [
    'takes the context out of the properties',
    vary(base, { apiId: '', apiName: null, apiContext: undefined, properties: { apiContext: '/reports/1.0.0' } }),
    { ...outline, api: '/reports/1.0.0' },
  ],
  [
    'takes a status of 0 as no response',
    vary(base, { proxyResponseCode: 0, targetResponseCode: 0 }),
    { ...outline, status: null, cause: null },
  ],
]

describe('wso2', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'wso2' }, record))).toEqual(expected)
    const auto = recordOf({}, record)
    expect([auto.format, outlineOf(auto)], 'auto').toEqual(['wso2', expected])
  })

  test('reads latency, method, consumer and request id', () => {
    const expected = { latencyMs: 21, method: 'POST', consumer: 'GreyHeron', requestId: base.correlationId }
    expect(recordOf({}, base)).toMatchObject(expected)
    expect(recordOf({}, fault)).toMatchObject({ latencyMs: null, method: 'POST' })
    expect(recordOf({}, base).origin()).toEqual({ service: 'Reports', tenantPlace: 'applicationId', apiPlace: 'apiId' })
  })

  test.each([
    ['the same status at the target', base, 'upstream', 402],
    ['another status at the target', vary(base, { targetResponseCode: 200 }), 'gateway', 200],
    ['no status at the target', vary(base, { targetResponseCode: 0 }), 'gateway', null],
    ['a fault', fault, 'gateway', null],
    ['a fault with a status that the gateway made up', vary(fault, { targetResponseCode: 402 }), 'gateway', null],
    ['nothing', vary(base, { targetResponseCode: undefined }), null, null],
  ] as const)('tells from %s who answered', (_, record, answeredBy, upstreamStatus) => {
    const read = recordOf({}, record)
    expect([read.evidence().answeredBy, read.upstreamStatus]).toEqual([answeredBy, upstreamStatus])
  })

  test('sees a 402 that a mediation made good', () => {
    expect(recordOf({}, vary(base, { proxyResponseCode: 200 }))).toMatchObject({ status: 200, upstreamStatus: 402 })
  })

  test('keeps the error from fine to coarse', () => {
    expect(
      recordOf({}, fault)
        .evidence()
        .verdicts.map(({ value, where }) => [where, value]),
    ).toEqual([
      ['errorCode', '900803'],
      ['errorMessage', 'APPLICATION_LEVEL_LIMIT_EXCEEDED'],
      ['errorType', 'THROTTLED'],
    ])
  })

  test('reads a log of many lines', () => {
    const value = `${JSON.stringify(base)}\n${line(fault, 'faulty')}\n${line(base).slice(0, -7)}\n`
    const kinds = decodeAll({}, value).map((entry) => (entry.kind === 'unreadable' ? entry.failure : entry.kind))
    expect(kinds).toEqual(['record', 'record', 'not-json'])
  })

  test.each([
    ['no-status', { proxyResponseCode: undefined }],
    ['no-status', { proxyResponseCode: 'UNKNOWN' }],
    ['wrong-type', { proxyResponseCode: true }],
    ['wrong-type', { proxyResponseCode: 402.5 }],
    ['bad-time', { requestTimestamp: '08:15:36,042' }],
    ['bad-time', { requestTimestamp: {} }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'wso2' }, vary(fault, changes))).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test.each([
    ['without properties', 'apimMetrics: apim:response', 'not-json'],
    ['with cut properties', line(base).slice(0, 200), 'not-json'],
    [
      'of the plain log reporter',
      `${prefix}Metric Name: apim:response Metric Value: {apiName=Reports}`,
      'unsupported-format',
    ],
    ['of another logger', `${prefix}Server started`, 'not-json'],
    ['of megabytes', `${'x'.repeat(2_000_000)} apimMetrics: {`, 'not-json'],
  ])('answers a line %s', (_, text, failure) => {
    const decoded = decodeOne({ format: 'wso2' }, text)
    expect(decoded).toMatchObject({ kind: 'unreadable', index: 0, failure })
    expect(JSON.stringify(decoded)).not.toContain('Reports')
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(base, {
      properties: 'x',
      applicationId: [],
      applicationOwner: 5,
      apiId: {},
      apiName: true,
      apiContext: null,
    })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: '5', api: '/items/{id}' })
  })
})
