import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { envoyLine } from '../../src/decode/envoy-text.ts'
import { decodeOne, outlineOf, recordOf } from './decoding.ts'

const start = '[2026-10-05T08:15:36.042Z]'
const ends = '"203.0.113.9" "curl/8.9.1" "req-5" "api.example.org" "10.4.2.2:8443"'
const network = 'outbound|443||orders.shop.svc.cluster.local 10.4.1.1:5 10.4.1.9:8443 203.0.113.9:41562 sni.example.org'

const plain = (head: string, numbers = '27 51 6 5', end = ends) => `${start} ${head} ${numbers} ${end}`
const istio = (head: string, reason = 'via_upstream - "-"', end = `${ends} ${network} orders`) =>
  `${start} ${head} ${reason} 27 51 6 5 ${end}`
const call = '"POST /v1/orders/5501?dry=1 HTTP/1.1" 402'

const outline = {
  time: '2026-10-05T08:15:36.042Z',
  status: 402,
  tenant: null,
  api: '/v1/orders/{id}',
  cause: 'unknown',
}
const named = { ...outline, api: 'orders' }

const cases: [name: string, line: string, expected: object][] = [
  ['reads a line of Envoy', plain(`${call} -`), outline],
  ['reads a line of Istio', istio(`${call} -`), named],
  [
    'takes the path where the route has no name',
    istio(`${call} -`, 'via_upstream - "-"', `${ends} ${network} default`),
    outline,
  ],
  ['takes a flag of Envoy', plain(`${call} RL`), { ...outline, cause: 'quota_exceeded' }],
  ['takes one flag of several', plain(`${call} DI,UAEX`), { ...outline, cause: 'permission_denied' }],
  [
    'believes the details before the flag',
    istio(`${call} UAEX`, 'jwt_authn_access_denied{Jwt_is_missing} - "-"'),
    { ...named, cause: 'authentication_missing' },
  ],
  [
    'reads a reason with brackets',
    istio(`${call} -`, 'rbac_access_denied_matched_policy[ns[a]-policy[b]-rule[0]] - "-"'),
    { ...named, cause: 'permission_denied' },
  ],
  [
    'reads a reason with blanks',
    istio(`${call} UF`, 'upstream_reset_before_response_started{connection_failure} - "TLS error: no peer"'),
    named,
  ],
  [
    'reads a response that was not sent',
    plain('"POST /v1/orders/5501 HTTP/1.1" 0 DC'),
    { ...outline, status: null, cause: null },
  ],
  ['reads a path with quotes', plain('"POST /v1/orders/5501?q="a"_b" HTTP/2" 402 -'), outline],
  [
    'reads a user agent with quotes and blanks',
    istio(`${call} -`, 'via_upstream - "-"', `"-" "a "b" c" "req-5" "h" "10.4.2.2:1" ${network} orders`),
    named,
  ],
  ['reads a request that could not be understood', plain('"- - HTTP/1.1" 402 DPE'), { ...outline, api: null }],
  ['reads the start in epoch seconds', plain(`${call} -`).replace(start, '[1791188136.042]'), outline],
  ['reads a line with another end', `${start} ${call} RL`, { ...outline, cause: 'quota_exceeded' }],
  ['reads a line with more behind the flags', `${start} ${call} RL "x" y`, { ...outline, cause: 'quota_exceeded' }],
  ['reads a line without a service time', plain(`${call} -`, '27 51 6 -'), outline],
]

describe("envoy's text lines", () => {
  test.each(cases)('%s', (_, line, expected) => {
    expect(outlineOf(recordOf({ format: 'envoy' }, line))).toEqual(expected)
    expect(outlineOf(recordOf({}, `${line}\n`)), 'auto').toEqual(expected)
  })

  test('reads latency, method, request id and who answered', () => {
    for (const line of [plain(`${call} -`), istio(`${call} -`)]) {
      expect(recordOf({}, line)).toMatchObject({
        latencyMs: 6,
        method: 'POST',
        requestId: 'req-5',
        upstreamStatus: 402,
      })
    }
    expect(recordOf({}, istio(`${call} -`)).origin()).toMatchObject({ service: network.split(' ')[0] })
    expect(recordOf({}, plain(`${call} -`, '27 51 6 -', '"-" "-" "r" "h" "-"')).evidence().answeredBy).toBe('gateway')
  })

  test('skips TCP sessions', () => {
    const line = `${start} "- - -" 0 - - - "-" 120 300 5 - "-" "-" "-" "-" "10.0.0.1:5" ${network} -`
    expect(decodeOne({}, line)).toEqual({ kind: 'skipped', index: 0, reason: 'no-http' })
  })

  test.each([
    ['a line of NGINX that begins alike', '[05/Oct/2026:08:15:36 +0000] "GET / HTTP/1.1" 402 12 "-"'],
    ['a line without a status', `${start} "GET / HTTP/1.1" -`],
    ['a line without an end of the request', `${start} "GET / HTTP/1.1 402 - 1`],
    ['a line of the proxy itself', `${start}[1][info][main] starting`],
    ['nothing', ''],
  ])('leaves %s alone', (_, line) => {
    expect(envoyLine(line)).toBe(null)
  })

  test('answers a time that is none', () => {
    const line = plain(`${call} -`).replace('2026-10-05', '2026-13-05')
    expect(decodeOne({}, line)).toMatchObject({ kind: 'unreadable', failure: 'bad-time' })
  })

  test('never throws, and gives the fields of every line that was written', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_./:|-]{1,20}$/)
    const agent = fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, ''))
    fc.assert(
      fc.property(word, agent, word, fc.constantFrom('200', '402', '0'), (path, text, id, status) => {
        const end = `"-" "${text}" "${id}" "h" "10.0.0.1:5" ${network} orders`
        const fields = envoyLine(istio(`"GET /${path} HTTP/2" ${status} -`, 'via_upstream - "-"', end))
        expect(fields).toMatchObject({ path: `/${path}`, response_code: status, request_id: id, route_name: 'orders' })
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => envoyLine(`${start} "${text}`) !== undefined))
  })

  test('takes time linear in the line', () => {
    const rests = [
      ['" '.repeat(500_000), undefined],
      ['" 402 '.repeat(200_000), undefined],
      [`" 402 - ${'1 '.repeat(500_000)}`, '402'],
      [`" 402 - ${'x'.repeat(1e6)}`, '402'],
    ]
    for (const [rest, status] of rests) {
      expect(envoyLine(`${start} "GET /${rest}`)?.['response_code']).toBe(status)
    }
  })
})
