import { andMore, type Check, checkSeconds, hourName, problemLimit } from './check.ts'
import type { Database } from './database.ts'
import { type Kept, wholeSince } from './retention.ts'

type Tier = 'rollup_10s' | 'rollup_1m' | 'rollup_1h'

/** An hour, of one lane where the tier knows lanes, in which tier and ledger disagree. */
interface UnequalHour {
  readonly lane: string
  readonly hour: number
  /** What the ledger says the tier must hold: what landed, less what was erased on somebody's order. */
  readonly due: { readonly requests: number; readonly refusals: number }
  readonly found: { readonly requests: number; readonly refusals: number }
}

/**
 * Compares a tier with the ledger, hour by hour over all that both still hold; the finest one lane by lane, because it
 * is the one that knows them.
 */
export async function checkLedger(database: Database, tier: Tier, kept: Kept): Promise<Check> {
  const since = wholeSince(kept, [tier, 'ledger']) ?? 0
  const { hours, unequal, leftOut, examples } = await compareWithLedger(database, tier, since)
  const problems = examples.map(({ lane, hour, due, found }) => {
    const where = lane === '' ? '' : `${lane}, `
    return `${where}hour ${hourName(hour)}: the ledger has ${due.requests} requests and ${due.refusals} refusals, ${tier} has ${found.requests} and ${found.refusals}`
  })
  return {
    ...{ name: `ledger and ${tier}`, ok: unequal === 0, since: hourName(since), hours, unequal, left_out: leftOut },
    problems: [...problems, ...andMore(examples.length, unequal)],
  }
}

/** @param since the first hour, in epoch seconds */
export async function compareWithLedger(
  database: Database,
  tier: Tier,
  since: number,
  exampleLimit = problemLimit,
): Promise<{ hours: number; unequal: number; leftOut: number; examples: readonly UnequalHour[] }> {
  const lane = tier === 'rollup_10s' ? "concat(source, ' lane ', toString(lane))" : "''"
  const [row] = await database.query<{
    compared: number
    unequal: number
    leftOut: number
    examples: [string, [number, number, number, number, number]][]
  }>(
    `SELECT count() AS compared, countIf(differs) AS unequal, countIf(isVague) AS leftOut,
            groupArrayIf(${exampleLimit})((name, [toInt64(toUnixTimestamp(hour)), dr, dp, tr, tp]), differs) AS examples
     FROM (
       SELECT name, hour, sum(dr0) AS dr, sum(dp0) AS dp, toInt64(sum(tr0)) AS tr, toInt64(sum(tp0)) AS tp,
              max(vague) AS isVague, NOT isVague AND (dr != tr OR dp != tp) AS differs
       FROM (
         SELECT name, hour, toInt64(r) AS dr0, toInt64(p) AS dp0, 0 AS tr0, 0 AS tp0, vague FROM (${ledgerHours(lane)})
         UNION ALL
         SELECT ${lane} AS name, hour, -toInt64(requests) AS dr0, -toInt64(payment_required) AS dp0, 0 AS tr0, 0 AS tp0, 0 AS vague
         FROM tollwatch.erasure WHERE erased_from = {tier:String} AND hour >= fromUnixTimestamp({since:Int64})
         UNION ALL
         SELECT ${lane} AS name, toStartOfHour(bucket) AS hour, 0 AS dr0, 0 AS dp0, sum(requests) AS tr0,
                sum(payment_required) AS tp0, 0 AS vague
         FROM tollwatch.${tier} WHERE bucket >= fromUnixTimestamp({since:Int64}) GROUP BY name, hour
       )
       GROUP BY name, hour ORDER BY name, hour
     )`,
    { since, tier },
    checkSeconds,
  )
  const { compared = 0, unequal = 0, leftOut = 0, examples = [] } = row ?? {}
  return {
    ...{ hours: compared - leftOut, unequal, leftOut },
    examples: examples.map(([name, [hour, dr, dp, tr, tp]]) => ({
      ...{ lane: name, hour },
      ...{ due: { requests: dr, refusals: dp }, found: { requests: tr, refusals: tp } },
    })),
  }
}

/**
 * What landed, by hour, from the ledger. Its entries of version 0.1 have no hours of their own: one that lies within an
 * hour tells it all the same, another makes all its hours vague. An entry is never older than the hours in it, but for
 * a minute by which stamps may run ahead.
 */
export function ledgerHours(lane: string): string {
  const from = `landed_at >= fromUnixTimestamp(greatest({since:Int64} - 3600, 0))`
  const [first, last] = ["toStartOfHour(toDateTime(min_time, 'UTC'))", "toStartOfHour(toDateTime(max_time, 'UTC'))"]
  return `
    SELECT ${lane} AS name, h.1 AS hour, h.2 AS r, h.3 AS p, 0 AS vague
    FROM tollwatch.ledger ARRAY JOIN hours AS h WHERE ${from} AND h.1 >= fromUnixTimestamp({since:Int64})
    UNION ALL
    SELECT ${lane} AS name, ${first} AS hour, requests AS r, payment_required AS p, 0 AS vague
    FROM tollwatch.ledger
    WHERE ${from} AND empty(hours) AND requests > 0 AND ${first} = ${last} AND hour >= fromUnixTimestamp({since:Int64})
    UNION ALL
    SELECT name, hour, 0 AS r, 0 AS p, 1 AS vague FROM (
      SELECT ${lane} AS name, arrayJoin(arrayMap(i -> ${first} + toUInt32(i * 3600), range(toUInt32(dateDiff('hour', ${first}, ${last})) + 1))) AS hour
      FROM tollwatch.ledger WHERE ${from} AND empty(hours) AND requests > 0 AND ${first} != ${last}
    ) WHERE hour >= fromUnixTimestamp({since:Int64})`
}
