import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { causeOf } from '../../src/classify/classify.ts'
import { classifyOptions } from '../../src/classify/options.ts'
import { globMatches } from '../../src/classify/rules.ts'
import { bodyRecord, decoded, recordWith } from './recording.ts'

type Rules = NonNullable<z.input<typeof classifyOptions>['rules']>

const verdict = (rules: Rules, record = bodyRecord({ code: 'quota_exceeded', message: 'The Wallet of jo is empty' })) =>
  causeOf(record, classifyOptions.parse({ rules }).rules)

describe('rules of the operator', () => {
  test.each<[object]>([
    [{ api: 'chat' }],
    [{ route: 'ch*' }],
    [{ tenant: '*me' }],
    [{ status: 402 }],
    [{ code: 'QuotaExceeded' }],
    [{ code: 'quota*' }],
    [{ text: 'wallet of' }],
    [{ tenant: 'acme', api: 'chat', status: 402, code: 'quota_exceeded', text: 'empty' }],
  ])('come before all evidence: %j', (when) => {
    expect(verdict([{ name: 'mine', when, cause: 'subscription_expired' }])).toMatchObject({
      cause: 'subscription_expired',
      source: 'rule:mine',
    })
  })

  test.each<[object]>([
    [{ api: 'Chat' }],
    [{ api: 'cha' }],
    [{ tenant: 'acme', api: 'other' }],
    [{ status: 429 }],
    [{ code: 'quota' }],
    [{ text: 'allet' }],
    [{ text: 'wallets' }],
    [{ code: 'quota_exceeded', text: 'full' }],
  ])('must fit in every condition: %j', (when) => {
    expect(verdict([{ when, cause: 'subscription_expired' }]).cause).toBe('quota_exceeded')
  })

  test('decide in their order, and are named by their number', () => {
    const rules: Rules = [
      { when: { api: 'other' }, cause: 'unknown' },
      { when: { api: 'chat' }, cause: 'payment_failed' },
      { when: { tenant: 'acme' }, cause: 'misconfiguration' },
    ]
    expect(verdict(rules)).toEqual({ cause: 'payment_failed', code: null, source: 'rule:2' })
  })

  test('keep the words that fitted', () => {
    expect(verdict([{ when: { code: 'quota*' }, cause: 'unknown' }]).code).toBe('quota_exceeded')
    expect(verdict([{ when: { text: 'wallet' }, cause: 'unknown' }]).code).toBe('Wallet')
  })

  test('can speak of a flag of the gateway', () => {
    const record = recordWith((gathered) => gathered.verdict('UF', 'response_flags'), 'gateway')
    expect(verdict([{ when: { code: 'UF', api: 'chat' }, cause: 'payment_gateway_error' }], record).cause).toBe(
      'payment_gateway_error',
    )
  })

  test('do not fit what is not known', () => {
    expect(verdict([{ when: { tenant: '*' }, cause: 'unknown' }], bodyRecord({}, { tenant: null })).source).toBe(null)
  })

  test('can ask for the service behind the API', () => {
    const at = (service: string | null) =>
      bodyRecord({}, { origin: () => ({ service, tenantPlace: null, apiPlace: null }) })
    const rules: Rules = [{ when: { service: 'pay-*' }, cause: 'payment_gateway_error' }]
    expect(verdict(rules, at('pay-eu')).cause).toBe('payment_gateway_error')
    expect(verdict(rules, at('chat')).cause).toBe('unknown')
    expect(verdict(rules, at(null)).cause).toBe('unknown')
  })

  test('make a failure to reach the payment service one of payments', () => {
    const record = decoded({
      ...{ start_time: '2026-10-05T08:15:36.042Z', response_code: 402, response_flags: 'UF', path: '/pay' },
      ...{ response_code_details: 'upstream_reset', upstream_cluster: 'outbound|443||pay.ns' },
    })
    const rules: Rules = [{ when: { service: '*pay*', code: 'UF' }, cause: 'payment_gateway_error' }]
    expect(verdict([], record).cause).toBe('unknown')
    expect(verdict(rules, record)).toEqual({ cause: 'payment_gateway_error', code: 'UF', source: 'rule:1' })
  })

  test('do not ask for evidence where a label does not fit', () => {
    let asked = 0
    const record = bodyRecord({}, {})
    const evidence = () => {
      asked++
      return record.evidence()
    }
    verdict([{ when: { api: 'other', code: 'x' }, cause: 'unknown' }], { ...record, evidence })
    expect(asked).toBe(1)
  })

  test.each([
    [{ when: {}, cause: 'unknown' }],
    [{ when: { api: 'x' }, cause: 'nonsense' }],
    [{ when: { apis: 'x' }, cause: 'unknown' }],
    [{ when: { status: 40 }, cause: 'unknown' }],
  ])('are refused: %j', (rule) => {
    expect(classifyOptions.safeParse({ rules: [rule] }).success).toBe(false)
  })
})

describe('globs', () => {
  test.each([
    ['*', '', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcb', false],
    ['*b*', 'abc', true],
    ['a**c', 'ac', true],
    ['a.c', 'abc', false],
    ['', 'a', false],
  ])('%s fits %s: %j', (pattern, text, fits) => {
    expect(globMatches(pattern, text)).toBe(fits)
  })

  test('fit as the same regular expression does', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab*]{0,8}$/), fc.stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
        expect(globMatches(pattern, text)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text))
      }),
    )
  })
})
