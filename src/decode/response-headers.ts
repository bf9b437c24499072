import { isObject } from './json.ts'

const headerLimit = 200
const headerChars = 4096

// They explain nothing and are secrets.
const secretHeaders = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'set-cookie2'])

/**
 * Adds response headers to a map: names in lower case, several values joined by `, `. Takes an object (values may be
 * lists), its JSON text, the `K=v&K=v` text of Apinto, or raw header lines.
 */
export function addHeaders(into: Map<string, string>, value: unknown): void {
  if (typeof value === 'string') addHeaderText(into, value)
  else if (isObject(value)) for (const name in value) addHeader(into, name, value[name])
}

export function addHeader(into: Map<string, string>, name: string, value: unknown): void {
  const key = name.trim().toLowerCase()
  if (key === '' || key.length > 200 || secretHeaders.has(key)) return
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  for (const item of list.slice(0, 20)) {
    if (typeof item !== 'string' && typeof item !== 'number') continue
    const text = String(item).slice(0, headerChars).trim()
    const before = into.get(key)
    if (before === undefined && into.size >= headerLimit) return
    into.set(key, before === undefined || before === text ? text : `${before}, ${text}`)
  }
}

function addHeaderText(into: Map<string, string>, text: string): void {
  const capped = text.slice(0, 64 * 1024).trim()
  if (capped.startsWith('{')) {
    try {
      const parsed: unknown = JSON.parse(capped)
      if (isObject(parsed)) addHeaders(into, parsed)
    } catch {
      // Cut in the middle: headers are no evidence then.
    }
  } else if (/^[^\s:=&]+:\s/.test(capped)) {
    for (const line of capped.split(/\r?\n/, headerLimit)) {
      const colon = line.indexOf(':')
      if (colon > 0) addHeader(into, line.slice(0, colon), line.slice(colon + 1))
    }
  } else {
    for (const pair of capped.split('&', headerLimit)) {
      const equals = pair.indexOf('=')
      if (equals > 0) addHeader(into, unescaped(pair.slice(0, equals)), unescaped(pair.slice(equals + 1)))
    }
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/**
 * Adds the headers that an operator logs one by one (`sent_http_ratelimit_remaining`, `response_header_x_error_code`,
 * `downstream_Retry-After`): keys with one of the prefixes, and the bare names of headers that can explain a refusal.
 */
export function addLooseHeaders(into: Map<string, string>, entry: { readonly [key: string]: unknown }): void {
  let looked = 0
  for (const key in entry) {
    // Entries have a few dozen keys; one with thousands is not worth the time.
    if (++looked > 500) return
    const value = entry[key]
    if (key.length > 100 || value === '' || value === '-' || value === null || typeof value === 'object') continue
    const name = headerNamed(key)
    if (name !== null) addHeader(into, name, value)
  }
}

/** The same keys come with every record, so what they are is worked out once. */
const headerNames = new Map<string, string | null>()
const headerNameLimit = 2_000

/** The header that a key stands for; null for a key that is none. */
function headerNamed(key: string): string | null {
  const known = headerNames.get(key)
  if (known !== undefined) return known
  const prefixed = loosePrefix.exec(key)
  const bare = (prefixed === null ? key : key.slice(prefixed[0].length)).toLowerCase().replaceAll('_', '-')
  const name = prefixed !== null || telling.test(bare) ? bare : null
  if (headerNames.size < headerNameLimit) headerNames.set(key, name)
  return name
}

const loosePrefix = /^(?:sent_http_|upstream_http_|response_header_|resp_header_|downstream_|origin_)/i
const telling =
  /^(?:(?:x-)?(?:[a-z]+-)?rate-?limit(?:-.*)?|(?:x-)?payment-(?:required|response)|www-authenticate|retry-after|(?:x-)?error-(?:code|type|reason)|x-(?:[a-z]+-)*(?:error|decline|refusal)(?:-(?:code|type|reason))?)$/
