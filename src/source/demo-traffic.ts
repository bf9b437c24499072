/**
 * The traffic behind `npm start`: an AI gateway with some 25 tenants, made up second by second. A second is a pure
 * function of (seed, second), so a range that was lost in a crash can be made again, byte for byte.
 */
import { createHash } from 'node:crypto'
import { minuteMs, secondMs } from '../time/duration.ts'
import { type DemoAnswer, demoAnswers } from './demo-answers.ts'

/** The daily cycle swings between these, so every hour of the day has something to show. */
const requestsPerSecond = { least: 40, most: 60 }
const refusedShare = 0.003

const tenants = [
  'acme',
  'blue-heron',
  'northwind-labs',
  'paper-crane',
  'lumen-health',
  'tall-oak',
  'riverbank',
  'quiet-harbor',
  'orbit-nine',
  'copper-kettle',
  'fieldnote',
  'sunny-side',
  'glass-pine',
  'mistral-bay',
  'red-lantern',
  'stone-bridge',
  'kite-works',
  'velvet-fox',
  'open-meadow',
  'little-atlas',
  'cedar-row',
  'moonlit-media',
  'ferry-lane',
  'hollow-hill',
  'seven-birds',
] as const

/** Share of the calls, path and usual time to answer (median, ms). */
const apis = [
  { name: 'chat', share: 46, path: '/v1/chat/completions', medianMs: 820 },
  { name: 'embeddings', share: 22, path: '/v1/embeddings', medianMs: 60 },
  { name: 'rerank', share: 9, path: '/v1/rerank', medianMs: 90 },
  { name: 'moderation', share: 8, path: '/v1/moderations', medianMs: 45 },
  { name: 'images', share: 5, path: '/v1/images/generations', medianMs: 4_200 },
  { name: 'audio', share: 4, path: '/v1/audio/transcriptions', medianMs: 2_600 },
  { name: 'files', share: 4, path: '/v1/files', medianMs: 120 },
  { name: 'batches', share: 2, path: '/v1/batches', medianMs: 35 },
] as const

/** Zipf: the n-th largest tenant sends 1/n^0.9 of the largest. `acme` with `chat` is some 5 requests/s. */
const tenantShares = tenants.map((_, index) => 1 / (index + 1) ** 0.9)
const apiShares = apis.map((api) => api.share)

/** Causes of the refusals of a normal day, the usual suspects more often. */
const background = [
  'insufficient_funds',
  'insufficient_funds',
  'insufficient_funds',
  'quota_exceeded',
  'quota_exceeded',
  'quota_exceeded',
  'payment_failed',
  'payment_failed',
  'invalid_payment_info',
  'billing_limit_exceeded',
  'subscription_expired',
  'permission_denied',
  'authentication_missing',
  'payment_gateway_error',
  'resource_exhausted',
  'unknown',
] as const

/** Something that goes wrong on purpose, so that there is an alert to look at. Ticks are seconds since the epoch. */
export interface DemoIncident {
  readonly name: 'quota-used-up' | 'card-processor-down' | 'card-expired' | 'subscription-expired'
  readonly cause: string
  /** Who is hit; the rest has a normal day. */
  readonly tenants: readonly string[]
  /** Null means every API. */
  readonly api: string | null
  /** Share of the calls hit that are answered 402. */
  readonly share: number
  /** First second, and the second after the last. */
  readonly fromTick: number
  readonly toTick: number
}

const firstIncidentAfter = 60
const incidentSeconds = (4 * minuteMs) / secondMs
const incidentEvery = (12 * minuteMs) / secondMs

const script: readonly Omit<DemoIncident, 'fromTick' | 'toTick'>[] = [
  { name: 'quota-used-up', cause: 'quota_exceeded', tenants: ['acme'], api: 'chat', share: 0.85 },
  {
    name: 'card-processor-down',
    cause: 'payment_gateway_error',
    // Every other tenant pays by the processor that is down.
    tenants: tenants.filter((_, index) => index % 2 === 0),
    api: null,
    share: 0.35,
  },
  { name: 'card-expired', cause: 'invalid_payment_info', tenants: ['blue-heron'], api: null, share: 0.9 },
  { name: 'subscription-expired', cause: 'subscription_expired', tenants: ['northwind-labs'], api: null, share: 0.95 },
]

/** The incident of that second in a demo begun at `startTick`, or null on a normal second. */
export function demoIncident(startTick: number, tick: number): DemoIncident | null {
  const number = Math.floor((tick - startTick - firstIncidentAfter) / incidentEvery)
  const scene = script[number % script.length]
  if (number < 0 || scene === undefined) return null
  const fromTick = startTick + firstIncidentAfter + number * incidentEvery
  const toTick = fromTick + incidentSeconds
  return tick < toTick ? { ...scene, fromTick, toTick } : null
}

/** The incidents that begin in `[fromTick, toTick)`, in order. */
export function demoIncidents(startTick: number, fromTick: number, toTick: number): readonly DemoIncident[] {
  const incidents: DemoIncident[] = []
  for (let begin = startTick + firstIncidentAfter; begin < toTick; begin += incidentEvery) {
    const incident = begin < fromTick ? null : demoIncident(startTick, begin)
    if (incident !== null) incidents.push(incident)
  }
  return incidents
}

/**
 * The log value of one second: a JSON array of access records in Kong's layout, as its Kafka plug-in batches them.
 * The same arguments always give the same bytes.
 *
 * @param seed which of the many possible worlds
 * @param tick seconds since the epoch; every record started inside that second
 * @param startTick when the demo began, from which its incidents are counted; without it there are none
 */
export function demoTick(seed: number, tick: number, startTick?: number): Uint8Array {
  const random = randomOf(seed, tick)
  const incident = startTick === undefined ? null : demoIncident(startTick, tick)
  const count = poisson(random, rateAt(tick))
  const startedAt = Array.from({ length: count }, () => tick * secondMs + Math.floor(random() * secondMs)).sort(
    (a, b) => a - b,
  )
  return new TextEncoder().encode(JSON.stringify(startedAt.map((at) => record(random, at, incident))))
}

/** Busiest at 14:00 UTC. */
function rateAt(tick: number): number {
  const { least, most } = requestsPerSecond
  const hour = (tick / 3_600) % 24
  return (most + least) / 2 + ((most - least) / 2) * Math.cos(((hour - 14) / 24) * 2 * Math.PI)
}

function record(random: () => number, startedAt: number, incident: DemoIncident | null): unknown {
  const tenant = tenants[pick(random, tenantShares)] ?? 'acme'
  const api = apis[pick(random, apiShares)] ?? apis[0]
  // Drawn in any case: an incident changes answers, never who calls when.
  const [luck, face, usual, speed] = [random(), random(), random(), gaussian(random)]
  const hit = incident?.tenants.includes(tenant) === true && (incident.api ?? api.name) === api.name
  const cause =
    hit && luck < incident.share ? incident.cause : luck > 1 - refusedShare ? oneOf(background, usual) : null
  const answers = cause === null ? undefined : demoAnswers[cause]
  const answer = answers === undefined ? passedThrough(usual) : { status: 402, ...oneOf(answers, face) }
  const proxyMs = answer.source === 'kong' ? -1 : upstreamMs(api.medianMs, answer.status, speed)
  const kongMs = 1 + Math.floor(face * 4)
  const body = answer.body === null ? {} : { body: answer.body }
  return {
    request: {
      id: requestId(random),
      uri: api.path,
      url: `https://api.example.net${api.path}`,
      querystring: {},
      method: 'POST',
      headers: { host: 'api.example.net', authorization: 'REDACTED', 'user-agent': 'demo-client/1.0' },
      size: 200 + Math.floor(usual * 1_800),
    },
    upstream_uri: api.path,
    upstream_status: answer.source === 'kong' ? '' : String(answer.status),
    response: {
      status: answer.status,
      headers: { server: 'kong/3.12.0', ...answer.headers },
      size: 120 + Math.floor(face * 900),
      ...body,
    },
    latencies: { kong: kongMs, proxy: proxyMs, request: kongMs + Math.max(0, proxyMs), receive: 0 },
    tries: [],
    route: { id: idOf(`route ${api.name}`), name: api.name, paths: [api.path] },
    service: { id: idOf(`service ${api.name}`), name: `${api.name}-svc`, host: `${api.name}.internal`, port: 443 },
    consumer: { id: idOf(`consumer ${tenant}`), username: `${tenant}-prod`, custom_id: tenant },
    client_ip: `203.0.113.${1 + tenants.indexOf(tenant)}`,
    started_at: startedAt,
    source: answer.source,
    workspace_name: 'demo',
  }
}

/** What the rest gets: nearly always an answer, now and then the usual errors, which are not our subject. */
function passedThrough(luck: number): DemoAnswer & { status: number } {
  const ok = {
    source: 'upstream',
    headers: { 'ratelimit-limit': '50000', 'ratelimit-remaining': '18422' },
    body: null,
  } as const
  if (luck < 0.975) return { status: 200, ...ok }
  if (luck < 0.987) return { status: 400, ...ok }
  if (luck < 0.99) return { status: 401, source: 'kong', headers: {}, body: null }
  if (luck < 0.996) return { status: 429, ...ok }
  return { status: luck < 0.998 ? 500 : 502, ...ok }
}

/** Log-normal round the API's median; a refusal is told quickly. */
function upstreamMs(medianMs: number, status: number, speed: number): number {
  return Math.max(1, Math.round((status === 200 ? medianMs : 25) * Math.exp(0.5 * speed)))
}

/** mulberry32: 32 bits of state, even enough for made-up traffic. */
function randomOf(seed: number, tick: number): () => number {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(tick | 0, 0x85ebca6b)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Knuth's method; the mean is at most 60, so the product stays far from underflow. */
function poisson(random: () => number, mean: number): number {
  const least = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > least; product *= random()) count++
  return count
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** An index, as likely as its share. */
function pick(random: () => number, shares: readonly number[]): number {
  let rest = random() * shares.reduce((sum, share) => sum + share, 0)
  return shares.findIndex((share) => {
    rest -= share
    return rest < 0
  })
}

function oneOf<T>(list: readonly [T, ...T[]], luck: number): T {
  return list[Math.floor(luck * list.length)] ?? list[0]
}

/** 32 hexadecimal digits, as Kong's. */
function requestId(random: () => number): string {
  let id = ''
  for (let part = 0; part < 4; part++)
    id += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return id
}

const ids = new Map<string, string>()

/** A UUID that belongs to the name for ever. */
function idOf(name: string): string {
  let id = ids.get(name)
  if (id === undefined) {
    const digest = createHash('sha256').update(name).digest('hex')
    id = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
    ids.set(name, id)
  }
  return id
}
