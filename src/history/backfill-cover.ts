import { checkSeconds } from './check.ts'
import type { Database } from './database.ts'

/** Offsets from `lo` to `hi`, both inclusive. */
export interface Span {
  readonly lo: number
  readonly hi: number
}

/** What the ledger has of a lane: everything from `first` to `last` but for the holes, which lie in rising order. */
export interface Cover {
  /** The name under which the first range is there. */
  readonly firstSource: string
  readonly first: number
  readonly last: number
  readonly holes: readonly Span[]
}

/** Holes beyond these wait for the next run. */
const holeLimit = 10_000

/**
 * What the ledger has of a lane, declared gaps included.
 *
 * @param sources all names under which this input may be in the ledger
 * @returns null when there is nothing
 */
export async function coverOf(database: Database, sources: readonly string[], lane: number): Promise<Cover | null> {
  const [row] = await database.query<{
    entries: number
    name: string
    first: number
    last: number
    holes: [number, number][]
  }>(
    `SELECT count() AS entries, argMin(toString(source), lo0) AS name, min(lo0) AS first, max(hi0) AS last,
            groupArrayIf(${holeLimit})((reached, lo0 - 1), lo0 > reached) AS holes
     FROM (
       SELECT source, lo AS lo0, hi AS hi0,
              if(row_number() OVER w = 1, lo, max(hi + 1) OVER (ORDER BY lo, hi ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS reached
       FROM tollwatch.ledger
       WHERE has({sources:Array(String)}, source) AND lane = {lane:UInt32}
       WINDOW w AS (ORDER BY lo, hi)
     )`,
    { sources, lane },
    checkSeconds,
  )
  if (row === undefined || row.entries === 0) return null
  const holes = row.holes.map(([lo, hi]) => ({ lo, hi })).sort((a, b) => a.lo - b.lo)
  return { firstSource: row.name, first: row.first, last: row.last, holes }
}

/** What a lane owes history: what can be read, from the top down, and what can not be read any more. */
export interface Owed {
  readonly readable: readonly Span[]
  readonly lost: readonly Span[]
}

/**
 * What of the offsets `[from, to)` is not in the ledger and lies below its end: what comes after belongs to the daemon.
 *
 * Offsets before the ledger's first are taken up to that first, also where `to` comes earlier, because a ledger that
 * begins twice has a hole. Of a hole only what was asked for is taken.
 *
 * @param earliest lowest offset that can still be read; what lies below it before the ledger's first was never history's
 */
export function owedOf(
  cover: Omit<Cover, 'firstSource'>,
  { from, to, earliest }: { from: number; to: number; earliest: number },
): Owed {
  const readable: Span[] = []
  const lost: Span[] = []
  // Kafka knows no times of what it has deleted: a span that begins at its first record may have begun before it.
  const since = from <= earliest ? 0 : from
  for (const hole of cover.holes.toReversed()) {
    const asked = { lo: Math.max(hole.lo, since), hi: Math.min(hole.hi, to - 1) }
    add(readable, { lo: Math.max(asked.lo, earliest), hi: asked.hi })
    add(lost, { lo: asked.lo, hi: Math.min(asked.hi, earliest - 1) })
  }
  const begin = Math.max(from, earliest)
  if (begin < Math.min(to, cover.first)) add(readable, { lo: begin, hi: cover.first - 1 })
  return { readable, lost }
}

export function widthOf({ lo, hi }: Span): number {
  return hi - lo + 1
}

function add(spans: Span[], span: Span): void {
  if (span.lo <= span.hi) spans.push(span)
}
