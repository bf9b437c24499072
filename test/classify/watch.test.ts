import { describe, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { watchOf } from '../../src/classify/watch.ts'
import { bodyRecord, kongRecord } from './recording.ts'

const defaults = classifyOptions.parse({})
const watching = classifyOptions.parse({ watch: [{ status: 429, codes: ['insufficient_quota', 'billing_*'] }] })

describe('watchOf', () => {
  test('names what the client got', () => {
    expect(watchOf(bodyRecord({}), defaults)).toBe('payment_required')
    expect(watchOf(bodyRecord({}, { upstreamStatus: 402 }), defaults)).toBe('payment_required')
  })

  test.each([200, 429, 500, null])('leaves %j alone and does not ask for evidence', (status) => {
    const evidence = () => expect.unreachable('evidence is for refusals')
    expect(watchOf(bodyRecord({}, { status, evidence }), defaults)).toBe(null)
    expect(
      watchOf(bodyRecord({}, { status, evidence }), classifyOptions.parse({ watch: [{ status: 418, codes: ['x'] }] })),
    ).toBe(null)
  })

  test('names an equivalent only with one of its codes', () => {
    const limited = (code: string) => bodyRecord({ error: { code } }, { status: 429 })
    expect(watchOf(limited('insufficient_quota'), watching)).toBe('equivalent')
    expect(watchOf(limited('insufficientQuota'), watching)).toBe('equivalent')
    expect(watchOf(limited('billing_hard_limit_reached'), watching)).toBe('equivalent')
    expect(watchOf(limited('rate_limit_exceeded'), watching)).toBe(null)
    expect(watchOf(bodyRecord({ error: { code: 'insufficient_quota' } }, { status: 403 }), watching)).toBe(null)
  })

  test('names an upstream 402 that the client never saw', () => {
    expect(watchOf(bodyRecord({}, { status: 400, upstreamStatus: 402 }), defaults)).toBe('upstream_402')
    const hidden = kongRecord({ response: { status: 200 }, upstream_status: '402, 200' })
    expect(watchOf(hidden, defaults)).toBe('upstream_402')
    expect(watchOf(kongRecord({ response: { status: 200 }, upstream_status: '502, 200' }), defaults)).toBe(null)
  })

  test('leaves price tags out unless they are to be counted', () => {
    const tag = bodyRecord({ x402Version: 1, error: 'X-PAYMENT header is required', accepts: [] })
    expect(watchOf(tag, defaults)).toBe(null)
    expect(watchOf(tag, classifyOptions.parse({ count_challenges: true }))).toBe('payment_required')
  })
})
