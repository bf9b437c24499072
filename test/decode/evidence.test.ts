import { describe, expect, test } from 'vitest'
import { addPaymentSent, EvidenceGatherer } from '../../src/decode/evidence.ts'

const gather = (body: unknown) => new EvidenceGatherer(null).body(body, 'response.body').done()
const codesOf = (body: unknown) => gather(body).codes.map(({ value }) => value)
const base64 = (text: string) => Buffer.from(text).toString('base64')
const error = { error: { message: 'Quota is gone', code: 'q_1' } }
const http = `HTTP/1.1 402 Payment Required\r\nX-Error-Code: h_1\r\nSet-Cookie: a=hush\r\n\r\n${JSON.stringify(error)}`

describe('a body', () => {
  test.each([
    ['an object', error],
    ['JSON', JSON.stringify(error)],
    ['JSON in a JSON string', JSON.stringify(JSON.stringify(error))],
    ['JSON that is cut', JSON.stringify(error).slice(0, -3)],
    ['base64 of JSON', base64(JSON.stringify(error))],
    ['base64 of HTTP text', base64(http)],
    ['HTTP text', http],
    [
      'HTTP text in chunks',
      `HTTP/1.1 402 X\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\n${JSON.stringify(error)}\r\n0\r\n\r\n`,
    ],
    ['SSE text', `event: error\ndata: {"id":1}\n\ndata: ${JSON.stringify(error)}\n\ndata: [DONE]\n`],
    ['SSE lines in an array', [`data: ${JSON.stringify(error)}`, '', 'data: [DONE]']],
    ['SSE lines in JSON', JSON.stringify([`data: ${JSON.stringify(error)}`])],
  ])('is read as %s', (_, body) => {
    const { codes, texts } = gather(body)
    expect(codes.map(({ value }) => value)).toContain('q_1')
    expect(texts.map(({ value }) => value)).toContain('Quota is gone')
  })

  test('gives headers of HTTP text in lower case, and no cookies', () => {
    const { headers, codes } = gather(http)
    expect([...headers]).toEqual([['x-error-code', 'h_1']])
    expect(codes).toContainEqual({ value: 'h_1', where: 'response.headers.x-error-code' })
  })

  test('gives its codes finest first and says where they stood', () => {
    const body = {
      error: { type: 't_1', code: 'c_1', decline_code: 'd_1', reason: 'r_1', errors: [{ errorReason: 'e_1' }] },
    }
    expect(codesOf(body)).toEqual(
      ['decline_code', 'd_1', 'e_1', 'c_1', 'r_1', 't_1'].sort((a, b) => order(a) - order(b)),
    )
    expect(gather(body).codes).toContainEqual({ value: 'e_1', where: 'response.body.error.errors[0].errorReason' })
  })

  test('puts a problem type before a bare type', () => {
    expect(codesOf({ type: 't_1', errors: [{ type: 'https://example.org/problems/p_1' }] })).toEqual([
      'https://example.org/problems/p_1',
      't_1',
    ])
  })

  test('puts what it tells of earlier attempts last', () => {
    const body = { error: { metadata: { previous_errors: [{ decline_code: 'inner' }] }, type: 'outer' } }
    expect(codesOf(body).filter((code) => code !== 'decline_code')).toEqual(['outer', 'inner'])
  })

  test.each(['advice_code', 'network_decline_code', 'doc_url', 'param', 'id'])('takes %s for no reason', (key) => {
    expect(codesOf({ error: { [key]: 'word_1' } })).not.toContain('word_1')
  })

  test.each(['request', 'prompt', 'messages', 'choices', 'content', 'input'])('does not look into %s', (key) => {
    const { codes, texts } = gather({ [key]: [{ code: 'c_1', message: 'card was declined' }] })
    expect([codes, texts]).toEqual([[], []])
  })

  test('takes numbers as codes, but not the HTTP status again', () => {
    expect(codesOf({ error: { code: 1113 } })).toEqual(['1113'])
    expect(codesOf({ base_resp: { status_code: 1008 } })).toEqual(['1008'])
    expect(codesOf({ error: { code: 402 }, status: 402, status_code: 1008 })).toEqual([])
  })

  test('takes plain text as a message, and a lone word as a code too', () => {
    expect(gather('Payment required').texts).toEqual([{ value: 'Payment required', where: 'response.body' }])
    expect(codesOf('quota_exceeded')).toEqual(['quota_exceeded'])
  })

  test('keeps no key that could be a secret in its places', () => {
    const { codes } = gather({ sk_live_4eC39HqLyjWDarjtT1zdp7dc: { code: 'c_1' } })
    expect(codes).toEqual([{ value: 'c_1', where: 'response.body.*.code' }])
  })

  test('is read within bounds, whatever it is', () => {
    const wide = Array.from({ length: 100_000 }, () => ({ code: 'x_1' }))
    expect(gather(wide).codes.length).toBeLessThanOrEqual(64)
    let deep: unknown = { code: 'x_1' }
    for (let i = 0; i < 10_000; i++) deep = { a: deep }
    expect(gather(deep).codes).toEqual([])
    const strange = [
      '"'.repeat(1e6),
      '\\"'.repeat(1e6),
      '{"a":'.repeat(2e5),
      `{"a":"${'\\'.repeat(1e6)}`,
      'A'.repeat(4e6),
      '[{'.repeat(5e5),
    ]
    for (const text of strange) expect(gather(text).codes.length).toBeLessThanOrEqual(64)
  })

  test.each([null, undefined, 7, true, '', [], {}, [[]], '{}', '[]', '{', '"', 'data:', 'HTTP/'])(
    'may be %j',
    (body) => {
      expect(gather(body).codes).toEqual([])
    },
  )
})

describe('headers', () => {
  test.each([
    ['an object in any case', { 'X-A': 'v', 'X-B': ['1', '2'], 'X-N': 5 }],
    ['JSON text', '{"X-A":"v","X-B":["1","2"],"X-N":5}'],
    ['escaped pairs', 'X-A=v&X-B=1&X-B=2&X-N=5'],
    ['raw lines', 'X-A: v\r\nX-B: 1\r\nX-B: 2\r\nX-N: 5'],
  ])('are read from %s', (_, value) => {
    const { headers } = new EvidenceGatherer(null).headers(value).done()
    expect([...headers]).toEqual([
      ['x-a', 'v'],
      ['x-b', '1, 2'],
      ['x-n', '5'],
    ])
  })

  test('are taken from keys of the operator', () => {
    const entry = {
      sent_http_x_error_code: 'e_1',
      'RateLimit-Remaining': 0,
      upstream_http_retry_after: '9',
      'x-user': 'jo',
      sent_http_x: '-',
    }
    const { headers } = new EvidenceGatherer(null).looseHeaders(entry).done()
    expect([...headers]).toEqual([
      ['x-error-code', 'e_1'],
      ['ratelimit-remaining', '0'],
      ['retry-after', '9'],
    ])
  })

  test('give the reason in a payment response', () => {
    const value = base64('{"success":false,"errorReason":"insufficient_funds"}')
    const { codes } = new EvidenceGatherer(null).headers({ 'PAYMENT-RESPONSE': value }).done()
    expect(codes).toEqual([{ value: 'insufficient_funds', where: 'response.headers.payment-response.errorReason' }])
  })

  test.each<[string, unknown]>([
    ['an object', { Authorization: 'Payment hush' }],
    ['a list of values', { authorization: ['payment hush'] }],
    ['pairs', 'Accept=x&Authorization=Payment+hush'],
    ['escaped pairs', 'Authorization=Payment%20hush'],
  ])('show a payment credential of HTTP in %s', (_, headers) => {
    const gathered = new EvidenceGatherer(null)
    addPaymentSent(gathered, headers)
    expect(gathered.done().verdicts).toEqual([{ value: 'authorization', where: 'request.headers' }])
  })

  test.each<[unknown]>([
    [{ authorization: 'Bearer Payment x' }],
    [{ authorization: 7 }],
    ['authorization=Paymentx'],
    [null],
  ])('show no payment in %j', (headers) => {
    const gathered = new EvidenceGatherer(null)
    addPaymentSent(gathered, headers)
    expect(gathered.done().verdicts).toEqual([])
  })

  test('of the request show only that a payment was sent', () => {
    const gathered = new EvidenceGatherer(null)
    addPaymentSent(gathered, { 'X-Payment': 'hush', Authorization: 'hush' })
    expect(gathered.done().verdicts).toEqual([{ value: 'x-payment', where: 'request.headers' }])
    const text = new EvidenceGatherer(null)
    addPaymentSent(text, 'Accept=x&PAYMENT-SIGNATURE=hush')
    expect(JSON.stringify(text.done().verdicts)).toBe('[{"value":"payment-signature","where":"request.headers"}]')
  })
})

function order(code: string): number {
  return ['d_1', 'e_1', 'c_1', 'r_1', 't_1', 'decline_code'].indexOf(code)
}
