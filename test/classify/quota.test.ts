import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quotasIn } from '../../src/classify/quota.ts'

const now = Date.UTC(2026, 9, 5, 8, 15, 36)
const day = 86_400

const read = (headers: Record<string, string>) => quotasIn(new Map(Object.entries(headers)), now)

describe('quotas in headers', () => {
  test('of the IETF draft, each policy on its own', () => {
    expect(
      read({
        ratelimit: '"burst";r=3;t=10, "month";r=120;t=50000',
        'ratelimit-policy': '"burst";q=10;w=60, "month";q=1000;w=2592000',
      }),
    ).toEqual([{ quota: 'month', limit: 1000, remaining: 120, resetAtMs: now + 50_000_000 }])
  })

  test('of Kong, with the span in the name', () => {
    const headers = {
      'x-ratelimit-limit-minute': '60',
      'x-ratelimit-remaining-minute': '0',
      'x-ratelimit-limit-month': '5000',
      'x-ratelimit-remaining-month': '12',
    }
    expect(read(headers)).toEqual([{ quota: 'month', limit: 5000, remaining: 12, resetAtMs: null }])
  })

  test('without a span, by the reset: seconds to go or a time', () => {
    const headers = { 'ratelimit-limit': '100', 'ratelimit-remaining': '7', 'ratelimit-reset': String(day) }
    const sign = { quota: 'default', limit: 100, remaining: 7, resetAtMs: now + day * 1000 }
    expect(read(headers)).toEqual([sign])
    expect(read({ ...headers, 'ratelimit-reset': String(now / 1000 + day) })).toEqual([sign])
  })

  test.each([
    [
      'that come back within the hour',
      { 'ratelimit-limit': '100', 'ratelimit-remaining': '7', 'ratelimit-reset': '41' },
    ],
    ['that say nothing of their span', { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '7' }],
    ['without a limit', { 'x-ratelimit-remaining-day': '7' }],
    ['that are no numbers', { 'x-ratelimit-limit-day': 'many', 'x-ratelimit-remaining-day': 'few' }],
    ['with more left than there is', { 'x-ratelimit-limit-day': '5', 'x-ratelimit-remaining-day': '7' }],
    ['with a limit of nothing', { 'x-ratelimit-limit-day': '0', 'x-ratelimit-remaining-day': '0' }],
    ['of a draft without its policy', { ratelimit: '"month";r=120;t=500000' }],
  ])('are left out %s', (_, headers) => {
    expect(read(headers)).toEqual([])
  })

  test('keep an overdraft', () => {
    const headers = { 'x-ratelimit-limit-day': '5', 'x-ratelimit-remaining-day': '-2' }
    expect(read(headers)).toMatchObject([{ remaining: -2 }])
  })

  test('never throw and stay few, whatever the headers say', () => {
    const name = fc.constantFrom('ratelimit', 'ratelimit-policy', 'x-ratelimit-remaining-day', 'x-ratelimit-limit-day')
    const value = fc.oneof(fc.string(), fc.constantFrom('"a";r=1;t=99999', '"a";q=5;w=99999', '5', '5, 5;w=60'))
    fc.assert(
      fc.property(fc.dictionary(name, value), (headers) => {
        for (const sign of read(headers)) {
          expect(sign.limit).toBeGreaterThan(0)
          expect(sign.remaining).toBeLessThanOrEqual(sign.limit)
        }
      }),
    )
  })
})
