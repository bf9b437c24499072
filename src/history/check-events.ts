import { andMore, type Check, checkSeconds, hourName, monthsFrom, problemLimit, type Totals } from './check.ts'
import type { Database } from './database.ts'
import { type Kept, wholeSince } from './retention.ts'

interface Comparison {
  readonly hours: number
  readonly unequal: number
  readonly examples: readonly (readonly [string, readonly [number, number, number]])[]
  readonly refusals: number
}

/**
 * Compares the refused calls, which are kept one by one under their true names, with the refusals of the hour tier,
 * hour by hour and cause by cause. What was erased of either on somebody's order counts as if it were there.
 */
export async function checkEvents(
  database: Database,
  { kept, now }: { kept: Kept; now: number },
): Promise<{ check: Check; totals: Totals }> {
  const name = 'events_402 and rollup_1h'
  const since = wholeSince(kept, ['events_402', 'rollup_1h'])
  const parts: Comparison[] = []
  if (since !== null) for (const span of monthsFrom(since, now)) parts.push(await compare(database, span))
  const sum = (of: (part: Comparison) => number) => parts.reduce((total, part) => total + of(part), 0)
  const unequal = sum((part) => part.unequal)
  const examples = parts.flatMap((part) => part.examples).slice(0, problemLimit)
  const problems = examples.map(([cause, [hour, events, refusals]]) => {
    return `hour ${hourName(hour)}: events_402 has ${events} refusals for ${cause}, rollup_1h has ${refusals}`
  })
  const compared = { hours: sum((part) => part.hours), unequal, left_out: 0 }
  return {
    check: {
      ...{ name, ok: unequal === 0, since: since === null ? null : hourName(since), ...compared },
      problems: [...problems, ...andMore(examples.length, unequal)],
    },
    totals: { requests: null, payment_required: sum((part) => part.refusals) },
  }
}

async function compare(database: Database, span: { from: number; to: number }): Promise<Comparison> {
  const within = (column: string) =>
    `${column} >= fromUnixTimestamp({from:Int64}) AND ${column} < fromUnixTimestamp({to:Int64})`
  const [row] = await database.query<{
    compared: number
    unequal: number
    examples: Comparison['examples']
    refusals: number
  }>(
    `SELECT count() AS compared, countIf(events != refused) AS unequal, sum(here) AS refusals,
            groupArrayIf(${problemLimit})((toString(cause), [toUnixTimestamp(hour), events, refused]), events != refused) AS examples
     FROM (
       SELECT hour, cause, sum(ev) AS events, sum(ro) AS refused, sum(own) AS here FROM (
         SELECT toStartOfHour(toDateTime(ts, 'UTC')) AS hour, cause, count() AS ev, 0 AS ro, count() AS own
         FROM tollwatch.events_402 FINAL WHERE ${within('ts')} AND kind = 'payment_required' GROUP BY hour, cause
         UNION ALL
         SELECT bucket AS hour, cause, 0 AS ev, sum(payment_required) AS ro, 0 AS own
         FROM tollwatch.rollup_1h WHERE ${within('bucket')} AND cause != '' GROUP BY hour, cause
         UNION ALL
         SELECT hour, cause, if(erased_from = 'events_402', payment_required, 0) AS ev, if(erased_from = 'rollup_1h', payment_required, 0) AS ro, 0 AS own
         FROM tollwatch.erasure WHERE ${within('hour')} AND cause != ''
       )
       GROUP BY hour, cause HAVING events > 0 OR refused > 0 ORDER BY hour, cause
     )`,
    span,
    checkSeconds,
  )
  return {
    hours: row?.compared ?? 0,
    unequal: row?.unequal ?? 0,
    examples: row?.examples ?? [],
    refusals: row?.refusals ?? 0,
  }
}
