import type { EpochMs } from '../time/clock.ts'
import type { Database } from './database.ts'

/** Small facts that pages show beside the rows of history. */
export interface Facts {
  /** When history first and last counted a request of this tenant, to the hour and to the minute; null for never. */
  seen(tenant: string): Promise<{ readonly firstMs: EpochMs; readonly lastMs: EpochMs } | null>
  /** When each rule fired last, by its name. */
  lastFired(): Promise<ReadonlyMap<string, EpochMs>>
  /** Dead letters that arrived since then, by reason. */
  deadLetterReasons(sinceMs: EpochMs): Promise<ReadonlyMap<string, number>>
}

/** The facts, from ClickHouse. */
export class StoredFacts implements Facts {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async seen(tenant: string): Promise<{ firstMs: EpochMs; lastMs: EpochMs } | null> {
    const [row] = await this.#database.query<{ first: number; last: number }>(
      `SELECT minIf(at, at > 0) AS first, max(at) AS last FROM (
         SELECT toUnixTimestamp(min(bucket)) AS at FROM tollwatch.rollup_1h WHERE tenant = {tenant:String} AND requests + payment_required > 0
         UNION ALL
         SELECT toUnixTimestamp(max(bucket)) AS at FROM tollwatch.rollup_1h WHERE tenant = {tenant:String} AND requests + payment_required > 0
         UNION ALL
         SELECT toUnixTimestamp(max(bucket)) AS at FROM tollwatch.rollup_1m WHERE tenant = {tenant:String} AND requests + payment_required > 0
       )`,
      { tenant },
    )
    if (row === undefined || row.last === 0) return null
    return { firstMs: row.first * 1000, lastMs: row.last * 1000 }
  }

  async lastFired(): Promise<ReadonlyMap<string, EpochMs>> {
    const rows = await this.#database.query<{ name: string; at_ms: number }>(
      `SELECT rule AS name, toUnixTimestamp64Milli(max(at)) AS at_ms FROM tollwatch.alert_log
       WHERE state = 'firing' GROUP BY rule LIMIT 10000`,
    )
    return new Map(rows.map(({ name, at_ms }) => [name, at_ms]))
  }

  async deadLetterReasons(sinceMs: EpochMs): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.query<{ why: string; n: number }>(
      `SELECT reason AS why, count() AS n FROM tollwatch.dead_letter FINAL
       WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') GROUP BY reason ORDER BY n DESC LIMIT 100`,
      { since: sinceMs },
    )
    return new Map(rows.map(({ why, n }) => [why, n]))
  }
}
