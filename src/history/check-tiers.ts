import { andMore, type Check, checkSeconds, hourName, monthsFrom, problemLimit, type Totals } from './check.ts'
import type { Database } from './database.ts'
import { type Kept, wholeSince } from './retention.ts'

export interface TierPair {
  readonly finer: 'rollup_10s' | 'rollup_1m'
  readonly coarser: 'rollup_1m' | 'rollup_1h'
  /** The function of SQL that takes a time to the start of the coarser tier's bucket. */
  readonly floor: 'toStartOfMinute' | 'toStartOfHour'
}

/** Each tier with the next. */
export const tierPairs = [
  { finer: 'rollup_10s', coarser: 'rollup_1m', floor: 'toStartOfMinute' },
  { finer: 'rollup_1m', coarser: 'rollup_1h', floor: 'toStartOfHour' },
] as const satisfies readonly TierPair[]

/** The measures of a row; they add up from tier to tier. */
export const measures = ['requests', 'payment_required', 'n2xx', 'n4xx', 'n5xx', 'late'] as const

/** Most hours whose series are looked into, for the text of the problem. */
const explainedHours = 3
const explainedSeries = 3

/** An hour in which two tiers disagree: requests and refusals of the finer, then of the coarser. */
export type UnequalHour = readonly [hour: number, fr: number, fp: number, cr: number, cp: number]

export interface TierComparison {
  readonly hours: number
  readonly unequal: number
  /** The first of them. */
  readonly examples: readonly UnequalHour[]
  readonly totals: { readonly fr: number; readonly fp: number; readonly cr: number; readonly cp: number }
}

/** Compares two tiers over every hour that both still hold: each series, each bucket of the coarser, each measure. */
export async function checkTiers(
  database: Database,
  pair: TierPair,
  { kept, now }: { kept: Kept; now: number },
): Promise<{ check: Check; totals: Readonly<Record<string, Totals>> }> {
  const name = `${pair.finer} and ${pair.coarser}`
  const since = wholeSince(kept, [pair.finer, pair.coarser]) ?? 0
  const parts: TierComparison[] = []
  for (const span of monthsFrom(since, now)) parts.push(await compareTiers(database, pair, span))
  const sum = (of: (part: TierComparison) => number) => parts.reduce((total, part) => total + of(part), 0)
  const unequal = sum((part) => part.unequal)
  const examples = parts.flatMap((part) => part.examples).slice(0, problemLimit)
  const problems: string[] = []
  for (const [index, example] of examples.entries()) {
    const [hour, fr, fp, cr, cp] = example
    const series = index < explainedHours ? await unequalSeries(database, pair, hour) : ''
    problems.push(
      `hour ${hourName(hour)}: ${pair.finer} has ${fr} requests and ${fp} refusals, ${pair.coarser} has ${cr} and ${cp}${series}`,
    )
  }
  return {
    check: {
      ...{ name, ok: unequal === 0, since: hourName(since), hours: sum((part) => part.hours), unequal, left_out: 0 },
      problems: [...problems, ...andMore(examples.length, unequal)],
    },
    totals: {
      [pair.finer]: { requests: sum((part) => part.totals.fr), payment_required: sum((part) => part.totals.fp) },
      [pair.coarser]: { requests: sum((part) => part.totals.cr), payment_required: sum((part) => part.totals.cp) },
    },
  }
}

/**
 * Compares two tiers hour by hour. Measures add up, so a sum of measures, each weighted by a hash of its series and of
 * its bucket in the coarser tier, is the same in both exactly when every bucket of every series is (but for a chance
 * of one in 2^64), and the memory it takes grows with the hours alone.
 */
export async function compareTiers(
  database: Database,
  { finer, coarser, floor }: TierPair,
  span: { from: number; to: number },
  exampleLimit = problemLimit,
): Promise<TierComparison> {
  const weighted = measures.map((measure, index) => `${measure} * ${[1, 3, 1009, 10_007, 100_003, 1_000_003][index]}`)
  const side = (table: string, mine: 'f' | 'c', other: 'f' | 'c') =>
    `SELECT toStartOfHour(bucket) AS hour, sum(requests) AS ${mine}r0, sum(payment_required) AS ${mine}p0,
            sum(cityHash64(${floor}(bucket), tenant, api, cause) * (${weighted.join(' + ')})) AS ${mine}h0,
            0 AS ${other}r0, 0 AS ${other}p0, 0 AS ${other}h0
     FROM tollwatch.${table}
     WHERE bucket >= fromUnixTimestamp({from:Int64}) AND bucket < fromUnixTimestamp({to:Int64})
     GROUP BY hour`
  const columns = (mine: string) => `hour, fr0, fp0, fh0, cr0, cp0, ch0 FROM (${mine})`
  const [row] = await database.query<{
    compared: number
    unequal: number
    examples: UnequalHour[]
    fr: number
    fp: number
    cr: number
    cp: number
  }>(
    `SELECT count() AS compared, countIf(differs) AS unequal, sum(hfr) AS fr, sum(hfp) AS fp, sum(hcr) AS cr, sum(hcp) AS cp,
            groupArrayIf(${exampleLimit})([toUnixTimestamp(hour), hfr, hfp, hcr, hcp], differs) AS examples
     FROM (
       SELECT hour, sum(fr0) AS hfr, sum(fp0) AS hfp, sum(cr0) AS hcr, sum(cp0) AS hcp, sum(fh0) != sum(ch0) AS differs
       FROM (SELECT ${columns(side(finer, 'f', 'c'))} UNION ALL SELECT ${columns(side(coarser, 'c', 'f'))})
       GROUP BY hour ORDER BY hour
     )`,
    span,
    checkSeconds,
  )
  const { compared = 0, unequal = 0, examples = [], fr = 0, fp = 0, cr = 0, cp = 0 } = row ?? {}
  return { hours: compared, unequal, examples, totals: { fr, fp, cr, cp } }
}

/** The series that differ most in an hour, as the end of a sentence. */
async function unequalSeries(database: Database, { finer, coarser }: TierPair, hour: number): Promise<string> {
  const rows = await database.query<{ t: string; a: string; c: string; fine: number; coarse: number }>(
    `SELECT tenant AS t, api AS a, cause AS c, sum(f) AS fine, sum(k) AS coarse FROM (
       SELECT tenant, api, cause, requests + payment_required AS f, 0 AS k FROM tollwatch.${finer}
       WHERE bucket >= fromUnixTimestamp({hour:Int64}) AND bucket < fromUnixTimestamp({hour:Int64} + 3600)
       UNION ALL
       SELECT tenant, api, cause, 0 AS f, requests + payment_required AS k FROM tollwatch.${coarser}
       WHERE bucket >= fromUnixTimestamp({hour:Int64}) AND bucket < fromUnixTimestamp({hour:Int64} + 3600)
     )
     GROUP BY t, a, c HAVING fine != coarse ORDER BY abs(toInt64(fine) - toInt64(coarse)) DESC, t, a, c
     LIMIT ${explainedSeries}`,
    { hour },
    checkSeconds,
  )
  if (rows.length === 0) return '; the same in sum for every series, at other times'
  const series = rows.map(({ t, a, c, fine, coarse }) => `${t} ${a}${c === '' ? '' : ` ${c}`} (${fine}, ${coarse})`)
  return `; most of all ${series.join(', ')}`
}
