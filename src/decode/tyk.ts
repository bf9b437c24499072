import type { Decoded, Evidence } from './decode.ts'
import { notations } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { dottedPath, isBlank, type JsonObject, numberOf, objectOf, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { type Lookup, namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import type { Details } from './record.ts'
import { type Settings, tenantKeys } from './settings.ts'
import { lastAttempt, readStatus, unreadableStatus } from './status.ts'
import { namedValues } from './text-line.ts'

/**
 * Tyk: the records that its pump writes to Kafka and elsewhere, and the gateway's own access log, in JSON or as text.
 * `org_id` is the organisation that runs Tyk, one for most, so it is the last to serve as a tenant.
 */
export const tyk: Format = {
  name: 'tyk',

  ownTenantKeys: true,
  tenant: [
    ...tenantKeys.filter((key) => key !== 'org_id'),
    // A header that the API's `tag_headers` names.
    'tags.x-tenant-id',
    'alias',
    'oauth_id',
    'api_key',
    'org_id',
  ],
  api: ['api_id', 'api_name', 'path', 'raw_path'],
  service: ['api_name'],
  // The access log hashes keys or hides all but their end; the pump may have them in the clear. Zeros or dashes stand for
  // no key.
  accepts: (name, place, look) =>
    place !== 'api_key' || (look(prefix) === 'access-log' && !/^(?:0+|[-*]+)$/.test(name)),

  plain: () => plain,

  marksOf(entry) {
    if ('response_code' in entry && 'api_id' in entry) return recordMarks
    if (entry['prefix'] === 'access-log') return accessMarks
    return isApplicationLog(entry) ? applicationMarks : null
  },

  /** What the pump writes to its standard output. */
  unwrap(entry) {
    const record = objectOf(entry['tyk-analytics-record'])
    return record === null ? null : [record]
  },

  read(entry, index, settings) {
    const isAccessLog = entry['prefix'] === 'access-log'
    if (!isAccessLog && isApplicationLog(entry)) return skipped(index, 'event')
    const statusKey = isAccessLog ? 'status' : 'response_code'
    const status = readStatus(entry[statusKey])
    if (typeof status === 'string') return unreadableStatus(index, status, statusKey)
    return readRecord(entry, status, { index, settings })
  },

  readText(text, index, settings) {
    if (!textLine.test(text)) return null
    const fields = Object.fromEntries(namedValues(text))
    if (fields['prefix'] === undefined) return null
    return tyk.read(fields, index, settings)
  },
}

const timeFields = ['timestamp', '@timestamp', 'time'].map((key) => ({ key, as: notations.iso }))
const plain = { status: ['response_code', 'status'], upstream: ['upstream_status'], times: plainTimes(timeFields) }

const prefix = dottedPath('prefix')
const recordMarks = ['response_code', 'api_id']
const accessMarks = ['prefix: access-log']
const applicationMarks = ['prefix', 'level', 'msg or message', 'time']
const textLine = /^time="[^"]{1,60}" level=[a-z]{4,7} /

/** A line of the gateway's or the pump's own log. */
function isApplicationLog(entry: JsonObject): boolean {
  if ('status' in entry || 'response_code' in entry) return false
  return 'prefix' in entry && 'level' in entry && ('msg' in entry || 'message' in entry) && 'time' in entry
}

function readRecord(
  entry: JsonObject,
  status: number | null,
  { index, settings }: { readonly index: number; readonly settings: Settings },
): Decoded {
  const timeMs = notations.iso.read(entry['timestamp'] ?? entry['@timestamp'] ?? entry['time'])
  if (timeMs === 'bad-time') {
    const hint =
      'the time is no RFC 3339 time; the text log of older gateways has no year in it: set TYK_LOGFORMAT=json'
    return unreadable(index, 'bad-time', hint)
  }
  const upstreamStatus = () =>
    answererOf(entry) === 'upstream' ? (lastAttempt(entry['upstream_status']) ?? status) : null
  return recordAt(index, {
    format: 'tyk',
    timeMs,
    status,
    names: namesOf(lookupIn(entry), settings),
    upstreamStatus,
    upstreamRefused: () => (lastAttempt(entry['upstream_status']) ?? status) === 402 && upstreamStatus() === 402,
    details: () => detailsOf(entry),
    evidence: () => evidenceOf(entry, answererOf(entry)),
  })
}

function detailsOf(entry: JsonObject): Details {
  const latency = objectOf(entry['latency'])
  return {
    method: firstLabel(entry['method']),
    consumer: firstLabel(entry['alias'], entry['oauth_id']),
    plan: null,
    latencyMs: latencyOf(
      entry['request_time_ms'] ?? latency?.['total'] ?? entry['latency_total'] ?? entry['request_time'],
      'ms',
    ),
    requestId: firstLabel(entry['trace_id'], entry['request_id']),
  }
}

/** A tag is the name of a header in lower case, a dash and its value: `tags.x-tenant-id` finds `x-tenant-id-acme`. */
function lookupIn(entry: JsonObject): Lookup {
  return (place) => {
    const value = valueAt(entry, place)
    if (value !== undefined || !place.text.startsWith('tags.')) return value
    const tags = entry['tags']
    if (!Array.isArray(tags)) return undefined
    const start = `${place.text.slice('tags.'.length)}-`
    const tag = tags.slice(0, 100).find((item) => typeof item === 'string' && item.startsWith(start))
    return typeof tag === 'string' ? tag.slice(start.length) : undefined
  }
}

/**
 * The access log has a flag on every answer of the gateway's own, and one for what an upstream answered with 5xx. Without
 * a flag only time spent on the upstream shows that it was asked.
 */
function answererOf(entry: JsonObject): Evidence['answeredBy'] {
  const flag = entry['response_flag']
  if (!isBlank(flag)) return flag === 'URS' || entry['error_source'] === 'Upstream' ? 'upstream' : 'gateway'
  const spent = numberOf(objectOf(entry['latency'])?.['upstream'] ?? entry['upstream_latency'])
  return spent !== null && spent > 0 ? 'upstream' : null
}

function evidenceOf(entry: JsonObject, answeredBy: Evidence['answeredBy']): Evidence {
  const evidence = new EvidenceGatherer(answeredBy)
    .body(responseIn(entry['raw_response']), 'raw_response')
    // The details are finer than the flag.
    .verdict(entry['response_code_details'], 'response_code_details')
    .verdict(entry['response_flag'], 'response_flag')
    .text(entry['jsonrpc_error_message'], 'jsonrpc_error_message')
    .looseHeaders(entry)
    .done()
  // Tyk signs the answers of its own.
  const own = answeredBy === null && evidence.headers.get('x-generator')?.includes('tyk') === true
  return own ? { ...evidence, answeredBy: 'gateway' } : evidence
}

/**
 * The response as HTTP text, in base64 or plain. With `clean_json` the pump puts it all on one line, so that the headers
 * cannot be told apart any more; the body begins with the first brace.
 */
function responseIn(raw: unknown): unknown {
  if (typeof raw !== 'string' || !raw.startsWith('HTTP/') || raw.includes('\n')) return raw
  const brace = raw.indexOf('{')
  return brace < 0 ? raw : raw.slice(brace)
}
