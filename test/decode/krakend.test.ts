import { describe, expect, test } from 'vitest'
import { krakend } from '../../src/decode/krakend.ts'
import { goDurationMs } from '../../src/decode/krakend-text.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { settingsFor } from '../../src/decode/settings.ts'
import { decodeOne, outlineOf, recordOf, vary } from './decoding.ts'

const gin = '[GIN] 2026/10/05 - 08:15:36 | 402 |    4.529µs |    203.0.113.81 | PUT      "/v1/notes/77?x=1"'
const outline = {
  time: '2026-10-05T08:15:36.000Z',
  status: 402,
  tenant: null,
  api: '/v1/notes/{id}',
  cause: 'unknown',
}

const json = {
  prefix: '[KRAKEND]',
  time: '2026/10/05 - 08:15:36.042',
  status_code: 402,
  latency: '0.004',
  client_ip: '203.0.113.81',
  method: 'PUT',
  path: '/v1/notes/{id}',
}
const jsonOutline = { ...outline, time: '2026-10-05T08:15:36.042Z' }

const enterprise = '[KRAKEND] 2026/10/05 - 08:15:36.042 [AccessLog] |402| 4.529 | 203.0.113.81 | PUT /v1/notes/77'

const cases: [name: string, record: unknown, expected: object][] = [
  ['reads the line of GIN', gin, outline],
  ['reads an IPv6 address', gin.replace('203.0.113.81', '2001:db8::7'), outline],
  ['reads a path with bars and quotes in it', gin.replace('77?x=1', '77?x="a|b"'), outline],
  ['reads a path that GIN escaped', gin.replace('77?x=1', 'a\\"b?x=1'), { ...outline, api: '/v1/notes/a\\"b' }],
  [
    'reads colours for a terminal',
    gin.replace('| 402 |', '|\u001b[90;43m 402 \u001b[0m|').replace('PUT ', '\u001b[97;45m PUT \u001b[0m'),
    outline,
  ],
  ['reads a line with errors behind it', `${gin}\nError #01: context deadline exceeded\n`, outline],
  ['reads a call that went well', gin.replace('402', '200'), { ...outline, status: 200, cause: null }],
  ['takes 0 as no response', gin.replace('402', '  0'), { ...outline, status: null, cause: null }],
  ['reads the Enterprise line', enterprise, { ...jsonOutline }],
  [
    'reads an Enterprise line of the manual, with a whole URL',
    '[AccessLog] [K] 2026/10/05 - 08:15:36.042 | 402 | 4.529 | 203.0.113.81 | PUT https://api.example.org/v1/notes/77?x=1 - jay',
    jsonOutline,
  ],
  ['reads httpdCommon', '203.0.113.81 - - [2026/10/05 - 08:15:36.042] "PUT /v1/notes/77 HTTP/1.1" 402 -', jsonOutline],
  [
    'reads httpdCombined',
    '203.0.113.81 - - [2026/10/05 - 08:15:36.042] "PUT /v1/notes/77 HTTP/2" 402 - "-" "test 402"',
    jsonOutline,
  ],
  ['reads the Enterprise JSON', json, jsonOutline],
  ['reads a status as text', vary(json, { status_code: '402' }), jsonOutline],
  [
    'takes a tenant that the operator logs',
    vary(json, { tenant_id: 'grey-owl' }),
    { ...jsonOutline, tenant: 'grey-owl' },
  ],
  [
    'takes the subject of the token last',
    vary(json, { 'jwt.sub': 'jay', tenant: '-' }),
    { ...jsonOutline, tenant: 'jay' },
  ],
  ['has no time of a dash', vary(json, { time: '-' }), { ...jsonOutline, time: null }],
  ['reads a time with a zone', vary(json, { time: '2026-10-05T10:15:36.042+02:00' }), jsonOutline],
  [
    'takes an error code that the operator logs',
    vary(json, { x_error_code: 'insufficient_credits' }),
    { ...jsonOutline, cause: 'insufficient_funds' },
  ],
]

describe('krakend', () => {
  test.each(cases)('%s', (_, record, expected) => {
    expect(outlineOf(recordOf({ format: 'krakend' }, record))).toEqual(expected)
    expect(outlineOf(recordOf({}, record)), 'auto').toEqual(expected)
    expect(recordOf({}, record).format).toBe('krakend')
  })

  test.each([gin, enterprise, json])('reads the time by the clock of decode.time_zone: %j', (record) => {
    const berlin = recordOf({ time_zone: 'Europe/Berlin' }, record)
    const utc = recordOf({}, record)
    expect(Number(utc.timeMs) - Number(berlin.timeMs)).toBe(2 * 3_600_000)
  })

  test('does not read a time that the clock skips', () => {
    const decoded = decodeOne({ time_zone: 'Europe/Berlin' }, gin.replace('2026/10/05 - 08', '2026/03/29 - 02'))
    expect(decoded).toMatchObject({ failure: 'bad-time', message: expect.stringContaining('decode.time_zone') })
  })

  test('reads latency by its unit', () => {
    expect(recordOf({}, gin)).toMatchObject({ latencyMs: 0.005, method: 'PUT', consumer: null, upstreamStatus: null })
    expect(recordOf({}, enterprise).latencyMs).toBe(4.529)
    expect(recordOf({}, json).latencyMs).toBe(4)
    expect(recordOf({}, vary(json, { latency: '1m2.5s' })).latencyMs).toBe(62_500)
    expect(recordOf({ format: 'krakend' }, vary(json, { latency: undefined, latencyMs: '4.529' })).latencyMs).toBe(
      4.529,
    )
  })

  test.each([
    ['812ns', 0.001],
    ['4.529µs', 0.005],
    ['4.529μs', 0.005],
    ['4529us', 4.529],
    ['17.25ms', 17.25],
    ['1.5s', 1500],
    ['1m2.5s', 62_500],
    ['1m0s', 60_000],
    ['2h0m3s', 7_203_000],
    ['  4ms  ', 4],
    ['0s', 0],
    ['', null],
    ['-4ms', null],
    ['4', null],
    ['4mss', null],
    ['4m4m', null],
    [4, null],
  ])('reads the duration %j as %j ms', (text, ms) => {
    expect(goDurationMs(text)).toBe(ms)
  })

  test.each([
    '[GIN-debug] GET    /v1/notes/:id    --> handler (4 handlers)',
    '2026/10/05 08:15:36 KRAKEND INFO: [SERVICE: Gin] Listening on port: 8080',
    '[KRAKEND] 2026/10/05 - 08:15:36.042  ▶ ERROR [ENDPOINT: /v1/notes/:id] no backend',
    {
      '@timestamp': '2026-10-05T08:15:36.042+00:00',
      '@version': 1,
      level: 'INFO',
      message: '[SERVICE: Gin] Building',
      module: 'KRAKEND',
    },
  ])('passes by a line of the application: %j', (entry) => {
    const skipped = { kind: 'skipped', index: 0, reason: 'event' }
    expect(decodeOne({ format: 'krakend' }, entry)).toEqual(skipped)
    expect(decodeOne({}, entry), 'auto').toEqual(skipped)
  })

  test('knows the JSON of the application, whatever its message', () => {
    const entry = { '@timestamp': 'x', '@version': 1, level: 'INFO', message: 'Starting', module: 'KRAKEND' }
    const settings = settingsFor(krakend, decodeOptions.parse({}))
    expect(krakend.marksOf(entry, settings)).toContain('module')
    expect(krakend.read(entry, 3, settings)).toEqual({ kind: 'skipped', index: 3, reason: 'event' })
  })

  test.each([
    ['bad-time', gin.replace('2026/10/05', '2026/13/05')],
    ['bad-time', gin.replace('2026/10/05 - 08:15:36', 'yesterday')],
    ['no-status', gin.replace('402', '   ')],
    ['wrong-type', gin.replace('402', 'abc')],
    ['not-json', gin.slice(0, 50)],
    ['not-json', gin.slice(0, gin.lastIndexOf('|') + 1)],
    ['not-json', '203.0.113.81 - - [2026/10/05 - 08:15:36.042] "PUT /v1/no'],
    ['no-status', vary(json, { status_code: null })],
    ['bad-time', vary(json, { time: 1791188136 })],
  ])('answers %s to %j', (failure, record) => {
    expect(decodeOne({ format: 'krakend' }, record)).toMatchObject({ kind: 'unreadable', index: 0, failure })
    expect(decodeOne({}, record), 'auto').toMatchObject({ kind: 'unreadable', index: 0, failure })
  })

  test('lives with wrong types in everything that is not essential', () => {
    const odd = vary(json, { latency: [1], method: 7, path: {}, client_ip: null })
    expect(outlineOf(recordOf({}, odd))).toEqual({ ...jsonOutline, api: null })
  })
})
