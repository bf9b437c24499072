import { randomUUID } from 'node:crypto'
import { hourMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import { checkSeconds } from './check.ts'
import { measures } from './check-tiers.ts'
import type { Database } from './database.ts'
import { deadLetterInsert, eventInsert } from './landing.ts'
import type { Range, RollupRow } from './range.ts'

/** Buckets of one lane, in epoch seconds; `to` is not part of it. */
export interface Buckets {
  readonly source: string
  readonly lane: number
  readonly from: number
  readonly to: number
}

type Measures = [requests: number, refused: number, n2xx: number, n4xx: number, n5xx: number, late: number]

interface Cell {
  readonly key: readonly [bucket: number, tenant: string, api: string, cause: string]
  readonly due: Measures
}

const sliceSeconds = sliceMs / 1000
export const hourSeconds = hourMs / 1000
const rowsPerInsert = 100_000

/** What the 10 s tier must hold in some buckets of a lane, added up from its ranges. */
export class DueCells {
  readonly buckets: Buckets
  readonly #cells = new Map<string, Cell>()
  requests = 0
  paymentRequired = 0

  constructor(buckets: Buckets) {
    this.buckets = buckets
  }

  get size(): number {
    return this.#cells.size
  }

  add(rows: readonly RollupRow[]): void {
    for (const row of rows) {
      const bucket = row.slice * sliceSeconds
      if (bucket < this.buckets.from || bucket >= this.buckets.to) continue
      const { due } = this.#cell(bucket, row.tenant, row.api, row.cause)
      due[0] += row.requests
      due[1] += row.paymentRequired
      due[2] += row.n2xx
      due[3] += row.n4xx
      due[4] += row.n5xx
      this.requests += row.requests
      this.paymentRequired += row.paymentRequired
    }
  }

  /**
   * What must be added to the tier, most of it perhaps negative, so that it holds these cells and no others. Which
   * requests were late nobody can tell any more: the tier keeps what it says, up to the requests.
   */
  differences(stored: readonly StoredRow[]): unknown[][] {
    const held = new Map<string, Measures>()
    for (const row of stored) {
      const cell = this.#cell(row.at, row.t, row.a, row.c)
      held.set(JSON.stringify(cell.key), [row.m0, row.m1, row.m2, row.m3, row.m4, row.m5])
    }
    const { source, lane } = this.buckets
    const rows: unknown[][] = []
    for (const [name, { key, due }] of this.#cells) {
      const found = held.get(name) ?? [0, 0, 0, 0, 0, 0]
      due[5] = Math.min(Math.max(found[5], 0), due[0])
      if (due.some((value, i) => value !== found[i])) {
        rows.push([...key, source, lane, ...due.map((value, i) => wrapped(value - (found[i] ?? 0)))])
      }
    }
    return rows
  }

  #cell(bucket: number, tenant: string, api: string, cause: string): Cell {
    const key = [bucket, tenant, api, cause] as const
    const name = JSON.stringify(key)
    const cell = this.#cells.get(name) ?? { key, due: [0, 0, 0, 0, 0, 0] }
    this.#cells.set(name, cell)
    return cell
  }
}

/** One bucket of a series with its six measures. */
export interface StoredRow {
  readonly at: number
  readonly t: string
  readonly a: string
  readonly c: string
  readonly m0: number
  readonly m1: number
  readonly m2: number
  readonly m3: number
  readonly m4: number
  readonly m5: number
}

/** What the 10 s tier holds in these buckets; null when that are more rows than `limit`. */
export async function storedRows(
  database: Database,
  { source, lane, from, to }: Buckets,
  limit: number,
): Promise<readonly StoredRow[] | null> {
  const sums = measures.map((measure, i) => `toInt64(sum(${measure})) AS m${i}`).join(', ')
  const rows = await database.query<StoredRow>(
    `SELECT toUnixTimestamp(bucket) AS at, tenant AS t, api AS a, cause AS c, ${sums}
     FROM tollwatch.rollup_10s
     WHERE source = {source:String} AND lane = {lane:UInt32}
       AND bucket >= fromUnixTimestamp({from:Int64}) AND bucket < fromUnixTimestamp({to:Int64})
     GROUP BY at, t, a, c LIMIT ${limit + 1}`,
    { source, lane, from, to },
    checkSeconds,
  )
  return rows.length > limit ? null : rows
}

/** Adds differences to the 10 s tier; dying in between leaves less to do. */
export async function addToTier(database: Database, rows: readonly unknown[][]): Promise<void> {
  const columns = ['bucket', 'tenant', 'api', 'cause', 'source', 'lane', ...measures]
  for (let at = 0; at < rows.length; at += rowsPerInsert) {
    await database.insert({
      ...{ table: 'tollwatch.rollup_10s', columns, rows: rows.slice(at, at + rowsPerInsert) },
      // The same difference may have to be added again one day.
      token: `repair:${randomUUID()}`,
    })
  }
}

/** Adds the refused calls and dead letters of a range that their tables lack; how many those are. */
export async function addMissing(
  database: Database,
  range: Range,
  what: { eventsSinceMs: number | null; lettersSinceMs: number | null; dryRun: boolean },
): Promise<{ events: number; letters: number }> {
  const { eventsSinceMs, lettersSinceMs, dryRun } = what
  const recent = range.events.filter(({ timeMs }) => eventsSinceMs !== null && timeMs >= eventsSinceMs)
  const events = await lacking(database, 'events_402', range, recent)
  const kept = range.deadLetters.filter(({ atMs }) => lettersSinceMs !== null && atMs >= lettersSinceMs)
  const deadLetters = await lacking(database, 'dead_letter', range, kept)
  if (!dryRun) {
    const token = `repair:${randomUUID()}`
    if (events.length > 0) await database.insert(eventInsert({ ...range, events }, token))
    if (deadLetters.length > 0) await database.insert(deadLetterInsert({ ...range, deadLetters }, token))
  }
  return { events: events.length, letters: deadLetters.length }
}

async function lacking<Row extends { readonly offset: number; readonly index: number }>(
  database: Database,
  table: 'events_402' | 'dead_letter',
  { source, lane, lo, hi }: Range,
  rows: readonly Row[],
): Promise<readonly Row[]> {
  if (rows.length === 0) return []
  const there = await database.query<{ o: number; e: number }>(
    `SELECT offset AS o, entry AS e FROM tollwatch.${table}
     WHERE source = {source:String} AND lane = {lane:UInt32} AND offset BETWEEN {lo:UInt64} AND {hi:UInt64}`,
    { source, lane, lo, hi },
    checkSeconds,
  )
  const known = new Set(there.map(({ o, e }) => `${o} ${e}`))
  return rows.filter(({ offset, index }) => !known.has(`${offset} ${index}`))
}

/** A difference as the 64-bit sums take it: they wrap round, so a negative one is a very large number. */
function wrapped(difference: number): string {
  return BigInt.asUintN(64, BigInt(difference)).toString()
}
