import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDecoder } from '../../src/decode/create.ts'
import { formatNames } from '../../src/decode/decode.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { namedValues, unescaped } from '../../src/decode/text-line.ts'
import { bytesOf, decodeAll, decodeOne, outlineOf, recordOf } from './decoding.ts'

const common = '203.0.113.91 - jay [05/Oct/2026:10:15:36 +0200] "DELETE /v1/files/77?x=1 HTTP/1.1" 402 58'
const combined = `${common} "https://www.example.org/a" "test/1.0 (x; y)"`
const ingress = `${combined} 412 0.034 [shop-files-80] [] 10.4.2.2:8080, 10.4.2.3:8080 0, 58 0.001, 0.033 502, 402 8f2d3c4b`

const outline = {
  time: '2026-10-05T08:15:36.000Z',
  status: 402,
  tenant: 'jay',
  api: '/v1/files/{id}',
  cause: 'unknown',
}

const cases: [name: string, record: string, expected: object][] = [
  ['reads common', common, outline],
  ['reads combined', combined, outline],
  ['reads the default of ingress-nginx', ingress, outline],
  ['knows no tenant without a login', combined.replace('- jay', '- -'), { ...outline, tenant: null }],
  ['reads a login with blanks', combined.replace('jay', 'jo ann lee'), { ...outline, tenant: 'jo ann lee' }],
  ['reads a login beyond ASCII', combined.replace('jay', 'j\\xC3\\xB6rg'), { ...outline, tenant: 'j\u00f6rg' }],
  [
    'is not fooled by a login that looks like a line',
    combined.replace('jay', 'x [05/Oct/2026:01:01:01 +0000] \\x22GET / HTTP/1.1\\x22 200 1'),
    { ...outline, tenant: 'x [05/Oct/2026:01:01:01 +0000] "GET / HTTP/1.1" 200 1' },
  ],
  ['reads an IPv6 address', combined.replace('203.0.113.91', '2001:db8::7'), outline],
  ['reads a list of addresses', combined.replace('203.0.113.91', '203.0.113.91, 10.0.0.3'), outline],
  ['reads a host in front', `api.example.org:443 ${combined}`, outline],
  ['reads a host and a dash in front', `api.example.org - ${combined}`, outline],
  ['reads a syslog header in front', `<190>Oct  5 08:15:36 edge-1 nginx: ${combined}`, outline],
  [
    'reads the address that ingress-nginx once wrote twice',
    combined.replace('- jay', '- [203.0.113.91] - jay'),
    outline,
  ],
  ['reads blanks in front, as rsyslog sends them', ` ${combined}\n`, outline],
  ['reads escaped quotes', combined.replace('77?x=1', '77?x=\\x22a\\x22'), outline],
  ['reads quotes that a backslash escapes', combined.replace('test/1.0', 'a \\" 200 1 "'), outline],
  [
    'reads a path with blanks, as ingress-nginx decodes them',
    ingress.replace('77?x=1', '77/a b c'),
    { ...outline, api: '/v1/files/{id}/a b c' },
  ],
  ['reads a path beyond ASCII', common.replace('files/77', 'caf\\xC3\\xA9'), { ...outline, api: '/v1/caf\u00e9' }],
  [
    'reads rubbish that NGINX answered with 400',
    combined.replace('DELETE /v1/files/77?x=1 HTTP/1.1', '\\x16\\x03\\x01\\x02\\x00\\x01').replace('402', '400'),
    { ...outline, status: 400, api: null, cause: null },
  ],
  [
    'reads a request that is empty',
    combined.replace('DELETE /v1/files/77?x=1 HTTP/1.1', '').replace('402', '400'),
    { ...outline, status: 400, api: null, cause: null },
  ],
  [
    'reads a client that never sent a request',
    combined.replace('DELETE /v1/files/77?x=1 HTTP/1.1', '-').replace('402 58', '408 0'),
    { ...outline, status: 408, api: null, cause: null },
  ],
  ['takes 000 as no response', combined.replace('402 58', '000 0'), { ...outline, status: null, cause: null }],
  ['takes a client that left as itself', combined.replace('402', '499'), { ...outline, status: 499, cause: null }],
  ['reads a line that ends with the status', common.slice(0, -3), outline],
  [
    'reads a line in which the address stands in brackets',
    combined.replace('203.0.113.91', '[203.0.113.91]').replace('402 58', '402 58 0.004'),
    outline,
  ],
  ['reads a line without a size', combined.replace('402 58', '402 -'), outline],
  ['passes over what it does not know behind combined', `${combined} "203.0.113.4" 0.004 [x y] - foo`, outline],
  ['reads a line that is cut within the agent', combined.slice(0, -5), outline],
  [
    'takes variables that are named behind combined',
    `${combined} "-" rt=0.004 tenant="grey owl" msec=1791188136.042 status=200 sent_http_ratelimit="\\x22day\\x22;r=0;t=50"`,
    { ...outline, time: '2026-10-05T08:15:36.042Z', tenant: 'grey owl', cause: 'quota_exceeded' },
  ],
  [
    'takes an error code that is named behind combined',
    `${combined} sent_http_x_error_code="insufficient_credits" upstream_status="402"`,
    { ...outline, cause: 'insufficient_funds' },
  ],
]

describe('nginx text', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'nginx' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
    expect(recordOf({}, record).format).toBe('nginx')
  })

  test.each([
    [ingress, { latencyMs: 34, upstreamStatus: 402, upstreamRefused: true, requestId: '8f2d3c4b' }],
    [ingress.replace('[] ', ''), { latencyMs: 34, upstreamStatus: 402, requestId: '8f2d3c4b' }],
    [ingress.replace('502, 402', '402, 200'), { upstreamStatus: 200, upstreamRefused: true }],
    [
      `${combined} 412 0.034 [shop-files-80] [shop-b-80] [2001:db8::9]:80 : 10.4.2.3:80 0 : 58 0.001 : 0.033 500 : 402 r-5`,
      { latencyMs: 34, upstreamStatus: 402, requestId: 'r-5' },
    ],
    [`${combined} 412 0.000 [] [] - - - - r-6`, { latencyMs: 0, upstreamStatus: null, requestId: 'r-6' }],
    [`${combined} 412 0.034 [shop-files-80] [] 10.4.2.2:8080 58 0.033`, { latencyMs: null, upstreamStatus: null }],
    [
      `${ingress} api.example.org [] tenant="a b" request_id=r-8 upstream_status=200`,
      { latencyMs: 34, upstreamStatus: 402, requestId: 'r-8', tenant: 'a b' },
    ],
    [`${combined} rt=0.25 us="502, 402" request_id=r-7`, { latencyMs: 250, upstreamStatus: 402, requestId: 'r-7' }],
    [combined, { latencyMs: null, upstreamStatus: null, requestId: null, method: 'DELETE', consumer: 'jay' }],
  ])('reads latency, upstream and id of %j', (record, expected) => {
    expect(recordOf({}, record)).toMatchObject(expected)
  })

  test('tells who answered, and the service', () => {
    expect(recordOf({}, ingress).evidence().answeredBy).toBe('upstream')
    expect(recordOf({}, ingress).origin().service).toBe('shop-files-80')
    expect(recordOf({}, `${combined} 412 0.000 [] [] - - - - r-6`).evidence().answeredBy).toBe('gateway')
    expect(recordOf({}, combined).evidence().answeredBy).toBe(null)
  })

  test.each([
    '2026/10/05 08:15:36 [error] 31#31: *77 limiting requests, excess: 5.1 by zone "one", client: 203.0.113.91',
    '2026/10/05 08:15:36 [notice] 1#1: signal process started',
    'I1005 08:15:36.042123       7 controller.go:190] "Configuration changes detected"',
  ])('passes by a line of the error log: %j', (entry) => {
    expect(decodeOne({ format: 'nginx' }, entry)).toEqual({ kind: 'skipped', index: 0, reason: 'event' })
    expect(decodeOne({}, entry), 'auto').toEqual({ kind: 'skipped', index: 0, reason: 'event' })
  })

  test.each([
    ['no-status', combined.replace(' 402 58', ' - 58')],
    ['no-status', combined.replace(' 402 58', ' up 58')],
    ['no-status', common.slice(0, -7)],
    ['bad-time', combined.replace('05/Oct', '35/Oct')],
    ['bad-time', combined.replace(' +0200', '')],
    ['not-json', combined.slice(0, 80)],
    ['not-json', combined.slice(0, 40)],
    ['not-json', 'a line of some other log'],
    ['not-json', '203.0.113.91 - - [yesterday] "GET / HTTP/1.1" 402 5'],
  ])('answers %s to %j', (failure, record) => {
    expect(decodeOne({ format: 'nginx' }, record)).toMatchObject({ kind: 'unreadable', index: 0, failure })
    expect(decodeOne({}, record), 'auto').toMatchObject({ kind: 'unreadable', index: 0, failure })
  })
})

describe('named values', () => {
  test.each([
    ['a=1 b="x y" c', { a: '1', b: 'x y' }],
    ['a= b=""', { a: '', b: '' }],
    ['a=1 a=2', { a: '1' }],
    ['"a=1" [b=2] c=3', { c: '3' }],
    ['a="x\\x22y" b="cut', { a: 'x"y', b: 'cut' }],
    ['=1 1a=2 a.b-c_d=3', { 'a.b-c_d': '3' }],
    ['__proto__=1 constructor=2', { constructor: '2' }],
  ])('of %j are %j', (text, expected) => {
    expect(Object.fromEntries(namedValues(text))).toEqual(expected)
  })

  test('are undone of escapes', () => {
    expect(unescaped('a\\x22b\\x5Cx\\xE4\\xBD\\x99')).toBe('a"b\\x\u4f59')
    expect(unescaped('a\\xZZ\\x2')).toBe('a\\xZZ\\x2')
  })
})

const traefik = `${combined} 90 "files@docker" "http://10.4.2.2:8080" 8ms`
const krakendGin = '[GIN] 2026/10/05 - 08:15:36 | 402 |    4.529ms |    203.0.113.81 | PUT      "/v1/notes/77"'
const krakendCommon = '203.0.113.81 - - [2026/10/05 - 08:15:36.042] "PUT /v1/notes/77 HTTP/1.1" 402 -'
const apinto = ['1791188136042', 'r1', '402', '', 'app', 'files'].join('\t')

describe('lines of several gateways in one lane', () => {
  const lines = [combined, traefik, krakendGin, ingress, krakendCommon, common, apinto]
  const formats = ['nginx', 'traefik', 'krakend', 'nginx', 'krakend', 'nginx', 'apipark']
  const settings = { apipark_line: { fields: ['msec', 'request_id', 'status', 'proxy_status', 'application', 'api'] } }

  test('are told apart', () => {
    const decoder = createDecoder(decodeOptions.parse(settings))
    const read = lines.map((line) => decoder.decode(bytesOf(line))[0])
    expect(read.map((entry) => (entry?.kind === 'record' ? entry.record.format : entry))).toEqual(formats)
  })

  test('are told apart without the fields of Apinto, whose line then says what is missing', () => {
    const decoder = createDecoder(decodeOptions.parse({}))
    const read = lines.map((line) => decoder.decode(bytesOf(line))[0])
    expect(read.slice(0, -1).map((entry) => (entry?.kind === 'record' ? entry.record.format : entry))).toEqual(
      formats.slice(0, -1),
    )
    expect(read.at(-1)).toMatchObject({ message: expect.stringContaining('decode.apipark_line.fields') })
  })
})

describe('whatever the line', () => {
  const samples = [common, combined, ingress, traefik, krakendGin, krakendCommon, apinto]
  const pieces = fc.constantFrom(
    ...samples,
    '"',
    '\\',
    ' "',
    '] "',
    ' [',
    '[',
    '|',
    ' - ',
    '=',
    '="',
    '\\x2',
    '402',
    'ms',
  )

  test('it gives entries, and never throws', () => {
    const line = fc.oneof(
      fc.tuple(fc.constantFrom(...samples), fc.nat()).map(([text, at]) => text.slice(0, at % text.length)),
      fc.array(fc.oneof(pieces, fc.string({ maxLength: 8 })), { maxLength: 12 }).map((parts) => parts.join('')),
    )
    const settings = ['auto', ...formatNames.filter((name) => name !== 'custom')] as const
    fc.assert(
      fc.property(line, fc.constantFrom(...settings), (text, format) => {
        for (const entry of decodeAll({ format }, text)) {
          if (entry.kind === 'record') expect(entry.record.evidence().texts).toBeDefined()
          else expect(['skipped', 'unreadable']).toContain(entry.kind)
        }
      }),
      { numRuns: 500 },
    )
  })

  // Twice the length takes about twice the time; a quadratic reader would run into the time limit.
  test.each([
    ['quotes', '"'],
    ['backslashes', '\\'],
    ['open brackets', '['],
    ['blanks', ' '],
    ['bars', '|'],
    ['dashes', ' - '],
    ['names', 'a='],
    ['numbers', ' 1'],
    ['counts and quotes', ' 1 "'],
    ['list items', '1, '],
  ])('a quarter of a megabyte of %s is read at once', (_, piece) => {
    const rubbish = piece.repeat(250_000 / piece.length)
    for (const start of [
      '',
      `${combined} `,
      `${combined} 412 0.034 [a] [] `,
      '203.0.113.91 - ',
      krakendGin.slice(0, 30),
    ]) {
      for (const line of [start + rubbish, start + rubbish + combined]) decodeAll({}, line)
    }
  })
})
