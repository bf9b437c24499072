import type { Database } from './database.ts'

/** The offset after the last one in the ledger for a lane, or null when the lane has none. */
export async function ledgerPosition(database: Database, source: string, lane: number): Promise<number | null> {
  const rows = await database.query<{ next: number; entries: number }>(
    'SELECT max(hi) + 1 AS next, count() AS entries FROM tollwatch.ledger WHERE source = {source:String} AND lane = {lane:UInt32}',
    { source, lane },
  )
  const row = rows[0]
  return row === undefined || row.entries === 0 ? null : Number(row.next)
}

/** Whether a range is in the ledger with exactly these bounds. */
export async function ledgerHolds(
  database: Database,
  range: { source: string; lane: number; lo: number; hi: number },
): Promise<boolean> {
  const rows = await database.query<{ entries: number }>(
    'SELECT count() AS entries FROM tollwatch.ledger WHERE source = {source:String} AND lane = {lane:UInt32} AND lo = {lo:UInt64} AND hi = {hi:UInt64}',
    range,
  )
  return (rows[0]?.entries ?? 0) > 0
}

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
  /** Offsets covered by more than one range. */
  readonly doubled: number
  /** Offsets declared lost: they could not be read any more. */
  readonly declared_gaps: number
}

export interface VerifyReport {
  readonly ok: boolean
  readonly lanes: readonly LaneReport[]
  readonly problems: readonly string[]
  /** Totals that were compared, by table. */
  readonly totals: Readonly<Record<string, { requests: number | null; payment_required: number }>>
}

/** Checks that history is whole: per lane no gap and no overlap, and that the tiers, events and dead letters agree. */
export async function verifyHistory(database: Database): Promise<VerifyReport> {
  const lanes = await laneReports(database)
  const problems: string[] = []
  for (const lane of lanes) {
    const name = `${lane.source} lane ${lane.lane}`
    if (lane.missing > 0) problems.push(`${name}: ${lane.missing} offsets are in no range`)
    if (lane.doubled > 0) problems.push(`${name}: ${lane.doubled} offsets are in more than one range`)
  }
  const totals: Record<string, { requests: number | null; payment_required: number }> = {}
  problems.push(...(await tierProblems(database, 'rollup_10s', 'rollup_1m', 2, totals)))
  problems.push(...(await tierProblems(database, 'rollup_1m', 'rollup_1h', 80, totals)))
  problems.push(...(await eventProblems(database, totals)))
  problems.push(...(await ledgerProblems(database, lanes, totals)))
  return { ok: problems.length === 0, lanes, problems, totals }
}

function laneReports(database: Database): Promise<readonly LaneReport[]> {
  return database.query<LaneReport>(`
    SELECT source, lane, count() AS ranges, min(first) AS lo, max(last) AS hi, sum(req) AS requests,
           sum(refused) AS payment_required, sum(skip) AS skipped, sum(dead) AS dead_letters,
           sum(if(first > before, first - before, 0)) AS missing, sum(if(first < before, before - first, 0)) AS doubled,
           sum(if(lost = 1, last - first + 1, 0)) AS declared_gaps
    FROM (
      SELECT source, lane, lo AS first, hi AS last, requests AS req, payment_required AS refused, skipped AS skip,
             dead_letters AS dead, gap AS lost,
             lagInFrame(hi + 1, 1, lo) OVER (PARTITION BY source, lane ORDER BY lo, hi ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
      FROM tollwatch.ledger FINAL
    )
    GROUP BY source, lane ORDER BY source, lane`)
}

type Totals = Record<string, { requests: number | null; payment_required: number }>

/** Compares two tiers hour by hour over the days that both still hold. */
async function tierProblems(
  database: Database,
  finer: string,
  coarser: string,
  days: number,
  totals: Totals,
): Promise<string[]> {
  const since = `toStartOfHour(now('UTC') - INTERVAL ${days} DAY)`
  const rows = await database.query<{ hour: string; fr: number; fp: number; cr: number; cp: number }>(`
    SELECT toString(hour) AS hour, sum(fr0) AS fr, sum(fp0) AS fp, sum(cr0) AS cr, sum(cp0) AS cp FROM (
      SELECT toStartOfHour(bucket) AS hour, sum(requests) AS fr0, sum(payment_required) AS fp0, 0 AS cr0, 0 AS cp0
      FROM tollwatch.${finer} WHERE bucket >= ${since} GROUP BY hour
      UNION ALL
      SELECT toStartOfHour(bucket) AS hour, 0 AS fr0, 0 AS fp0, sum(requests) AS cr0, sum(payment_required) AS cp0
      FROM tollwatch.${coarser} WHERE bucket >= ${since} GROUP BY hour
    ) GROUP BY hour ORDER BY hour`)
  totals[finer] = { requests: sumOf(rows, 'fr'), payment_required: sumOf(rows, 'fp') }
  totals[coarser] = { requests: sumOf(rows, 'cr'), payment_required: sumOf(rows, 'cp') }
  return rows
    .filter((row) => row.fr !== row.cr || row.fp !== row.cp)
    .map(
      (row) =>
        `hour ${row.hour}: ${finer} has ${row.fr} requests and ${row.fp} refusals, ${coarser} has ${row.cr} and ${row.cp}`,
    )
}

function sumOf<Key extends string>(rows: readonly Record<Key, number>[], key: Key): number {
  return rows.reduce((sum, row) => sum + row[key], 0)
}

async function eventProblems(database: Database, totals: Totals): Promise<string[]> {
  const since = "toStartOfHour(now('UTC') - INTERVAL 28 DAY)"
  const rows = await database.query<{ hour: string; ev: number; ro: number }>(`
    SELECT toString(hour) AS hour, sum(ev0) AS ev, sum(ro0) AS ro FROM (
      SELECT toStartOfHour(ts) AS hour, count() AS ev0, 0 AS ro0 FROM tollwatch.events_402 FINAL
      WHERE ts >= ${since} AND kind = 'payment_required' GROUP BY hour
      UNION ALL
      SELECT toStartOfHour(bucket) AS hour, 0 AS ev0, sum(payment_required) AS ro0 FROM tollwatch.rollup_1m
      WHERE bucket >= ${since} GROUP BY hour
    ) GROUP BY hour ORDER BY hour`)
  totals['events_402'] = { requests: null, payment_required: sumOf(rows, 'ev') }
  return rows
    .filter((row) => row.ev !== row.ro)
    .map((row) => `hour ${row.hour}: events_402 has ${row.ev} refusals, rollup_1m has ${row.ro}`)
}

/** The ledger against what it describes: exact while nothing of it has expired, which the oldest record tells. */
async function ledgerProblems(database: Database, lanes: readonly LaneReport[], totals: Totals): Promise<string[]> {
  const requests = sumOf(lanes, 'requests')
  const refused = sumOf(lanes, 'payment_required')
  totals['ledger'] = { requests, payment_required: refused }
  const problems: string[] = []
  const [hours] = await database.query<{ req: number; refused: number }>(
    'SELECT sum(requests) AS req, sum(payment_required) AS refused FROM tollwatch.rollup_1h',
  )
  const [oldest] = await database.query<{ whole: number }>(
    "SELECT countIf(requests > 0 AND min_time < now('UTC') - INTERVAL 700 DAY) = 0 AS whole FROM tollwatch.ledger FINAL",
  )
  if (oldest?.whole === 1 && hours !== undefined && (hours.req !== requests || hours.refused !== refused)) {
    problems.push(
      `the ledger has ${requests} requests and ${refused} refusals, rollup_1h has ${hours.req} and ${hours.refused}`,
    )
  }
  const [letters] = await database.query<{ kept: number; told: number }>(`
    SELECT (SELECT count() FROM tollwatch.dead_letter FINAL WHERE at >= now('UTC') - INTERVAL 12 DAY) AS kept,
           (SELECT sum(dead_letters) FROM tollwatch.ledger FINAL WHERE landed_at >= now('UTC') - INTERVAL 12 DAY) AS told`)
  if (letters !== undefined && letters.kept !== letters.told) {
    problems.push(`the ledger counts ${letters.told} dead letters of the last 12 days, dead_letter has ${letters.kept}`)
  }
  return problems
}
