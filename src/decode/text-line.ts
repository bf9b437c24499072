/** Where the request begins in a line like the Common Log Format's, and what stands before it. */
export interface LineHead {
  /** `-` where nobody logged in. */
  readonly user: string
  /** What stands in the brackets. */
  readonly time: string
  /** The position behind the quote that opens the request. */
  readonly request: number
}

/**
 * Reads `203.0.113.24 - jay [05/Oct/2026:08:15:36 +0000] "`. Before it may stand what a shipper or the operator put
 * there: a syslog header, a host, several addresses. The line's first quote is the one that opens the request: writers
 * escape those of a user's name.
 *
 * @returns null when the line is not like this
 */
export function lineHead(line: string): LineHead | null {
  const quote = line.indexOf('"')
  if (quote < 8 || quote > headLimit || !line.startsWith('] ', quote - 2)) return null
  const open = line.lastIndexOf('[', quote)
  if (open < 2 || quote - open > 70) return null
  const before = line.slice(0, open).trimEnd()
  const dash = before.lastIndexOf(' - ')
  return {
    user: dash < 0 ? '-' : unescaped(before.slice(dash + 3).trim()),
    time: line.slice(open + 1, quote - 2),
    request: quote + 1,
  }
}

// Addresses of proxies on the way and a user's name: kilobytes at most.
const headLimit = 32 * 1024

/** The position of the quote that closes a quoted text, or -1; a backslash escapes what follows it. */
export function closingQuote(line: string, from: number): number {
  for (let i = from; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x22) return i
  }
  return -1
}

/** Method and path of a request line; null for the empty or binary rubbish that servers answer with 400. */
export function requestParts(request: string): { readonly method: string; readonly path: string | null } | null {
  const space = request.indexOf(' ')
  const method = space < 0 ? '' : request.slice(0, space)
  if (!/^[A-Z]{3,20}$/.test(method)) return null
  const last = request.lastIndexOf(' ')
  const rest = last > space && request.startsWith('HTTP/', last + 1) ? request.slice(space + 1, last) : ''
  const path = rest === '' ? request.slice(space + 1) : rest
  return { method, path: /^(?:\/|https?:\/\/)/.test(path) ? path : null }
}

/** NGINX writes quotes, backslashes, control characters and all bytes beyond ASCII as `\x22`. */
export function unescaped(text: string): string {
  if (!text.includes('\\x')) return text
  return text.replaceAll(/(?:\\x[\dA-Fa-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString('utf8'),
  )
}

/**
 * The `name=value` and `name="some value"` of a line from a position on; everything else is passed over, and of a name
 * that comes twice the first counts.
 */
export function namedValues(line: string, from = 0): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (let at = from; at < line.length && values.size < namedLimit; ) {
    if (line[at] === ' ') {
      at++
      continue
    }
    nameAhead.lastIndex = at
    const name = nameAhead.exec(line)?.[1] ?? null
    const start = name === null ? at : at + name.length + 1
    const quoted = line[start] === '"'
    const end = quoted ? closingQuote(line, start + 1) : line.indexOf(' ', start)
    const stop = end < 0 ? line.length : end
    if (name !== null && !values.has(name)) values.set(name, unescaped(line.slice(quoted ? start + 1 : start, stop)))
    at = stop + 1
  }
  return values
}

const nameAhead = /([A-Za-z][\w.-]{0,63})=/y
const namedLimit = 100

/** Without the colours that a program writes for a terminal. */
export function withoutColour(text: string): string {
  if (!text.includes('\u001b')) return text
  const [first = '', ...others] = text.split('\u001b')
  return first + others.map((part) => part.replace(/^\[[\d;]{0,20}m/, '')).join('')
}
