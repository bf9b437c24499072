import { type Cause, causes } from '../classify/cause.ts'
import { sliceMs } from '../window/view.ts'
import type { Database } from './database.ts'

export interface ReloadedRow {
  readonly slice: number
  readonly tenant: string
  readonly api: string
  /** Index of the cause in `causes`, -1 for a row of requests. */
  readonly cause: number
  readonly requests: number
  readonly paymentRequired: number
}

/**
 * What the windows must hold: the 10 s tier from `fromMs` on. Lanes of `sources` that are not among `mine` belong to
 * other members of the group and are left out; everything else in the store counts.
 */
export async function windowRows(
  database: Database,
  fromMs: number,
  mine: readonly { source: string; lane: number }[],
): Promise<readonly ReloadedRow[]> {
  const sources = [...new Set(mine.map((lane) => lane.source))]
  const lanes = mine.map((lane) => `${lane.source} ${lane.lane}`)
  const rows = await database.query<{ b: number; t: string; a: string; c: string; r: number; p: number }>(
    `SELECT toUnixTimestamp(bucket) AS b, tenant AS t, api AS a, cause AS c, sum(requests) AS r, sum(payment_required) AS p
     FROM tollwatch.rollup_10s
     WHERE bucket >= fromUnixTimestamp({from:Int64})
       AND (NOT has({sources:Array(String)}, source) OR has({lanes:Array(String)}, concat(source, ' ', toString(lane))))
     GROUP BY b, t, a, c`,
    { from: Math.floor(fromMs / 1000), sources, lanes },
  )
  return rows.map((row) => ({
    slice: (row.b * 1000) / sliceMs,
    tenant: row.t,
    api: row.a,
    cause: row.c === '' ? -1 : causes.indexOf(row.c as Cause),
    requests: row.r,
    paymentRequired: row.p,
  }))
}
