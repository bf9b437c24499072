import type { Decoded, Evidence } from './decode.ts'
import { alsEntries, alsMarks, isAls, readAls } from './envoy-als.ts'
import { skipReasonOf } from './envoy-log-type.ts'
import { envoyLine } from './envoy-text.ts'
import { notations, timeFrom } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { isBlank, type JsonObject, numberOf, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import type { Settings } from './settings.ts'
import { readStatus, unreadableStatus } from './status.ts'

/**
 * Envoy: the JSON log as Istio, Envoy Gateway and Envoy AI Gateway set it up, typed or with everything as text; the
 * default text lines of Envoy and Istio; the entries of the access log service.
 *
 * In a mesh one call gives a line in the caller's proxy and one in the callee's. They cannot be told from two calls for
 * certain, so only one side's log should be read: best the ingress gateway's.
 */
export const envoy: Format = {
  name: 'envoy',

  // Envoy knows no tenants: they are there only if the operator logs them.
  tenant: [],
  api: [
    ...['route_name', 'commonProperties.routeName'],
    ...['x-envoy-origin-path', 'x-envoy-original-path', 'path', ':path', 'original_path'],
    ...['request.originalPath', 'request.path'],
  ],
  service: ['gen_ai.provider.name', 'upstream_cluster', 'commonProperties.upstreamCluster'],
  // `default` is Istio's name for every route that nobody named.
  accepts: (name, place) => name !== 'default' || (place !== 'route_name' && place !== 'commonProperties.routeName'),

  plain: () => plain,

  marksOf(entry) {
    if (isAls(entry)) return alsMarks
    // Tyk's access log has response flags too, under other names.
    if (!('response_code' in entry) || 'api_id' in entry) return null
    if ('response_flags' in entry) return flagMarks
    if ('response_code_details' in entry) return detailMarks
    return 'upstream_cluster' in entry ? clusterMarks : null
  },

  unwrap: alsEntries,

  read: (entry, index, settings) =>
    isAls(entry) ? readAls(entry, index, settings) : readFields(entry, index, settings),

  readText(text, index, settings) {
    const fields = envoyLine(text)
    return fields === null ? null : readFields(fields, index, settings)
  },
}

function readFields(entry: JsonObject, index: number, settings: Settings): Decoded {
  const reason = skipReasonOf(entry['access_log_type'])
  if (reason !== null) return skipped(index, reason)
  if (isTcp(entry)) return skipped(index, 'no-http')
  const status = readStatus(entry['response_code'])
  if (typeof status === 'string') return unreadableStatus(index, status, 'response_code')
  const timeMs = timeFrom(entry, timeFields)
  if (timeMs === 'bad-time') {
    return unreadable(index, 'bad-time', 'start_time is neither ISO 8601 with a zone nor epoch seconds')
  }
  const upstreamStatus = () => (envoyAnswerer(entry) === 'upstream' ? status : null)
  return recordAt(index, {
    format: 'envoy',
    timeMs,
    status,
    names: namesOf((place) => valueAt(entry, place), settings),
    upstreamStatus,
    // Attempts are not told apart, and what the upstream answered is what the client got.
    upstreamRefused: () => status === 402 && upstreamStatus() === 402,
    details: () => ({
      method: firstLabel(entry['method'], entry[':method']),
      consumer: null,
      plan: null,
      latencyMs: latencyOf(entry['duration'], 'ms'),
      requestId: firstLabel(entry['request_id'], entry['x-request-id']),
    }),
    evidence: () => evidenceOf(entry, envoyAnswerer(entry)),
  })
}

/** A TCP session goes through the same format: it has neither a request nor a status. */
function isTcp(entry: JsonObject): boolean {
  if (!isBlank(entry['response_code']) && numberOf(entry['response_code']) !== 0) return false
  return 'method' in entry && isBlank(entry['method']) && 'protocol' in entry && isBlank(entry['protocol'])
}

// `%START_TIME%` is ISO by default; with a format of its own it is epoch seconds with a fraction.
const timeFields = ['start_time', 'timestamp', '@timestamp', 'time'].map((key) => ({ key, as: notations.sOrIso }))

// Of the JSON log; the access log service keeps its fields elsewhere.
const plain = { status: ['response_code'], upstream: [], times: plainTimes(timeFields) }

const flagMarks = ['response_code', 'response_flags']
const detailMarks = ['response_code', 'response_code_details']
const clusterMarks = ['response_code', 'upstream_cluster']

/** Who answered, by Envoy's field names; also for records that hold them beside others. */
export function envoyAnswerer(entry: JsonObject): Evidence['answeredBy'] {
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

/** Adds what Envoy's own fields say about its answer. */
export function addEnvoyVerdicts(gathered: EvidenceGatherer, entry: JsonObject): void {
  // Details are finer than the flag: a missing token also shows the flag of external authorization.
  gathered.verdict(entry['response_code_details'], 'response_code_details')
  for (const flag of flagsOf(entry)) gathered.verdict(flag, 'response_flags')
}

function evidenceOf(entry: JsonObject, answeredBy: Evidence['answeredBy']): Evidence {
  const gathered = new EvidenceGatherer(answeredBy)
  addEnvoyVerdicts(gathered, entry)
  // `local_reply_body` is Envoy's own answer, `response_body` an operator's key.
  gathered.body(entry['response_body'], 'response_body').body(entry['local_reply_body'], 'local_reply_body')
  return gathered.looseHeaders(entry).done()
}
