// Deeper structure is read past but not kept.
const depthLimit = 32

/**
 * Reads JSON that was cut or is slightly broken, as far as it goes: what was open at the end counts as closed, a cut
 * text keeps what is there. Log outputs cut long bodies, and the cause usually stands at their beginning.
 */
export function lenientJson(text: string): unknown {
  const stack: Container[] = []
  let root: unknown
  for (const [token] of text.matchAll(tokenPattern)) {
    const top = stack[stack.length - 1]
    if (token === '{' || token === '[') {
      const made: Container = { object: token === '{' ? {} : null, array: token === '[' ? [] : null, key: null }
      if (root === undefined) root = made.object ?? made.array
      else if (top !== undefined && stack.length < depthLimit) put(top, made.object ?? made.array)
      stack.push(made)
    } else if (token === '}' || token === ']') {
      stack.pop()
      if (stack.length === 0) return root
    } else if (token === ':' || token === ',') {
      // A dangling key does not take the value behind the comma.
      if (token === ',' && top !== undefined) top.key = null
    } else if (top !== undefined) {
      const value = scalarOf(token)
      if (top.object !== null && top.key === null) top.key = String(value)
      else put(top, value)
    }
  }
  return root
}

interface Container {
  readonly object: Record<string, unknown> | null
  readonly array: unknown[] | null
  key: string | null
}

// Texts (also without their end), brackets, and bare words such as numbers and literals.
const tokenPattern = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$)|[{}[\]:,]|[^\s"{}[\]:,]+/gs

function put(container: Container, value: unknown): void {
  if (container.array !== null) {
    container.array.push(value)
  } else if (container.object !== null && container.key !== null) {
    if (container.key !== '__proto__') container.object[container.key] = value
    container.key = null
  }
}

function scalarOf(token: string): unknown {
  if (!token.startsWith('"')) {
    if (token === 'true' || token === 'false') return token === 'true'
    const number = Number(token)
    return token === 'null' || Number.isNaN(number) ? null : number
  }
  const closed = token.length > 1 && token.endsWith('"')
  for (const candidate of closed ? [token] : [`${token}"`, `${token.replace(/\\u?[\da-f]{0,3}$/i, '')}"`]) {
    try {
      return JSON.parse(candidate)
    } catch {
      // A raw line break or a bad escape: the text below is near enough to look for words in.
    }
  }
  return token.slice(1, closed ? -1 : undefined)
}

/** Parses JSON, leniently where it is broken; undefined where the text does not begin like JSON. */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return /^\s*[[{]/.test(text) ? lenientJson(text) : undefined
  }
}
