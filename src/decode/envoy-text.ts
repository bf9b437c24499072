import type { JsonObject } from './json.ts'

/**
 * Reads a line of Envoy's or Istio's default text format into the fields of their JSON format; null for any other text.
 * The two are told apart by what follows the response flags: Istio has details there, Envoy goes on with numbers. Only
 * the head must fit, so that a format with another end still gives time, request, status and flags.
 *
 * Time is linear in the line: each step goes on where the one before it ended.
 */
export function envoyLine(text: string): JsonObject | null {
  const timeEnd = text.startsWith('[') ? text.indexOf('] "') : -1
  if (timeEnd < 0 || timeEnd > 65) return null
  const start = text.slice(1, timeEnd)
  // NGINX formats can begin alike, with a time in another notation.
  if (!/^(?:\d{4}-\d\d-\d\d[Tt]|\d{9,13}(?:\.\d{1,9})?$)/.test(start)) return null
  const requestStart = timeEnd + 3
  const head = headAfter(text, requestStart)
  if (head === null) return null
  const fields: Record<string, unknown> = {
    start_time: start,
    ...requestOf(text.slice(requestStart, head.at)),
    response_code: head.status,
    response_flags: head.flags,
  }
  addRest(fields, text.slice(head.end))
  return fields
}

interface Head {
  readonly at: number
  readonly end: number
  readonly status: string
  readonly flags: string
}

/** The end of the request is the first closing quote with a status and flags behind it: paths may hold quotes. */
function headAfter(text: string, from: number): Head | null {
  for (let at = text.indexOf('" ', from); at >= 0; at = text.indexOf('" ', at + 1)) {
    headPattern.lastIndex = at
    const match = headPattern.exec(text)
    if (match !== null) return { at, end: headPattern.lastIndex, status: match[1] ?? '', flags: match[2] ?? '' }
  }
  return null
}

const headPattern = /" (\d{1,3}) ([A-Za-z,-]{1,200})(?: |$)/y

function requestOf(request: string): JsonObject {
  const first = request.indexOf(' ')
  const last = request.lastIndexOf(' ')
  if (first < 0 || last === first) return { method: request.slice(0, first < 0 ? undefined : first) }
  return { method: request.slice(0, first), path: request.slice(first + 1, last), protocol: request.slice(last + 1) }
}

const envoyNumbers = /^(\d+) (\d+) (\d+) (\S+) /
const istioNumbers = /^(\S+) (\S+) "([^"]*)" (\d+) (\d+) (\d+) (\S+) /

function addRest(fields: Record<string, unknown>, rest: string): void {
  const plain = envoyNumbers.exec(rest)
  if (plain !== null) {
    addNumbers(fields, plain.slice(1))
    addQuoted(fields, rest.slice(plain[0].length))
    return
  }
  const istio = istioNumbers.exec(rest)
  if (istio === null) return
  fields['response_code_details'] = istio[1]
  fields['connection_termination_details'] = istio[2]
  fields['upstream_transport_failure_reason'] = istio[3]
  addNumbers(fields, istio.slice(4))
  addQuoted(fields, addNetwork(fields, rest.slice(istio[0].length)))
}

function addNumbers(fields: Record<string, unknown>, [received, sent, duration, service]: readonly string[]): void {
  fields['bytes_received'] = received
  fields['bytes_sent'] = sent
  fields['duration'] = duration
  fields['upstream_service_time'] = service
}

const networkNames = [
  ...['route_name', 'requested_server_name', 'downstream_remote_address', 'downstream_local_address'],
  ...['upstream_local_address', 'upstream_cluster'],
]

/** Istio's last six values have no quotes; they are taken from the end, since a user agent before them can hold any. */
function addNetwork(fields: Record<string, unknown>, text: string): string {
  let end = text.length
  for (const name of networkNames) {
    const blank = text.lastIndexOf(' ', end - 1)
    if (blank < 0) return text
    fields[name] = text.slice(blank + 1, end)
    end = blank
  }
  return text.slice(0, end)
}

function addQuoted(fields: Record<string, unknown>, text: string): void {
  let end = text.length
  for (const name of ['upstream_host', 'authority', 'request_id']) {
    const open = text.lastIndexOf(' "', end - 2)
    if (open < 0 || text[end - 1] !== '"') return
    fields[name] = text.slice(open + 2, end - 1)
    end = open
  }
}
