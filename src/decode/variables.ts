import type { Decoded, Evidence, FormatName } from './decode.ts'
import { notations, timeFrom } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { recordAt, unreadable } from './format.ts'
import { type DottedPath, isBlank, isObject, type JsonObject, numberOf, valueAt } from './json.ts'
import { type KeyList, keysOf } from './key-list.ts'
import { firstLabel, labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { type Names, namesOf } from './names.ts'
import { type PlainFields, plainTimes } from './plain-fields.ts'
import type { Details, Reading } from './record.ts'
import type { Settings } from './settings.ts'
import { lastAttempt, readStatus, unreadableStatus, upstreamRefusedIn } from './status.ts'

/**
 * Records made of NGINX variables, whose keys the operator chose: NGINX itself and APISIX with a `log_format`. Keys are
 * looked up under the variable's own name and its customary aliases; all times and latencies are in seconds.
 */
export function readVariables(
  name: FormatName,
  entry: JsonObject,
  index: number,
  options: { settings: Settings; depth: number },
): Decoded {
  const flat = hasStatus(entry) ? entry : flattened(entry, options.depth)
  const status = readStatus(firstOf(flat, statusKeys) ?? entry['status'])
  if (typeof status === 'string') return unreadableStatus(index, status, 'status')
  const timeMs = timeFrom(flat, timeFields)
  if (timeMs === 'bad-time') {
    return unreadable(index, 'bad-time', 'the time is neither epoch seconds, nor ISO 8601 with a zone, nor time_local')
  }
  return recordAt(index, new VariablesReading(name, entry, flat, { timeMs, status, settings: options.settings }))
}

class VariablesReading implements Reading {
  readonly format: FormatName
  readonly timeMs: Reading['timeMs']
  readonly status: Reading['status']
  readonly names: Names
  readonly #flat: JsonObject
  readonly #keys: KeyList | null

  constructor(
    format: FormatName,
    entry: JsonObject,
    flat: JsonObject,
    read: Pick<Reading, 'timeMs' | 'status'> & { readonly settings: Settings },
  ) {
    this.format = format
    this.timeMs = read.timeMs
    this.status = read.status
    this.#flat = flat
    // What is found by looking through all of the entry has no keys that would tell.
    this.#keys = flat === entry ? keysOf(entry) : null
    this.names = namesOf((place) => valueIn(entry, flat, place), read.settings, this.#keys)
  }

  upstreamStatus(): number | null {
    return lastAttempt(this.#flat['upstream_status'])
  }

  upstreamRefused(): boolean {
    return upstreamRefusedIn(this.#flat['upstream_status'])
  }

  details(): Details {
    const flat = this.#flat
    return {
      method: labelOf(flat['request_method']) ?? firstLabel(flat['method'], requestLine(flat['request'])?.method),
      consumer: labelOf(flat['consumer_name']) ?? firstLabel(flat['consumer'], flat['remote_user']),
      plan: null,
      latencyMs: latencyOf(flat['request_time'], 's'),
      requestId:
        labelOf(flat['request_id']) ?? firstLabel(flat['req_id'], flat['x_request_id'], flat['http_x_request_id']),
    }
  }

  evidence(): Evidence {
    const flat = this.#flat
    return new EvidenceGatherer(answererOf(flat['upstream_status'], this.status))
      .looseHeaders(flat, this.#keys)
      .body(flat['response_body'] ?? flat['resp_body'], 'response_body')
      .done()
  }
}

function valueIn(entry: JsonObject, flat: JsonObject, place: DottedPath): unknown {
  // The request line holds a path, but is none.
  if (place.text === 'request') return requestLine(flat['request'])?.path
  const value = valueAt(entry, place)
  if (flat === entry) return value
  return value === undefined || isObject(value) ? flat[place.text] : value
}

const statusKeys = ['status', 'status_code', 'response_status', 'response_code', 'http_status']

// Milliseconds before whole seconds; what a shipper may have added (`@timestamp`) last.
const timeKeys = ['msec', 'time_iso8601', 'time_local', 'timestamp', 'time', 'datetime', '@timestamp']
const timeFields = timeKeys.map((key) => ({ key, as: notations.sIsoOrClf }))

/** Of variables at the top of the record; those in objects are found by looking through all of it. */
export const plainVariables: PlainFields = {
  status: statusKeys,
  upstream: ['upstream_status'],
  times: plainTimes(timeFields),
}

/** Where the variables name the caller, and the path. */
export const variableTenants: readonly string[] = ['consumer_name', 'consumer', 'remote_user']
export const variablePaths: readonly string[] = ['request_uri', 'uri', 'path', 'url', 'http_path', 'request']

function hasStatus(entry: JsonObject): boolean {
  return statusKeys.some((key) => entry[key] !== undefined && !isObject(entry[key]))
}

function firstOf(entry: JsonObject, keys: readonly string[]): unknown {
  let seen: unknown
  for (const key of keys) {
    const value = entry[key]
    if (value === undefined) continue
    if (!isBlank(value) && !isObject(value)) return value
    seen ??= value
  }
  return seen
}

interface RequestLine {
  readonly method: string
  readonly path: string
}

/** `POST /v1/answers HTTP/1.1`; null for the empty or binary rubbish that NGINX answers with 400. */
function requestLine(value: unknown): RequestLine | null {
  if (typeof value !== 'string') return null
  const match = /^([A-Z]{3,20}) (\S{1,8192})(?: HTTP\/[\d.]+)?$/.exec(value)
  return match === null ? null : { method: match[1] ?? '', path: match[2] ?? '' }
}

const flattenedKeys = 500
// The status of one of these is not what the client got.
const otherSide = /^(?:upstream|proxy|backend|origin|service|target)s?$/i

/**
 * The leaves of nested objects under their own name and under `container_name`, outer ones first, so that
 * `{"response":{"status":402}}` is found as `status` and `{"upstream":{"status":402}}` only as `upstream_status`.
 */
function flattened(entry: JsonObject, depth: number): JsonObject {
  const flat: Record<string, unknown> = Object.create(null)
  let level: { readonly name: string; readonly fields: JsonObject }[] = [{ name: '', fields: entry }]
  let count = 0
  for (let d = 0; d <= depth && level.length > 0; d++) {
    const deeper: typeof level = []
    for (const { name, fields } of level) {
      for (const key in fields) {
        if (++count > flattenedKeys) return flat
        const value = fields[key]
        if (isObject(value)) deeper.push({ name: key, fields: value })
        else addLeaf(flat, name, key, value)
      }
    }
    level = deeper
  }
  return flat
}

function addLeaf(flat: Record<string, unknown>, container: string, key: string, value: unknown): void {
  if (container !== '') flat[`${container}_${key}`] ??= value
  if (!otherSide.test(container)) flat[key] ??= value
}

/** An upstream attempt that ended with the client's status was passed through; anything else NGINX made up itself. */
function answererOf(upstream: unknown, status: number | null): Evidence['answeredBy'] {
  if (upstream === undefined) return null
  const last = lastAttempt(upstream)
  return last !== null && last === status ? 'upstream' : 'gateway'
}

/** The keys that show an object to hold the variables that every request of NGINX has; null if it does not. */
export function variableMarks(entry: JsonObject): readonly string[] | null {
  if (entry['status'] === undefined || isObject(entry['status']) || looksLikeApinto(entry)) return null
  const path = 'request_uri' in entry || 'request' in entry || 'uri' in entry || 'request_method' in entry
  if (!path) return null
  for (const marks of telltales) if (marks[1] in entry) return marks
  return null
}

/** Apinto's variables have many of NGINX's names, but `msec` counts milliseconds there, not seconds. */
function looksLikeApinto(entry: JsonObject): boolean {
  if ('proxy_status' in entry && ('application' in entry || 'provider' in entry)) return true
  return (numberOf(entry['msec']) ?? 0) > 1e11
}

const telltales = [
  'body_bytes_sent',
  'bytes_sent',
  'time_iso8601',
  'time_local',
  'msec',
  'request_time',
  'upstream_response_time',
  'upstream_status',
  'http_user_agent',
  'remote_addr',
].map((key) => ['status', key] as const)
