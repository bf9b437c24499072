import type { Evidence } from './decode.ts'
import { notations, timeFrom } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { graviteeKind } from './gravitee-kinds.ts'
import { dottedPath, isBlank, isObject, type JsonObject, numberOf, objectOf, valueAt } from './json.ts'
import { firstLabel, labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import { readStatus, unreadableStatus } from './status.ts'

/** Gravitee's request metrics as its Kafka, file, TCP and Elasticsearch reporters write them, of v2 and v4 APIs. */
export const gravitee: Format = {
  name: 'gravitee',

  // `tenant` is the sharding tag of the gateway. Custom metrics are what the operator's assign-metrics policy adds.
  ownTenantKeys: true,
  tenant: [
    ...['customMetrics.tenant', 'customMetrics.tenant_id', 'customMetrics.tenantId', 'customMetrics.customer_id'],
    ...['custom.tenant', 'custom.tenant_id', 'custom.tenantId', 'custom.customer_id'],
    ...['applicationId', 'application-id', 'application'],
    ...['subscriptionId', 'subscription-id', 'subscription'],
  ],
  api: ['apiId', 'api-id', 'api', 'mappedPath', 'mapped-path', 'uri'],
  service: ['apiName', 'api-name'],

  accepts(name, place, look) {
    if (place.startsWith('custom')) return true
    if (name === unknownName) return false
    // Without credentials the caller's address stands in the place of a subscription.
    return !place.startsWith('subscription') || !applications.some((path) => labelOf(look(path)) === unknownName)
  },

  plain: () => plain,

  marksOf: (entry) => graviteeKind(entry)?.marks ?? null,

  read(entry, index, settings) {
    const skip = graviteeKind(entry)?.skip ?? null
    if (skip !== null) return skipped(index, skip)
    const status = readStatus(entry['status'])
    if (typeof status === 'string') return unreadableStatus(index, status, 'status')
    const timeMs = timeFrom(entry, timeFields)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', 'timestamp is no epoch in milliseconds, or @timestamp no ISO 8601')
    }
    const upstreamStatus = () => (answererOf(entry) === 'upstream' ? status : null)
    return recordAt(index, {
      format: 'gravitee',
      timeMs,
      status,
      names: namesOf((place) => valueAt(entry, place), settings),
      upstreamStatus,
      upstreamRefused: () => status === 402 && upstreamStatus() === 402,
      details: () => ({
        method: methodOf(entry['httpMethod'] ?? entry['http-method'] ?? entry['method']),
        consumer: labelOf(entry['user']),
        plan: planOf(entry),
        latencyMs: latencyIn(entry),
        requestId: firstLabel(entry['requestId'], entry['request-id'], entry['_id'], entry['transaction']),
      }),
      evidence: () => evidenceOf(entry, answererOf(entry)),
    })
  },
}

/** What Gravitee calls an application, a plan or an API that it does not know. */
const unknownName = '1'
const applications = ['applicationId', 'application-id', 'application'].map(dottedPath)

const timeFields = ['timestamp', '@timestamp'].map((key) => ({ key, as: notations.msOrIso }))
const plain = { status: ['status'], upstream: [], times: plainTimes(timeFields) }

/** The Elasticsearch form numbers the methods. */
const methods: readonly string[] = [
  ...['OTHER', 'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'],
]

function methodOf(value: unknown): string | null {
  const code = numberOf(value)
  return code === null ? labelOf(value) : (methods[code] ?? null)
}

function planOf(entry: JsonObject): string | null {
  const plan = firstLabel(entry['planId'], entry['plan-id'], entry['plan'])
  return plan === unknownName ? null : plan
}

const latencyKeys = ['gatewayResponseTimeMs', 'gateway-response-time-ms', 'proxyResponseTimeMs', 'response-time']
const upstreamTimeKeys = [
  ...['endpointResponseTimeMs', 'endpoint-response-time-ms', 'apiResponseTimeMs', 'api-response-time'],
]

function latencyIn(entry: JsonObject): number | null {
  const key = latencyKeys.find((name) => name in entry)
  return key === undefined ? null : latencyOf(entry[key], 'ms')
}

/** The metrics have no status of the endpoint; who answered shows in the error key, the endpoint and its time. */
function answererOf(entry: JsonObject): Evidence['answeredBy'] {
  const failureKey = firstLabel(entry['errorKey'], entry['error-key'], objectOf(entry['failure'])?.['key'])
  if (failureKey !== null) return 'gateway'
  if (!isBlank(entry['endpoint'])) return 'upstream'
  const timeKey = upstreamTimeKeys.find((name) => name in entry)
  if (timeKey === undefined) return null
  return (numberOf(entry[timeKey]) ?? 0) > 0 ? 'upstream' : 'gateway'
}

function evidenceOf(entry: JsonObject, answeredBy: Evidence['answeredBy']): Evidence {
  const failure = objectOf(entry['failure'])
  const gathered = new EvidenceGatherer(answeredBy)
    .verdict(entry['errorKey'], 'errorKey')
    .verdict(entry['error-key'], 'error-key')
    .verdict(failure?.['key'], 'failure.key')
    .text(entry['message'], 'message')
    .text(entry['errorMessage'], 'errorMessage')
    .text(entry['error-message'], 'error-message')
    .text(failure?.['message'], 'failure.message')
  for (const custom of [entry['customMetrics'], entry['custom']]) if (isObject(custom)) gathered.looseHeaders(custom)
  return gathered.done()
}
