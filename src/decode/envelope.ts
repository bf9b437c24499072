import type { SkipReason } from './decode.ts'
import { dottedPath, isObject, type JsonObject, valueAt } from './json.ts'

/** What a wrapping holds: the values inside, or nothing that is about a request. */
export type Inside =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }

/**
 * Opens what a shipper or a connector put around the gateway's own line: Filebeat, Elastic Agent, Logstash, Fluent Bit,
 * Fluentd, Docker, journald, GELF, Vector, Kafka Connect, CloudWatch. Null for anything else. The shipper's own time is
 * when it read the line, so only what is inside counts; if that cannot be read, the entry cannot be read.
 */
export function insideOf(entry: JsonObject): Inside | null {
  // Nearly every record leaves here.
  if (!mayWrap(entry)) return null
  // A status beside a text or an object says that the fields were made from it already, or that the record carries it as
  // a mere message. So a record with a message of its own is not asked for it.
  if (!hasStatus(entry)) {
    for (const key of lineKeys) {
      const line = entry[key]
      if (typeof line === 'string' && isLine(entry, key, line)) return one(line)
    }
    for (const key of parsedKeys) {
      const fields = entry[key]
      if (isObject(fields) && isShipped(entry)) return one(fields)
    }
  }
  if ('schema' in entry && 'payload' in entry) return one(entry['payload'])
  return 'messageType' in entry ? cloudWatch(entry) : null
}

function mayWrap(entry: JsonObject): boolean {
  return (
    'message' in entry ||
    'log' in entry ||
    'MESSAGE' in entry ||
    'short_message' in entry ||
    'json' in entry ||
    'log_processed' in entry ||
    'payload' in entry ||
    'messageType' in entry
  )
}

/** Where shippers keep the line that they read: most of them, containers' logs, journald, GELF. */
const lineKeys = ['message', 'log', 'MESSAGE', 'short_message']

/** Where they keep it once they have parsed it: Filebeat's and Fluent Bit's documented names, Vector's own. */
const parsedKeys = ['json', 'log_processed', 'message']

/** Whether a text beside other fields is the line of a log. */
function isLine(entry: JsonObject, key: string, line: string): boolean {
  const always = key === 'log' || key === 'short_message'
  return always || startsLikeJson(line) || isShipped(entry) || isBare(entry)
}

function one(value: unknown): Inside {
  return { kind: 'values', values: [value] }
}

/** A CloudWatch Logs subscription: each event's message is one line of the log; control messages only test the way. */
function cloudWatch(entry: JsonObject): Inside | null {
  if (entry['messageType'] === 'CONTROL_MESSAGE') return { kind: 'skipped', reason: 'control' }
  const events = entry['logEvents']
  if (!Array.isArray(events)) return null
  return { kind: 'values', values: events.map((event: unknown) => (isObject(event) ? event['message'] : event)) }
}

function startsLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text)
}

const ecsStatus = dottedPath('http.response.status_code')

/** Whether the object is itself what some gateway wrote, in the names of their status fields. */
function hasStatus(entry: JsonObject): boolean {
  for (const key of statusKeys) if (key in entry) return true
  return valueAt(entry, ecsStatus) !== undefined
}

const statusKeys = [
  ...['status', 'status_code', 'response', 'response_code', 'DownstreamStatus', 'proxyResponseCode', 'proxy_status'],
  ...['error_information', 'commonProperties', 'common_properties', 'resourceLogs', 'httpLogs', 'http.status_code'],
]

/** The marks of Filebeat, Elastic Agent, Logstash, Vector, Kubernetes, Docker, Fluentd and journald. */
function isShipped(entry: JsonObject): boolean {
  for (const key of shipperKeys) if (key in entry) return true
  return (
    // With a level beside it, it is an application that writes its own messages as Logstash would.
    ('@version' in entry && !('level' in entry)) ||
    isObject(entry['agent']) ||
    (isObject(entry['log']) && isObject(entry['log']['file'])) ||
    entry['stream'] === 'stdout' ||
    entry['stream'] === 'stderr'
  )
}

const shipperKeys = [
  ...['@metadata', 'log.file.path', 'source_type', 'kubernetes', 'container_id'],
  ...['_SYSTEMD_UNIT', '__REALTIME_TIMESTAMP', 'SYSLOG_IDENTIFIER'],
]

/** Whether nothing but a line, a time and its whereabouts is left of what a shipper sends. */
function isBare(entry: JsonObject): boolean {
  for (const key in entry) if (!bareKeys.has(key)) return false
  return true
}

const bareKeys = new Set([
  ...['message', 'log', '@timestamp', 'timestamp', 'time', 'date', 'host', 'hostname', 'file', 'path', 'offset'],
  ...['tag', 'tags', 'type', 'fields', 'source', 'topic', 'stream', 'logtag', '_p'],
])

/**
 * The line behind what a container runtime (CRI) writes in front of each: a time, the stream, and `F` for a whole line
 * or `P` for a part of one.
 */
export function withoutPrefix(text: string): string {
  const match = criPrefix.exec(text)
  return match === null ? text : text.slice(match[0].length)
}

const criPrefix = /^\d{4}-\d\d-\d\dT[\d:.]{8,24}(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP] /
