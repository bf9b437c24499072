import type { Decoded, Evidence } from './decode.ts'
import { notations } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, unreadable } from './format.ts'
import { dottedPath, isBlank, isObject, type JsonObject, objectOf, valueAt } from './json.ts'
import { keysOf } from './key-list.ts'
import { firstLabel, labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import type { Details } from './record.ts'
import type { Settings } from './settings.ts'
import { lastAttempt, readStatus, unreadableStatus, upstreamRefusedIn } from './status.ts'
import { plainVariables, readVariables, variablePaths, variableTenants } from './variables.ts'

/** Apache APISIX: kafka-logger's default layout and a custom `log_format`, which replaces all of it. */
export const apisix: Format = {
  name: 'apisix',

  tenant: ['consumer.username', ...variableTenants],
  api: ['route_id', 'service_id', 'request.uri', 'request.url', ...variablePaths],
  service: ['service_id'],
  // Without a route there is no service either: `service_id` holds the host name then.
  accepts: (_, place, look) => place !== 'service_id' || look(routeId) !== undefined,

  plain: () => plain,

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
  const timeMs = started.as.read(entry[started.key])
  if (timeMs === 'bad-time') return unreadable(index, 'bad-time', 'start_time is no epoch in milliseconds')

  return recordAt(index, {
    format: 'apisix',
    timeMs,
    status,
    names: namesOf((place) => valueAt(entry, place), settings, keysOf(entry)),
    upstreamStatus: () => lastAttempt(entry['upstream_status']),
    upstreamRefused: () => upstreamRefusedIn(entry['upstream_status']),
    details: () => detailsOf(entry, response),
    evidence: () => evidenceOf(entry, response),
  })
}

function detailsOf(entry: JsonObject, response: JsonObject): Details {
  return {
    method: labelOf(objectOf(entry['request'])?.['method']),
    consumer: labelOf(objectOf(entry['consumer'])?.['username']),
    plan: null,
    latencyMs: latencyOf(entry['latency'], 'ms'),
    requestId: firstLabel(entry['request_id'], objectOf(response['headers'])?.['x-request-id']),
  }
}

const started = { key: 'start_time', as: notations.ms }
const plain = {
  status: ['response.status', ...plainVariables.status],
  upstream: plainVariables.upstream,
  times: [...plainTimes([started]), ...plainVariables.times],
}

const routeId = dottedPath('route_id')
const latencyMarks = ['apisix_latency']
const defaultMarks = ['start_time', 'route_id or service_id', 'response']
const customMarks = ['route_id', 'service_id']

function evidenceOf(entry: JsonObject, response: JsonObject): Evidence {
  const gathered = new EvidenceGatherer(isBlank(entry['upstream']) ? 'gateway' : 'upstream')
    .headers(response['headers'])
    .body(response['body'], 'response.body')
  addPaymentSent(gathered, objectOf(entry['request'])?.['headers'])
  return gathered.done()
}
