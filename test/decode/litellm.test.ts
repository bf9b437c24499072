import { describe, expect, test } from 'vitest'
import { causeOf } from '../../src/classify/classify.ts'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const metadata = {
  user_api_key_hash: 'f'.repeat(16),
  user_api_key_alias: 'reports-key',
  user_api_key_team_id: 'team-blue',
  user_api_key_org_id: 'org-7',
  user_api_key_user_id: 'u-1',
  user_api_key_team_alias: 'Blue',
  requester_ip_address: '203.0.113.9',
}

const error = {
  error_code: '402',
  error_class: 'APIError',
  llm_provider: 'openrouter',
  traceback: 'insufficient_quota',
  error_message: 'litellm.APIError: OpenrouterException - {"error":{"message":"Insufficient credits","code":402}}',
}

const payload = {
  id: 'chatcmpl-5501',
  trace_id: 'trace-1',
  call_type: 'acompletion',
  status: 'failure',
  startTime: 1791188136.042,
  endTime: 1791188136.461,
  completionStartTime: 1791188136.461,
  response_time: 0.419,
  model: 'openrouter/small-1',
  model_group: 'small',
  api_base: 'https://llm.example.net/v1',
  metadata,
  total_tokens: 0,
  prompt_tokens: 0,
  messages: [{ role: 'user', content: 'quota exceeded?' }],
  response: {},
  error_str: null,
  error_information: error,
}

const row = {
  request_id: 'row-5501',
  call_type: 'acompletion',
  api_key: 'f'.repeat(16),
  spend: 0,
  total_tokens: 0,
  prompt_tokens: 0,
  startTime: '2026-10-05T08:15:36.042000Z',
  endTime: '2026-10-05T08:15:36.461000Z',
  model: 'openrouter/small-1',
  model_group: 'small',
  user: 'u-1',
  team_id: 'team-blue',
  end_user: '',
  metadata: JSON.stringify({ ...metadata, status: 'failure', error_information: error }),
}

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'team-blue',
  api: 'small',
  cause: 'insufficient_funds',
}
const failed = (changes: object, rest: object = {}) =>
  vary(payload, { error_information: { ...error, ...changes }, ...rest })
const owner = (changes: Record<string, unknown>) => vary(payload, { metadata: vary(metadata, changes) })
const budget = {
  error_code: '429',
  error_class: 'BudgetExceededError',
  llm_provider: '',
  error_message: 'Budget has been exceeded! Current cost: 12.4, Max budget: 12.0',
}
const noTeam = { user_api_key_team_id: null }

const cases: [name: string, entry: unknown, expected: object][] = [
  ["passes a provider's refusal on", payload, outline],
  ['reads a status that came as a number', failed({ error_code: 402 }), outline],
  [
    'takes a success as 200',
    vary(payload, { status: 'success', error_information: null }),
    { ...outline, status: 200, cause: null },
  ],
  ['takes a budget as 429', failed(budget), { ...outline, status: 429, cause: null }],
  [
    'knows the status of a budget without a code',
    failed({ ...budget, error_code: '' }),
    { ...outline, status: 429, cause: null },
  ],
  [
    'believes the code of a release with another one',
    failed({ ...budget, error_code: '400' }),
    { ...outline, status: 400, cause: null },
  ],
  [
    'knows the status of a class without a code',
    failed({ error_code: 'None', error_class: 'Timeout' }),
    { ...outline, status: 408, cause: null },
  ],
  [
    'knows no status of a strange failure',
    failed({ error_code: '', error_class: 'OddError' }),
    { ...outline, status: null, cause: null },
  ],
  [
    'knows no status of a failure without information',
    vary(payload, { error_information: null }),
    { ...outline, status: null, cause: null },
  ],
  [
    'explains a 402 by a budget',
    failed({ ...budget, error_code: '402' }),
    { ...outline, cause: 'billing_limit_exceeded' },
  ],
  [
    "reads the provider's code behind the names of the exceptions",
    failed({
      error_message: 'litellm.RateLimitError: OpenAIException - {"error":{"code":"insufficient_quota","message":"x"}}',
    }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads a cut message',
    failed({ error_message: 'X - {"error":{"code":"insufficient_quota","mess' }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    "reads the provider's code as Python prints it",
    failed({
      error_message: `Error code: 402 - {'error': {'message': "it isn't \\"x\\"", 'param': None, 'code': 'insufficient_quota'}}`,
    }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads what Python prints with quotes inside',
    failed({ error_message: `Error - {'error': {'message': 'say "no", it\\'s', 'code': 'expired_card'}, 'x': 1}` }),
    { ...outline, cause: 'invalid_payment_info' },
  ],
  [
    "reads Python's notation as a message",
    failed({ error_message: "Error code: 402 - {'error': {'message': 'Insufficient Balance'}}" }),
    outline,
  ],
  [
    'reads the error as text',
    vary(failed({ error_message: '' }), { error_str: 'your credit balance is too low' }),
    outline,
  ],
  ['does not search the prompt or the traceback', failed({ error_message: 'x' }), { ...outline, cause: 'unknown' }],
  ['takes the organization without a team', owner(noTeam), { ...outline, tenant: 'org-7' }],
  [
    'takes the user without an organization',
    owner({ ...noTeam, user_api_key_org_id: null }),
    { ...outline, tenant: 'u-1' },
  ],
  [
    'takes the alias of the key last',
    owner({ ...noTeam, user_api_key_org_id: null, user_api_key_user_id: '' }),
    { ...outline, tenant: 'reports-key' },
  ],
  [
    'does not take the owner of the master key for a tenant',
    owner({ ...noTeam, user_api_key_org_id: null, user_api_key_user_id: 'default_user_id', user_api_key_alias: null }),
    { ...outline, tenant: null },
  ],
  ['knows no tenant without a key', vary(payload, { metadata: {} }), { ...outline, tenant: null }],
  [
    'prefers what the operator attaches to a key',
    owner({ spend_logs_metadata: { customer_id: 'acme' } }),
    { ...outline, tenant: 'acme' },
  ],
  ['prefers a key of the operator', vary(payload, { tenant: 'acme' }), { ...outline, tenant: 'acme' }],
  ['takes the model without a group', vary(payload, { model_group: null }), { ...outline, api: 'openrouter/small-1' }],
  [
    'takes the kind of call without a model',
    vary(payload, { model_group: '', model: '' }),
    { ...outline, api: 'acompletion' },
  ],
  ['has no time without one', vary(payload, { startTime: null }), { ...outline, time: null }],
  ['reads times as text', vary(payload, { startTime: '1791188136.042', endTime: '1791188136.461' }), outline],
  ['reads a row of the spend log', row, outline],
  [
    'reads a row whose metadata are an object',
    vary(row, { metadata: { ...metadata, status: 'failure', error_information: error } }),
    outline,
  ],
  [
    'reads a row with a status of its own',
    vary(row, { status: 'success', metadata: '{}' }),
    { ...outline, status: 200, cause: null },
  ],
  [
    'reads the row of a release that stored successes only',
    vary(row, { metadata: JSON.stringify(metadata) }),
    { ...outline, status: 200, cause: null },
  ],
  [
    'reads the times of a database without a zone as UTC',
    vary(row, { startTime: '2026-10-05 08:15:36.042000', endTime: '2026-10-05 08:15:36.461' }),
    outline,
  ],
]

describe('litellm', () => {
  test.each(cases)('%s', (_, entry, expected) => {
    expect(outlineOf(recordOf({ format: 'litellm' }, entry))).toEqual(expected)
    expect(outlineOf(recordOf({}, entry)), 'auto').toEqual(expected)
  })

  test('reads latency, consumer, request id and service', () => {
    expect(recordOf({}, payload)).toMatchObject({
      ...{ format: 'litellm', latencyMs: 419, consumer: 'reports-key', requestId: 'chatcmpl-5501', method: null },
    })
    expect(recordOf({}, payload).origin()).toEqual({
      service: 'openrouter',
      tenantPlace: 'metadata.user_api_key_team_id',
      apiPlace: 'model_group',
    })
    expect(recordOf({}, row)).toMatchObject({ latencyMs: 419, requestId: 'row-5501' })
    expect(recordOf({}, vary(row, { endTime: null, request_duration_ms: 77 })).latencyMs).toBe(77)
    expect(recordOf({}, vary(payload, { endTime: 1 })).latencyMs).toBe(null)
  })

  test('tells who answered', () => {
    expect(recordOf({}, payload)).toMatchObject({ upstreamStatus: 402 })
    expect(recordOf({}, payload).evidence().answeredBy).toBe('upstream')
    expect(recordOf({}, failed(budget)).upstreamStatus).toBe(null)
    expect(recordOf({}, failed(budget)).evidence().answeredBy).toBe('gateway')
    expect(recordOf({}, vary(payload, { status: 'success' })).evidence().answeredBy).toBe(null)
  })

  test('lets a budget be watched like a 402', () => {
    const options = classifyOptions.parse({ watch: [{ status: 429, codes: ['BudgetExceededError'] }] })
    for (const code of ['429', '']) {
      const record = recordOf({}, failed({ ...budget, error_code: code }))
      expect(kindOf(record, options)).toBe('equivalent')
      expect(causeOf(record, [])).toMatchObject({
        cause: 'billing_limit_exceeded',
        source: 'error_information.error_class',
      })
    }
    expect(kindOf(recordOf({}, failed({ error_code: '429', error_class: 'RateLimitError' })), options)).toBe(null)
  })

  test.each([
    ['the alias of the key', owner({ user_api_key_alias: 'litellm-internal-health-check' })],
    ['the key of a row', vary(row, { api_key: 'litellm-internal-health-check' })],
  ])("skips the proxy's own health checks, told by %s", (_, entry) => {
    expect(decodeOne({}, entry)).toEqual({ kind: 'skipped', index: 0, reason: 'health' })
  })

  test('does not let a caller hide behind a tag', () => {
    expect(recordOf({}, vary(payload, { request_tags: ['litellm-internal-health-check'] })).status).toBe(402)
  })

  test('numbers the payloads of a batch', () => {
    const decoded = decodeAll({}, [payload, vary(payload, { status: 'pending' }), row])
    expect(decoded.map((entry) => (entry.kind === 'unreadable' ? entry.failure : entry.kind))).toEqual([
      'record',
      'wrong-type',
      'record',
    ])
  })

  test('finds the payload in what a callback was given', () => {
    const given = { litellm_call_id: 'c', call_type: 'acompletion', standard_logging_object: payload }
    expect(outlineOf(recordOf({}, given))).toEqual(outline)
    expect(outlineOf(recordOf({ format: 'litellm' }, given))).toEqual(outline)
  })

  test.each([
    ['wrong-type', { status: 402 }],
    // Whether it is a failure stands in the part that was cut.
    ['no-status', { status: undefined, error_information: undefined, metadata: '{"status":"fail' }],
    ['bad-time', { startTime: 'soon' }],
    // Milliseconds where seconds are due: the unit is never guessed.
    ['bad-time', { startTime: 1791188136042 }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne({ format: 'litellm' }, vary(payload, changes))).toMatchObject({ kind: 'unreadable', failure })
  })

  test.each([
    ["{'".repeat(500_000)],
    [`{'${'\\'.repeat(1e6)}`],
    [`{'a': "${'\\"'.repeat(500_000)}`],
    [`{'a': '${"\\'".repeat(500_000)}`],
    ['{"a":'.repeat(200_000)],
  ])('takes time linear in the message', (text) => {
    expect(recordOf({}, failed({ error_message: text })).evidence().texts.length).toBeGreaterThan(0)
  })

  test('reads the code of a message that is cut', () => {
    const text = "Error - {'error': {'code': 'insufficient_quota', 'message': 'You exc"
    expect(outlineOf(recordOf({}, failed({ error_message: text }))).cause).toBe('quota_exceeded')
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(payload, { metadata: [1], model_group: {}, model: 5, endTime: [], id: null, response: 'x' })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: null, api: '5' })
  })
})
