import type { AccessRecord, Decoded, Evidence } from './decode.ts'
import { addEnvoyVerdicts, envoy, envoyAnswerer } from './envoy.ts'
import { epochNanos, type TimeReading } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { type DottedPath, dottedPath, isBlank, isObject, type JsonObject, numberOf, valueAt } from './json.ts'
import { goDurationMs } from './krakend-text.ts'
import { firstLabel } from './label.ts'
import { type LatencyUnit, latencyOf, msPer } from './latency.ts'
import { type Lookup, namesOf } from './names.ts'
import { attributesOf, type OtlpEntry, otlpEntries, otlpEntryOf, plainValue } from './otlp-record.ts'
import type { Details } from './record.ts'
import type { Settings } from './settings.ts'
import { anyAttemptRefused, lastAttempt, readStatus, unreadableStatus } from './status.ts'
import { traefik } from './traefik.ts'

/**
 * OpenTelemetry logs as OTLP/JSON. A record is an access record where it has an HTTP status, under the names of the
 * semantic conventions, old or new, or under the own names of Envoy or Traefik, which export their fields as they are.
 */
export const otlp: Format = {
  name: 'otlp',

  // No name for tenants is standard, so all that are in use are tried.
  tenant: [
    ...['http.request.header.x-tenant-id', 'http.request.header.x_tenant_id'],
    ...traefik.tenant,
    ...['organization.id', 'customer.id', 'account.id', 'enduser.id', 'user.id', 'user.name'],
  ],
  api: [
    ...['http.route', 'url.template'],
    ...envoy.api,
    ...traefik.api,
    ...['url.path', 'http.target', 'url.original', 'url.full', 'http.url'],
  ],
  service: [...(envoy.service ?? []), ...(traefik.service ?? []), 'service.name'],
  accepts: (name, place, look) =>
    (envoy.accepts?.(name, place, look) ?? true) && (traefik.accepts?.(name, place, look) ?? true),

  marksOf(entry) {
    if (otlpEntryOf(entry) !== null) return recordMarks
    if ('resourceMetrics' in entry) return metricMarks
    return 'resourceSpans' in entry ? spanMarks : null
  },

  unwrap: otlpEntries,

  read(entry, index, settings) {
    if ('resourceMetrics' in entry) return skipped(index, 'metrics')
    const otlpEntry = otlpEntryOf(entry)
    return otlpEntry === null ? skipped(index, 'event') : readRecord(new Fields(otlpEntry), index, settings)
  },
}

const recordMarks = ['resourceLogs or logRecords']
const metricMarks = ['resourceMetrics']
const spanMarks = ['resourceSpans']

const bodyChars = 256 * 1024

/** A record's values, looked for in its attributes, its body, then in what stands above it. */
class Fields {
  readonly attributes: JsonObject
  /** The body, where it is an object or the JSON text of one. */
  readonly body: JsonObject
  readonly bodyText: string | null
  readonly time: TimeReading
  readonly traceId: unknown
  /** Those that are not empty, nearest first. */
  readonly #sources: readonly JsonObject[]

  constructor({ logRecord, scope, resource }: OtlpEntry) {
    this.attributes = attributesOf(logRecord['attributes'])
    const body = plainValue(logRecord['body'])
    this.bodyText = typeof body === 'string' ? body : null
    this.body = isObject(body) ? body : (parsed(this.bodyText) ?? {})
    this.time = timeOf(logRecord)
    this.traceId = logRecord['traceId'] ?? logRecord['trace_id']
    this.#sources = [this.attributes, this.body, scope, resource].filter((source) => Object.keys(source).length > 0)
  }

  readonly at: Lookup = (place) => {
    for (const source of this.#sources) {
      const value = valueAt(source, place)
      // Headers are lists.
      const single: unknown = Array.isArray(value) ? value[0] : value
      if (!isBlank(single)) return single
    }
    return undefined
  }

  /** The first value of several places, with the place it stands at. */
  first(paths: readonly DottedPath[]): { readonly value: unknown; readonly path: DottedPath } | null {
    for (const path of paths) {
      const value = this.at(path)
      if (value !== undefined) return { value, path }
    }
    return null
  }

  label(paths: readonly DottedPath[]): string | null {
    return firstLabel(...paths.map((path) => this.at(path)))
  }
}

function parsed(text: string | null): JsonObject | null {
  if (text === null || text.length > bodyChars || !text.trimStart().startsWith('{')) return null
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** When it happened, else when a collector saw it; 0 is how the protocol says that it is not known. */
function timeOf(record: JsonObject): TimeReading {
  const own = epochNanos(record['timeUnixNano'] ?? record['time_unix_nano'])
  if (typeof own === 'number') return own
  return epochNanos(record['observedTimeUnixNano'] ?? record['observed_time_unix_nano']) ?? own
}

const statusPaths = ['http.response.status_code', 'http.status_code'].map(dottedPath)
const methodPaths = ['http.request.method', 'http.method'].map(dottedPath)
const consumerPaths = ['enduser.id', 'user.name', 'user.id'].map(dottedPath)
const requestIdPaths = ['http.request.id', 'request_id', 'request.id', 'http.request.header.x-request-id'].map(
  dottedPath,
)
const upstreamPath = dottedPath('upstream_status')

// Each name has the unit that its convention gives it. A bare `duration` has none.
const latencies: readonly { readonly path: DottedPath; readonly unit: LatencyUnit }[] = (
  [
    ['http.server.request.duration', 's'],
    ['http.client.request.duration', 's'],
    ['http.server.duration', 'ms'],
    ['duration_ms', 'ms'],
    ['latency_ms', 'ms'],
    ['response_time_ms', 'ms'],
    ['event.duration', 'ns'],
  ] as const
).map(([path, unit]) => ({ path: dottedPath(path), unit }))

function readRecord(fields: Fields, index: number, settings: Settings): Decoded {
  const found = fields.first(statusPaths)
  if (found === null) return readOwnNames(fields, index, settings) ?? skipped(index, 'event')
  const status = readStatus(found.value)
  if (typeof status === 'string') return unreadableStatus(index, status, found.path.text)
  if (fields.time === 'bad-time') return badTime(index)
  const answeredBy = () => envoyAnswerer(fields.attributes)
  const upstreamStatus = () => (answeredBy() === 'upstream' ? status : lastAttempt(fields.at(upstreamPath)))
  return recordAt(index, {
    format: 'otlp',
    timeMs: fields.time,
    status,
    names: namesOf(fields.at, settings),
    upstreamStatus,
    upstreamRefused: () => anyAttemptRefused(fields.at(upstreamPath)) || upstreamStatus() === 402,
    details: () => ({
      method: fields.label(methodPaths),
      consumer: fields.label(consumerPaths),
      plan: null,
      latencyMs: latencyIn(fields),
      requestId: fields.label(requestIdPaths) ?? firstLabel(fields.traceId),
    }),
    evidence: () => evidenceOf(fields, answeredBy()),
  })
}

function badTime(index: number): Decoded {
  return unreadable(index, 'bad-time', 'neither timeUnixNano nor observedTimeUnixNano is an epoch in nanoseconds')
}

function latencyIn(fields: Fields): number | null {
  for (const { path, unit } of latencies) {
    const ms = latencyOf(fields.at(path), unit)
    if (ms !== null) return ms
  }
  return null
}

/** A record in a gateway's own names, read by that gateway's reader; null where it has no such names. */
function readOwnNames(fields: Fields, index: number, settings: Settings): Decoded | null {
  for (const source of [fields.attributes, fields.body]) {
    if (traefik.marksOf(source, settings) !== null) {
      return asOtlp(traefik.read(asTraefikLogs(source), index, settings), fields, settings)
    }
    if (envoy.marksOf(source, settings) !== null) {
      return asOtlp(envoy.read(source, index, settings), fields, settings)
    }
  }
  return null
}

/**
 * Traefik's attributes as its JSON log has them: ISO times and nanoseconds. The exporter gives times as counts of
 * nanoseconds or as Go prints them (`2026-10-05 08:15:36.042 +0000 UTC`), and durations in some releases as
 * `unhandled attribute type: (time.Duration) 6.2ms`.
 */
function asTraefikLogs(attributes: JsonObject): JsonObject {
  const { StartUTC: start, Duration: duration } = attributes
  const startMs = numberOf(start) === null ? null : epochNanos(start)
  const goText = typeof start === 'string' && start.length < 100 ? start.replace(/ [A-Z]{2,5}(?: m=\S+)?$/, '') : start
  const isGoDuration = typeof duration === 'string' && numberOf(duration) === null
  const ms = isGoDuration ? goDurationMs(duration.slice(duration.lastIndexOf(' ') + 1)) : null
  return {
    ...attributes,
    StartUTC: typeof startMs === 'number' ? new Date(startMs).toISOString() : goText,
    Duration: ms === null ? duration : Math.round(ms / msPer.ns),
  }
}

function asOtlp(decoded: Decoded, fields: Fields, settings: Settings): Decoded {
  if (decoded.kind !== 'record') return decoded
  const { record, index } = decoded
  const timeMs = record.timeMs ?? fields.time
  if (timeMs === 'bad-time') return badTime(index)
  return recordAt(index, {
    format: 'otlp',
    timeMs,
    status: record.status,
    // Once more, since the resource may name what the attributes do not.
    names: namesOf(fields.at, settings),
    upstreamStatus: () => record.upstreamStatus,
    upstreamRefused: () => record.upstreamRefused ?? record.upstreamStatus === 402,
    details: () => detailsOf(record, fields),
    evidence: () => record.evidence(),
  })
}

function detailsOf({ method, consumer, plan, latencyMs, requestId }: AccessRecord, fields: Fields): Details {
  return { method, consumer, plan, latencyMs, requestId: requestId ?? firstLabel(fields.traceId) }
}

const errorType = dottedPath('error.type')
const exceptionType = dottedPath('exception.type')
const exceptionMessage = dottedPath('exception.message')
const errorMessage = dottedPath('error.message')
const bodyPaths = ['http.response.body.content', 'http.response.body', 'response.body', 'response_body'].map(dottedPath)
const nestedHeaders = dottedPath('http.response.header')
const nestedRequestHeaders = dottedPath('http.request.header')
const keyLimit = 500

function evidenceOf(fields: Fields, answeredBy: Evidence['answeredBy']): Evidence {
  const { attributes, body } = fields
  const gathered = new EvidenceGatherer(answeredBy)
  gathered.code(fields.at(errorType), 'error.type', 7).code(fields.at(exceptionType), 'exception.type', 7)
  gathered.text(fields.at(errorMessage), 'error.message').text(fields.at(exceptionMessage), 'exception.message')
  addEnvoyVerdicts(gathered, attributes)
  for (const path of bodyPaths) gathered.body(valueAt(attributes, path) ?? valueAt(body, path), path.text)
  gathered.headers(headersIn(attributes, 'http.response.header.')).looseHeaders(attributes)
  gathered.headers(valueAt(attributes, nestedHeaders))
  // A record's body that is an object may hold an error; one that is a line of text may be the request's.
  if (isObject(body['error'])) gathered.body({ error: body['error'] }, 'body')
  else gathered.text(body['error'], 'body.error')
  gathered.text(body['message'], 'body.message')
  if (fields.bodyText !== null && isMessage(fields.bodyText)) gathered.text(fields.bodyText, 'body')
  addPaymentSent(gathered, headersIn(attributes, 'http.request.header.'))
  addPaymentSent(gathered, valueAt(attributes, nestedRequestHeaders))
  return gathered.done()
}

/** The headers that stand one by one under a prefix; the old conventions wrote `_` for `-`. */
function headersIn(attributes: JsonObject, prefix: string): JsonObject {
  const headers: Record<string, unknown> = Object.create(null)
  let looked = 0
  for (const key in attributes) {
    if (++looked > keyLimit) break
    if (key.startsWith(prefix)) headers[key.slice(prefix.length).replaceAll('_', '-')] = attributes[key]
  }
  return headers
}

/** Whether a text is a message, and no access line: that holds a path and a query, in which any words can stand. */
function isMessage(text: string): boolean {
  return text.length <= 2_000 && !/(?:^|[\s"])\/|:\/\/|^\s*[[{]/.test(text)
}
