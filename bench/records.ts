import type { Cause } from '../src/classify/cause.ts'

/** The two ends of what gateways write: nested and long (Kong), flat and short (an APISIX or NGINX `log_format`). */
export const shapes = ['kong', 'flat'] as const

export type Shape = (typeof shapes)[number]

/** Generated log values with the truth about them. */
export interface Records {
  readonly shape: Shape
  /** One record each, slices of one buffer, as a Kafka client hands them over. */
  readonly values: readonly Buffer[]
  /** Event time of each record. */
  readonly timesMs: readonly number[]
  readonly bytes: number
  /** Records with status 402, and how many of them have each cause. */
  readonly refused: number
  readonly byCause: ReadonlyMap<Cause, number>
  /** Different (tenant, route) pairs. */
  readonly series: number
}

export interface RecordOptions {
  readonly shape: Shape
  readonly count: number
  readonly seed: number
  /** Event time of the first record. */
  readonly startMs: number
  /** How many records share a second of event time. */
  readonly density?: number
  /** Who calls what; by default 200 tenants by Zipf's law, each with favourites among 300 routes. */
  readonly callers?: Callers
}

/** Draws the tenant and the route of one record. */
export type Callers = (random: () => number) => { readonly tenant: string; readonly route: string }

/**
 * How fast event time runs: it decides how many records share a slice, and so how many rows history gets. The first is
 * that of gateways for which speed matters at all, the second is hard on counting.
 */
export const busyDensity = 100_000
export const sparseDensity = 2_000

const tenantCount = 200
const zipfExponent = 1.1
const routeCount = 300
const refusedShare = 0.03

/** The machine word that a refusal carries in its response, and the cause it stands for. */
export const refusals: readonly (readonly [word: string, cause: Cause])[] = [
  ['insufficient_funds', 'insufficient_funds'],
  ['card_declined', 'payment_failed'],
  ['expired_card', 'invalid_payment_info'],
  ['quota_exceeded', 'quota_exceeded'],
  ['budget_exceeded', 'billing_limit_exceeded'],
  ['subscription_expired', 'subscription_expired'],
]

const statuses = [200, 200, 200, 200, 200, 200, 200, 200, 201, 204, 304, 400, 401, 404, 429, 500, 503]
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const topics = ['invoices', 'ledgers', 'parcels', 'tickets', 'search', 'images', 'answers', 'models', 'audio', 'rates']
const firms = ['larkspur', 'northgate', 'pinewood', 'quarry', 'redbrick', 'saltmarsh', 'tideway', 'umber']
// One in six has escapes and letters beyond Latin-1, which cost JSON.parse and a UTF-8 decoder more.
const agents = [
  'curl/8.5.0',
  'python-requests/2.32.3',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
  'okhttp/4.12.0',
  'axios/1.7.9',
  'bot "quoted\\agent" \u00fc \u4e2d',
]

const tenants = Array.from({ length: tenantCount }, (_, i) => `${firms[i % firms.length]}-${(i * 7919) % 9973}`)
const routes = Array.from({ length: routeCount }, (_, i) => `${topics[i % topics.length]}-v${1 + (i % 3)}-${i}`)

/**
 * Draws by Zipf's law with exponent 1.1: 0 is drawn most often.
 *
 * @returns whole numbers below `count`
 */
export function zipf(count: number): (random: () => number) => number {
  const shares = new Float64Array(count)
  let sum = 0
  for (let i = 0; i < count; i++) {
    sum += 1 / (i + 1) ** zipfExponent
    shares[i] = sum
  }
  return (random) => {
    const wanted = random() * sum
    let low = 0
    for (let high = count - 1; low < high; ) {
      const middle = (low + high) >> 1
      if ((shares[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

const drawnTenant = zipf(tenantCount)

const usualCallers: Callers = (random) => {
  const tenant = drawnTenant(random)
  // Each tenant has a few favourites among all routes.
  const route = routes[(tenant * 7 + Math.floor(random() * random() * routeCount)) % routeCount] ?? ''
  return { tenant: tenants[tenant] ?? '', route }
}

/** One request, before it is written in a layout. */
interface Call {
  readonly timeMs: number
  readonly tenant: string
  readonly route: string
  readonly status: number
  readonly word: string | null
  readonly method: string
  readonly agent: string
  readonly address: string
  readonly latencyMs: number
  readonly bytes: number
  readonly id: string
}

/** The same records for the same options, 3 % of them refused for one of six causes. */
export function makeRecords(options: RecordOptions): Records {
  const { shape, count, seed, startMs, density = busyDensity, callers = usualCallers } = options
  const random = mulberry32(seed)
  const parts: Buffer[] = []
  const timesMs: number[] = []
  const byCause = new Map<Cause, number>()
  const pairs = new Set<string>()
  let refused = 0
  for (let i = 0; i < count; i++) {
    const timeMs = startMs + Math.floor((i * 1_000) / density)
    const refusal = random() < refusedShare ? (picked(refusals, random) ?? null) : null
    const call = callAt(timeMs, refusal?.[0] ?? null, random, callers)
    if (refusal !== null) {
      refused++
      byCause.set(refusal[1], (byCause.get(refusal[1]) ?? 0) + 1)
    }
    pairs.add(`${call.tenant} ${call.route}`)
    timesMs.push(timeMs)
    parts.push(Buffer.from(JSON.stringify(shape === 'kong' ? kongEntry(call) : flatEntry(call))))
  }
  const all = Buffer.concat(parts)
  let end = 0
  const values = parts.map((part) => {
    end += part.length
    return all.subarray(end - part.length, end)
  })
  return { shape, values, timesMs, bytes: all.length, refused, byCause, series: pairs.size }
}

function callAt(timeMs: number, word: string | null, random: () => number, callers: Callers): Call {
  const { tenant, route } = callers(random)
  return {
    timeMs,
    word,
    tenant,
    route,
    status: word === null ? (picked(statuses, random) ?? 200) : 402,
    method: picked(methods, random) ?? '',
    agent: picked(agents, random) ?? '',
    address: `10.${whole(256, random)}.${whole(256, random)}.${whole(256, random)}`,
    latencyMs: 1 + Math.floor(random() * random() * 400),
    bytes: whole(20_000, random),
    id: hex(32, random),
  }
}

/** What Kong's kafka-log writes, with the plug-in fields that matter here. About 950 bytes. */
function kongEntry(call: Call): object {
  const { tenant, route, id, latencyMs } = call
  const topic = route.slice(0, route.indexOf('-'))
  // What is undefined is left out of the text. No object is spread into another: that makes records twice as slow.
  return {
    latencies: { request: latencyMs, kong: 1, proxy: latencyMs - 1 },
    request: {
      method: call.method,
      uri: `/${topic}/${call.bytes}?page=${latencyMs}`,
      size: 200 + (call.bytes % 800),
      url: `http://api.example.test:8000/${topic}`,
      querystring: { page: String(latencyMs) },
      id,
      headers: {
        host: 'api.example.test',
        'user-agent': call.agent,
        accept: '*/*',
        'x-request-id': id,
        'x-consumer-username': tenant,
      },
    },
    response: {
      status: call.status,
      size: call.bytes,
      headers: {
        server: 'upstream',
        'content-type': 'application/json; charset=utf-8',
        'x-request-cost': '3',
        'x-error-code': call.word ?? undefined,
      },
    },
    route: { id: id.slice(0, 12), name: route, paths: [`/${topic}`] },
    service: { name: topic, host: 'up.example.test', port: 8080 },
    consumer: { id: id.slice(12, 24), username: tenant, custom_id: tenant },
    client_ip: call.address,
    upstream_status: String(call.status),
    source: 'upstream',
    workspace: 'default',
    tries: [{ balancer_latency: 0, port: 8080, ip: '10.0.0.7' }],
    started_at: call.timeMs,
  }
}

/** What an APISIX `log_format` of NGINX variables gives. About 360 bytes. */
function flatEntry(call: Call): object {
  const { route } = call
  return {
    time_iso8601: new Date(call.timeMs).toISOString(),
    remote_addr: call.address,
    request_method: call.method,
    uri: `/${route.slice(0, route.indexOf('-'))}/${call.bytes}`,
    status: call.status,
    bytes_sent: call.bytes,
    request_time: call.latencyMs / 1_000,
    upstream_status: String(call.status),
    http_user_agent: call.agent,
    request_id: call.id,
    consumer_name: call.tenant,
    route_id: route,
    service_id: 'public',
    resp_header_x_error_code: call.word ?? undefined,
  }
}

function picked<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)]
}

function whole(below: number, random: () => number): number {
  return Math.floor(random() * below)
}

function hex(length: number, random: () => number): string {
  let text = ''
  while (text.length < length)
    text += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0')
  return text.slice(0, length)
}

/** A small seeded generator: Tommy Ettinger's mulberry32, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}
