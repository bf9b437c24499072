import { describe, expect, test } from 'vitest'
import { decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const deepseek = JSON.stringify({
  error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' },
})

// The layout that APIPark's own log module installs: flat, a variable without a value is ''.
const flat = {
  msec: 1791188136042,
  service: '',
  provider: '5a1f7c1e-1111-4a35-8a8e-5a4d7b6f3e90',
  request_scheme: 'https',
  request_uri: 'https://gw.example.org/5fa1/v1/chat/completions?trace=77',
  request_header: 'Authorization=Bearer+zzz&Content-Type=application%2Fjson',
  remote_addr: '10.9.0.3:40112',
  request_body: '{"prompt":"my quota exceeded, card was declined, insufficient funds"}',
  proxy_body: '{"prompt":"my quota exceeded"}',
  api: 'chat-api',
  response_header: 'Content-Type=application%2Fjson',
  response_headers: { 'content-type': 'application/json' },
  status: 402,
  proxy_status: 402,
  request_time: 388,
  response_time: 386203118,
  node: 'apinto-2',
  application: 'app-heron',
  strategy: '',
  request_id: 'req-1',
  request_method: 'POST',
  authorization: 'cred-9',
  response_body: deepseek,
  proxy_response_body: deepseek,
  ai_provider: 'deepseek',
  ai_model: 'deepseek-chat',
  ai_model_total_token: '',
}

const time = '2026-10-05T08:15:36.042Z'
const passed = { time, status: 402, tenant: 'app-heron', api: 'chat-api', cause: 'insufficient_funds' }
const refusedHere = { proxy_status: '', response_body: '', proxy_response_body: '' }

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads what a provider answered', flat, passed],
  [
    'reads rows whose every value is text',
    vary(flat, { msec: '1791188136042', status: '402', proxy_status: '402' }),
    passed,
  ],
  [
    'takes the application id next',
    vary(flat, { application: '', application_id: 'id-7' }),
    { ...passed, tenant: 'id-7' },
  ],
  ['takes the credential last', vary(flat, { application: '' }), { ...passed, tenant: 'cred-9' }],
  [
    'knows no tenant of an early refusal',
    vary(flat, { application: '', authorization: '' }),
    { ...passed, tenant: null },
  ],
  ['prefers a tenant the operator added', vary(flat, { tenant_id: 'acme' }), { ...passed, tenant: 'acme' }],
  ['takes api_id without api', vary(flat, { api: '', api_id: 'u@router' }), { ...passed, api: 'u@router' }],
  [
    'falls back to the path without host and query',
    vary(flat, { api: undefined }),
    { ...passed, api: '/5fa1/v1/chat/completions' },
  ],
  [
    'reads time_iso8601 with the zone of the gateway',
    vary(flat, { msec: undefined, time_iso8601: '2026-10-05T16:15:36.042+08:00' }),
    passed,
  ],
  [
    'reads timestamp as whole seconds',
    vary(flat, { msec: '', timestamp: 1791188136 }),
    { ...passed, time: '2026-10-05T08:15:36.000Z' },
  ],
  [
    'reads time_local, by the clock of decode.time_zone, where nothing else tells the time',
    vary(flat, { msec: '', time_local: '2026-10-05 08:15:36' }),
    { ...passed, time: '2026-10-05T08:15:36.000Z' },
  ],
  [
    'takes limiting as a quota',
    vary(flat, { ...refusedHere, handler: 'limiting', strategy: 'daily' }),
    { ...passed, cause: 'quota_exceeded' },
  ],
  [
    'takes a strategy alone as a quota',
    vary(flat, { ...refusedHere, strategy: 'daily' }),
    { ...passed, cause: 'quota_exceeded' },
  ],
  [
    'takes the header strategy of a limiting refusal',
    vary(flat, { ...refusedHere, response_headers: { Strategy: 'daily' } }),
    { ...passed, cause: 'quota_exceeded' },
  ],
  [
    'takes visit as a permission',
    vary(flat, { ...refusedHere, handler: 'visit' }),
    { ...passed, cause: 'permission_denied' },
  ],
  [
    'takes a failed login',
    vary(flat, { ...refusedHere, auth_status: 'fail' }),
    { ...passed, cause: 'authentication_missing' },
  ],
  [
    'takes a missing subscription',
    vary(flat, { ...refusedHere, response_body: 'Forbidden' }),
    { ...passed, cause: 'permission_denied' },
  ],
  [
    'does not take the words of an upstream whose answer was replaced, nor a strategy beside it',
    vary(flat, { proxy_status: 429, strategy: 'daily', response_body: '' }),
    { ...passed, cause: 'unknown' },
  ],
  [
    'does not take a strategy on a passed answer',
    vary(flat, { strategy: 'daily', response_body: '{}', proxy_response_body: '{}' }),
    { ...passed, cause: 'unknown' },
  ],
  [
    'does not take a block name as a proof',
    vary(flat, { ...refusedHere, block_name: 'x' }),
    { ...passed, cause: 'unknown' },
  ],
  [
    'does not take counters of passed checks as a proof',
    vary(flat, { ...refusedHere, response_headers: { 'x-rate-limit-count-minute': '3/100' } }),
    { ...passed, cause: 'unknown' },
  ],
  [
    'takes an exhausted key of a provider that said nothing',
    vary(flat, {
      response_body: '',
      proxy_response_body: '',
      ai_provider_statuses: [{ provider: 'deepseek', model: 'm', key: 'k', status: 'quota exhausted' }],
    }),
    passed,
  ],
  [
    'reads provider statuses that a shipper made text',
    vary(flat, { response_body: '', proxy_response_body: '', ai_provider_statuses: '[{"status":"quota exhausted"}]' }),
    passed,
  ],
  ['reads a cut body', vary(flat, { response_body: deepseek.slice(0, 45), proxy_response_body: '' }), passed],
  [
    'reads the groups of the manual',
    {
      time_iso8601: '2026-10-05T16:15:36.042+08:00',
      request_id: 'req-2',
      request: { request_method: 'POST', request_uri: '/v1/answers/81723?x=1', host: 'gw' },
      proxy: { proxy_method: 'POST', proxy_uri: '/answers' },
      response: { response_header: 'Content-Type=text%2Fplain' },
      status_code: { status: 402, proxy_status: 402 },
      time: { request_time: 12, response_time: 11000000 },
    },
    { time, status: 402, tenant: null, api: '/v1/answers/{id}', cause: 'unknown' },
  ],
  [
    'reads groups that the operator named otherwise',
    {
      ids: { request_id: 'r', application: 'app-1', api: 'chat' },
      when: { msec: 1791188136042 },
      request_id: 'r',
      codes: { status: '402', proxy_status: '' },
    },
    { time, status: 402, tenant: 'app-1', api: 'chat', cause: 'unknown' },
  ],
]

describe('apipark', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'apipark' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
  })

  test('reads the request time as milliseconds, not as the seconds of the manual', () => {
    expect(recordOf({}, flat)).toMatchObject({
      latencyMs: 388,
      method: 'POST',
      requestId: 'req-1',
      upstreamStatus: 402,
    })
  })

  test('keeps an upstream 402 that a fallback masked apart from the status of the client', () => {
    const masked = vary(flat, { status: 400, response_body: 'all balances exhausted or unavailable' })
    expect(recordOf({}, masked)).toMatchObject({ status: 400, upstreamStatus: 402, upstreamRefused: true })
  })

  test('sees a 402 among the attempts that a later one made good', () => {
    const record = recordOf(
      {},
      vary(flat, { status: 200, proxy_status: 200, proxies: [{ proxy_status: 402 }, { proxy_status: 200 }] }),
    )
    expect(record).toMatchObject({ status: 200, upstreamStatus: 200, upstreamRefused: true })
  })

  test('never looks into the request', () => {
    const record = recordOf({}, vary(flat, { response_body: '{}', proxy_response_body: '{}' }))
    expect(outlineOf(record).cause).toBe('unknown')
    expect(JSON.stringify(record.evidence())).not.toContain('declined')
  })

  test('skips the AI event, which has no status', () => {
    const event = {
      time_iso8601: '2026-10-05T16:15:36.042+08:00',
      request_id: 'r',
      api: 'a',
      ai: { ai_provider: 'openai', ai_model: 'm' },
    }
    expect(decodeOne({}, event)).toEqual({ kind: 'skipped', index: 0, reason: 'event' })
    expect(decodeOne({ format: 'apipark' }, event)).toEqual({ kind: 'skipped', index: 0, reason: 'event' })
  })

  test.each([
    ['no-status', { status: undefined }],
    ['no-status', { status: '' }],
    ['wrong-type', { status: { deep: true } }],
    ['wrong-type', { status: true }],
    ['wrong-type', { status: 'refused' }],
    ['bad-time', { msec: 'yesterday' }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'apipark' }, vary(flat, changes))).toMatchObject({
      kind: 'unreadable',
      index: 0,
      failure,
    })
  })
})

describe('the line layout', () => {
  const fields = [
    'msec',
    'request_id',
    ['request_method', 'request_uri'],
    'application',
    ['status', ['proxy_status']],
    'response_body',
  ]
  const line = (body: string) =>
    `1791188136042\treq-3\t"POST /v1/answers?x=1"\t-\t"402 [402]"\t${Buffer.from(body).toString('base64')}`

  test('is read with the field list of the gateway', () => {
    const record = recordOf({ apipark_line: { fields } }, line(deepseek))
    expect(outlineOf(record)).toEqual({
      time,
      status: 402,
      tenant: null,
      api: '/v1/answers',
      cause: 'insufficient_funds',
    })
  })

  test('asks for the field list where there is none', () => {
    const decoded = decodeOne({ format: 'apipark' }, line('x'))
    expect(decoded).toMatchObject({
      failure: 'not-json',
      message: expect.stringContaining('decode.apipark_line.fields'),
    })
  })

  test('says so when the line does not fit the list', () => {
    const decoded = decodeOne({ format: 'apipark', apipark_line: { fields } }, 'a\tb')
    expect(decoded).toMatchObject({ failure: 'not-json', message: expect.stringContaining('2 values') })
  })

  test('leaves broken JSON to its own failure', () => {
    expect(decodeOne({ apipark_line: { fields } }, '{"status":402,\t')).toMatchObject({ message: 'broken or cut JSON' })
  })
})
