import { describe, expect, test } from 'vitest'
import { causeOf } from '../../src/classify/classify.ts'
import { decodeAll, decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const nested = {
  '@timestamp': '2026-10-05T08:15:36.042Z',
  ecs: { version: '8.17.0' },
  event: { kind: 'event', category: ['web'], duration: 12500000, outcome: 'failure' },
  http: { request: { id: 'req-9', method: 'POST' }, response: { status_code: 402, bytes: 58 }, version: '1.1' },
  url: { path: '/v1/orders/5501', original: '/v1/orders/5501?lang=en' },
  organization: { id: 'org-7' },
  user: { id: 'u-1', name: 'grey-owl' },
  service: { name: 'orders-svc' },
  trace: { id: 'trace-1' },
}

const dotted = {
  '@timestamp': '2026-10-05T08:15:36.042Z',
  'ecs.version': '8.17.0',
  'event.duration': '12500000',
  'http.request.id': 'req-9',
  'http.request.method': 'POST',
  'http.response.status_code': 402,
  'url.path': '/v1/orders/5501',
  'organization.id': 'org-7',
  'user.name': 'grey-owl',
  'service.name': 'orders-svc',
}

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: 'org-7',
  api: '/v1/orders/{id}',
  cause: 'unknown',
}
const answered = (changes: object) => vary(nested, { http: { response: { status_code: 402, ...changes } } })
const nobody = { organization: undefined, user: undefined }

const cases: [name: string, document: unknown, expected: object][] = [
  ['reads nested keys', nested, outline],
  ['reads dotted keys', dotted, outline],
  [
    'reads a mixture',
    {
      '@timestamp': nested['@timestamp'],
      http: { 'response.status_code': 402 },
      'url.path': '/a',
      organization: { id: 'o' },
    },
    { ...outline, tenant: 'o', api: '/a' },
  ],
  [
    'reads a dotted beginning',
    { '@timestamp': nested['@timestamp'], 'http.response': { status_code: '402' }, url: { path: '/a' } },
    { ...outline, tenant: null, api: '/a' },
  ],
  ['reads a status that came as text', answered({ status_code: '402' }), outline],
  ['reads a status in a list', answered({ status_code: [402] }), outline],
  ['takes a status of 0 as no response', answered({ status_code: 0 }), { ...outline, status: null, cause: null }],
  [
    'reads a time with a zone and nanoseconds',
    vary(nested, { '@timestamp': '2026-10-05T10:15:36.042194835+02:00' }),
    outline,
  ],
  ['reads a time in epoch milliseconds', vary(nested, { '@timestamp': 1791188136042 }), outline],
  [
    'takes the start of the event without a timestamp',
    vary(dotted, { '@timestamp': undefined, 'event.start': '2026-10-05T08:15:35.000Z' }),
    { ...outline, time: '2026-10-05T08:15:35.000Z' },
  ],
  ['has no time without one', vary(dotted, { '@timestamp': undefined }), { ...outline, time: null }],
  ['takes the user without an organization', vary(nested, { organization: undefined }), { ...outline, tenant: 'u-1' }],
  [
    "takes the user's name without an id",
    vary(nested, { organization: {}, user: { name: 'owl' } }),
    { ...outline, tenant: 'owl' },
  ],
  [
    'knows no tenant of an anonymous call',
    vary(nested, { organization: undefined, user: { name: '-' } }),
    { ...outline, tenant: null },
  ],
  ['prefers a label of the operator', vary(nested, { labels: { tenant_id: 'acme' } }), { ...outline, tenant: 'acme' }],
  ['prefers a dotted label of the operator', vary(dotted, { 'labels.tenant': 'acme' }), { ...outline, tenant: 'acme' }],
  [
    'prefers a key of the operator',
    vary(nested, { tenant: 'acme', labels: { tenant: 'other' } }),
    { ...outline, tenant: 'acme' },
  ],
  ['takes the original URL without a path', vary(nested, { url: { original: 'https://h/v1/orders/8?k=s' } }), outline],
  [
    'prefers a route',
    vary(nested, { http: { ...nested.http, route: '/v1/orders/:id' } }),
    { ...outline, api: '/v1/orders/:id' },
  ],
  ['knows no API without a URL', vary(nested, { url: undefined }), { ...outline, api: null }],
  [
    'reads an error code',
    vary(nested, { error: { code: 'insufficient_quota' } }),
    { ...outline, cause: 'quota_exceeded' },
  ],
  [
    'reads an error type',
    vary(dotted, { 'error.type': 'BudgetExceededError' }),
    { ...outline, cause: 'billing_limit_exceeded' },
  ],
  [
    'prefers the code to the type',
    vary(nested, { error: { type: 'quota_exceeded', code: 'expired_card' } }),
    { ...outline, cause: 'invalid_payment_info' },
  ],
  [
    'reads an error message',
    vary(nested, { error: { message: 'Insufficient Balance' } }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'reads the reason of an event',
    vary(nested, { event: { reason: 'your subscription has expired' } }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'reads the body of the response',
    answered({ body: { content: '{"error":{"code":"card_declined","decline_code":"insufficient_funds"}}' } }),
    { ...outline, cause: 'insufficient_funds' },
  ],
  [
    'reads a cut body',
    answered({ body: { content: '{"error":{"message":"x","code":"budget_exceeded","ty' } }),
    { ...outline, cause: 'billing_limit_exceeded' },
  ],
  ['reads headers', answered({ headers: { 'X-RateLimit-Remaining': ['0'] } }), { ...outline, cause: 'quota_exceeded' }],
  [
    'reads a header in a label',
    vary(dotted, { 'labels.x_error_code': 'subscription_expired' }),
    { ...outline, cause: 'subscription_expired' },
  ],
  [
    'does not search what the client sent',
    vary(nested, { http: { ...nested.http, request: { body: { content: 'insufficient funds' } } } }),
    outline,
  ],
]

describe('ecs', () => {
  test.each(cases)('%s', (_, document, expected) => {
    expect(outlineOf(recordOf({ format: 'ecs' }, document))).toEqual(expected)
    expect(outlineOf(recordOf({}, document)), 'auto').toEqual(expected)
    expect(recordOf({}, document).format).toBe('ecs')
  })

  test('reads latency, method, consumer, request id and service', () => {
    for (const document of [nested, dotted]) {
      const record = recordOf({}, document)
      expect(record).toMatchObject({ latencyMs: 12.5, method: 'POST', consumer: 'grey-owl', requestId: 'req-9' })
      expect(record.origin()).toEqual({ service: 'orders-svc', tenantPlace: 'organization.id', apiPlace: 'url.path' })
    }
    expect(recordOf({}, vary(dotted, { 'event.duration': undefined, 'transaction.duration.us': 700 })).latencyMs).toBe(
      0.7,
    )
    expect(recordOf({}, vary(dotted, { 'event.duration': -1 })).latencyMs).toBe(null)
  })

  test('tells where the cause stands', () => {
    const record = recordOf({}, answered({ body: { content: '{"code":"quota_exceeded"}' } }))
    expect(causeOf(record, [])).toMatchObject({
      code: 'quota_exceeded',
      source: 'http.response.body.content.code',
    })
  })

  test('is itself the record, whatever a shipper put around it', () => {
    const shipped = {
      '@metadata': { beat: 'filebeat' },
      agent: { type: 'filebeat' },
      log: { file: { path: '/a.log' } },
    }
    for (const document of [nested, dotted]) {
      for (const message of ['POST /v1/orders/5501 402', '{"level":"info"}']) {
        expect(outlineOf(recordOf({}, { ...document, ...shipped, message })), message).toEqual(outline)
      }
    }
  })

  test.each([
    ['an event without a status', vary(nested, { http: undefined })],
    ['an event with an empty status', answered({ status_code: '' })],
    [
      'a line of an application',
      { '@timestamp': nested['@timestamp'], 'log.level': 'info', message: 'started', 'ecs.version': '8.17.0' },
    ],
  ])('skips %s', (_, document) => {
    expect(decodeOne({}, document)).toEqual({ kind: 'skipped', index: 0, reason: 'event' })
  })

  test.each([
    ['wrong-type', answered({ status_code: 'many' })],
    ['wrong-type', answered({ status_code: {} })],
    ['bad-time', vary(nested, { '@timestamp': 'yesterday' })],
    ['bad-time', vary(nested, { '@timestamp': '2026-10-05T08:15:36' })],
  ] as const)('answers %s', (failure, document) => {
    expect(decodeOne({ format: 'ecs' }, document)).toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(nested, { ...nobody, url: 5, event: 'x', labels: [1], error: 'x', service: null, trace: [] })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...outline, tenant: null, api: null })
  })

  test('numbers the documents of a list', () => {
    expect(decodeAll({}, [nested, vary(nested, { http: {} }), dotted]).map(({ kind }) => kind)).toEqual([
      'record',
      'skipped',
      'record',
    ])
  })
})
