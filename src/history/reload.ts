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

/** Nothing is read before the windows are there, so it may take its time. */
const reloadSeconds = 120

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
  // Series by series: a row of its own for each slice would be ten times as much text to write and to parse.
  const series = await database.query<{ t: string; a: string; c: string; s: number[]; r: number[]; p: number[] }>(
    `SELECT t, a, c, groupArray(slice) AS s, groupArray(req) AS r, groupArray(refused) AS p
     FROM (
       SELECT tenant AS t, api AS a, cause AS c, intDiv(toUnixTimestamp(bucket), ${sliceMs / 1000}) AS slice,
              sum(requests) AS req, sum(payment_required) AS refused
       FROM tollwatch.rollup_10s
       WHERE bucket >= fromUnixTimestamp({from:Int64})
         AND (NOT has({sources:Array(String)}, source) OR has({lanes:Array(String)}, concat(source, ' ', toString(lane))))
       GROUP BY t, a, c, slice
     )
     GROUP BY t, a, c`,
    { from: Math.floor(fromMs / 1000), sources, lanes },
    reloadSeconds,
  )
  const rows: ReloadedRow[] = []
  for (const { t: tenant, a: api, c, s, r, p } of series) {
    const cause = c === '' ? -1 : causes.indexOf(c as Cause)
    for (const [i, slice] of s.entries()) {
      rows.push({ slice, tenant, api, cause, requests: r[i] ?? 0, paymentRequired: p[i] ?? 0 })
    }
  }
  return rows
}
