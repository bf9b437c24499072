import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import type { Engine } from '../../src/core/engine.ts'
import { Recognisers } from '../../src/core/recognisers.ts'
import { createDecoder } from '../../src/decode/create.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { apipark, custom, ecs, envoyGateway, istio, kong, mapping, nginx, traefik } from '../decode/gateway-records.ts'
import { engines, linesOf } from './engines.ts'
import type { FuzzCase } from './fuzz/cases.ts'
import { engineOptionsOf, World } from './fuzz/world.ts'

const now = 1_791_188_200_000
const unwatched = classifyOptions.parse({})

/** A lane whose values go through the core, beside one without. */
class Lanes {
  readonly fast: World
  readonly #slow: World
  #offset = 0

  constructor(make: (of: FuzzCase) => Engine, decode: z.input<typeof decodeOptions> = {}, mostPairs?: number) {
    const one: FuzzCase = {
      ...{ name: 'test', format: null, templates: [], isPlain: true },
      ...{ decode: decodeOptions.parse(decode), classify: unwatched },
    }
    const recognisers = new Recognisers({
      ...engineOptionsOf(one),
      ...(mostPairs === undefined ? {} : { mostPairs }),
      isSpecial: (record) => kindOf(record, unwatched) !== null,
      makeEngine: () => make(one),
    })
    const options = { seriesLimit: 10_000, live: true, asksForQuotas: false, flushRows: 1_000_000, now }
    this.fast = new World(one, options, recognisers)
    this.#slow = new World(one, options, null)
  }

  /** Takes values as one chunk. Both ways must give the same. @returns how many of them the decoder had to read */
  take(...values: readonly (object | string)[]): number {
    const texts = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    const { bytes } = linesOf(texts)
    const before = this.fast.decoded
    const packed = { bytes, framing: { kind: 'lines', offset: this.#offset } } as const
    this.fast.packed.take(this.fast.lane, packed, this.fast.context(Number.POSITIVE_INFINITY))
    for (const text of texts) {
      const value = Buffer.from(text)
      this.#slow.intake.take(
        this.#slow.lane,
        { offset: this.#offset, bytes: value, arrivedMs: null },
        this.#slow.context(Number.POSITIVE_INFINITY),
      )
      this.#offset += value.length + 1
      this.#slow.lane.builder.next = this.#offset - 1 - value.length + 1
    }
    expect(this.fast.state()).toBe(this.#slow.state())
    return this.fast.decoded - before
  }

  /** Both ways to the end. */
  end(): void {
    expect(this.fast.end()).toBe(this.#slow.end())
  }
}

const at = (second: number) => 1_791_188_136_042 + second * 1000
const kongAt = (second: number, names: { tenant?: string; route?: string } = {}) => ({
  ...kong,
  started_at: at(second),
  consumer: { ...kong.consumer, custom_id: names.tenant ?? 'cust_77' },
  route: { ...kong.route, name: names.route ?? 'reports' },
})

describe.each(engines)('with %s, the decoder', (_, make) => {
  const lanes = (decode?: z.input<typeof decodeOptions>, mostPairs?: number) =>
    new Lanes((one) => make(engineOptionsOf(one)), decode, mostPairs)

  test('reads the first record of a layout to know it, the second to learn from it, and then no more of its kind', () => {
    const lane = lanes()
    expect(lane.take(kongAt(0), kongAt(1), kongAt(2), kongAt(3))).toBe(2)
    expect(lane.take(kongAt(4), kongAt(5))).toBe(0)
    lane.end()
  })

  test.each([
    ['Kong', kong, {}],
    ['Envoy', envoyGateway, {}],
    ['Traefik', traefik, {}],
    ['NGINX', nginx, {}],
    ['ECS', ecs, {}],
    ['APIPark', apipark, {}],
    ['a layout of its own', custom, { format: 'custom', custom: mapping }],
  ] as const)('soon reads none of %s any more', (_name, record, decode) => {
    const lane = lanes(decode)
    expect(lane.take(record, record, record)).toBeLessThanOrEqual(2)
    expect(lane.take(record, record, record)).toBe(0)
    lane.end()
  })

  test('reads no new names once it was seen that they are taken as they stand', () => {
    const lane = lanes()
    lane.take(kongAt(0), kongAt(1))
    const others = Array.from({ length: 50 }, (_item, i) =>
      kongAt(i, { tenant: `tenant-${i}`, route: `route-${i % 7}` }),
    )
    expect(lane.take(...others)).toBe(0)
    lane.end()
  })

  test('reads every name that it would clean, cut or pass over', () => {
    const lane = lanes()
    lane.take(kongAt(0), kongAt(1))
    const names = [' acme', 'acme ', 'N/A', 'a\u200eb', 'n'.repeat(201), '', '-', '\u00a0']
    lane.take(...names.map((tenant) => kongAt(2, { tenant })), ...names.map((route) => kongAt(3, { route })))
    lane.end()
  })

  test('reads each placeholder that a layout refuses as a name once', () => {
    const lane = lanes()
    const first = { ...istio, route_name: 'reports' }
    lane.take(first, first, istio, first)
    expect(lane.take(istio, first, istio)).toBe(0)
    lane.end()
  })

  test('reads what is refused, and what the upstream refused', () => {
    const lane = lanes()
    lane.take(kongAt(0), kongAt(1))
    const refused = { ...kongAt(2), response: { ...kong.response, status: 402 } }
    const retried = { ...kongAt(3), upstream_status: '402, 200' }
    expect(lane.take(refused, retried, refused, retried)).toBe(4)
    lane.end()
  })

  test('reads what is written in another way: times, statuses, keys', () => {
    const lane = lanes()
    lane.take(kongAt(0), kongAt(1))
    const text = JSON.stringify(kongAt(2))
    const odd = [
      text.replace('1791188138042', '1.791188138042e12'),
      text.replace('1791188138042', '1791188138'),
      text.replace('"status":200', '"status":2e2'),
      text.replace('"status":200', '"status":200,"status":500'),
      text.replace('"status":200', '"st\\u0061tus":500'),
      text.replace('{"request"', '{"response":{"status":500},"request"'),
    ]
    expect(new Set(odd).size).toBe(odd.length)
    expect(lane.take(...odd)).toBe(odd.length)
    lane.end()
  })

  test('reads on when a record has too many objects to know where to look, and the next are known all the same', () => {
    const lane = lanes()
    const { response_headers, ...flat } = apipark
    const groups = Object.fromEntries(Array.from({ length: 100 }, (_item, i) => [`group${i}`, { note: i }]))
    const crowded = { ...flat, ...groups, proxy_status: undefined }
    const sly = { ...crowded, group99: { proxy_status: 402 } }
    lane.take(crowded, crowded, sly, sly)
    lane.take(flat, flat, flat)
    // A new place makes all shapes be learnt anew.
    expect(lane.take(flat, { ...flat, response_headers }, flat)).toBeLessThanOrEqual(2)
    expect(lane.take(flat, { ...flat, response_headers }, flat)).toBe(0)
    lane.end()
  })

  test('reads two groups in another order anew: the first that has a field is the one that counts', () => {
    const lane = lanes()
    const base = { request_id: 'r', msec: at(0), status: 200, application: 'a', api: 'b' }
    const one = { proxy_status: 200 }
    const other = { proxy_status: 402 }
    lane.take({ ...base, x: one, y: { note: 1 } }, { ...base, x: one, y: other }, { ...base, x: one, y: other })
    lane.take({ ...base, y: other, x: one }, { ...base, y: other, x: one })
    lane.end()
  })

  test('reads names that decide what a record is: such a place is no mere name', () => {
    const lane = lanes({ tenant: { envoy: 'access_log_type' } })
    const typed = (type: string) => ({ ...istio, access_log_type: type })
    const types = [
      'TcpUpstreamConnected',
      'DownstreamEnd',
      'UpstreamEnd',
      'DownstreamStart',
      'mine',
      'TcpConnectionEnd',
      'other',
    ]
    lane.take(...types.map(typed), ...types.map(typed))
    lane.take(...[...types].reverse().map(typed))
    lane.end()
  })

  test('reads the first record after each change of the layout in the middle of a chunk', () => {
    const lane = lanes()
    lane.take(kongAt(0), kongAt(1))
    expect(lane.take(kongAt(2), kongAt(3), traefik, traefik, traefik, kongAt(4), kongAt(5), traefik, kongAt(6))).toBe(5)
    lane.end()
  })

  test('begins anew when it has met as many names as it may keep', () => {
    const lane = lanes({}, 20)
    for (let i = 0; i < 100; i++) lane.take(kongAt(i, { tenant: `tenant-${i}` }), kongAt(i))
    lane.end()
  })

  test('reads on when there are too many words at one place', () => {
    const lane = lanes()
    lane.take(kongAt(0), kongAt(1))
    const attempts = Array.from({ length: 260 }, (_item, i) => ({
      ...kongAt(i),
      upstream_status: `502, ${200 + (i % 200)}, ${300 + i}`,
    }))
    lane.take(...attempts)
    lane.take(...attempts.slice(-50), { ...kongAt(9), upstream_status: '500, 402' })
    lane.end()
  })

  test('reads on when records come in too many shapes', () => {
    const lane = lanes()
    const keys = [
      'tenant',
      'tenant_id',
      'x-tenant-id',
      'org_id',
      'customer_id',
      'organization',
      'account_id',
      'x_tenant_id',
    ]
    const values = [null, '', true, 'acme', 7]
    const odd = Array.from({ length: 1_150 }, (_item, i) => {
      const added = keys.map((key, k) => [key, values[Math.floor(i / 5 ** (k % 5)) % 5]])
      return { ...kongAt(i % 60), ...Object.fromEntries(added.filter((_one, k) => (i >> k) % 2 === 0)) }
    })
    lane.take(kongAt(0), kongAt(1))
    lane.take(...odd)
    lane.take(...odd.slice(-300), kongAt(3))
    lane.end()
  })

  test.each([
    [{ template: true, rules: [] }],
    [{ template: false, rules: [] }],
    [{ template: true, rules: ['/v1/orders/{order}/**'] }],
    [{ template: true, rules: ['/v1/orders/12'] }],
  ])('takes paths by %j as they are, with and without ids', (paths) => {
    const lane = lanes({ paths, api: { kong: 'request.uri' } })
    const path = (uri: string) => ({ ...kong, request: { ...kong.request, uri } })
    const uuid = '5e0c7a11-1d2f-4a3b-8c4d-5e6f708192a3'
    const paths1 = [
      '/v1/orders/12',
      '/v1/orders/13',
      '/v1/orders/12/x?y=1',
      `/v1/${uuid}`,
      `/v1/${uuid.toUpperCase()}`,
      '/v1/orders',
      'plain',
    ]
    const odd = [
      '/',
      '//',
      '/?x',
      '/v1/7 ',
      'https://a/7',
      'http://',
      `/v1/${'7'.repeat(41)}`,
      `/${'a'.repeat(500)}`,
      '/v1/caf\u00e9/7',
    ]
    lane.take(...paths1.map(path), ...odd.map(path))
    lane.take(...odd.map(path), ...paths1.map(path))
    lane.end()
  })
})

test('two lanes with the same settings share what was learnt', () => {
  const decode = decodeOptions.parse({})
  const [, make] = engines[0] ?? []
  let made = 0
  const recognisers = new Recognisers({
    ...{ longestValue: 1000, templates: true, watched: [402], isSpecial: () => false },
    makeEngine: (options) => {
      made++
      if (make === undefined) throw new Error('there are no engines')
      return make(options)
    },
  })
  const [one, other] = [createDecoder(decode), createDecoder(decode)]
  expect(recognisers.of(one, null)).toBe(null)
  for (const decoder of [one, other]) decoder.decode(Buffer.from(JSON.stringify(kong)))
  expect(recognisers.of(one, null) === recognisers.of(other, null)).toBe(true)
  expect(recognisers.of(one, 'kong') === recognisers.of(other, null)).toBe(false)
  expect(made).toBe(2)
})
