import type { EpochMs } from '../time/clock.ts'

/** What one answer says of one quota of its caller. */
export interface QuotaSign {
  /** The name of the policy or its span of time, such as `default`, `day` or `month`. */
  readonly quota: string
  readonly limit: number
  readonly remaining: number
  /** When it is full again; null where that is not said. */
  readonly resetAtMs: EpochMs | null
}

const hourSeconds = 3_600
/** A limit that is full again within the hour throttles; nobody has to be told before it is used up. */
const leastSeconds = hourSeconds
/** Above this a reset is a time and no span: some send epoch seconds. */
const epochSeconds = 1_000_000_000
const most = 20

const spanSeconds: ReadonlyMap<string, number> = new Map([
  ['second', 1],
  ['minute', 60],
  ['hour', hourSeconds],
  ['day', 24 * hourSeconds],
  ['week', 7 * 24 * hourSeconds],
  ['month', 30 * 24 * hourSeconds],
  ['year', 365 * 24 * hourSeconds],
])

/**
 * Reads the quotas in the headers of a response: `RateLimit` with `RateLimit-Policy` of the IETF draft, and
 * `(X-)RateLimit-Limit`, `-Remaining` and `-Reset`, also with a span behind them as Kong writes it. Limits that come
 * back within the hour are left out.
 *
 * @param headers names in lower case
 * @param atMs event time of the response, from which spans count
 */
export function quotasIn(headers: ReadonlyMap<string, string>, atMs: EpochMs): readonly QuotaSign[] {
  const found = [...structured(headers, atMs), ...plain(headers, atMs)]
  return found.filter(({ limit, remaining }) => limit > 0 && remaining <= limit).slice(0, most)
}

/** `RateLimit: "month";r=12;t=50000` beside `RateLimit-Policy: "month";q=1000;w=2592000`. */
function structured(headers: ReadonlyMap<string, string>, atMs: EpochMs): readonly QuotaSign[] {
  const limits = itemsOf(headers.get('ratelimit'))
  if (limits.size === 0) return []
  const policies = itemsOf(headers.get('ratelimit-policy'))
  return [...limits].flatMap(([quota, values]) => {
    const policy = policies.get(quota)
    const limit = policy?.get('q')
    const remaining = values.get('r')
    if (limit === undefined || remaining === undefined) return []
    const resetSeconds = values.get('t')
    if (!isLong(policy?.get('w') ?? resetSeconds)) return []
    return [{ quota, limit, remaining, resetAtMs: resetAt(resetSeconds, atMs) }]
  })
}

/** The items of a structured list: each name with its numbers. */
function itemsOf(value: string | undefined): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const items = new Map<string, ReadonlyMap<string, number>>()
  for (const item of (value ?? '').slice(0, 2_000).matchAll(/"([^"]{1,100})"((?:;\s*[a-z]+=[^;,"]{1,30})*)/g)) {
    const numbers = [...(item[2] ?? '').matchAll(/([a-z]+)=(\d{1,18})(?=\s*(?:;|$))/g)]
    items.set(item[1] ?? '', new Map(numbers.map(([, key = '', number]) => [key, Number(number)])))
  }
  return items
}

/** `X-RateLimit-Limit-Month: 1000`, `X-RateLimit-Remaining-Month: 12`; without a span a reset must tell it. */
function plain(headers: ReadonlyMap<string, string>, atMs: EpochMs): readonly QuotaSign[] {
  const signs: QuotaSign[] = []
  for (const [name, value] of headers) {
    const match = /^(x-)?ratelimit-remaining(?:-([a-z0-9]+(?:-[a-z0-9]+)*))?$/.exec(name)
    if (match === null) continue
    const [, prefix = '', what] = match
    const suffix = what === undefined ? '' : `-${what}`
    const limit = numberIn(headers.get(`${prefix}ratelimit-limit${suffix}`))
    const remaining = numberIn(value)
    const reset = numberIn(headers.get(`${prefix}ratelimit-reset${suffix}`))
    if (limit === null || remaining === null) continue
    const resetAtMs = resetAt(reset ?? undefined, atMs)
    const span = spanSeconds.get(what ?? '') ?? (resetAtMs === null ? undefined : (resetAtMs - atMs) / 1000)
    if (isLong(span)) signs.push({ quota: what ?? 'default', limit, remaining, resetAtMs })
  }
  return signs
}

function isLong(seconds: number | undefined): boolean {
  return seconds !== undefined && seconds >= leastSeconds
}

function resetAt(reset: number | undefined, atMs: EpochMs): EpochMs | null {
  if (reset === undefined || reset < 0) return null
  return reset >= epochSeconds ? reset * 1000 : atMs + reset * 1000
}

/** A whole number alone, or the first of several; null for anything else. */
function numberIn(value: string | undefined): number | null {
  const match = /^\s*(-?\d{1,15})(?:\.\d+)?\s*(?:[,;]|$)/.exec(value ?? '')
  return match === null ? null : Number(match[1])
}
