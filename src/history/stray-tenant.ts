import type { Database } from './database.ts'

/** A tenant whose records came by two lanes of one source. */
export interface StrayTenant {
  readonly source: string
  readonly tenant: string
  readonly lanes: readonly [number, number]
}

/** Names that stand for many tenants, who are at home everywhere. */
const gathered = ['__other__', 'unknown', '']

/** A tenant that is in more than one lane of a source since `sinceMs`; null when every tenant keeps to one. */
export async function strayTenant(
  database: Database,
  sources: readonly string[],
  sinceMs: number,
): Promise<StrayTenant | null> {
  const [row] = await database.query<{ s: string; t: string; a: number; b: number }>(
    `SELECT source AS s, tenant AS t, min(lane) AS a, max(lane) AS b FROM tollwatch.rollup_10s
     WHERE bucket >= fromUnixTimestamp({since:Int64}) AND cause = ''
       AND has({sources:Array(String)}, source) AND NOT has({gathered:Array(String)}, tenant)
     GROUP BY s, t HAVING a != b ORDER BY s, t LIMIT 1`,
    { since: Math.floor(sinceMs / 1000), sources, gathered },
  )
  return row === undefined ? null : { source: row.s, tenant: row.t, lanes: [row.a, row.b] }
}
