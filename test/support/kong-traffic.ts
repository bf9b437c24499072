/** Steady made-up traffic in Kong's layout, so regular that every count of a span can be told beforehand. */

/** One tenant that calls one API at fixed moments: whole multiples of `everyMs` since the epoch. */
export interface Caller {
  readonly tenant: string
  readonly api: string
  readonly everyMs: number
  /** Every `each`-th call is refused with this error code; null is never refused. */
  readonly refused: { readonly code: string; readonly each: number } | null
}

/** Event times after `afterMs`, up to and with `untilMs`: the last call closes the slice that ends there. */
export interface Span {
  readonly afterMs: number
  readonly untilMs: number
}

const callsPerValue = 50

/** The calls of all callers in order of time, as Kafka values of Kong's batches. */
export function kongTraffic(callers: readonly Caller[], span: Span): string[] {
  const calls = callers.flatMap((caller) => momentsOf(caller, span).map((at) => ({ at, caller })))
  calls.sort((a, b) => a.at - b.at)
  const values: string[] = []
  for (let first = 0; first < calls.length; first += callsPerValue) {
    values.push(
      JSON.stringify(calls.slice(first, first + callsPerValue).map(({ at, caller }) => kongRecord(caller, at))),
    )
  }
  return values
}

/** What a caller did in a span, as history and windows must count it. */
export function countOf(caller: Caller, span: Span): { requests: number; refused: number } {
  const moments = momentsOf(caller, span)
  return { requests: moments.length, refused: moments.filter((at) => isRefused(caller, at)).length }
}

function momentsOf({ everyMs }: Caller, { afterMs, untilMs }: Span): number[] {
  const first = Math.floor(afterMs / everyMs) + 1
  const last = Math.floor(untilMs / everyMs)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => (first + place) * everyMs)
}

function isRefused({ everyMs, refused }: Caller, at: number): boolean {
  return refused !== null && (at / everyMs) % refused.each === 0
}

function kongRecord(caller: Caller, at: number): unknown {
  const { tenant, api, refused } = caller
  const code = isRefused(caller, at) ? refused?.code : undefined
  return {
    request: { id: `${tenant}-${api}-${at}`, method: 'POST', uri: `/${api}?key=not-to-be-kept`, headers: {} },
    response: {
      status: code === undefined ? 200 : 402,
      headers: {},
      size: 64,
      ...(code === undefined ? {} : { body: JSON.stringify({ error: { code } }) }),
    },
    latencies: { kong: 1, proxy: 30, request: 31 },
    route: { name: api },
    consumer: { username: tenant },
    started_at: at,
    source: 'upstream',
  }
}
