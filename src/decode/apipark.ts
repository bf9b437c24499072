import { lineEntry } from './apipark-line.ts'
import type { Evidence } from './decode.ts'
import { notations, type TimeReading, timeFrom } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { isBlank, isObject, type JsonObject, objectOf, objectsIn, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import { anyAttemptRefused, lastAttempt, readStatus, unreadableStatus } from './status.ts'

/**
 * APIPark and its gateway Apinto. A formatter in the gateway's configuration decides the shape: APIPark's own one is
 * flat, the manual's sample for Kafka puts groups of fields into objects, and operators name the groups as they like.
 * So a field is looked for at the top and then in every group.
 */
export const apipark: Format = {
  name: 'apipark',

  tenant: ['application', 'application_id', 'authorization'],
  api: ['api', 'api_id', 'request_uri', 'uri', 'url', 'proxy_uri'],
  service: ['service', 'service_title', 'provider'],

  plain: () => plain,

  marksOf(entry) {
    if (!('request_id' in entry || 'msec' in entry)) return null
    if ('proxy_status' in entry) return proxyMarks
    if ('ai_provider' in entry && 'ai_model' in entry) return modelMarks
    if ('application' in entry && ('msec' in entry || 'time_iso8601' in entry) && !('latencies' in entry)) {
      return applicationMarks
    }
    if (isAiEvent(entry)) return eventMarks
    return hasStatusGroup(entry) ? groupMarks : null
  },

  read(entry, index, settings) {
    if (isAiEvent(entry) && entry['status'] === undefined && !hasStatusGroup(entry)) return skipped(index, 'event')
    const fields = new Fields(entry)
    const status = readStatus(fields.first(statusNames) ?? wrongStatus(entry))
    if (typeof status === 'string') return unreadableStatus(index, status, 'status')
    // `time_local` has no zone, so it counts only where nothing else tells the time.
    const timeMs = fields.time() ?? settings.zone.read(fields.value('time_local'))
    if (timeMs === 'bad-time') {
      const hint = 'neither msec (epoch ms) nor time_iso8601 nor timestamp (epoch s) nor time_local is a time'
      return unreadable(index, 'bad-time', hint)
    }
    return recordAt(index, {
      format: 'apipark',
      timeMs,
      status,
      // The operator's dotted places are exact; a plain name may stand in any group.
      names: namesOf((place) => valueAt(entry, place) ?? fields.value(place.text), settings),
      upstreamStatus: () => upstreamOf(fields).last,
      upstreamRefused() {
        const { last, refused } = upstreamOf(fields)
        return refused || last === 402
      },
      details: () => ({
        method: fields.label(['request_method', 'method']),
        consumer: fields.label(['application_name', 'authorization_name', 'application']),
        plan: null,
        latencyMs: latencyOf(fields.value('request_time'), 'ms'),
        requestId: fields.label(['request_id']),
      }),
      evidence: () => evidenceOf(fields, status),
    })
  },

  readText(text, index, settings) {
    const entry = lineEntry(text, settings.lineFields)
    if (entry === null) return null
    if (typeof entry === 'string') return unreadable(index, 'not-json', entry)
    return apipark.read(entry, index, settings)
  },
}

const proxyMarks = ['request_id or msec', 'proxy_status']
const modelMarks = ['request_id or msec', 'ai_provider', 'ai_model']
const applicationMarks = ['request_id or msec', 'application', 'msec or time_iso8601']
const eventMarks = ['request_id or msec', 'ai']
const groupMarks = ['request_id or msec', 'a group with proxy_status or request_time and response_time']
const statusNames = ['status', 'status_code', 'http_status', 'response_code']

const timeFields = [
  { key: 'msec', as: notations.ms },
  { key: 'time_iso8601', as: notations.iso },
  { key: 'timestamp', as: notations.s },
  { key: '@timestamp', as: notations.iso },
]

// Of the flat records. Groups have names of the operator's choice, so what stands in them is not plain.
const plain = { status: statusNames, upstream: ['proxy_status'], times: plainTimes(timeFields) }

/** The fields of a record whose groups have names of the operator's choice: top first, then the groups in order. */
class Fields {
  readonly top: JsonObject
  /** Found only when the top has not all that is asked for: APIPark's own records are flat. */
  #groups: readonly JsonObject[] | null = null

  constructor(top: JsonObject) {
    this.top = top
  }

  value(name: string): unknown {
    const value = this.top[name]
    if (value !== undefined && !isObject(value)) return value
    for (const group of this.#inner()) {
      const inner = group[name]
      if (inner !== undefined && !isObject(inner)) return inner
    }
    return undefined
  }

  time(): TimeReading {
    let reading = timeFrom(this.top, timeFields)
    if (reading !== null) return reading
    for (const group of this.#inner()) {
      reading = timeFrom(group, timeFields)
      if (reading !== null) break
    }
    return reading
  }

  #inner(): readonly JsonObject[] {
    this.#groups ??= groupsOf(this.top)
    return this.#groups
  }

  first(names: readonly string[]): unknown {
    let seen: unknown
    for (const name of names) {
      const value = this.value(name)
      if (!isBlank(value)) return value
      seen ??= value
    }
    return seen
  }

  label(names: readonly string[]): string | null {
    for (const name of names) {
      const label = firstLabel(this.value(name))
      if (label !== null) return label
    }
    return null
  }
}

const groupLimit = 50
// Headers and bodies are objects too, but what stands in them is not the gateway's.
const notGroups = new Set(['headers', 'response_headers', 'request_body', 'response_body', 'proxy_body'])

function groupsOf(top: JsonObject): readonly JsonObject[] {
  const groups: JsonObject[] = []
  const queue: JsonObject[] = [top]
  for (let i = 0; i < queue.length && queue.length < groupLimit; i++) {
    for (const [key, value] of objectsIn(queue[i] ?? {})) {
      if (notGroups.has(key) || queue.length >= groupLimit) continue
      queue.push(value)
      groups.push(value)
    }
  }
  return groups
}

/** A status of a wrong type is told from one that is missing. */
function wrongStatus(entry: JsonObject): unknown {
  const status = entry['status']
  return isObject(status) ? status : undefined
}

function isAiEvent(entry: JsonObject): boolean {
  const ai = entry['ai']
  return isObject(ai) && ('ai_provider' in ai || 'ai_model' in ai)
}

function hasStatusGroup(entry: JsonObject): boolean {
  return objectsIn(entry).some(
    ([, group]) => 'proxy_status' in group || ('request_time' in group && 'response_time' in group),
  )
}

interface Upstream {
  readonly last: number | null
  readonly refused: boolean
}

/** Apinto's attempts: `proxy_status` of the last, an array of attempts where the formatter has a `#` group. */
function upstreamOf(fields: Fields): Upstream {
  const own = fields.value('proxy_status')
  let last = lastAttempt(own)
  let refused = anyAttemptRefused(own)
  for (const key of ['proxies', 'proxy']) {
    const attempts = fields.top[key]
    if (!Array.isArray(attempts)) continue
    for (const attempt of attempts.slice(0, 100)) {
      const status = objectOf(attempt)?.['proxy_status'] ?? objectOf(attempt)?.['status']
      if (own === undefined) last = lastAttempt(status) ?? last
      refused ||= anyAttemptRefused(status)
    }
  }
  return { last, refused }
}

/** An empty `proxy_status` means that no upstream was asked; another status than the client's was replaced on the way. */
function answererOf(fields: Fields, status: number | null): Evidence['answeredBy'] {
  const proxy = fields.value('proxy_status')
  if (proxy !== undefined) return lastAttempt(proxy) === status && status !== null ? 'upstream' : 'gateway'
  const last = upstreamOf(fields).last
  if (last !== null) return last === status ? 'upstream' : 'gateway'
  const handler = fields.value('handler')
  if (isBlank(handler)) return null
  return handler === 'proxy' ? 'upstream' : 'gateway'
}

function evidenceOf(fields: Fields, status: number | null): Evidence {
  const answeredBy = answererOf(fields, status)
  const gathered = new EvidenceGatherer(answeredBy)
  const responseHeaders = fields.top['response_headers'] ?? fields.value('response_header')
  gathered.headers(responseHeaders).looseHeaders(fields.top)
  gathered.body(fields.top['response_body'] ?? fields.value('response_body'), 'response_body')
  const upstream = upstreamOf(fields)
  // The upstream's words explain a refusal that came from it, not one that the gateway put in their place.
  if (answeredBy !== 'gateway' || (upstream.refused && status !== 402)) {
    gathered.body(fields.top['proxy_response_body'] ?? fields.value('proxy_response_body'), 'proxy_response_body')
  }
  gathered.verdict(fields.value('handler'), 'handler')
  if (fields.value('auth_status') === 'fail') gathered.verdict('fail', 'auth_status')
  // `block_name` is also set when the call passes, so it is no verdict.
  if (answeredBy === 'gateway' && upstream.last === null) gathered.verdict(fields.value('strategy'), 'strategy')
  for (const [i, word] of providerStatuses(fields).entries()) {
    gathered.verdict(word, `ai_provider_statuses[${i}].status`)
  }
  addPaymentSent(gathered, fields.top['headers'] ?? fields.value('request_header') ?? fields.value('header'))
  const evidence = gathered.done()
  const strategy = evidence.headers.get('strategy')
  if (strategy === undefined || answeredBy !== 'gateway') return evidence
  const verdict = { value: strategy.slice(0, 200), where: 'response_headers.strategy' }
  return { ...evidence, verdicts: [...evidence.verdicts, verdict] }
}

/** How each key and fallback that was tried ended, oldest first; text where a shipper has flattened the record. */
function providerStatuses(fields: Fields): readonly string[] {
  let list = fields.value('ai_provider_statuses')
  if (typeof list === 'string') {
    try {
      list = JSON.parse(list)
    } catch {
      return []
    }
  }
  if (!Array.isArray(list)) return []
  return list.slice(0, 20).map((item) => firstLabel(objectOf(item)?.['status']) ?? '')
}
