import { isObject, type JsonObject } from './json.ts'
import { byKeys, type KeyList, keysOf } from './key-list.ts'
import { remembered } from './remembered.ts'

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
  else if (isObject(value)) {
    const keys = keysOf(value)
    if (keys === null) for (const name in value) addHeader(into, name, value[name])
    else for (const { key, name } of keptKeys(keys)) addValues(into, name, value[key])
  }
}

export function addHeader(into: Map<string, string>, name: string, value: unknown): void {
  const key = keptName(name)
  if (key !== null) addValues(into, key, value)
}

/** Of the headers in an object. */
const keptKeys = byKeys((keys) =>
  keys.keys.flatMap((key) => {
    const name = keptName(key)
    return name === null ? [] : [{ key, name }]
  }),
)

/** The name in lower case; null for one that is not kept. */
const keptName = remembered((name) => {
  const key = name.trim().toLowerCase()
  return key === '' || key.length > 200 || secretHeaders.has(key) ? null : key
})

function addValues(into: Map<string, string>, key: string, value: unknown): void {
  if (Array.isArray(value)) for (const item of value.slice(0, 20)) addValue(into, key, item)
  else addValue(into, key, value)
}

function addValue(into: Map<string, string>, key: string, value: unknown): void {
  if (typeof value !== 'string' && typeof value !== 'number') return
  const text = String(value).slice(0, headerChars).trim()
  const before = into.get(key)
  if (before === undefined && into.size >= headerLimit) return
  into.set(key, before === undefined || before === text ? text : `${before}, ${text}`)
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
export function addLooseHeaders(into: Map<string, string>, entry: JsonObject): void {
  let looked = 0
  for (const key in entry) {
    // Entries have a few dozen keys; one with thousands is not worth the time.
    if (++looked > 500) return
    const name = key.length > 100 ? null : headerNamed(key)
    if (name !== null) addLooseHeader(into, name, entry[key])
  }
}

/** The same for an entry whose keys are known. */
export function addKnownHeaders(into: Map<string, string>, entry: JsonObject, keys: KeyList): void {
  for (const { key, name } of looseKeys(keys)) addLooseHeader(into, name, entry[key])
}

const looseKeys = byKeys((keys) =>
  keys.keys.flatMap((key) => {
    const name = headerNamed(key)
    return name === null ? [] : [{ key, name }]
  }),
)

function addLooseHeader(into: Map<string, string>, name: string, value: unknown): void {
  if (value !== '' && value !== '-' && value !== null && typeof value !== 'object') addHeader(into, name, value)
}

/** The header that a key stands for; null for a key that is none. */
const headerNamed = remembered((key) => {
  const prefixed = loosePrefix.exec(key)
  const bare = (prefixed === null ? key : key.slice(prefixed[0].length)).toLowerCase().replaceAll('_', '-')
  return prefixed !== null || telling.test(bare) ? bare : null
})

const loosePrefix = /^(?:sent_http_|upstream_http_|response_header_|resp_header_|downstream_|origin_)/i
const telling =
  /^(?:(?:x-)?(?:[a-z]+-)?rate-?limit(?:-.*)?|(?:x-)?payment-(?:required|response)|www-authenticate|retry-after|(?:x-)?error-(?:code|type|reason)|x-(?:[a-z]+-)*(?:error|decline|refusal)(?:-(?:code|type|reason))?)$/
