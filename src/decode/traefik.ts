import type { Evidence } from './decode.ts'
import { notations, timeFrom } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { isBlank, type JsonObject, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import type { Details } from './record.ts'
import { lastAttempt, readStatus, unreadableStatus } from './status.ts'
import { requestParts } from './text-line.ts'
import { traefikLine } from './traefik-text.ts'

/** Traefik's access log in JSON or as text, with the names of releases 2 and 3, and those left of release 1. */
export const traefik: Format = {
  name: 'traefik',

  // Headers stand under `request_` and their own name, if the operator keeps them.
  tenant: [
    'request_X-Tenant-Id',
    'request_X-Tenant',
    'request_X-Customer-Id',
    'request_X-Organization-Id',
    'request_X-Account-Id',
    'ClientUsername',
  ],
  api: ['RouterName', 'FrontendName', 'ServiceName', 'BackendName', 'RequestPath', 'RequestLine'],
  service: ['ServiceName', 'BackendName'],
  // What a header's value is replaced with where the operator redacts it.
  accepts: (name) => name !== 'REDACTED',

  plain: () => plain,

  marksOf(entry) {
    if ('DownstreamStatus' in entry) return statusMarks
    if ('RouterName' in entry && ('RequestPath' in entry || 'Duration' in entry)) return routerMarks
    if ('FrontendName' in entry && 'BackendName' in entry) return frontendMarks
    return isApplicationLog(entry) && componentKeys.some((key) => key in entry) ? applicationMarks : null
  },

  read(entry, index, settings) {
    if (isApplicationLog(entry)) return skipped(index, 'event')
    const status = readStatus(statusIn(entry, 'Downstream'))
    if (typeof status === 'string') return unreadableStatus(index, status, 'DownstreamStatus')
    const timeMs = timeFrom(entry, timeFields)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', 'StartUTC, StartLocal and time hold no time with a zone')
    }
    const upstreamStatus = () => lastAttempt(statusIn(entry, 'Origin'))
    return recordAt(index, {
      format: 'traefik',
      timeMs,
      status,
      names: namesOf(
        (place) => (place.text === 'RequestLine' ? requestOf(entry)?.path : valueAt(entry, place)),
        settings,
      ),
      upstreamStatus,
      upstreamRefused: () => upstreamStatus() === 402,
      details: () => detailsOf(entry),
      evidence: () => evidenceOf(entry, answererOf(entry, upstreamStatus(), status)),
    })
  },

  readText(text, index, settings) {
    const line = traefikLine(text)
    if (line === null) return null
    if (line.kind === 'application') return skipped(index, 'event')
    if (isBlank(line.fields['DownstreamStatus'])) {
      const hint =
        "Traefik's text has no status where Traefik itself answered, in releases that log the service's: set accessLog.format to json"
      return unreadable(index, 'no-status', hint)
    }
    return traefik.read(line.fields, index, settings)
  },
}

const statusMarks = ['DownstreamStatus']
const routerMarks = ['RouterName', 'RequestPath or Duration']
const frontendMarks = ['FrontendName', 'BackendName']
const applicationMarks = ['level', 'msg or message', 'a name of a part of Traefik']
const componentKeys = ['entryPointName', 'routerName', 'middlewareName', 'providerName', 'serviceName', 'ingress']

const accessKeys = [
  'DownstreamStatus',
  'DownstreamStatusLine',
  'OriginStatus',
  'RequestMethod',
  'RequestPath',
  'StartUTC',
]

/** A line of Traefik's own log, not of its access log. */
function isApplicationLog(entry: JsonObject): boolean {
  if (!('level' in entry) || !('msg' in entry || 'message' in entry)) return false
  return !accessKeys.some((key) => key in entry)
}

/** The status of one side; where it was dropped, the number of its status line (`402 Payment Required`). */
function statusIn(entry: JsonObject, side: 'Downstream' | 'Origin'): unknown {
  const status = entry[`${side}Status`]
  if (status !== undefined) return status
  const line = entry[`${side}StatusLine`]
  return typeof line === 'string' ? line.slice(0, 40).split(' ', 1)[0] : undefined
}

function requestOf(entry: JsonObject): ReturnType<typeof requestParts> {
  const line = entry['RequestLine']
  return typeof line === 'string' ? requestParts(line) : null
}

function detailsOf(entry: JsonObject): Details {
  return {
    method: firstLabel(entry['RequestMethod'], requestOf(entry)?.method),
    consumer: firstLabel(entry['ClientUsername']),
    plan: null,
    latencyMs: latencyOf(entry['Duration'], 'ns'),
    requestId: firstLabel(entry['request_X-Request-Id'], entry['downstream_X-Request-Id'], entry['trace_id']),
  }
}

// ISO in JSON, the Common Log Format's notation in text. `time` is when the line was written; for a long answer minutes later.
const timeFields = [
  { key: 'StartUTC', as: notations.isoOrClf },
  { key: 'StartLocal', as: notations.isoOrClf },
  { key: 'time', as: notations.iso },
]
const plain = { status: ['DownstreamStatus'], upstream: ['OriginStatus'], times: plainTimes(timeFields) }

/**
 * Traefik leaves the status of the origin out, or writes 0, when no service was asked. Where the operator drops that
 * field it is missing too; then a service that was asked shows that it says nothing.
 */
function answererOf(entry: JsonObject, origin: number | null, status: number | null): Evidence['answeredBy'] {
  if (origin !== null) return origin === status ? 'upstream' : 'gateway'
  const asked = !isBlank(entry['ServiceURL']) || !isBlank(entry['ServiceAddr']) || !isBlank(entry['BackendURL'])
  return asked && statusIn(entry, 'Origin') === undefined ? null : 'gateway'
}

function evidenceOf(entry: JsonObject, answeredBy: Evidence['answeredBy']): Evidence {
  const gathered = new EvidenceGatherer(answeredBy).looseHeaders(entry)
  const requestHeaders: Record<string, unknown> = {}
  for (const name of ['Authorization', 'X-Payment', 'Payment-Signature']) {
    const value = entry[`request_${name}`]
    if (!isBlank(value)) requestHeaders[name] = value
  }
  addPaymentSent(gathered, requestHeaders)
  return gathered.done()
}
