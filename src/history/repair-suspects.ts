import { checkSeconds, monthsFrom } from './check.ts'
import { compareWithLedger, ledgerHours } from './check-ledger.ts'
import { compareLetters } from './check-letters.ts'
import { compareTiers, tierPairs } from './check-tiers.ts'
import type { Database } from './database.ts'
import { type Kept, serverNow, wholeSince } from './retention.ts'

/** Most places that one repair looks at. */
const suspectLimit = 100_000

export interface Counts {
  readonly requests: number
  readonly payment_required: number
}

/** An hour of one lane in which the finest tier, or the refused calls, are not what they should be. */
export interface SuspectHour {
  readonly source: string
  readonly lane: number
  /** Its start in epoch seconds. */
  readonly hour: number
  /** What the tier has, and what it must have by the ledger. */
  readonly before: Counts
  readonly after: Counts
  /** Refused calls that are missing one by one. */
  readonly events: number
  /** Some of the hour was erased on somebody's order. */
  readonly erased: boolean
}

/** A range with fewer dead letters than the ledger counts. */
export interface SuspectRange {
  readonly source: string
  readonly lane: number
  readonly lo: number
  readonly hi: number
  readonly missing: number
}

/**
 * Where the finest tier and the tables beside it are wrong, over hours that all of them still hold: against the ledger,
 * lane by lane. Where the 10 s tier and the minute tier differ although both have the ledger's sums, either can be
 * wrong, so all lanes of the hour are suspect.
 */
export async function suspectHours(
  database: Database,
  kept: Kept,
  span: { from: number; to: number },
): Promise<readonly SuspectHour[]> {
  const eventsSince = wholeSince(kept, ['events_402', 'rollup_10s', 'ledger'])
  const vague = await hoursThatDiffer(database, span)
  const rows = await database.query<{
    source: string
    lane: number
    at: number
    dr: number
    dp: number
    tr: number
    tp: number
    gone: number
    wiped: number
  }>(
    `SELECT name.1 AS source, name.2 AS lane, toUnixTimestamp(hour) AS at, sum(dr0) AS dr, sum(dp0) AS dp,
            toInt64(sum(tr0)) AS tr, toInt64(sum(tp0)) AS tp,
            if(at >= {eventsSince:Int64}, greatest(sum(lp0) - sum(ev0), 0), 0) AS gone, max(erased0) AS wiped
     FROM (
       SELECT name, hour, toInt64(r) AS dr0, toInt64(p) AS dp0, 0 AS tr0, 0 AS tp0, toInt64(p) AS lp0, 0 AS ev0, vague AS vague0, 0 AS erased0
       FROM (${ledgerHours(laneTuple)})
       UNION ALL
       SELECT ${laneTuple} AS name, hour, -toInt64(requests), -toInt64(payment_required), 0, 0, 0, 0, 0, 1
       FROM tollwatch.erasure WHERE erased_from = 'rollup_10s' AND ${within('hour')}
       UNION ALL
       SELECT ${laneTuple} AS name, toStartOfHour(bucket) AS hour, 0, 0, sum(requests), sum(payment_required), 0, 0, 0, 0
       FROM tollwatch.rollup_10s WHERE ${within('bucket')} GROUP BY name, hour
       UNION ALL
       SELECT ${laneTuple} AS name, toStartOfHour(toDateTime(ts, 'UTC')) AS hour, 0, 0, 0, 0, 0, count(), 0, 0
       FROM tollwatch.events_402 FINAL WHERE kind = 'payment_required' AND ${within('ts')} GROUP BY name, hour
     )
     WHERE ${within('hour')}
     GROUP BY name, hour
     HAVING max(vague0) = 0 AND (dr != tr OR dp != tp OR (gone > 0 AND ${notErased}) OR (dr > 0 AND has({vague:Array(String)}, toString(at))))
     ORDER BY at, source, lane LIMIT ${suspectLimit}`,
    { since: span.from, from: span.from, to: span.to, eventsSince: eventsSince ?? span.to, vague: vague.map(String) },
    checkSeconds,
  )
  return rows.map(({ source, lane, at, dr, dp, tr, tp, gone, wiped }) => ({
    ...{ source, lane, hour: at, events: gone, erased: wiped > 0 },
    before: { requests: tr, payment_required: tp },
    after: { requests: dr, payment_required: dp },
  }))
}

/** Ranges of the span that lack dead letters. */
export async function suspectLetters(
  database: Database,
  kept: Kept,
  span: { from: number; to: number },
): Promise<readonly SuspectRange[]> {
  const since = wholeSince(kept, ['dead_letter', 'ledger'])
  if (since === null || since >= span.to) return []
  const { examples } = await compareLetters(database, Math.max(since, span.from), suspectLimit)
  return examples.flatMap(({ lane, lo, hi, told, held }) => {
    return told > held ? [{ ...laneOf(lane), lo, hi, missing: told - held }] : []
  })
}

/** Hours in which the two finest tiers differ and the minute tier has the sums of the ledger. */
async function hoursThatDiffer(database: Database, { from, to }: { from: number; to: number }): Promise<number[]> {
  const now = (await serverNow(database)) / 1000
  const hours: number[] = []
  for (const month of monthsFrom(from, now)) {
    if (month.from >= to) break
    const span = { from: month.from, to: Math.min(month.to, to) }
    hours.push(...(await compareTiers(database, tierPairs[0], span, suspectLimit)).examples.map(([hour]) => hour))
  }
  if (hours.length === 0) return []
  const { examples } = await compareWithLedger(database, 'rollup_1m', from, suspectLimit)
  const wrong = new Set(examples.map(({ hour }) => hour))
  return hours.filter((hour) => !wrong.has(hour))
}

/** An erasure of refused calls is noted by the hour alone. */
const notErased = "at NOT IN (SELECT toUnixTimestamp(hour) FROM tollwatch.erasure WHERE erased_from = 'events_402')"

const laneTuple = 'tuple(toString(source), lane)'

function within(column: string): string {
  return `${column} >= fromUnixTimestamp({from:Int64}) AND ${column} < fromUnixTimestamp({to:Int64})`
}

/** `source lane 3`, as checks name lanes. */
function laneOf(name: string): { source: string; lane: number } {
  const at = name.lastIndexOf(' lane ')
  return { source: name.slice(0, at), lane: Number(name.slice(at + ' lane '.length)) }
}
