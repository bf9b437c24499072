import { andMore, type Check, checkSeconds, hourName, problemLimit } from './check.ts'
import type { Database } from './database.ts'
import { type Kept, wholeSince } from './retention.ts'

/**
 * Compares the dead letters with the ledger, range by range: each range whose letters are all still kept must have as
 * many as its entry says, and each letter must lie in a range that says it has some.
 */
export async function checkLetters(database: Database, kept: Kept): Promise<Check> {
  const since = wholeSince(kept, ['dead_letter', 'ledger'])
  const name = 'ledger and dead_letter'
  if (since === null) return { name, ok: true, since: null, hours: 0, unequal: 0, left_out: 0, problems: [] }
  const { ranges, unequal, examples, strays } = await compareLetters(database, since, problemLimit)
  const problems = examples.map(({ lane, lo, hi, told, held }) => {
    return `${lane}, offsets ${lo} to ${hi}: the ledger counts ${told} dead letters, dead_letter has ${held}`
  })
  if (strays > 0) problems.push(`dead_letter has ${strays} entries in ranges that the ledger knows no dead letters of`)
  return {
    ...{ name, ok: unequal === 0 && strays === 0, since: hourName(since), hours: ranges, unequal, left_out: 0 },
    problems: [...problems, ...andMore(examples.length, unequal)],
  }
}

/** A range whose dead letters are not as many as its ledger entry says. */
interface UnequalRange {
  readonly lane: string
  readonly lo: number
  readonly hi: number
  readonly told: number
  readonly held: number
}

/** @param since the first hour, in epoch seconds */
export async function compareLetters(
  database: Database,
  since: number,
  exampleLimit: number,
): Promise<{ ranges: number; unequal: number; strays: number; examples: readonly UnequalRange[] }> {
  const [row] = await database.query<{
    ranges: number
    unequal: number
    examples: [string, [number, number, number, number]][]
    strays: number
  }>(
    `SELECT countIf(NOT stray) AS ranges, countIf(NOT stray AND told != held) AS unequal, sumIf(held, stray) AS strays,
            groupArrayIf(${exampleLimit})((name, [first, last, told, held]), NOT stray AND told != held) AS examples
     FROM (
       SELECT name, first, last, stray, sum(told0) AS told, sum(held0) AS held FROM (
         SELECT ${laneName} AS name, lo AS first, hi AS last, 0 AS stray, dead_letters AS told0, 0 AS held0
         FROM tollwatch.ledger FINAL WHERE ${withLetters} AND oldest_letter >= fromUnixTimestamp({since:Int64})
         UNION ALL
         SELECT l.name AS name, r.lo AS first, r.hi AS last, r.name = '' OR l.offset > r.hi AS stray, 0 AS told0, 1 AS held0
         FROM (
           SELECT ${laneName} AS name, offset FROM tollwatch.dead_letter FINAL WHERE at >= fromUnixTimestamp({since:Int64})
         ) AS l
         ASOF LEFT JOIN (
           SELECT ${laneName} AS name, lo, hi, oldest_letter FROM tollwatch.ledger FINAL WHERE ${withLetters}
         ) AS r
         ON l.name = r.name AND l.offset >= r.lo
         WHERE stray OR r.oldest_letter >= fromUnixTimestamp({since:Int64})
       )
       GROUP BY name, first, last, stray ORDER BY name, first
     )`,
    { since },
    checkSeconds,
  )
  const { ranges = 0, unequal = 0, examples = [], strays = 0 } = row ?? {}
  return {
    ...{ ranges, unequal, strays },
    examples: examples.map(([lane, [lo, hi, told, held]]) => ({ lane, lo, hi, told, held })),
  }
}

const laneName = "concat(source, ' lane ', toString(lane))"
/** A letter arrives before its range lands, but clocks of producers may run ahead. */
const withLetters = 'dead_letters > 0 AND landed_at >= fromUnixTimestamp(greatest({since:Int64} - 86400, 0))'
