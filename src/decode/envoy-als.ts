import type { Decoded, Evidence } from './decode.ts'
import { skipReasonOf } from './envoy-log-type.ts'
import { epochMs, isoTime, type TimeReading } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { recordAt, skipped, unreadable } from './format.ts'
import { isBlank, isObject, type JsonObject, numberOf, objectOf, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { type Lookup, namesOf } from './names.ts'
import type { Settings } from './settings.ts'
import { readStatus, unreadableStatus } from './status.ts'

/**
 * Envoy's access log service (gRPC), relayed as protojson: one entry per request, or a message of many. 64-bit integers
 * and durations are text there; names come in camelCase, or in snake_case as the proto has them.
 */
export const alsMarks = ['commonProperties']

export function isAls(entry: JsonObject): boolean {
  return 'commonProperties' in entry || 'common_properties' in entry
}

/** The entries of one message of the service; null when the object is no such message. */
export function alsEntries(entry: JsonObject): readonly JsonObject[] | null {
  // Asked for every record of every layout.
  if (!('httpLogs' in entry || 'http_logs' in entry || 'tcpLogs' in entry || 'tcp_logs' in entry)) return null
  for (const key of ['httpLogs', 'http_logs', 'tcpLogs', 'tcp_logs']) {
    const logs = entry[key]
    if (!isObject(logs)) continue
    const list = logs['logEntry'] ?? logs['log_entry']
    // An entry that is no object keeps its place among the others.
    if (Array.isArray(list)) return list.map((item: unknown) => objectOf(item) ?? {})
  }
  return null
}

export function readAls(raw: JsonObject, index: number, settings: Settings): Decoded {
  const entry = 'common_properties' in raw ? inCamelCase(raw) : raw
  const common = objectOf(entry['commonProperties']) ?? {}
  if ('connectionProperties' in entry) return skipped(index, 'no-http')
  const reason = skipReasonOf(common['accessLogType'])
  if (reason !== null) return skipped(index, reason)
  if (common['intermediateLogEntry'] === true) return skipped(index, 'duplicate')

  const response = objectOf(entry['response'])
  const code = response?.['responseCode']
  // No code is how protojson says that no response was sent.
  const status = isBlank(code) ? null : readStatus(wrapped(code))
  if (typeof status === 'string') return unreadableStatus(index, status, 'response.responseCode')
  const timeMs = protoTime(common['startTime'])
  if (timeMs === 'bad-time') return unreadable(index, 'bad-time', 'commonProperties.startTime is no ISO 8601 time')
  const request = objectOf(entry['request'])
  const upstreamStatus = () => (answererOf(common, response) === 'upstream' ? status : null)
  return recordAt(index, {
    format: 'envoy',
    timeMs,
    status,
    names: namesOf(lookIn(entry, common, request), settings),
    upstreamStatus,
    upstreamRefused: () => status === 402 && upstreamStatus() === 402,
    details: () => ({
      method: methodOf(request?.['requestMethod']),
      consumer: null,
      plan: null,
      latencyMs: protoDuration(common['duration']) ?? protoDuration(common['timeToLastDownstreamTxByte']),
      requestId: firstLabel(request?.['requestId'], common['streamId']),
    }),
    evidence: () => evidenceOf(common, request, response, answererOf(common, response)),
  })
}

/** Wrapped integers are plain in protojson, and objects where a program writes the message as its own JSON. */
function wrapped(value: unknown): unknown {
  return isObject(value) ? value['value'] : value
}

function inCamelCase(raw: JsonObject): JsonObject {
  const entry = renamed(raw)
  const common = renamed(objectOf(entry['commonProperties']) ?? {})
  if (isObject(common['responseFlags'])) common['responseFlags'] = renamed(common['responseFlags'])
  if (isObject(common['metadata'])) common['metadata'] = renamed(common['metadata'])
  entry['commonProperties'] = common
  for (const key of ['request', 'response']) {
    const part = entry[key]
    if (isObject(part)) entry[key] = renamed(part)
  }
  return entry
}

function renamed(fields: JsonObject): Record<string, unknown> {
  const into: Record<string, unknown> = {}
  for (const key in fields) {
    const name = key.length > 80 ? key : key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if (name !== '__proto__') into[name] = fields[key]
  }
  return into
}

const namespaceLimit = 20

/** What the operator logs beside the fixed fields: custom tags, request headers, dynamic metadata such as JWT claims. */
function lookIn(entry: JsonObject, common: JsonObject, request: JsonObject | null): Lookup {
  const metadata = objectOf(objectOf(common['metadata'])?.['filterMetadata']) ?? {}
  const spaces = [
    common['customTags'],
    request?.['requestHeaders'],
    ...Object.values(metadata).slice(0, namespaceLimit),
  ]
  return (place) => {
    const own = valueAt(entry, place)
    if (own !== undefined) return own
    for (const space of spaces) {
      const found = valueAt(space, place)
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** A protobuf Timestamp: ISO text in protojson, else its two fields. */
function protoTime(value: unknown): TimeReading {
  if (!isObject(value)) return isoTime(value)
  const seconds = numberOf(value['seconds'])
  const nanos = numberOf(value['nanos']) ?? 0
  if (seconds === null || nanos < 0 || nanos >= 1e9) return 'bad-time'
  return epochMs(seconds * 1000 + nanos / 1e6)
}

/** A protobuf Duration, `"0.016s"` in protojson, in milliseconds. */
function protoDuration(value: unknown): number | null {
  if (isObject(value)) {
    const seconds = numberOf(value['seconds']) ?? 0
    return latencyOf(seconds + (numberOf(value['nanos']) ?? 0) / 1e9, 's')
  }
  return typeof value === 'string' && value.endsWith('s') ? latencyOf(value.slice(0, -1), 's') : null
}

// The enum's numbers, for relays that write enums as numbers.
const methods = ['', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']

function methodOf(value: unknown): string | null {
  const method = typeof value === 'number' ? methods[value] : value
  return method === 'METHOD_UNSPECIFIED' ? null : firstLabel(method)
}

// They do not say who answered, as their short forms in the JSON log.
const silentFlags = new Set([
  ...['downstreamConnectionTermination', 'delayInjected', 'durationTimeout', 'responseFromCacheFilter', 'localReset'],
  ...['downstreamProtocolError', 'downstreamRemoteReset'],
])

/** Only flags that are set: true, or an object with details. */
function flagsOf(common: JsonObject): readonly string[] {
  const flags = objectOf(common['responseFlags']) ?? {}
  return Object.keys(flags)
    .filter((key) => flags[key] === true || isObject(flags[key]))
    .slice(0, 40)
}

function answererOf(common: JsonObject, response: JsonObject | null): Evidence['answeredBy'] {
  const details = response?.['responseCodeDetails']
  if (typeof details === 'string' && !isBlank(details)) return details === 'via_upstream' ? 'upstream' : 'gateway'
  if (flagsOf(common).some((flag) => !silentFlags.has(flag))) return 'gateway'
  return isObject(common['upstreamRemoteAddress']) ? 'upstream' : null
}

function evidenceOf(
  common: JsonObject,
  request: JsonObject | null,
  response: JsonObject | null,
  answeredBy: Evidence['answeredBy'],
): Evidence {
  const gathered = new EvidenceGatherer(answeredBy)
  // Details are finer than the flags.
  gathered.verdict(response?.['responseCodeDetails'], 'response.responseCodeDetails')
  for (const flag of flagsOf(common)) gathered.verdict(flag, 'commonProperties.responseFlags')
  gathered.headers(response?.['responseHeaders']).headers(response?.['responseTrailers'])
  gathered.looseHeaders(objectOf(common['customTags']) ?? {})
  addPaymentSent(gathered, request?.['requestHeaders'])
  return gathered.done()
}
