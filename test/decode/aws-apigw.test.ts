import { describe, expect, test } from 'vitest'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

// The console's and the CDK's standard JSON of a REST API.
const base = {
  requestId: '0b3c9f52-66a1-4b7e-9c55-0f1d2e3a4b5c',
  ip: '203.0.113.71',
  caller: '-',
  user: '-',
  requestTime: '05/Oct/2026:08:15:36 +0000',
  httpMethod: 'POST',
  resourcePath: '/v1/reports/{id}',
  status: '402',
  protocol: 'HTTP/1.1',
  responseLength: '58',
}

// An HTTP API has a route key instead.
const http = {
  requestId: 'Xq3kPaz0rTcEMjg=',
  ip: '203.0.113.72',
  requestTime: '05/Oct/2026:10:15:36 +0200',
  httpMethod: 'GET',
  routeKey: 'GET /v1/quotes',
  status: '402',
  protocol: 'HTTP/2',
  responseLength: '31',
}

const outline = {
  time: '2026-10-05T08:15:36.000Z',
  status: 402,
  tenant: null,
  api: '/v1/reports/{id}',
  cause: 'unknown',
}
const httpOutline = { ...outline, api: 'GET /v1/quotes' }

const clf =
  '203.0.113.71 - jay [05/Oct/2026:08:15:36 +0000] "POST /v1/reports/{id} HTTP/1.1" 402 58 0b3c9f52-66a1-4b7e-9c55-0f1d2e3a4b5c'
const csv =
  '203.0.113.71,-,jay,05/Oct/2026:08:15:36 +0000,POST,/v1/reports/{id},HTTP/1.1,402,58,0b3c9f52-66a1-4b7e-9c55-0f1d2e3a4b5c'

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads the standard fields of a REST API', base, outline],
  ['reads the standard fields of an HTTP API', http, httpOutline],
  [
    'takes milliseconds before whole seconds',
    vary(base, { requestTimeEpoch: '1791188136042' }),
    { ...outline, time: '2026-10-05T08:15:36.042Z' },
  ],
  [
    'reads milliseconds under the key of the text',
    vary(base, { requestTime: 1791188136042, status: 402 }),
    { ...outline, time: '2026-10-05T08:15:36.042Z' },
  ],
  ['has no time without any', vary(base, { requestTime: '-' }), { ...outline, time: null }],
  [
    'takes a quota that was used up',
    vary(base, { error: { message: 'Limit Exceeded', responseType: 'QUOTA_EXCEEDED' }, integration: { status: '-' } }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'takes a throttled call under a flat key',
    vary(base, { 'error.responseType': 'THROTTLED' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'takes a missing key under a camelCase key',
    vary(base, { errorResponseType: 'INVALID_API_KEY', errorMessage: 'Forbidden' }),
    { ...outline, cause: 'authentication_missing' },
  ],
  [
    'takes an authorizer that said no under a snake_case key',
    vary(base, { error_response_type: 'ACCESS_DENIED' }),
    { ...outline, cause: 'permission_denied' },
  ],
  [
    'takes a broken configuration',
    vary(base, { error: { responseType: 'AUTHORIZER_CONFIGURATION_ERROR' } }),
    { ...outline, cause: 'misconfiguration' },
  ],
  [
    'takes the message where no response type is logged',
    vary(http, { errorMessage: 'Limit Exceeded' }),
    { ...httpOutline, cause: 'quota_exceeded' },
  ],
  [
    'takes what the integration said',
    vary(http, { integrationStatus: '402', integrationErrorMessage: 'insufficient balance' }),
    { ...httpOutline, cause: 'insufficient_funds' },
  ],
  [
    'does not take dashes for signs',
    vary(base, {
      error: { message: '-', responseType: '-' },
      integrationErrorMessage: '-',
      authorizer: { error: '-' },
    }),
    outline,
  ],
  [
    'takes the principal of the authorizer',
    vary(base, { authorizer: { principalId: 'cust-8' }, apiKeyId: 'k' }),
    { ...outline, tenant: 'cust-8' },
  ],
  ['takes a flat principal', vary(base, { 'authorizer.principalId': 'cust-8' }), { ...outline, tenant: 'cust-8' }],
  [
    'prefers a property that the authorizer gave',
    vary(base, { authorizer: { tenantId: 'acme', principalId: 'cust-8' } }),
    { ...outline, tenant: 'acme' },
  ],
  [
    'takes the subject of a token',
    vary(http, { authorizer: { claims: { sub: 'u-5' } }, user: 'iam' }),
    { ...httpOutline, tenant: 'u-5' },
  ],
  [
    'takes the id of the key, never the key',
    vary(base, { identity: { apiKey: 'hush', apiKeyId: 'ak77' }, apiKey: 'hush', api_key: 'hush' }),
    { ...outline, tenant: 'ak77' },
  ],
  ['takes the user before the caller', vary(base, { user: 'jay', caller: 'AIDA7' }), { ...outline, tenant: 'jay' }],
  ['takes the caller last', vary(base, { caller: 'AIDA7' }), { ...outline, tenant: 'AIDA7' }],
  ['prefers a tenant the operator named', vary(base, { tenant: 'acme', user: 'jay' }), { ...outline, tenant: 'acme' }],
  [
    "does not take the owner's account for a customer",
    vary(base, { accountId: '123456789012', account_id: '123456789012' }),
    outline,
  ],
  ['takes an account that is none of AWS', vary(base, { account_id: 'acme-2' }), { ...outline, tenant: 'acme-2' }],
  [
    'takes the path where only the default route matched',
    vary(http, { routeKey: '$default', path: '/prod/v1/quotes/417?x=1' }),
    { ...httpOutline, api: '/prod/v1/quotes/{id}' },
  ],
  ['knows no API of the default route alone', vary(http, { routeKey: '$default' }), { ...httpOutline, api: null }],
  [
    'takes the id of the API without a resource',
    vary(base, { resourcePath: '-', apiId: 'a1b2c3' }),
    { ...outline, api: 'a1b2c3' },
  ],
  [
    'reads a log in snake_case',
    {
      request_id: 'r-1',
      request_time_epoch: '1791188136042',
      http_method: 'POST',
      resource_path: '/v1/reports',
      status_code: '402',
      api_key_id: 'ak77',
    },
    { ...outline, time: '2026-10-05T08:15:36.042Z', tenant: 'ak77', api: '/v1/reports' },
  ],
  [
    'takes the status of another code as itself',
    vary(base, { status: '429', error: { responseType: 'QUOTA_EXCEEDED' } }),
    { ...outline, status: 429, cause: null },
  ],
  ['takes a status of 0 as no response', vary(base, { status: '0' }), { ...outline, status: null, cause: null }],
  ['reads a CLF line', clf, { ...outline, tenant: 'jay' }],
  ['reads a CLF line as the manual writes it', clf.replace('] "', ']"'), { ...outline, tenant: 'jay' }],
  ['reads a CLF line with both ids', `${clf} Xq3kPEabrTcFz0g=`, { ...outline, tenant: 'jay' }],
  [
    'reads a CLF line of an HTTP API',
    '203.0.113.72 - - [05/Oct/2026:08:15:36 +0000] "GET GET /v1/quotes HTTP/1.1" 402 31 Xq3kPaz0rTcEMjg=',
    httpOutline,
  ],
  [
    'reads a CLF line whose id a client chose badly',
    clf.replace(/$/, '_REPLACED_INVALID_REQUEST_ID'),
    { ...outline, tenant: 'jay' },
  ],
  ['reads a CSV line', csv, { ...outline, tenant: 'jay' }],
  ['reads a CSV line with both ids', `${csv},Xq3kPEabrTcFz0g=`, { ...outline, tenant: 'jay' }],
  [
    'reads a CSV line of an HTTP API',
    '203.0.113.72,05/Oct/2026:08:15:36 +0000,GET,GET /v1/quotes,HTTP/1.1,402,31,Xq3kPaz0rTcEMjg=',
    httpOutline,
  ],
]

describe('aws-apigw', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'aws-apigw' }, record))).toEqual(expected)
    const auto = recordOf({}, record)
    expect([auto.format, outlineOf(auto)], 'auto').toEqual(['aws-apigw', expected])
  })

  test('reads latency, method and request id', () => {
    const record = recordOf({}, vary(base, { responseLatency: '37', integrationLatency: '31' }))
    expect(record).toMatchObject({ latencyMs: 37, method: 'POST', requestId: base.requestId })
    expect(recordOf({}, vary(base, { responseLatency: '-' })).latencyMs).toBe(null)
  })

  test.each([
    [{}, null, null],
    [{ integration: { status: '402' } }, 'upstream', 402],
    [{ integrationStatus: '402' }, 'upstream', 402],
    [{ integrationStatus: '-' }, 'gateway', null],
    [{ integrationStatus: '', error: { responseType: 'THROTTLED' } }, 'gateway', null],
    [{ integrationStatus: '504', error: { responseType: 'INTEGRATION_TIMEOUT' } }, 'gateway', 504],
    [{ errorMessage: 'Forbidden' }, 'gateway', null],
    // A Lambda call that went well, whatever the function answered.
    [{ integrationStatus: '200', 'integration.status': '402' }, 'upstream', 402],
  ] as const)('tells from %j who answered', (changes, answeredBy, upstreamStatus) => {
    const record = recordOf({}, vary(base, changes))
    expect([record.evidence().answeredBy, record.upstreamStatus]).toEqual([answeredBy, upstreamStatus])
  })

  test('sees a 402 that an integration response made good', () => {
    const record = recordOf({}, vary(base, { status: '200', integrationStatus: '402' }))
    expect(record).toMatchObject({ status: 200, upstreamStatus: 402 })
  })

  test('names a sign by its variable and shows where the names came from', () => {
    const record = recordOf(
      {},
      vary(base, { errorResponseType: 'THROTTLED', principalId: 'cust-8', apiName: 'Reports' }),
    )
    expect(record.evidence().verdicts).toEqual([{ value: 'THROTTLED', where: 'error.responseType' }])
    expect(record.origin()).toEqual({ service: 'Reports', tenantPlace: 'principalId', apiPlace: 'resourcePath' })
  })

  test('counts the connection of a WebSocket and skips its messages', () => {
    const socket = { requestId: 'x', routeKey: '$connect', eventType: 'CONNECT', status: '402', connectionId: 'c' }
    expect(recordOf({}, socket)).toMatchObject({ status: 402, api: '$connect' })
    for (const eventType of ['MESSAGE', 'DISCONNECT']) {
      expect(decodeOne({}, vary(socket, { eventType }))).toEqual({ kind: 'skipped', index: 0, reason: 'no-http' })
    }
  })

  test.each([
    ['no-status', { status: undefined }],
    ['no-status', { status: '-' }],
    ['wrong-type', { status: 'OK' }],
    ['wrong-type', { status: ['402'] }],
    ['bad-time', { requestTime: 'yesterday' }],
    ['bad-time', { requestTime: '31/Feb/2026:08:15:36 +0000' }],
    ['bad-time', { requestTime: undefined, requestTimeEpoch: '-5' }],
  ] as const)('answers %s to %j', (failure, changes) => {
    const decoded = decodeOne({ format: 'aws-apigw' }, vary(base, changes))
    expect(decoded).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(base, {
      error: 7,
      authorizer: ['x'],
      identity: null,
      integration: 'y',
      resourcePath: {},
      user: true,
    })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, api: null })
  })
})

/** What a CloudWatch Logs subscription delivers. */
function subscription(...messages: readonly string[]) {
  return {
    messageType: 'DATA_MESSAGE',
    owner: '123456789012',
    logGroup: '/aws/apigateway/reports',
    logStream: 'stream-1',
    subscriptionFilters: ['all'],
    logEvents: messages.map((message, i) => ({ id: `${i}`, timestamp: 1791188140000 + i, message })),
  }
}

const statusesOf = (value: unknown) =>
  decodeAll({}, value).map((entry) =>
    entry.kind === 'record' ? [entry.index, entry.record.status, entry.record.format] : [entry.index, entry.kind],
  )

describe('deliveries of aws-apigw', () => {
  const line = JSON.stringify(base)
  const good = JSON.stringify(vary(base, { status: '200' }))

  test('opens a subscription of JSON and of CLF lines, with the time of the call', () => {
    const value = subscription(line, `${good}\n`, clf)
    expect(statusesOf(value)).toEqual([
      [0, 402, 'aws-apigw'],
      [1, 200, 'aws-apigw'],
      [2, 402, 'aws-apigw'],
    ])
    const [first] = decodeAll({ format: 'aws-apigw' }, value)
    expect(first).toMatchObject({ kind: 'record', record: { timeMs: 1791188136000 } })
  })

  test('skips the message that tests a subscription', () => {
    const control = {
      ...subscription('CWL CONTROL MESSAGE: Checking health of destination'),
      messageType: 'CONTROL_MESSAGE',
    }
    expect(decodeOne({}, control)).toEqual({ kind: 'skipped', index: 0, reason: 'control' })
  })

  test('keeps an unreadable event apart from the others', () => {
    expect(statusesOf(subscription(line, 'not a record', good))).toEqual([
      [0, 402, 'aws-apigw'],
      [1, 'unreadable'],
      [2, 200, 'aws-apigw'],
    ])
  })

  test('reads records that Firehose put one after the other, or one a line', () => {
    const expected = [
      [0, 402, 'aws-apigw'],
      [1, 200, 'aws-apigw'],
      [2, 402, 'aws-apigw'],
    ]
    expect(statusesOf(line + good + line)).toEqual(expected)
    expect(statusesOf(`${line}\n${good}\n${line}\n`)).toEqual(expected)
    expect(statusesOf(`${line + good}\n${line}\n`)).toEqual(expected)
    expect(statusesOf(JSON.stringify(subscription(line, good)) + JSON.stringify(subscription(line)))).toEqual(expected)
  })

  test('keeps the records before one that was cut', () => {
    expect(statusesOf(line + good.slice(0, -9))).toEqual([
      [0, 402, 'aws-apigw'],
      [1, 'unreadable'],
    ])
  })

  test('says that an execution log is the wrong log group', () => {
    const text = `(${base.requestId}) Method completed with status: 402`
    expect(decodeOne({}, subscription(text))).toMatchObject({
      failure: 'not-a-record',
      message: expect.stringContaining('access log group'),
    })
  })

  test.each([
    ['of a web server', '203.0.113.9 - - [05/Oct/2026:08:15:36 +0000] "GET /a HTTP/1.1" 402 58'],
    ['of a web server with more fields', '203.0.113.9 - - [05/Oct/2026:08:15:36 +0000] "GET /a HTTP/1.1" 402 58 0.004'],
    ['with a bad time in CSV', csv.replace('05/Oct', '5.10.')],
    ['of other CSV', 'a,b,c,d,e,f,g,h,i,j'],
    ['of megabytes', 'a'.repeat(2_000_000)],
  ])('leaves a line %s to others', (_, text) => {
    expect(decodeOne({ format: 'aws-apigw' }, text)).toMatchObject({ kind: 'unreadable', failure: 'not-json' })
  })

  test('answers no-status to a line without one', () => {
    expect(decodeOne({}, clf.replace(' 402 58 ', ' - - '))).toMatchObject({ kind: 'unreadable', failure: 'no-status' })
  })
})
