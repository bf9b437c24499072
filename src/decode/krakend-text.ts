import type { JsonObject } from './json.ts'
import { type LatencyUnit, latencyOf } from './latency.ts'
import { closingQuote, lineHead, requestParts, withoutColour } from './text-line.ts'

/** What a text of KrakenD's is: the fields of an access record, a line of the application's log, or broken. */
export type KrakendLine =
  | { readonly kind: 'access'; readonly fields: JsonObject }
  | { readonly kind: 'application' }
  | { readonly kind: 'cut' }

/**
 * The community edition writes `[GIN] 2026/10/05 - 08:15:36 | 402 | 4.529µs | 203.0.113.24 | POST "/v1/answers"`. The
 * Enterprise edition has `[AccessLog]` and the same parts, and the formats httpdCommon and httpdCombined with a time in
 * KrakenD's own notation.
 *
 * @returns null when the text is none of these
 */
export function krakendLine(text: string): KrakendLine | null {
  const plain = withoutColour(text)
  const end = plain.indexOf('\n')
  // Behind the line stand the errors that a handler reported.
  const line = end < 0 ? plain : plain.slice(0, end).trimEnd()
  if (line.startsWith('[GIN] ') || accessMark.test(line)) return barred(line)
  if (applicationLine.test(line)) return { kind: 'application' }
  return httpdLine(line)
}

const accessMark = /^.{0,200}?\[AccessLog\]/

const applicationLine =
  /^(?:\[GIN-debug\] |\[(?:SERVICE|ENDPOINT|BACKEND|PLUGIN|ASYNC)\b[^\]]{0,300}\]|.{0,100}? ▶ +(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITIC(?:AL)?|FATAL)\b|\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \S{1,60} (?:DEBUG|INFO|WARNING|ERROR|CRITICAL|FATAL): )/

const timePattern = /\d{4}\/\d\d\/\d\d - \d\d:\d\d:\d\d(?:\.\d{1,9})?/

/** Status, latency and address between bars, then method and path. A path may hold bars of its own. */
function barred(line: string): KrakendLine {
  const [, front = '', status = '', latency = '', call = ''] = barsPattern.exec(line) ?? []
  if (call === '') return { kind: 'cut' }
  const [, method, path = ''] = /^\s*(\S{1,40})\s+(\S.*)$/.exec(call) ?? []
  return {
    kind: 'access',
    fields: {
      time: timePattern.exec(front)?.[0] ?? front,
      status_code: status.trim(),
      // Without a unit it is the Enterprise edition's, in milliseconds.
      ...(/^\s*[\d.]+\s*$/.test(latency) ? { latency_ms: latency } : { latency }),
      method,
      path: pathOf(path),
    },
  }
}

const barsPattern = /^([^|]{0,300})\|([^|]{0,60})\|([^|]{0,60})\|[^|]{0,100}\|(.+)$/

/** GIN quotes the path; Enterprise writes it bare, and operators put more behind it. */
function pathOf(text: string): string {
  if (!text.startsWith('"')) return text.split(' ', 1)[0] ?? ''
  const close = closingQuote(text, 1)
  return close < 0 ? text.slice(1) : text.slice(1, close)
}

function httpdLine(line: string): KrakendLine | null {
  const head = lineHead(line)
  if (head === null || !timePattern.test(head.time)) return null
  const close = closingQuote(line, head.request)
  if (close < 0) return { kind: 'cut' }
  const status = /^ (\S{1,10})(?: |$)/.exec(line.slice(close + 1, close + 20))?.[1]
  const request = requestParts(line.slice(head.request, close))
  return {
    kind: 'access',
    fields: { time: head.time, status_code: status, method: request?.method, path: request?.path },
  }
}

/**
 * A duration as Go prints it, such as `4.529µs`, `17ms`, `1m2.5s` or `1h0m3s`, in milliseconds; null for anything else.
 */
export function goDurationMs(value: unknown): number | null {
  if (typeof value !== 'string' || value.length > 40) return null
  const match = durationPattern.exec(value.trim())
  if (match === null || match[0] === '') return null
  const [, hours = '0', minutes = '0', amount, unit = ''] = match
  const rest = amount === undefined ? 0 : latencyOf(amount, units.get(unit) ?? 's')
  return rest === null ? null : (Number(hours) * 60 + Number(minutes)) * 60_000 + rest
}

const durationPattern = /^(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,12}(?:\.\d{1,12})?)(ns|us|µs|μs|ms|s))?$/

// The micro sign and the Greek letter look alike.
const units: ReadonlyMap<string, LatencyUnit> = new Map([
  ['ns', 'ns'],
  ['us', 'us'],
  ['\u00b5s', 'us'],
  ['\u03bcs', 'us'],
  ['ms', 'ms'],
  ['s', 's'],
])
