import type { Decoded, Evidence } from './decode.ts'
import { isoTime, type TimeReading } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { type JsonObject, valueAt } from './json.ts'
import { goDurationMs, krakendLine } from './krakend-text.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'
import { readStatus, unreadableStatus } from './status.ts'

/**
 * KrakenD: GIN's line of text of the community edition, and the access logs of the Enterprise edition, in JSON or text.
 * None of them has bodies or headers, so a cause is known only where the operator's own format logs one.
 */
export const krakend: Format = {
  name: 'krakend',

  // Names that Enterprise formats commonly give to claims of the token.
  tenant: ['header.X-Tenant-Id', 'jwt.tenant', 'jwt.sub', 'jwt_sub', 'sub'],
  api: ['endpoint', 'path'],

  marksOf(entry) {
    if ('status_code' in entry && 'latency' in entry && 'client_ip' in entry && 'path' in entry) return accessMarks
    return isApplicationLog(entry) ? applicationMarks : null
  },

  read(entry, index, settings) {
    const code = entry['status_code'] ?? entry['statusCode'] ?? entry['status']
    if (code === undefined && isApplicationLog(entry)) return skipped(index, 'event')
    return readAccess(entry, code, { index, settings })
  },

  readText(text, index, settings) {
    const line = krakendLine(text)
    switch (line?.kind) {
      case 'access':
        return readAccess(line.fields, line.fields['status_code'], { index, settings })
      case 'application':
        return skipped(index, 'event')
      case 'cut':
        return unreadable(index, 'not-json', 'the access line of KrakenD is cut')
      default:
        return null
    }
  },
}

const accessMarks = ['status_code', 'latency', 'client_ip', 'path']
const applicationMarks = ['@version', 'module', 'level', 'message']

/** The application's own log in the format of Logstash. */
function isApplicationLog(entry: JsonObject): boolean {
  return '@version' in entry && 'module' in entry && 'level' in entry && 'message' in entry
}

function readAccess(entry: JsonObject, code: unknown, at: { index: number; settings: Settings }): Decoded {
  const { index, settings } = at
  const status = readStatus(code)
  if (typeof status === 'string') return unreadableStatus(index, status, 'status_code')
  const timeMs = timeOf(entry['time'] ?? entry['@timestamp'], settings)
  if (timeMs === 'bad-time') {
    return unreadable(index, 'bad-time', 'time is no time of the clock that decode.time_zone names')
  }
  return recordAt(index, {
    format: 'krakend',
    timeMs,
    status,
    names: namesOf((place) => valueAt(entry, place), settings),
    // KrakenD may join several backends into one answer, and logs none of theirs here.
    upstreamStatus: () => null,
    upstreamRefused: () => false,
    details: () => ({
      method: firstLabel(entry['method']),
      consumer: firstLabel(entry['jwt.sub'], entry['jwt_sub'], entry['sub']),
      plan: null,
      latencyMs: latencyIn(entry),
      requestId: firstLabel(entry['request_id'], entry['header.X-Request-Id'], entry['x-request-id']),
    }),
    evidence: () => evidenceOf(entry),
  })
}

/** `2026/10/05 - 08:15:36.042`, without a zone; a layout of the operator's own may have one. */
function timeOf(value: unknown, { zone }: Settings): TimeReading {
  const shown = zone.read(value)
  return shown === 'bad-time' ? isoTime(value) : shown
}

/** `%{latency}` is in seconds, `%{latencyMs}` in milliseconds; GIN writes the unit behind the number. */
function latencyIn(entry: JsonObject): number | null {
  const latency = entry['latency']
  return goDurationMs(latency) ?? latencyOf(latency, 's') ?? latencyOf(entry['latency_ms'] ?? entry['latencyMs'], 'ms')
}

function evidenceOf(entry: JsonObject): Evidence {
  return new EvidenceGatherer(null).looseHeaders(entry).done()
}
