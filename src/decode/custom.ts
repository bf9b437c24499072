import type { Evidence } from './decode.ts'
import { notations, type TimeReading } from './event-time.ts'
import { EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, unreadable } from './format.ts'
import { type DottedPath, isBlank, type JsonObject, valueAt } from './json.ts'
import { firstLabel } from './label.ts'
import { latencyOf } from './latency.ts'
import { namesOf } from './names.ts'
import { type PlainFields, plainTimes } from './plain-fields.ts'
import type { Details } from './record.ts'
import type { CustomPaths } from './settings.ts'
import { lastAttempt, readStatus, unreadableStatus, upstreamRefusedIn } from './status.ts'

/** A layout of the operator's own, described field by field in `decode.custom`. */
export const custom: Format = {
  name: 'custom',

  // Both come from the mapping.
  tenant: [],
  api: [],
  ownTenantKeys: true,

  plain: ({ custom: paths }) => (paths === null ? nowhere : plainAt(paths)),

  marksOf(entry, { custom: paths }) {
    return paths !== null && !isBlank(firstAt(entry, paths.status)) ? marks : null
  },

  read(entry, index, settings) {
    const paths = settings.custom
    if (paths === null) return unreadable(index, 'unsupported-format', 'format custom needs a mapping in decode.custom')
    const status = readStatus(firstAt(entry, paths.status))
    if (typeof status === 'string') return unreadableStatus(index, status, textOf(paths.status))
    const timeMs = readTime(entry, paths)
    if (timeMs === 'bad-time') {
      return unreadable(index, 'bad-time', `${textOf(paths.time)} cannot be read as time_unit ${paths.time_unit}`)
    }
    const upstream = () => firstAt(entry, paths.upstream_status)
    return recordAt(index, {
      format: 'custom',
      timeMs,
      status,
      names: namesOf((place) => valueAt(entry, place), settings),
      upstreamStatus: () => lastAttempt(upstream()),
      upstreamRefused: () => upstreamRefusedIn(upstream()),
      details: () => detailsOf(entry, paths),
      evidence: () => evidenceOf(entry, paths, status),
    })
  },
}

function detailsOf(entry: JsonObject, paths: CustomPaths): Details {
  return {
    method: labelAt(entry, paths.method),
    consumer: labelAt(entry, paths.consumer),
    plan: labelAt(entry, paths.plan),
    latencyMs: latencyOf(firstAt(entry, paths.latency), paths.latency_unit),
    requestId: labelAt(entry, paths.request_id),
  }
}

const nowhere = { status: [], upstream: [], times: [] }

function plainAt(paths: CustomPaths): PlainFields {
  const textsOf = (places: readonly DottedPath[]) => places.map(({ text }) => text)
  const times = textsOf(paths.time).map((key) => ({ key, as: notationOf[paths.time_unit] }))
  return { status: textsOf(paths.status), upstream: textsOf(paths.upstream_status), times: plainTimes(times) }
}

const marks = ['the place of decode.custom.status']

function labelAt(entry: JsonObject, paths: readonly DottedPath[]): string | null {
  return firstLabel(...paths.map((path) => valueAt(entry, path)))
}

/** The first value that is not blank, else the first that is there at all. */
function firstAt(entry: JsonObject, paths: readonly DottedPath[]): unknown {
  let seen: unknown
  for (const path of paths) {
    const value = valueAt(entry, path)
    if (!isBlank(value)) return value
    seen ??= value
  }
  return seen
}

const notationOf = { ...notations, iso_utc: notations.isoOrUtc } as const

function readTime(entry: JsonObject, paths: CustomPaths): TimeReading {
  const { read } = notationOf[paths.time_unit]
  let reading: TimeReading = null
  for (const path of paths.time) {
    const found = read(valueAt(entry, path))
    if (typeof found === 'number') return found
    reading ??= found
  }
  return reading
}

function textOf(paths: readonly DottedPath[]): string {
  return paths.map((path) => path.text).join(' or ')
}

function evidenceOf(entry: JsonObject, paths: CustomPaths, status: number | null): Evidence {
  const gathered = new EvidenceGatherer(answererOf(entry, paths, status))
  // The operator's order is the order of fineness.
  for (const path of paths.cause_code) gathered.code(valueAt(entry, path), path.text, 0)
  for (const path of paths.cause_text) gathered.text(valueAt(entry, path), path.text)
  for (const path of paths.response_body) gathered.body(valueAt(entry, path), path.text)
  for (const path of paths.response_headers) gathered.headers(valueAt(entry, path))
  return gathered.done()
}

function answererOf(entry: JsonObject, paths: CustomPaths, status: number | null): Evidence['answeredBy'] {
  if (paths.upstream_status.length === 0) return null
  const last = lastAttempt(firstAt(entry, paths.upstream_status))
  return last !== null && last === status ? 'upstream' : 'gateway'
}
