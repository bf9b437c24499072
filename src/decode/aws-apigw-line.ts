import { clfTime } from './event-time.ts'
import type { JsonObject } from './json.ts'

// The console's examples have no long fields but the path.
const lineLimit = 8_192

/**
 * The variables of one line in the console's CLF or CSV layout, for REST or HTTP APIs, under their own names; null for
 * any other text. A web server's common log line looks alike: AWS' ends in its request id, without quotes.
 */
export function awsLine(text: string): JsonObject | null {
  if (text.length > lineLimit) return null
  return clfLine(text) ?? csvLine(text)
}

const clf =
  /^(\S+) (\S+) (\S+) \[([^\]]{20,32})\] ?"([A-Z]{3,10}|-) ([^"]+) (HTTP\/[\d.]+|-)" (\d{3}|-) (\d+|-) (\S+)(?: (\S+))?\s*$/

function clfLine(text: string): JsonObject | null {
  const match = clf.exec(text)
  if (match === null || !isRequestId(match[10])) return null
  const [, ip, caller, user, requestTime, httpMethod, resource = '', protocol, status, responseLength, requestId] =
    match
  return { ip, caller, user, requestTime, httpMethod, protocol, status, responseLength, requestId, ...named(resource) }
}

/** REST: ip, caller, user, time, method, resource, protocol, status, length, id. HTTP APIs have no caller and user. */
function csvLine(text: string): JsonObject | null {
  const fields = text.trim().split(',', 12)
  const isRest = fields.length === 10 || fields.length === 11
  if (!isRest && fields.length !== 8 && fields.length !== 9) return null
  const [ip, caller, user] = isRest ? fields : [fields[0], '-', '-']
  const rest = fields.slice(isRest ? 3 : 1)
  const [requestTime, httpMethod, resource = '', protocol, status, responseLength, requestId] = rest
  if (typeof clfTime(requestTime) !== 'number' || !isRequestId(requestId)) return null
  return { ip, caller, user, requestTime, httpMethod, protocol, status, responseLength, requestId, ...named(resource) }
}

/** A REST API has a resource path, an HTTP API a route key: `POST /v1/answers` or `$default`. */
function named(resource: string): JsonObject {
  return resource.startsWith('/') ? { resourcePath: resource } : { routeKey: resource }
}

/** A UUID for REST APIs, 15 characters and an equals sign for HTTP APIs. */
function isRequestId(text: string | undefined): boolean {
  return text !== undefined && /^(?:[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\w*|[\w+/-]{15}=)$/i.test(text)
}
