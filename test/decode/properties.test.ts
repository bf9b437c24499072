import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { causeOf } from '../../src/classify/classify.ts'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import { createDecoder } from '../../src/decode/create.ts'
import { type AccessRecord, type Decoded, decodeFailures, formatNames, skipReasons } from '../../src/decode/decode.ts'
import { labelLimit } from '../../src/decode/label.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { sketchOf } from '../../src/decode/sketch.ts'

const error = JSON.stringify({
  error: { code: 'insufficient_quota', decline_code: 'do_not_honor', message: 'was declined' },
})

const samples = [
  {
    ...{
      msec: 1791188136042,
      request_id: 'r',
      status: 402,
      proxy_status: '',
      application: 'a',
      api: 'b',
      handler: 'limiting',
    },
    ...{
      response_headers: { strategy: 's' },
      response_body: error,
      ai_provider_statuses: [{ status: 'quota exhausted' }],
    },
  },
  {
    time_iso8601: '2026-10-05T16:15:36.042+08:00',
    request_id: 'r',
    status_code: { status: 402, proxy_status: 402 },
    proxies: [{ proxy_status: 402 }],
  },
  {
    ...{
      latencies: { request: 3, proxy: -1 },
      started_at: 1791188136042,
      response: { status: 402, headers: { a: ['b'] }, body: error },
    },
    ...{
      consumer: { username: 'u' },
      route: { name: 'r' },
      request: { uri: '/v1/7', headers: { 'x-payment': '1' } },
      upstream_status: '502, 402',
    },
  },
  [
    {
      apisix_latency: 1.5,
      start_time: 1791188136042,
      route_id: 'r',
      response: { status: 402, headers: { 'x-ratelimit-remaining': '0' } },
    },
  ],
  {
    route_id: 'r',
    service_id: 's',
    status: '402',
    '@timestamp': '2026-10-05T08:15:36+00:00',
    request_uri: '/v1',
    sent_http_retry_after: '3',
  },
  {
    start_time: '2026-10-05T08:15:36.042Z',
    response_code: 402,
    response_flags: 'UAEX,RL',
    response_code_details: 'ext_authz_denied',
    path: '/v1',
  },
  {
    msec: '1791188136.042',
    status: '402',
    request: 'GET /v1 HTTP/1.1',
    request_time: '0.1',
    upstream_status: '402',
    bytes_sent: '1',
  },
  {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'tenant.id', value: { stringValue: 't' } }] },
        scopeLogs: [
          {
            logRecords: [
              {
                timeUnixNano: '1791188136042000000',
                body: { stringValue: '{"response_code":402,"response_flags":"RL"}' },
                attributes: [
                  { key: 'http.response.status_code', value: { intValue: '402' } },
                  {
                    key: 'http.response.header.x-error-code',
                    value: { arrayValue: { values: [{ stringValue: 'x' }] } },
                  },
                  { key: 'more', value: { kvlistValue: { values: [{ key: 'a', value: { bytesValue: 'eA==' } }] } } },
                ],
              },
              {
                observedTimeUnixNano: '1791188136042000000',
                attributes: [
                  { key: 'DownstreamStatus', value: { intValue: '402' } },
                  { key: 'Duration', value: { stringValue: '6ms' } },
                  { key: 'StartUTC', value: { stringValue: '2026-10-05 08:15:36 +0000 UTC' } },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  {
    '@timestamp': '2026-10-05T08:15:36.042Z',
    http: { 'response.status_code': 402, response: { body: { content: error } } },
    'url.path': '/v1/7',
    labels: { tenant: 't' },
    event: { duration: 5 },
  },
  {
    call_type: 'a',
    startTime: 1791188136.042,
    endTime: 1791188137,
    status: 'failure',
    model_group: 'm',
    metadata: JSON.stringify({ user_api_key_team_id: 't' }),
    error_information: { error_code: '402', error_class: 'X', llm_provider: 'p', error_message: `a - ${error}` },
  },
  {
    httpLogs: {
      logEntry: [
        {
          commonProperties: {
            startTime: { seconds: 1791188136, nanos: 5 },
            duration: '0.016s',
            responseFlags: { rateLimited: true, unauthorizedDetails: {} },
            metadata: { filterMetadata: { a: { tenant: 't' } } },
          },
          request: { requestMethod: 'POST', path: '/v1', requestHeaders: { 'x-payment': '1' } },
          response: { responseCode: 402, responseHeaders: { a: 'b' } },
        },
      ],
    },
  },
  {
    '@metadata': {},
    message: JSON.stringify({
      log: '[2026-10-05T08:15:36.042Z] "GET /v1 HTTP/1.1" 402 RL - - "-" 0 1 3 2 "-" "-" "r" "h" "a:1" c 1 2 3 s r',
      stream: 'stdout',
    }),
  },
  {
    DownstreamStatus: 402,
    OriginStatus: 402,
    Duration: 8214873,
    StartUTC: '2026-10-05T08:15:36.042194835Z',
    RouterName: 'r@file',
    RequestPath: '/v1/7',
    'request_X-Tenant-Id': 't',
    'downstream_X-Ratelimit-Remaining': '0',
  },
  {
    timestamp: '2026-10-05T08:15:36.4Z',
    response_code: 402,
    api_id: 'a',
    org_id: 'o',
    alias: 'u',
    request_time_ms: 3,
    raw_response: 'SFRUUC8xLjEgNDAyIFgNCg0Ke30=',
    tags: ['x-tenant-id-t'],
    latency: { total: 3, upstream: 1 },
  },
  {
    prefix: 'access-log',
    time: '2026-10-05T08:15:36Z',
    status: 402,
    api_id: 'a',
    api_key: '9f',
    response_flag: 'QEX',
    response_code_details: 'quota_exceeded',
    upstream_latency: 0,
  },
  {
    time: '2026/10/05 - 08:15:36.042',
    status_code: 402,
    latency: '0.004',
    client_ip: '203.0.113.9',
    method: 'GET',
    path: '/v1/7',
  },
  {
    ...{ requestId: 'r', requestTime: '05/Oct/2026:08:15:36 +0000', requestTimeEpoch: '1791188136042', status: '402' },
    ...{ resourcePath: '/v1/{id}', authorizer: { principalId: 'p' }, error: { responseType: 'QUOTA_EXCEEDED' } },
  },
  { messageType: 'DATA_MESSAGE', logEvents: [{ message: '{"requestId":"r","routeKey":"$default","status":"402"}' }] },
  {
    ...{ timestamp: 1791188136042, proxyLatencyMs: 9, apiResponseTimeMs: 0, status: 402, api: 'a', application: '1' },
    ...{ subscription: 's', failure: { key: 'QUOTA_TOO_MANY_REQUESTS' }, customMetrics: { tenant: 't' } },
  },
  {
    ...{ '@timestamp': '2026-10-05T08:15:36.042Z', type: 'v4-metrics', gateway: 'g', 'api-id': 'a', 'http-method': 3 },
    ...{ status: 402, 'application-id': 'b', 'error-key': 'API_KEY_MISSING', 'gateway-response-time-ms': 4 },
  },
  {
    ...{ requestTimestamp: '2026-10-05T08:15:36.042Z', apiCreatorTenantDomain: 'd', apiId: 'a', applicationId: 'b' },
    ...{ proxyResponseCode: 402, targetResponseCode: -1, errorType: 'AUTH', errorCode: 900902, properties: {} },
  },
]

const settings = [
  decodeOptions.parse({
    custom: { status: ['status', 'response.status'], time: 'msec', time_unit: 'ms', response_body: 'response_body' },
  }),
  ...formatNames
    .filter((format) => format !== 'custom')
    .map((format) => decodeOptions.parse({ format, apipark_line: { fields: ['status', ['msec']] } })),
]

const classify = classifyOptions.parse({
  watch: [{ status: 429, codes: ['*quota*'] }],
  rules: [{ when: { code: 'x*', text: 'y' }, cause: 'unknown' }],
})

/** What must hold for whatever comes in. */
function check(value: Uint8Array): void {
  for (const options of settings) {
    const entries = createDecoder(options).decode(value)
    expect(entries.map((entry) => entry.index)).toEqual(entries.map((_, i) => i))
    for (const entry of entries) checkEntry(entry)
  }
  expect(sketchOf(value)).toMatch(/^[ -~]{0,1024}$/)
}

function checkEntry(entry: Decoded): void {
  if (entry.kind === 'skipped') {
    expect(skipReasons).toContain(entry.reason)
  } else if (entry.kind === 'unreadable') {
    expect(decodeFailures).toContain(entry.failure)
    expect(entry.message).not.toBe('')
  } else {
    checkRecord(entry.record)
  }
}

function checkRecord(record: AccessRecord): void {
  if (record.timeMs !== null) expect(new Date(record.timeMs).toISOString()).toMatch(/^\d{4}-/)
  for (const status of [record.status, record.upstreamStatus]) {
    if (status !== null) expect(Number.isInteger(status) && status >= 100 && status <= 599).toBe(true)
  }
  for (const label of [record.tenant, record.api, record.method, record.consumer, record.requestId]) {
    if (label !== null) expect(label.length > 0 && label.length <= labelLimit && label === label.trim()).toBe(true)
  }
  if (record.latencyMs !== null) expect(Number.isFinite(record.latencyMs) && record.latencyMs >= 0).toBe(true)
  const verdict = causeOf(record, classify.rules)
  expect(causes).toContain(verdict.cause)
  expect(verdict.code === null).toBe(verdict.source === null)
  expect(['payment_required', 'equivalent', 'upstream_402', 'challenge', null]).toContain(kindOf(record, classify))
}

const sample = fc.constantFrom(...samples)
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    '-',
    0,
    -1,
    402,
    '402',
    1e300,
    '1e999',
    [],
    {},
    [[]],
    [402],
    { status: 402 },
    'x'.repeat(5000),
  ),
  fc.constantFrom<unknown>(
    '\ud800',
    '\u0000',
    '__proto__',
    '{"a":1}',
    '{"a"',
    'data: {}',
    'HTTP/1.1 402 X\n\n{',
    'eyJhIjoxfQ=='.repeat(9),
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

describe('whatever comes in, decoding gives numbered entries with closed reasons', () => {
  test('for records that are cut', () => {
    fc.assert(
      fc.property(sample, fc.nat(), (value, at) => {
        const bytes = Buffer.from(JSON.stringify(value))
        check(bytes.subarray(0, at % (bytes.length + 1)))
      }),
    )
  })

  test('for records with damaged bytes', () => {
    fc.assert(
      fc.property(
        sample,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (value, damages) => {
          const bytes = Buffer.from(JSON.stringify(value))
          for (const [at, byte] of damages) bytes[at % bytes.length] = byte
          check(bytes)
        },
      ),
    )
  })

  test('for records in which values are of another type', () => {
    fc.assert(
      fc.property(sample, fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 4 }), (value, swaps) => {
        const copy: unknown = structuredClone(value)
        for (const [at, other] of swaps) swap(copy, at, structuredClone(other))
        check(Buffer.from(JSON.stringify(copy)))
      }),
      { numRuns: 300 },
    )
  })

  test('for any JSON and any bytes', () => {
    fc.assert(fc.property(fc.json(), (text) => check(Buffer.from(text))))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(bytes)))
  })

  test('the same for the same bytes', () => {
    for (const value of samples) {
      const decode = () => createDecoder(decodeOptions.parse({})).decode(Buffer.from(JSON.stringify(value)))
      expect(JSON.stringify(decode())).toBe(JSON.stringify(decode()))
    }
  })
})

/** Replaces one value somewhere inside. */
function swap(root: unknown, at: number, other: unknown): void {
  const places: { holder: Record<string, unknown>; key: string }[] = []
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const holder = node as Record<string, unknown>
    for (const key of Object.keys(holder)) {
      places.push({ holder, key })
      visit(holder[key])
    }
  }
  visit(root)
  const place = places[at % places.length]
  if (place !== undefined) place.holder[place.key] = other
}
