import type { JsonObject } from './json.ts'
import { lineHead, withoutColour } from './text-line.ts'

/** What a text of Traefik's is: the fields of an access record under the names of its JSON, or a line of its own log. */
export type TraefikLine = { readonly kind: 'access'; readonly fields: JsonObject } | { readonly kind: 'application' }

/**
 * Traefik's "common" format: the Common Log Format with `81 "answers@docker" "http://10.4.2.2:8080" 6ms` behind it.
 * Traefik escapes no quotes, so referer and agent can hold anything: the request is read from the front, what Traefik
 * appended from the end, and the two between are not looked at.
 *
 * @returns null when the text is no line of Traefik's
 */
export function traefikLine(text: string): TraefikLine | null {
  const tail = tailPattern.exec(text.length > tailChars ? text.slice(-tailChars) : text)
  const head = tail === null ? null : lineHead(text)
  if (tail === null || head === null) return isApplication(text) ? { kind: 'application' } : null
  const front = frontPattern.exec(text.slice(head.request, head.request + frontChars))
  const [, method, path, status] = front ?? []
  const [, count, router, service, ms] = tail
  return {
    kind: 'access',
    fields: {
      StartUTC: head.time,
      ClientUsername: head.user,
      RequestMethod: method,
      RequestPath: path,
      DownstreamStatus: status,
      // A request that no service got was answered by Traefik.
      OriginStatus: service === undefined || service === '-' ? 0 : status,
      RequestCount: count,
      RouterName: router,
      ServiceURL: service,
      Duration: Number(ms) * 1e6,
    },
  }
}

// A URL can be long, what is appended is not.
const frontChars = 256 * 1024
const tailChars = 8 * 1024

// A path holds no blanks, but it may hold quotes.
const frontPattern = /^(\S{1,40}) (\S*) \S{1,20}" (\S{1,10}) /
const tailPattern = / (\d{1,19}|-) (?:"([^"]{0,2000})"|-) (?:"([^"]{0,2000})"|-) (\d{1,15})ms$/

/** Traefik's own log: logrus text in version 2, zerolog text in version 3. Tyk writes logrus text too, with a prefix. */
function isApplication(text: string): boolean {
  const line = withoutColour(text.slice(0, 2_000))
  if (/^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:\d\d) (?:TRC|DBG|INF|WRN|ERR|FTL|PNC) /.test(line)) return true
  return /^time="[^"]{1,60}" level=[a-z]{4,7} msg=/.test(line) && !line.includes(' prefix=')
}
