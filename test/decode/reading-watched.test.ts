import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import { createDecoder } from '../../src/decode/create.ts'
import type { Decoded, Decoder } from '../../src/decode/decode.ts'
import type { JsonObject } from '../../src/decode/json.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { type Watched, watchedObject } from '../../src/decode/watched.ts'
import { bytesOf, type DecodeSettings } from './decoding.ts'
import { plainCases } from './plain-cases.ts'

const kong = plainCases[0]?.record ?? {}
const time = '2026-10-05T08:15:36.042Z'
const body = JSON.stringify({ error: { code: 'insufficient_quota', message: 'You have no calls left' } })
const common = { startTime: time, duration: '0.016s', responseFlags: { rateLimited: true }, metadata: {} }
const als = { commonProperties: common, request: { path: '/v1/7' }, response: { responseCode: 402 } }

/** Layouts that are not plain, wrappers, refusals, and messages that are no records. */
const others: readonly object[] = [
  {
    ...kong,
    response: { status: 402, headers: { 'x-ratelimit-remaining': ['0'] }, body },
    upstream_status: '502, 402',
  },
  { latencies: {}, started_at: 1791188136042, session: {} },
  {
    msec: 1791188136042,
    request_id: 'r',
    call: { status: 200, proxy_status: 402, tenant: 't' },
    proxies: [{ status: 402 }],
  },
  { msec: 1791188136042, request_id: 'r', ai: { ai_provider: 'p' } },
  { route_id: 'r', service_id: 's', response: { status: '402', time: 1791188136 }, upstream: { status: 200 } },
  { '@source': 'edge', fields: { status: 200, request: 'GET /v1 HTTP/1.1', msec: '1791188136.042', bytes_sent: 1 } },
  { start_time: time, response_code: 402, response_flags: 'RL', path: '/v1', access_log_type: 'DownstreamEnd' },
  { start_time: time, response_code: 0, response_flags: '-', method: null, protocol: null },
  ...[als, { httpLogs: { logEntry: [als, als] } }, { common_properties: common, response: { response_code: 200 } }],
  { DownstreamStatusLine: '402 Payment Required', RouterName: 'r', RequestLine: 'GET /v1 HTTP/1.1', Duration: 5 },
  { level: 'info', msg: 'started', entryPointName: 'web' },
  { '@timestamp': [time], http: { response: { status_code: [402] } }, labels: { tenant: ['t'] } },
  { '@timestamp': time, ecs: { version: '8' } },
  { timestamp: time, response_code: 402, api_id: 'a', org_id: 'o', tags: ['x-tenant-id-t'], latency: { upstream: 1 } },
  { prefix: 'access-log', time, status: 402, api_id: 'a', response_flag: 'QEX' },
  { timestamp: 1791188136042, proxyLatencyMs: 9, status: 402, api: 'a', application: '1', subscription: 's' },
  { requestTimestamp: time, apiCreatorTenantDomain: 'd', apiId: 'a', proxyResponseCode: 402, targetResponseCode: 402 },
  { time: '2026/10/05 - 08:15:36', status_code: 402, latency: '4ms', client_ip: '203.0.113.9', path: '/v1' },
  { requestId: 'r', requestTimeEpoch: '1791188136042', status: '402', resourcePath: '/v1', integrationStatus: '402' },
  {
    call_type: 'a',
    startTime: 1791188136,
    status: 'failure',
    model_group: 'm',
    error_information: { error_code: '402' },
  },
  { call_type: 'a', startTime: time, prompt_tokens: 3, metadata: '{"status":"success"}' },
  { timeUnixNano: '1791188136042000000', attributes: [{ key: 'http.status_code', value: { intValue: '402' } }] },
  ...[
    { '@metadata': {}, message: JSON.stringify(kong) },
    { log: 'text', stream: 'stdout' },
  ],
  { messageType: 'DATA_MESSAGE', logEvents: [{ message: JSON.stringify(kong) }] },
  { messageType: 'CONTROL_MESSAGE' },
  { anything: 'else', of: { no: ['layout'] } },
]

const mixed: DecodeSettings = { custom: { status: 'code', time: 'at' } }
const samples = [...plainCases, ...others.map((record) => ({ settings: mixed, record }))].map(
  ({ settings, record }) => ({ options: decodeOptions.parse(settings), record }),
)

const watching = classifyOptions.parse({ watch: [{ status: 429, codes: ['*quota*'] }] })
const unwatched = classifyOptions.parse({})

/** All that one entry says. */
function told(decoded: Decoded | null): unknown {
  if (decoded?.kind !== 'record') return decoded
  const { record } = decoded
  const { format, timeMs, status, upstreamStatus, upstreamRefused, tenant, api } = record
  const { method, consumer, plan, latencyMs, requestId } = record
  const { headers, ...evidence } = record.evidence()
  return {
    ...{ format, timeMs, status, upstreamStatus, upstreamRefused, tenant, api, origin: record.origin() },
    ...{ method, consumer, plan, latencyMs, requestId, evidence, headers: [...headers] },
    kind: kindOf(record, watching),
  }
}

function parsed(record: object): JsonObject {
  return JSON.parse(JSON.stringify(record)) as JsonObject
}

interface Place {
  readonly holder: Record<string, unknown>
  readonly path: readonly string[]
}

/** Every place of a record, those of containers among them. */
function placesIn(node: unknown, path: readonly string[] = []): readonly Place[] {
  if (typeof node !== 'object' || node === null) return []
  const holder = node as Record<string, unknown>
  return Object.keys(holder).flatMap((key) => {
    const at = [...path, key]
    return [{ holder, path: at }, ...placesIn(holder[key], at)]
  })
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', '-', 0, -1, 200, 402, 429, '402', 'N/A', [], [402], {}, { status: 402 }),
  fc.constantFrom<unknown>(time, 1791188136042, '1791188136.042', 'x'.repeat(300), '{"a":1}', '\ud800', '/v1/7'),
  fc.jsonValue({ maxDepth: 2 }),
)
const swaps = fc.array(fc.tuple(fc.nat(), odd), { maxLength: 3 })

describe('a watched object', () => {
  test('reads as the same record, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), swaps, ({ options, record }, changes) => {
        const entry = parsed(record)
        for (const [at, other] of changes) {
          const places = placesIn(entry)
          const place = places[at % Math.max(places.length, 1)]
          if (place !== undefined) place.holder[place.path.at(-1) ?? ''] = structuredClone(other)
        }
        const [whole, plainly, watchedly] = [createDecoder(options), createDecoder(options), createDecoder(options)]
        const decoded = whole.decode(bytesOf(entry))
        const read = plainly.readObject(parsed(entry))
        expect(told(watchedly.readObject(watchedObject(parsed(entry)).entry))).toEqual(told(read))
        if (read === null) return
        expect(decoded.map(told)).toEqual([told(read)])
        for (const { state, layout } of [plainly, watchedly])
          expect([state, layout]).toEqual([whole.state, whole.layout])
      }),
      { numRuns: 250 },
    )
  })

  test('is read as a whole only where decoding opens nothing', () => {
    const opened = others.filter((record) => createDecoder(decodeOptions.parse({})).readObject(parsed(record)) === null)
    const keys = ['httpLogs', 'attributes', '@metadata', 'log', 'logEvents', 'messageType']
    expect(opened.map((record) => keys.find((key) => key in record))).toEqual(keys)
  })
})

/** What is counted of a record, and where reading it looked. */
function counted(decoder: Decoder, entry: JsonObject): { readonly counts: unknown; readonly watched: Watched } {
  const watched = watchedObject(entry)
  const decoded = decoder.readObject(watched.entry)
  if (decoded?.kind !== 'record') return { counts: decoded, watched }
  const { format, timeMs, status, tenant, api } = decoded.record
  return { counts: { format, timeMs, status, tenant, api, kind: kindOf(decoded.record, unwatched) }, watched }
}

describe('what reading a plain record did not look at', () => {
  test.each(plainCases.map((one) => [one.name, one] as const))('changes nothing in one of %s', (_, one) => {
    const decoder = createDecoder(decodeOptions.parse(one.settings))
    decoder.decode(bytesOf(one.record))
    const { counts, watched } = counted(decoder, parsed(one.record))
    const keyOf = (path: readonly string[]) => JSON.stringify(path)
    const asked = new Set(watched.looks().map(({ path }) => keyOf(path)))
    const handedOut = new Set(watched.looks().flatMap(({ path, value }) => (value ? keyOf(path) : [])))
    const forObjects = new Set(watched.objectsAsked().map(keyOf))
    fc.assert(
      fc.property(fc.nat(), odd, fc.constantFrom('change', 'drop', 'add'), fc.string(), (at, other, how, key) => {
        const entry = parsed(one.record)
        const places = placesIn(entry)
        const place = places[at % places.length]
        if (place === undefined) return
        const path = how === 'add' ? [...place.path.slice(0, -1), key] : place.path
        const known = (set: ReadonlySet<string>) => set.has(keyOf(path))
        // A container that was never opened holds nothing that was looked at, so all within it is fair game.
        if (how === 'change' ? known(handedOut) : known(asked)) return
        if (forObjects.has(keyOf(path.slice(0, -1))) && typeof other === 'object' && other !== null) return
        if (how === 'drop') delete place.holder[path.at(-1) ?? '']
        else place.holder[path.at(-1) ?? ''] = other
        expect(counted(decoder, parsed(entry)).counts).toEqual(counts)
      }),
      { numRuns: 150 },
    )
  })
})
