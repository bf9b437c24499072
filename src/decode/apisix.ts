import type { Decoded, Evidence } from './decode.ts'
import { epochMs } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, once, recordAt, unreadable } from './format.ts'
import { dottedPath, isBlank, isObject, type JsonObject, objectOf, valueAt } from './json.ts'
import { firstLabel, labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'
import { anyAttemptRefused, lastAttempt, readStatus, unreadableStatus } from './status.ts'
import { readVariables, variablePaths, variableTenants } from './variables.ts'

/** Apache APISIX: kafka-logger's default layout and a custom `log_format`, which replaces all of it. */
export const apisix: Format = {
  name: 'apisix',

  tenant: ['consumer.username', ...variableTenants],
  api: ['route_id', 'service_id', 'request.uri', 'request.url', ...variablePaths],
  service: ['service_id'],
  // Without a route there is no service either: `service_id` holds the host name then.
  accepts: (_, place, look) => place !== 'service_id' || look(routeId) !== undefined,

  marksOf(entry) {
    if ('apisix_latency' in entry) return latencyMarks
    if ('start_time' in entry && ('route_id' in entry || 'service_id' in entry) && isObject(entry['response'])) {
      return defaultMarks
    }
    // A custom format keeps nothing but these two, which are added to it.
    return 'route_id' in entry && 'service_id' in entry && !('api_id' in entry) ? customMarks : null
  },

  read(entry, index, settings) {
    const isDefault = 'start_time' in entry && !('status' in entry)
    if (isDefault) return readDefault(entry, index, settings)
    // Up to five levels of nesting are allowed in a log format.
    return readVariables('apisix', entry, index, { settings, depth: 5 })
  },
}

function readDefault(entry: JsonObject, index: number, settings: Settings): Decoded {
  const response = entry['response']
  if (response === undefined || response === null) return unreadableStatus(index, 'no-status', 'response.status')
  if (!isObject(response)) return unreadable(index, 'wrong-type', 'response is no object')
  const status = readStatus(response['status'])
  if (typeof status === 'string') return unreadableStatus(index, status, 'response.status')
  const timeMs = epochMs(entry['start_time'])
  if (timeMs === 'bad-time') return unreadable(index, 'bad-time', 'start_time is no epoch in milliseconds')

  const request = objectOf(entry['request'])
  const consumer = labelOf(objectOf(entry['consumer'])?.['username'])
  const upstream = entry['upstream_status']
  return recordAt(index, {
    format: 'apisix',
    timeMs,
    status,
    upstreamStatus: lastAttempt(upstream),
    upstreamRefused: anyAttemptRefused(upstream),
    ...namesOf((place) => valueAt(entry, place), settings),
    method: labelOf(request?.['method']),
    consumer,
    plan: null,
    latencyMs: latencyOf(entry['latency'], 'ms'),
    requestId: firstLabel(entry['request_id'], objectOf(response['headers'])?.['x-request-id']),
    evidence: once(() => evidenceOf(entry, response, request)),
  })
}

const routeId = dottedPath('route_id')
const latencyMarks = ['apisix_latency']
const defaultMarks = ['start_time', 'route_id or service_id', 'response']
const customMarks = ['route_id', 'service_id']

function evidenceOf(entry: JsonObject, response: JsonObject, request: JsonObject | null): Evidence {
  const gathered = new EvidenceGatherer(isBlank(entry['upstream']) ? 'gateway' : 'upstream')
    .headers(response['headers'])
    .body(response['body'], 'response.body')
  addPaymentSent(gathered, request?.['headers'])
  return gathered.done()
}
