import { describe, expect, test } from 'vitest'
import { decodeOptions } from '../../src/decode/options.ts'
import { type DecodeSettings, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const settings: DecodeSettings = {
  format: 'custom',
  custom: {
    status: ['res.code', 'code'],
    time: 'at',
    time_unit: 'ms',
    tenant: 'who.tenant',
    api: ['api', 'req.path'],
    method: 'req.method',
    latency: 'took',
    latency_unit: 'us',
    request_id: 'id',
    consumer: 'who.user',
    plan: 'who.plan',
    upstream_status: 'up',
    cause_code: ['why.code', 'why.kind'],
    cause_text: 'why.text',
    response_body: 'res.body',
    response_headers: 'res.headers',
  },
}

const base = {
  id: 'r-1',
  at: 1791188136042,
  res: { code: 402 },
  who: { tenant: 'acme', user: 'jo', plan: 'gold' },
  api: 'search',
  req: { path: '/v2/search/55?q=x', method: 'GET' },
  took: 1500,
  up: '',
  why: {},
}

const outline = { time: '2026-10-05T08:15:36.042Z', status: 402, tenant: 'acme', api: 'search', cause: 'unknown' }

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads the mapped fields', base, outline],
  ['takes the second place where the first is blank', vary(base, { api: '' }), { ...outline, api: '/v2/search/{id}' }],
  ['finds a key that has dots itself', vary(base, { res: undefined, 'res.code': '402' }), outline],
  ['finds nested and dotted keys mixed', vary(base, { who: undefined, 'who.tenant': 'acme' }), outline],
  ['takes another status', vary(base, { res: {}, code: 402 }), outline],
  ['takes a code', vary(base, { why: { code: 'card_declined' } }), { ...outline, cause: 'payment_failed' }],
  [
    'takes codes in the order of the mapping',
    vary(base, { why: { kind: 'card_declined', code: 'spend_limit_reached' } }),
    { ...outline, cause: 'billing_limit_exceeded' },
  ],
  ['takes a text', vary(base, { why: { text: 'Quota exceeded for today' } }), { ...outline, cause: 'quota_exceeded' }],
  [
    'takes a body',
    vary(base, { res: { code: 402, body: '{"error":"insufficient_balance"}' } }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'takes headers',
    vary(base, { res: { code: 402, headers: { 'RateLimit-Remaining': '0' } } }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  ['knows no tenant of a wrong type', vary(base, { who: { tenant: { deep: 1 } } }), { ...outline, tenant: null }],
  ['reads a number as a tenant', vary(base, { who: { tenant: 42 } }), { ...outline, tenant: '42' }],
  ['cleans the tenant', vary(base, { who: { tenant: ' ac\u0000me\u202e ' } }), { ...outline, tenant: 'ac me' }],
  ['has no time where none is', vary(base, { at: null }), { ...outline, time: null }],
  [
    'takes a status beyond HTTP as no response',
    vary(base, { res: { code: 999 } }),
    { ...outline, status: null, cause: null },
  ],
]

describe('custom', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf(settings, record))).toEqual(expected)
    expect(outlineOf(recordOf({ ...settings, format: 'auto' }, record)), 'auto').toEqual(expected)
  })

  test('reads the rest of the record', () => {
    expect(recordOf(settings, base)).toMatchObject({
      latencyMs: 1.5,
      method: 'GET',
      requestId: 'r-1',
      consumer: 'jo',
      plan: 'gold',
    })
  })

  test.each([
    ['iso', '2026-10-05T10:15:36.042+02:00'],
    ['iso_utc', '2026-10-05 08:15:36.042'],
    ['s', '1791188136.042'],
    ['ms', 1791188136042],
    ['us', 1791188136042000],
    ['ns', '1791188136042000000'],
  ] as const)('reads a time in %s', (time_unit, at) => {
    const custom = { ...settings.custom, status: 'res.code', time: 'at', time_unit }
    expect(recordOf({ format: 'custom', custom }, vary(base, { at })).timeMs).toBe(1791188136042)
  })

  test.each([
    ['no-status', { res: {} }],
    ['wrong-type', { res: { code: [] } }],
    ['bad-time', { at: 'noon' }],
  ] as const)('answers %s to %j', (failure, changes) => {
    expect(decodeOne(settings, vary(base, changes))).toMatchObject({ kind: 'unreadable', failure })
  })

  test('needs its mapping', () => {
    expect(decodeOptions.safeParse({ format: 'custom' }).error?.issues[0]?.path).toEqual(['custom'])
  })
})
