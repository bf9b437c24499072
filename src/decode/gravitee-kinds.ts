import type { SkipReason } from './decode.ts'
import { isObject, type JsonObject } from './json.ts'

/** One kind of message that Gravitee's reporters write, often all of them into one topic. */
interface GraviteeKind {
  /** The keys it is told by; the same list for every message of the kind. */
  readonly marks: readonly string[]
  /** Why it is no access record; null for the metrics of a request. */
  readonly skip: SkipReason | null
}

/** What a message is, by its `type`, which the Elasticsearch form has, else by its keys; null for anybody else's. */
export function graviteeKind(entry: JsonObject): GraviteeKind | null {
  return kindByType(entry) ?? kindByKeys(entry)
}

const types: ReadonlyMap<unknown, GraviteeKind> = new Map(
  Object.entries<SkipReason | null>({
    request: null,
    'v4-metrics': null,
    // Bodies and headers of a request that has its metrics already.
    log: 'duplicate',
    'v4-log': 'duplicate',
    'v4-message-metrics': 'metrics',
    'v4-message-log': 'event',
    'event-metrics': 'metrics',
    health: 'health',
    monitor: 'metrics',
  }).map(([type, skip]) => [type, { marks: [`type ${type}`], skip }]),
)

function kindByType(entry: JsonObject): GraviteeKind | null {
  const kind = types.get(entry['type'])
  // Words such as `log` and `request` are anybody's.
  const isTheirs =
    '@timestamp' in entry && ('gateway' in entry || 'gw-id' in entry || ('_id' in entry && 'date' in entry))
  return kind !== undefined && isTheirs ? kind : null
}

function kindByKeys(entry: JsonObject): GraviteeKind | null {
  // There can be thousands of messages in one request, and each has metrics of its own.
  if ('operation' in entry && ('connectorType' in entry || 'connector-type' in entry)) {
    return isObject(entry['message']) ? messageLog : messageMetrics
  }
  return first(entry, requests) ?? (isOfRequest(entry) ? first(entry, bodies) : null) ?? otherKind(entry)
}

function first(entry: JsonObject, kinds: readonly GraviteeKind[]): GraviteeKind | null {
  return kinds.find(({ marks }) => marks.every((key) => key in entry)) ?? null
}

function isOfRequest(entry: JsonObject): boolean {
  return 'requestId' in entry || 'request-id' in entry || '_id' in entry
}

const messageLog: GraviteeKind = { marks: ['operation', 'message'], skip: 'event' }
const messageMetrics: GraviteeKind = { marks: ['operation', 'connectorType'], skip: 'metrics' }

const requests: readonly GraviteeKind[] = [
  ...[['proxyLatencyMs'], ['gatewayLatencyMs'], ['proxyResponseTimeMs'], ['gatewayResponseTimeMs']],
  // The Elasticsearch form leaves out latencies that are not known.
  ...[['gateway-response-time-ms'], ['gateway-latency-ms'], ['transaction-id', 'request-ended']],
  ['transaction', 'response-time'],
].map((marks) => ({ marks, skip: null }))

const bodies: readonly GraviteeKind[] = [
  ...['clientRequest', 'clientResponse', 'proxyRequest', 'proxyResponse'],
  ...['entrypointRequest', 'entrypointResponse', 'endpointRequest', 'endpointResponse'],
  ...['client-request', 'client-response', 'proxy-request', 'proxy-response'],
  ...['entrypoint-request', 'entrypoint-response', 'endpoint-request', 'endpoint-response'],
].map((key) => ({ marks: [key], skip: 'duplicate' }))

function otherKind(entry: JsonObject): GraviteeKind | null {
  return isBulkAction(entry) ? bulkAction : first(entry, others)
}

/** A line of a bulk file that says only where the next one goes. */
function isBulkAction(entry: JsonObject): boolean {
  const action = entry['index'] ?? entry['create']
  return isObject(action) && Object.keys(entry).length === 1 && ('_index' in action || '_id' in action)
}

const bulkAction: GraviteeKind = { marks: ['index'], skip: 'control' }

const others: readonly GraviteeKind[] = [
  { marks: ['api', 'available', 'steps'], skip: 'health' },
  { marks: ['jvm', 'os', 'process'], skip: 'metrics' },
  // What a policy engine or a guard decided on its way.
  { marks: ['gatewayId', 'apiId', 'outcome'], skip: 'event' },
  // Counts of connections and messages of native Kafka APIs.
  { marks: ['gatewayId', 'apiId', 'organizationId'], skip: 'metrics' },
  { marks: ['@timestamp', 'gw-id', 'api-id'], skip: 'metrics' },
  { marks: ['@timestamp', 'gateway', 'api-id'], skip: 'metrics' },
]
