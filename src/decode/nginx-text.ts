import type { Decoded } from './decode.ts'
import { skipped, unreadable } from './format.ts'
import type { Settings } from './settings.ts'
import { unreadableStatus } from './status.ts'
import { closingQuote, lineHead, namedValues, requestParts, unescaped } from './text-line.ts'
import { readVariables } from './variables.ts'

/**
 * NGINX' `common` and `combined` lines, the default of ingress-nginx, and `combined` with more behind it: variables are
 * taken from there when they are written as `name=value`, anything else is passed over. Also what others write in
 * `combined` (Traefik's genericCLF).
 *
 * @returns null when the text is no such line
 */
export function readNginxText(text: string, index: number, settings: Settings): Decoded | null {
  if (errorLine.test(text)) return skipped(index, 'event')
  const head = lineHead(text)
  if (head === null || !clfLike.test(head.time)) return null
  const close = closingQuote(text, head.request)
  if (close < 0) return unreadable(index, 'not-json', 'the line is cut within the request')
  const status = statusPattern.exec(text.slice(close + 1, close + 6))?.[1]
  if (status === undefined) return unreadableStatus(index, 'no-status', 'the place behind the request')

  const request = requestParts(unescaped(text.slice(head.request, close)))
  const variables: Record<string, unknown> = {
    remote_user: head.user,
    time_local: head.time,
    request_method: request?.method,
    request_uri: request?.path ?? undefined,
    status,
  }
  const behind = afterAgent(text, close + 2 + status.length)
  for (const [name, value] of ingressValues(text, behind) ?? namedValues(text, behind)) {
    const known = aliases.get(name) ?? name
    if (!Object.hasOwn(variables, known)) variables[known] = value
  }
  return readVariables('nginx', variables, index, { settings, depth: 0 })
}

// The error log of NGINX, and the log of the controller of ingress-nginx (klog).
const errorLine =
  /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] |[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d{1,9} \S{1,100}:\d{1,6}\] )/

const statusPattern = /^ (\d{3}|-)(?: |$)/
const clfLike = /^\d{1,2}\/[A-Za-z]{3}\/\d{4}:/

/** Short names that people give these variables in a line. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['rt', 'request_time'],
  ['urt', 'upstream_response_time'],
  ['us', 'upstream_status'],
  ['ust', 'upstream_status'],
])

/** The position behind size, referer and agent; `common` has only the size. */
function afterAgent(line: string, from: number): number {
  sizePattern.lastIndex = from
  let at = sizePattern.test(line) ? sizePattern.lastIndex : from
  for (let i = 0; i < 2 && line.startsWith(' "', at); i++) {
    const close = closingQuote(line, at + 2)
    if (close < 0) return line.length
    at = close + 1
  }
  return at
}

const sizePattern = / (?:\d{1,19}|-)(?= |$)/y

/**
 * What ingress-nginx appends: lengths and times, the upstream's name in brackets, an alternative one in newer releases,
 * then five values of which four are lists, one item an attempt. Behind them operators put named values, which count
 * where ingress-nginx has not said the same.
 */
function ingressValues(line: string, from: number): ReadonlyMap<string, string> | null {
  const match = ingressPattern.exec(line.slice(from, from + 64 * 1024))
  if (match === null) return null
  const [, time = '', name = '', attempts = ''] = match
  const [, , , status, id, ...more] = attemptLists(attempts)
  if (status === undefined || id === undefined) return null
  const own = { request_time: time, proxy_upstream_name: name, upstream_status: status, req_id: id }
  return new Map([...namedValues(more.join(' ')), ...Object.entries(own)])
}

const ingressPattern = /^ \d{1,19} (\d{1,12}\.\d{1,6}) \[([^\]]{0,300})\] (?:\[[^\]]{0,300}\] )?(\S.*)$/

/** Splits at blanks, except within a list: `502, 402` between attempts, `500 : 402` after an internal redirect. */
function attemptLists(text: string): readonly string[] {
  const lists: string[] = []
  let goesOn = false
  for (const part of text.trimEnd().split(' ')) {
    const last = lists.length - 1
    if (last >= 0 && (goesOn || part === ':')) lists[last] = `${lists[last]} ${part}`
    else lists.push(part)
    goesOn = part === ':' || part.endsWith(',')
  }
  return lists
}
