import { checkSeconds } from './check.ts'
import type { Database } from './database.ts'
import { type Kept, wholeSince } from './retention.ts'

export interface LaneReport {
  readonly source: string
  readonly lane: number
  readonly ranges: number
  readonly lo: number
  readonly hi: number
  readonly requests: number
  readonly payment_required: number
  readonly skipped: number
  readonly dead_letters: number
  /** Offsets between neighbouring ranges that no range covers. */
  readonly missing: number
  /** Offsets covered by more than one range, as often as by one too many. */
  readonly doubled: number
  /** Offsets declared lost: they could not be read any more. */
  readonly declared_gaps: number
}

/** Most lanes that a report lists; those with something wrong come first. */
const laneLimit = 1_000
/** Most places that a problem names. */
const placeLimit = 5

type Summary = Omit<LaneReport, 'missing' | 'doubled'> & { readonly uneven: number }

/** Goes through the ledger lane by lane: between the first range and the last, each offset must be in exactly one. */
export async function checkLanes(
  database: Database,
  kept: Kept,
): Promise<{
  lanes: readonly LaneReport[]
  count: number
  totals: { req: number; refused: number }
  problems: string[]
}> {
  const since = wholeSince(kept, ['ledger']) ?? 0
  const summaries = await database.query<Summary>(
    `${summarySql} ORDER BY uneven DESC, source, lane LIMIT ${laneLimit}`,
    { since },
    checkSeconds,
  )
  const [all] = await database.query<{ lanes: number; req: number; refused: number }>(
    `SELECT count() AS lanes, sum(requests) AS req, sum(payment_required) AS refused FROM (${summarySql})`,
    { since },
    checkSeconds,
  )
  const lanes: LaneReport[] = []
  const problems: string[] = []
  for (const { uneven, ...summary } of summaries) {
    const { missing, doubled, holes, overlaps } = uneven === 0 ? sound : await unevenness(database, summary, since)
    lanes.push({ ...summary, missing, doubled })
    const name = `${summary.source} lane ${summary.lane}`
    if (missing > 0) problems.push(`${name}: ${missing} offsets are in no range: ${placesText(holes)}`)
    if (doubled > 0) problems.push(`${name}: ${doubled} offsets are in more than one range: ${placesText(overlaps)}`)
  }
  lanes.sort((a, b) => (a.source === b.source ? a.lane - b.lane : a.source < b.source ? -1 : 1))
  return { lanes, count: all?.lanes ?? 0, totals: { req: all?.req ?? 0, refused: all?.refused ?? 0 }, problems }
}

/**
 * One pass that keeps nothing but a row per lane. Where ranges follow upon one another, every beginning but the first
 * is the end of another range but the last: the sums of their hashes are the same. A sum that differs tells that the
 * lane is worth a closer look.
 */
const summarySql = `
  SELECT source, lane, count() AS ranges, min(first) AS lo, max(last) AS hi, sum(req) AS requests, sum(ref) AS payment_required,
         sum(skip) AS skipped, sum(dead) AS dead_letters, sumIf(last - first + 1, lost = 1) AS declared_gaps,
         sum(cityHash64(first)) - cityHash64(min(first)) != sum(cityHash64(last + 1)) - cityHash64(max(last) + 1) AS uneven
  FROM (
    SELECT source, lane, lo AS first, hi AS last, requests AS req, payment_required AS ref, skipped AS skip,
           dead_letters AS dead, gap AS lost
    FROM tollwatch.ledger WHERE landed_at >= fromUnixTimestamp({since:Int64})
  )
  GROUP BY source, lane`

interface Unevenness {
  readonly missing: number
  readonly doubled: number
  readonly holes: readonly (readonly [number, number])[]
  readonly overlaps: readonly (readonly [number, number])[]
}

const sound: Unevenness = { missing: 0, doubled: 0, holes: [], overlaps: [] }

async function unevenness(
  database: Database,
  { source, lane }: { source: string; lane: number },
  since: number,
): Promise<Unevenness> {
  const [row] = await database.query<Unevenness>(
    `SELECT sum(if(first > reached, first - reached, 0)) AS missing,
            sum(if(first < reached, least(reached, last + 1) - first, 0)) AS doubled,
            groupArrayIf(${placeLimit})([first - (first - reached), first - 1], first > reached) AS holes,
            groupArrayIf(${placeLimit})([first, least(reached, last + 1) - 1], first < reached) AS overlaps
     FROM (
       SELECT lo AS first, hi AS last,
              if(row_number() OVER w = 1, lo, max(hi + 1) OVER (ORDER BY lo, hi ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS reached
       FROM tollwatch.ledger
       WHERE source = {source:String} AND lane = {lane:UInt32} AND landed_at >= fromUnixTimestamp({since:Int64})
       WINDOW w AS (ORDER BY lo, hi)
     )`,
    { source, lane, since },
    checkSeconds,
  )
  return row ?? sound
}

function placesText(places: readonly (readonly [number, number])[]): string {
  const text = places.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`)).join(', ')
  return places.length < placeLimit ? text : `${text}, …`
}
