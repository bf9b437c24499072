import type { Evidence } from './decode.ts'
import { notations, type TimeReading } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { type DottedPath, dottedPath, isBlank, type JsonObject, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import { tenantKeys } from './settings.ts'
import { readStatus, unreadableStatus } from './status.ts'

/** Elastic Common Schema. Keys come nested, dotted, or mixed in one document. */
export const ecs: Format = {
  name: 'ecs',

  tenant: [
    // The schema's place for fields of the operator's own.
    ...tenantKeys.map((key) => `labels.${key}`),
    ...['organization.id', 'organization.name', 'user.id', 'user.name', 'client.user.id', 'client.user.name'],
  ],
  api: ['http.route', 'url.template', 'labels.route', 'labels.api', 'url.path', 'url.original', 'url.full'],
  service: ['service.name', 'service.id'],

  plain: () => plain,

  marksOf(entry) {
    if (valueAt(entry, places.status) !== undefined) return statusMarks
    return '@timestamp' in entry && ('ecs' in entry || 'ecs.version' in entry) ? schemaMarks : null
  },

  read(entry, index, settings) {
    const at = (path: DottedPath) => single(valueAt(entry, path))
    const value = at(places.status)
    if (isBlank(value)) return skipped(index, 'event')
    const status = readStatus(value)
    if (typeof status === 'string') return unreadableStatus(index, status, places.status.text)
    const timeMs = timeIn(at)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', '@timestamp is neither ISO 8601 with a zone nor epoch milliseconds')
    }
    return recordAt(index, {
      format: 'ecs',
      timeMs,
      status,
      names: namesOf(at, settings),
      upstreamStatus: () => null,
      upstreamRefused: () => false,
      details: () => ({
        method: firstLabel(at(places.method)),
        consumer: firstLabel(at(places.userName), at(places.userId)),
        plan: null,
        latencyMs: latencyOf(at(places.duration), 'ns') ?? latencyOf(at(places.transaction), 'us'),
        requestId: firstLabel(at(places.requestId), at(places.traceId)),
      }),
      evidence: () => evidenceOf(entry),
    })
  },
}

const statusMarks = ['http.response.status_code']
const schemaMarks = ['@timestamp', 'ecs']

const places = {
  status: dottedPath('http.response.status_code'),
  method: dottedPath('http.request.method'),
  userName: dottedPath('user.name'),
  userId: dottedPath('user.id'),
  duration: dottedPath('event.duration'),
  transaction: dottedPath('transaction.duration.us'),
  requestId: dottedPath('http.request.id'),
  traceId: dottedPath('trace.id'),
  errorCode: dottedPath('error.code'),
  errorType: dottedPath('error.type'),
  errorMessage: dottedPath('error.message'),
  reason: dottedPath('event.reason'),
  body: dottedPath('http.response.body.content'),
  headers: dottedPath('http.response.headers'),
  requestHeaders: dottedPath('http.request.headers'),
  labels: dottedPath('labels'),
} as const

// Elasticsearch takes a date as ISO 8601 or as epoch milliseconds.
const timeFields = ['@timestamp', 'event.start', 'event.created'].map((key) => ({ key, as: notations.msOrIso }))
const times = timeFields.map(({ key, as }) => ({ path: dottedPath(key), as }))
const plain = { status: [places.status.text], upstream: [], times: plainTimes(timeFields) }

/** The schema allows a list wherever it allows a value. */
function single(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value
}

function timeIn(at: (path: DottedPath) => unknown): TimeReading {
  let reading: TimeReading = null
  for (const { path, as } of times) {
    const found = as.read(at(path))
    if (typeof found === 'number') return found
    reading ??= found
  }
  return reading
}

function evidenceOf(entry: JsonObject): Evidence {
  const gathered = new EvidenceGatherer(null)
  gathered.code(single(valueAt(entry, places.errorCode)), 'error.code', 4)
  gathered.code(single(valueAt(entry, places.errorType)), 'error.type', 7)
  gathered.text(single(valueAt(entry, places.errorMessage)), 'error.message')
  gathered.text(single(valueAt(entry, places.reason)), 'event.reason')
  gathered.body(valueAt(entry, places.body), 'http.response.body.content')
  gathered.headers(valueAt(entry, places.headers)).looseHeaders(labelsOf(entry))
  addPaymentSent(gathered, valueAt(entry, places.requestHeaders))
  return gathered.done()
}

const labelLimit = 200

/** Labels under their own names, nested or as `labels.name`. */
function labelsOf(entry: JsonObject): JsonObject {
  const labels: Record<string, unknown> = Object.create(null)
  const nested = valueAt(entry, places.labels)
  if (typeof nested === 'object' && nested !== null) Object.assign(labels, nested)
  let looked = 0
  for (const key in entry) {
    if (++looked > labelLimit) break
    if (key.startsWith('labels.')) labels[key.slice('labels.'.length)] = entry[key]
  }
  return labels
}
