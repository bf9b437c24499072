import type { SkipReason } from './decode.ts'
import { isObject, type JsonObject } from './json.ts'

/** What a wrapping holds: the values inside, or nothing that is about a request. */
export type Inside =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }

/**
 * Opens what a shipper or a connector put around the gateway's own line: Filebeat, Elastic Agent, Fluent Bit, Docker,
 * Vector, Kafka Connect, CloudWatch. Null for anything else. The shipper's own time is when it read the line, so only
 * what is inside counts.
 */
export function insideOf(entry: JsonObject): Inside | null {
  const message = entry['message']
  if (typeof message === 'string') {
    return isShipped(entry) || (startsLikeJson(message) && !hasStatus(entry)) ? one(message) : null
  }
  const log = entry['log']
  if (typeof log === 'string') {
    return isShipped(entry) || (startsLikeJson(log) && !hasStatus(entry)) ? one(log) : null
  }
  if (isObject(entry['payload']) && 'schema' in entry) return one(entry['payload'])
  return 'messageType' in entry ? cloudWatch(entry) : null
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

function hasStatus(entry: JsonObject): boolean {
  return 'status' in entry || 'response' in entry || 'response_code' in entry || 'http' in entry
}

/** The marks of Filebeat and Elastic Agent, Vector, Docker and Fluent Bit. */
function isShipped(entry: JsonObject): boolean {
  if (hasStatus(entry)) return false
  return (
    '@metadata' in entry ||
    'source_type' in entry ||
    'kubernetes' in entry ||
    (isObject(entry['log']) && isObject(entry['log']['file'])) ||
    entry['stream'] === 'stdout' ||
    entry['stream'] === 'stderr'
  )
}
