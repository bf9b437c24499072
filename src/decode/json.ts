/** A parsed JSON object. Its values are unknown until a reader has looked at their type. */
export type JsonObject = { readonly [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object under a key, or null where there is none or it is of another type. */
export function objectOf(value: unknown): JsonObject | null {
  return isObject(value) ? value : null
}

/** The members of an object that are objects themselves, in their order. */
export type ObjectMembers = readonly (readonly [string, JsonObject])[]

/** Under this key a watched object answers `objectsIn` by itself, so that to ask for its objects is not to ask for all. */
export const objectMembers = Symbol('the members that are objects')

/** The members that are objects, for readers that look into all of them and at nothing else. */
export function objectsIn(entry: JsonObject): ObjectMembers {
  const own = (entry as { readonly [objectMembers]?: () => ObjectMembers })[objectMembers]
  if (own !== undefined) return own()
  const members: [string, JsonObject][] = []
  for (const key in entry) {
    const value = entry[key]
    if (isObject(value)) members.push([key, value])
  }
  return members
}

/** The number a JSON value says, also where a format writes its numbers as text; null for everything else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  // Number() alone would read '' as 0 and take hexadecimal.
  if (typeof value !== 'string' || value.length > 40 || !decimal.test(value)) return null
  return Number(value)
}

const decimal = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?\s*$/i

/** Whether a value stands for "nothing": gateways write absent fields in all these ways. */
export function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'string' || value.length > 7) return false
  return blanks.has(value.trim())
}

const blanks = new Set(['', '-', 'N/A', 'UNKNOWN', 'null'])

/** A dotted path, split once so that looking it up costs no text work. */
export interface DottedPath {
  readonly text: string
  /** For each position the keys that may stand there, longest first, with the position behind them. */
  readonly steps: readonly (readonly { readonly key: string; readonly next: number }[])[]
  /** The last segment, which alone may stand at the last position. */
  readonly last: string
}

/** Most segments of a path; bounds the ways in which dots can be part of a key. */
export const pathSegmentLimit = 8

/**
 * Compiles `response.headers.x-tenant-id`. Since keys may hold dots themselves (`http.response.status_code`), every
 * grouping of the segments is tried, longest key first. Array positions are numbers: `proxies.0.status`.
 */
export function dottedPath(text: string): DottedPath {
  const segments = text.split('.', pathSegmentLimit)
  const steps = segments.map((_, from) => {
    const choices = []
    for (let next = segments.length; next > from; next--) {
      choices.push({ key: segments.slice(from, next).join('.'), next })
    }
    return choices
  })
  return { text, steps, last: segments.at(-1) ?? '' }
}

/** The value at a path, or undefined. */
export function valueAt(root: unknown, path: DottedPath, from = 0): unknown {
  const step = path.steps[from]
  if (step === undefined) return root
  if (typeof root !== 'object' || root === null) return undefined
  // Most places are a single key.
  if (from === path.steps.length - 1) {
    return Object.hasOwn(root, path.last) ? (root as JsonObject)[path.last] : undefined
  }
  for (const { key, next } of step) {
    if (!Object.hasOwn(root, key)) continue
    const found = valueAt((root as JsonObject)[key], path, next)
    if (found !== undefined) return found
  }
  return undefined
}
