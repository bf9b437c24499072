import { describe, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import { bodyRecord, kongRecord } from './recording.ts'

const defaults = classifyOptions.parse({})
const watching = classifyOptions.parse({ watch: [{ status: 429, codes: ['insufficient_quota', 'billing_*'] }] })

describe('kindOf', () => {
  test('names what the client got', () => {
    expect(kindOf(bodyRecord({}), defaults)).toBe('payment_required')
    expect(kindOf(bodyRecord({}, { upstreamStatus: 402 }), defaults)).toBe('payment_required')
  })

  test.each([200, 429, 500, null])('leaves %j alone and does not ask for evidence', (status) => {
    const evidence = () => expect.unreachable('evidence is for refusals')
    expect(kindOf(bodyRecord({}, { status, evidence }), defaults)).toBe(null)
    expect(
      kindOf(bodyRecord({}, { status, evidence }), classifyOptions.parse({ watch: [{ status: 418, codes: ['x'] }] })),
    ).toBe(null)
  })

  test('asks nothing of an unwatched status but whether the upstream refused', () => {
    const never = () => expect.unreachable('nothing else is asked')
    for (const refused of [true, false]) {
      const asked: string[] = []
      const record = new Proxy(bodyRecord({}, { status: 500, upstreamRefused: refused, evidence: never }), {
        get: (target, key) => {
          asked.push(String(key))
          return Reflect.get(target, key)
        },
      })
      expect(kindOf(record, watching)).toBe(refused ? 'upstream_402' : null)
      expect([...new Set(asked)]).toEqual(['status', 'upstreamRefused'])
    }
  })

  test('names an equivalent only with one of its codes', () => {
    const limited = (code: string) => bodyRecord({ error: { code } }, { status: 429 })
    expect(kindOf(limited('insufficient_quota'), watching)).toBe('equivalent')
    expect(kindOf(limited('insufficientQuota'), watching)).toBe('equivalent')
    expect(kindOf(limited('billing_hard_limit_reached'), watching)).toBe('equivalent')
    expect(kindOf(limited('rate_limit_exceeded'), watching)).toBe(null)
    expect(kindOf(bodyRecord({ error: { code: 'insufficient_quota' } }, { status: 403 }), watching)).toBe(null)
  })

  test('names an upstream 402 that the client never saw', () => {
    expect(kindOf(bodyRecord({}, { status: 400, upstreamStatus: 402 }), defaults)).toBe('upstream_402')
    const hidden = kongRecord({ response: { status: 200 }, upstream_status: '402, 200' })
    expect(kindOf(hidden, defaults)).toBe('upstream_402')
    expect(kindOf(kongRecord({ response: { status: 200 }, upstream_status: '502, 200' }), defaults)).toBe(null)
  })

  test('keeps price tags apart unless they are to be counted', () => {
    const tag = bodyRecord({ x402Version: 1, error: 'X-PAYMENT header is required', accepts: [] })
    expect(kindOf(tag, defaults)).toBe('challenge')
    expect(kindOf(tag, classifyOptions.parse({ count_challenges: true }))).toBe('payment_required')
  })

  test('names an equivalent by the words of its message', () => {
    const options = classifyOptions.parse({ watch: [{ status: 416, texts: ['out of calls'] }] })
    expect(kindOf(bodyRecord('out of calls', { status: 416 }), options)).toBe('equivalent')
    expect(kindOf(bodyRecord({ message: 'Sorry: Out of calls.' }, { status: 416 }), options)).toBe('equivalent')
    expect(kindOf(bodyRecord('shout of callsigns', { status: 416 }), options)).toBe(null)
  })
})

describe('the well-known list', () => {
  const wellKnown = classifyOptions.parse({ watch: ['well-known', { status: 418, codes: ['teapot'] }] })

  test.each([
    ['OpenAI', 429, { error: { type: 'insufficient_quota', code: 'insufficient_quota' } }],
    ['LiteLLM', 429, { error: { type: 'budget_exceeded', message: 'Budget has been exceeded!' } }],
    ['LiteLLM of old', 400, { error: { type: 'budget_exceeded', code: '400' } }],
    ['Gemini before 2026', 429, { error: { status: 'RESOURCE_EXHAUSTED', message: 'Your credits are depleted.' } }],
    ['Anthropic', 400, { error: { type: 'invalid_request_error', message: 'Your credit balance is too low.' } }],
    ['Novita', 403, { code: 403, reason: 'NOT_ENOUGH_BALANCE' }],
    ['one-api', 403, { error: { code: 'insufficient_user_quota' } }],
    ['one-api, its token', 401, { error: { message: '该令牌额度已用尽' } }],
    ['new-api', 403, { error: { code: 'entitlement_daily_limit_exceeded' } }],
    ['Apinto', 416, 'out of calls'],
    ['Moonshot', 429, { error: { type: 'exceeded_current_quota_error' } }],
    ['Alibaba Bailian', 429, { code: 'PrepaidBillOverdue' }],
    ['an entry beside it', 418, { code: 'teapot' }],
  ])('counts %s with %i', (_, status, body) => {
    expect(kindOf(bodyRecord(body, { status }), wellKnown)).toBe('equivalent')
    expect(kindOf(bodyRecord(body, { status }), defaults)).toBe(null)
  })

  test.each([
    [429, { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'Rate limit reached' } }],
    [400, { error: { type: 'invalid_request_error', message: 'max_tokens is too large' } }],
    [403, { message: 'Forbidden' }],
    [416, 'Range Not Satisfiable'],
    [500, { error: { code: 'insufficient_quota' } }],
  ])('leaves a mere %i alone: %j', (status, body) => {
    expect(kindOf(bodyRecord(body, { status }), wellKnown)).toBe(null)
  })
})

test.each([
  [{ watch: [{ status: 429 }] }, 'at least one of codes and texts'],
  [{ watch: ['well-know'] }, 'well-known'],
])('refuses %j', (settings, words) => {
  const parsed = classifyOptions.safeParse(settings)
  expect(JSON.stringify(parsed.error?.issues)).toContain(words)
})
