import type { Cause } from '../../src/classify/cause.ts'

/** What the values made here say, counted while they are made: the truth that history is compared with. */
export interface Truth {
  records: number
  refused: number
  unreadable: number
  /** By `tenant api cause`; cause is '' for all requests of the series. */
  readonly series: Map<string, number>
}

const tenants = ['acme', 'blue-heron', 'cedar-row', 'dune', 'ember', 'fieldnote', 'glass-pine', 'harbor']
const apis = ['chat', 'embeddings', 'images', 'rerank', 'speech']

interface Call {
  at: number
  tenant: string
  api: string
  refused: { cause: Cause; code: string } | null
  id: string
}

const refusals = [
  { cause: 'quota_exceeded', code: 'insufficient_quota' },
  { cause: 'insufficient_funds', code: 'insufficient_balance' },
  { cause: 'payment_failed', code: 'do_not_honor' },
  { cause: 'subscription_expired', code: 'subscription_expired' },
] as const

/** One call, the same for the same number. */
function call(i: number, fromMs: number, stepMs: number): Call {
  const hash = Math.imul(i ^ 0x9e3779b9, 0x85ebca6b) >>> 0
  return {
    at: Math.floor(fromMs + i * stepMs),
    tenant: tenants[hash % tenants.length] ?? '',
    api: apis[(hash >>> 8) % apis.length] ?? '',
    refused: (hash >>> 16) % 25 === 0 ? (refusals[(hash >>> 4) % refusals.length] ?? null) : null,
    id: `req-${i}`,
  }
}

function kong(one: Call): object {
  const status = one.refused === null ? 200 : 402
  const body = one.refused === null ? {} : { body: JSON.stringify({ error: { code: one.refused.code } }) }
  return {
    request: { id: one.id, method: 'POST', uri: `/${one.api}`, headers: { 'user-agent': 'test "agent" ü' } },
    response: { status, headers: {}, size: 12, ...body },
    latencies: { kong: 1, proxy: 8, request: 9 },
    route: { name: one.api },
    consumer: { username: one.tenant },
    started_at: one.at,
    source: 'upstream',
  }
}

function apisix(one: Call): object {
  const status = one.refused === null ? 200 : 402
  const body = one.refused === null ? {} : { body: JSON.stringify({ error: { code: one.refused.code } }) }
  return {
    request: { uri: `/${one.api}`, method: 'POST', headers: {} },
    response: { status, headers: {}, size: 9, ...body },
    route_id: one.api,
    consumer: { username: one.tenant },
    start_time: one.at,
    latency: 4.5,
    apisix_latency: 1.5,
    upstream: '10.0.0.7:80',
  }
}

function apipark(one: Call): object {
  const body = one.refused === null ? '{}' : JSON.stringify({ error: { code: one.refused.code } })
  return {
    msec: one.at,
    request_id: one.id,
    request_uri: `http://gw.example.net/${one.api}`,
    status: one.refused === null ? 200 : 402,
    proxy_status: one.refused === null ? 200 : 402,
    api: one.api,
    application: one.tenant,
    request_time: 31,
    response_body: body,
    proxy_response_body: body,
  }
}

/**
 * Kafka values for `records` calls in three layouts, a third of them as arrays of five, with a broken value in every
 * thousand. Each partition keeps to one layout, as topics of real gateways do; the last one changes half-way.
 */
export function mixedTraffic(
  records: number,
  partitions: number,
  fromMs: number,
  toMs: number,
): { values: Buffer[][]; truth: Truth } {
  const truth: Truth = { records: 0, refused: 0, unreadable: 0, series: new Map() }
  const values: Buffer[][] = Array.from({ length: partitions }, () => [])
  const stepMs = (toMs - fromMs) / records
  const layouts = [kong, apisix, apipark]
  let array: object[] = []
  for (let i = 0; i < records; i++) {
    const one = call(i, fromMs, stepMs)
    const partition = i % partitions
    const list = values[partition]
    if (list === undefined) continue
    note(truth, one)
    const changed = partition === partitions - 1 && i > records / 2
    const layout = layouts[(changed ? partition + 1 : partition) % layouts.length] ?? kong
    if (layout === apisix) {
      array.push(layout(one))
      if (array.length < 5 && i + partitions < records) continue
      list.push(Buffer.from(JSON.stringify(array)))
      array = []
    } else {
      list.push(Buffer.from(JSON.stringify(layout(one))))
    }
    if (i % 1000 === 999) {
      list.push(Buffer.from('{"request":{"id":"cut'))
      truth.unreadable++
    }
  }
  return { values, truth }
}

function note(truth: Truth, one: Call): void {
  truth.records++
  const add = (cause: string) => {
    const key = `${one.tenant} ${one.api} ${cause}`
    truth.series.set(key, (truth.series.get(key) ?? 0) + 1)
  }
  add('')
  if (one.refused === null) return
  truth.refused++
  add(one.refused.cause)
}
