import { describe, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import { createDecoder } from '../../src/decode/create.ts'
import type { Decoder, FormatName } from '../../src/decode/decode.ts'
import type { JsonObject } from '../../src/decode/json.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import type { PlainTime } from '../../src/decode/plain-fields.ts'
import { watchedObject } from '../../src/decode/watched.ts'
import { bytesOf, type DecodeSettings, vary } from './decoding.ts'
import { type PlainCase, plainCases } from './plain-cases.ts'

const unwatched = classifyOptions.parse({})

/** A decoder in the state of a lane that has read records like this one. */
function settled({ settings, record }: Pick<PlainCase, 'settings' | 'record'>): Decoder {
  const decoder = createDecoder(decodeOptions.parse(settings))
  decoder.decode(bytesOf(record))
  return decoder
}

function parsed(record: unknown): JsonObject {
  return JSON.parse(JSON.stringify(record)) as JsonObject
}

function at(record: JsonObject, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as JsonObject | undefined)?.[key], record)
}

/** The path of a place as the record writes it, nested, dotted or mixed. */
function pathOf(record: JsonObject, place: string): readonly string[] {
  const cut = [...place.matchAll(/\./g)].map(({ index }) => index).find((end) => place.slice(0, end) in record)
  if (place in record || cut === undefined) return [place]
  return [place.slice(0, cut), ...pathOf(record[place.slice(0, cut)] as JsonObject, place.slice(cut + 1))]
}

/** A copy with another value at a place; undefined takes the place away. */
function changed(record: JsonObject, place: string, value: unknown): JsonObject {
  const copy = structuredClone(record)
  const path = pathOf(copy, place)
  const holder = at(copy, path.slice(0, -1)) as Record<string, unknown>
  const key = path.at(-1) ?? ''
  if (value === undefined) delete holder[key]
  else holder[key] = value
  return copy
}

/** Reads a record as the core has it read, with what its status asks of it, and gives what was noted. */
function watchedReading(decoder: Decoder, record: JsonObject) {
  const watched = watchedObject(record)
  const decoded = decoder.readObject(watched.entry)
  if (decoded?.kind !== 'record') throw new Error(`no record: ${JSON.stringify(decoded)}`)
  expect(kindOf(decoded.record, unwatched)).toBe(null)
  return { watched, record: decoded.record }
}

const cases = plainCases.map((one) => [one.name, one] as const)

describe.each(cases)('a plain record of %s', (_, one) => {
  const record = parsed(one.record)

  test('hands out no scalar but status, time, upstream statuses and names', () => {
    const { watched } = watchedReading(settled(one), record)
    const scalars = watched
      .looks()
      .filter(({ path, value }) => value && at(record, path) !== undefined && typeof at(record, path) !== 'object')
    expect(scalars.map(({ path }) => path.join('.'))).toEqual(one.scalars)
    expect(watched.beyond()).toBe(false)
  })

  test('has status and time at places that its layout declares', () => {
    const decoder = settled(one)
    expect(decoder.state).toBe(one.format)
    expect(decoder.plain?.status).toContain(one.status)
    expect(decoder.plain?.times.map(({ place }) => place)).toContain(one.time)
    const upstream = one.scalars.filter((place) => decoder.plain?.upstream.includes(place))
    expect(upstream).toEqual(
      one.scalars.filter((place) => /^(?:upstream_status|proxy_status|OriginStatus|up)$/.test(place)),
    )
  })

  test('has another status when another stands there', () => {
    const decoder = settled(one)
    expect(watchedReading(decoder, record).record.status).toBe(200)
    for (const status of [503, '404']) {
      expect(watchedReading(decoder, changed(record, one.status, status)).record.status).toBe(Number(status))
    }
  })

  test('has another time when another stands there', () => {
    const decoder = settled(one)
    const { timeMs } = watchedReading(decoder, record).record
    const before = at(record, pathOf(record, one.time))
    const later = typeof before === 'number' ? before + 1_000 : String(before).replace('36', '37')
    const read = watchedReading(decoder, changed(record, one.time, later)).record
    expect(read.timeMs).toBe((timeMs ?? 0) + 1_000)
  })
})

test('a record looks up its details when they are asked for, and its evidence once', () => {
  const one = caseNamed('Kong')
  const { watched, record } = watchedReading(settled(one), parsed(one.record))
  const seen = () => watched.looks().flatMap(({ path, value }) => (value ? path.join('.') : []))
  expect(seen()).not.toContain('request.method')
  expect([record.method, record.consumer, record.latencyMs, record.requestId]).toEqual(['GET', 'grey-owl', 12, 'a1b2'])
  expect(seen()).toEqual(expect.arrayContaining(['request.method', 'request.id', 'latencies.request']))
  expect(seen()).not.toContain('response.headers')
  expect(record.evidence()).toBe(record.evidence())
  expect(seen()).toContain('response.headers')
})

test('a record whose status somebody watches is asked for its evidence, which is beyond places', () => {
  const one = caseNamed('Kong')
  const watched = watchedObject(changed(parsed(one.record), one.status, 429))
  const decoded = settled(one).readObject(watched.entry)
  expect(watched.beyond()).toBe(false)
  if (decoded?.kind === 'record') kindOf(decoded.record, classifyOptions.parse({ watch: ['well-known'] }))
  expect(watched.beyond()).toBe(true)
})

const timeMs = 1791188136042
const written: Readonly<Record<NonNullable<PlainTime['number']>, readonly unknown[]>> = {
  ms: [timeMs, String(timeMs)],
  s: [timeMs / 1000, String(timeMs / 1000)],
  us: [timeMs * 1000, String(timeMs * 1000)],
  ns: [timeMs * 1e6, `${timeMs}000000`],
}
const iso = '2026-10-05T10:15:36.042+02:00'
const clf = '05/Oct/2026:10:15:36 +0200'

/** One record of each layout, in which the places of one declaration that this layout reads are tried one by one. */
const declared: readonly [name: string, format: FormatName, settings: DecodeSettings, record: object, only?: RegExp][] =
  [
    ['Kong', 'kong', {}, caseNamed('Kong').record],
    ['APISIX', 'apisix', {}, caseNamed('APISIX').record, /^start_time$|^response\./],
    [
      "APISIX' own log format",
      'apisix',
      {},
      caseNamed("APISIX with the operator's log format").record,
      /^(?!start_|response\.)/,
    ],
    ['APIPark', 'apipark', {}, caseNamed('APIPark').record],
    ['NGINX', 'nginx', {}, caseNamed('NGINX with a tenant header').record],
    ['Envoy', 'envoy', {}, caseNamed('Istio').record],
    ['Traefik', 'traefik', {}, vary(caseNamed('Traefik').record, { level: undefined })],
    ['ECS', 'ecs', {}, caseNamed('ECS').record],
    ...(['iso', 'iso_utc', 'clf', 's', 'ms', 'us', 'ns'] as const).map((unit): (typeof declared)[number] => [
      `custom in ${unit}`,
      'custom',
      { custom: { status: ['code', 'res.code'], time: ['when', 'at.start'], time_unit: unit } },
      { code: 200, at: {} },
    ]),
    ['Gravitee', 'gravitee', {}, { timestamp: timeMs, proxyLatencyMs: 9, status: 200, api: 'a', application: 'b' }],
    ['WSO2', 'wso2', {}, { requestTimestamp: iso, apiCreatorTenantDomain: 'd', apiId: 'a', proxyResponseCode: 200 }],
    ['AWS', 'aws-apigw', {}, { requestId: 'r', requestTimeEpoch: timeMs, status: '200', resourcePath: '/v1/{id}' }],
    ['Tyk', 'tyk', {}, { timestamp: iso, response_code: 200, api_id: 'a', org_id: 'o', tags: null }, /^(?!status$)/],
    [
      "Tyk's access log",
      'tyk',
      {},
      { prefix: 'access-log', time: iso, status: 200, api_id: 'a' },
      /^(?!response_code$)/,
    ],
  ]

function caseNamed(name: string): PlainCase {
  const found = plainCases.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  return found
}

describe.each(declared)('what the layout of %s declares', (_, format, settings, template, only) => {
  const decoder = createDecoder(decodeOptions.parse({ ...settings, format }))
  const { plain } = decoder
  const mine = (place: string) => only === undefined || only.test(place)
  const timed = (place: string, value: unknown) => {
    const bare = (plain?.times ?? []).reduce((rest, time) => changed(rest, time.place, undefined), parsed(template))
    const decoded = decoder.readObject(changed(bare, place, value))
    return decoded?.kind === 'record' ? decoded.record.timeMs : decoded?.kind
  }
  const times = (plain?.times ?? []).filter(({ place }) => mine(place))

  test.each(times.map((time) => [time.place, time] as const))('is how it reads the time at %s', (place, time) => {
    const numbers = time.number === null ? [timeMs, String(timeMs)] : written[time.number]
    for (const number of numbers) {
      expect(timed(place, number)).toBe(time.number === null ? 'unreadable' : timeMs)
    }
    expect(timed(place, iso)).toBe(time.iso ? timeMs : 'unreadable')
    expect(timed(place, clf)).toBe(time.clf ? timeMs - 42 : 'unreadable')
  })

  test.each(plain?.status.filter(mine) ?? [])('is how it reads the status at %s', (place) => {
    const bare = (plain?.status ?? []).reduce((rest, key) => changed(rest, key, undefined), parsed(template))
    for (const status of [200, '429', 503]) {
      const decoded = decoder.readObject(changed(bare, place, status))
      expect(decoded).toMatchObject({ record: { status: Number(status) } })
    }
  })
})

test('a layout that no lane has met yet declares nothing', () => {
  const decoder = createDecoder(decodeOptions.parse({}))
  expect([decoder.state, decoder.plain]).toEqual(['', null])
  decoder.decode(bytesOf('{"unknown":"layout"}'))
  expect([decoder.state, decoder.plain]).toEqual(['', null])
  decoder.decode(bytesOf(caseNamed('Kong').record))
  expect([decoder.state, decoder.plain?.status]).toEqual(['kong', ['response.status']])
})

test('lines of text leave the state as it is, for they do not decide how an object is read', () => {
  const decoder = settled(caseNamed('Kong'))
  decoder.decode(bytesOf('203.0.113.24 - jay [05/Oct/2026:08:15:36 +0000] "GET /v1 HTTP/1.1" 200 3 "-" "curl"'))
  expect([decoder.layout?.format, decoder.state]).toEqual(['nginx', 'kong'])
})
