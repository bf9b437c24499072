import type { Evidence } from './decode.ts'
import { epochSeconds, isoTime, type TimeReading, timeFrom } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, once, recordAt, unreadable } from './format.ts'
import { isBlank, type JsonObject, numberOf, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { readStatus, unreadableStatus } from './status.ts'

/** Envoy's JSON access log as Istio and Envoy Gateway set it up, typed or with everything as text. */
export const envoy: Format = {
  name: 'envoy',

  // Envoy knows no tenants: they are there only if the operator logs them.
  tenant: [],
  api: ['route_name', 'x-envoy-origin-path', 'x-envoy-original-path', 'path', ':path', 'original_path'],
  service: ['upstream_cluster'],
  // `default` is Istio's name for every route that nobody named.
  accepts: (name, place) => place !== 'route_name' || name !== 'default',

  marksOf(entry) {
    // Tyk's access log has response flags too, under other names.
    if (!('response_code' in entry) || 'api_id' in entry) return null
    if ('response_flags' in entry) return flagMarks
    if ('response_code_details' in entry) return detailMarks
    return 'upstream_cluster' in entry ? clusterMarks : null
  },

  read(entry, index, settings) {
    const status = readStatus(entry['response_code'])
    if (typeof status === 'string') return unreadableStatus(index, status, 'response_code')
    const timeMs = timeFrom(entry, timeFields)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', 'start_time is neither ISO 8601 with a zone nor epoch seconds')
    }
    const answeredBy = answererOf(entry)
    return recordAt(index, {
      format: 'envoy',
      timeMs,
      status,
      upstreamStatus: answeredBy === 'upstream' ? status : null,
      ...namesOf((place) => valueAt(entry, place), settings),
      method: firstLabel(entry['method'], entry[':method']),
      consumer: null,
      plan: null,
      latencyMs: latencyOf(entry['duration'], 'ms'),
      requestId: firstLabel(entry['request_id'], entry['x-request-id']),
      evidence: once(() => evidenceOf(entry, answeredBy)),
    })
  },
}

/** `%START_TIME%` is ISO by default; with a format of its own it is epoch seconds with a fraction. */
function startTime(value: unknown): TimeReading {
  return numberOf(value) === null ? isoTime(value) : epochSeconds(value)
}

const timeFields = ['start_time', 'timestamp', '@timestamp', 'time'].map((key) => ({ key, read: startTime }))

const flagMarks = ['response_code', 'response_flags']
const detailMarks = ['response_code', 'response_code_details']
const clusterMarks = ['response_code', 'upstream_cluster']

function answererOf(entry: JsonObject): Evidence['answeredBy'] {
  const details = entry['response_code_details']
  if (typeof details === 'string' && !isBlank(details)) return details === 'via_upstream' ? 'upstream' : 'gateway'
  const flags = flagsOf(entry)
  if (flags.some((flag) => !silentFlags.has(flag))) return 'gateway'
  if (!isBlank(entry['upstream_service_time'])) return 'upstream'
  if (!isBlank(entry['x-envoy-upstream-service-time'])) return 'upstream'
  const host = entry['upstream_host']
  if (host === undefined) return null
  return isBlank(host) ? 'gateway' : 'upstream'
}

// They do not say who answered: the client left, the answer was delayed, a response was cut or came from a cache.
const silentFlags = new Set(['DC', 'DI', 'DT', 'RFCF', 'LR', 'DPE'])

function flagsOf(entry: JsonObject): readonly string[] {
  const flags = entry['response_flags']
  return typeof flags !== 'string' || isBlank(flags) ? [] : flags.slice(0, 200).split(',')
}

function evidenceOf(entry: JsonObject, answeredBy: Evidence['answeredBy']): Evidence {
  const gathered = new EvidenceGatherer(answeredBy)
  // Details are finer than the flag: a missing token also shows the flag of external authorization.
  gathered.verdict(entry['response_code_details'], 'response_code_details')
  for (const flag of flagsOf(entry)) gathered.verdict(flag, 'response_flags')
  // `local_reply_body` is Envoy's own answer, `response_body` an operator's key.
  gathered.body(entry['response_body'], 'response_body').body(entry['local_reply_body'], 'local_reply_body')
  return gathered.looseHeaders(entry).done()
}
