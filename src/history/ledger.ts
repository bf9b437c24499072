import { openIntents } from './backfill-intent.ts'
import type { Check, Totals } from './check.ts'
import { checkEvents } from './check-events.ts'
import { checkLanes, type LaneReport } from './check-lanes.ts'
import { checkLedger } from './check-ledger.ts'
import { checkLetters } from './check-letters.ts'
import { checkTiers, tierPairs } from './check-tiers.ts'
import type { Database } from './database.ts'
import { erasureKind } from './forget.ts'
import { keptOf, serverNow } from './retention.ts'
import type { StateStore } from './state.ts'

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

export interface VerifyReport {
  readonly ok: boolean
  /** At most 1,000, those with something wrong among them. */
  readonly lanes: readonly LaneReport[]
  readonly lane_count: number
  /** Everything that is wrong, in sentences. */
  readonly problems: readonly string[]
  /** Each comparison with what it covered. */
  readonly checks: readonly Omit<Check, 'problems'>[]
  /** Erasures of tenants that the proof takes into account. */
  readonly erasures: number
  /** Totals over what was compared, by table. */
  readonly totals: Readonly<Record<string, Totals>>
}

/**
 * Proves that history is whole, over all that is still kept: per lane no gap and no overlap; each tier equal to the
 * next, and to the ledger; the refused calls equal to the tiers; the dead letters equal to the ledger. It changes
 * nothing, takes memory for hours and lanes alone, and reads each table a few times.
 */
export async function verifyHistory(database: Database, state: StateStore): Promise<VerifyReport> {
  const kept = await keptOf(database, state)
  const at = { kept, now: (await serverNow(database)) / 1000 }
  const ledger = await checkLanes(database, kept)
  const events = await checkEvents(database, at)
  const pairs = []
  for (const pair of tierPairs) pairs.push(await checkTiers(database, pair, at))
  const checks = [...pairs.map(({ check }) => check)]
  for (const tier of ['rollup_10s', 'rollup_1m', 'rollup_1h'] as const) {
    checks.push(await checkLedger(database, tier, kept))
  }
  checks.push(events.check, await checkLetters(database, kept))
  const { erasures, unfinished } = await erasuresOf(database, state)
  const halves = [...(await openIntents(state)).values()].map(({ source, lane, lo, hi }) => {
    return `${source} lane ${lane}: a backfill of offsets ${lo} to ${hi} was interrupted: run "tollwatch history backfill" again`
  })
  const problems = [...ledger.problems, ...checks.flatMap((check) => check.problems), ...unfinished, ...halves]
  return {
    ...{ ok: problems.length === 0, lanes: ledger.lanes, lane_count: ledger.count, problems, erasures },
    checks: checks.map(({ problems: _, ...check }) => check),
    totals: {
      // The minute tier is in two pairs; the later one reaches further back.
      ...Object.assign({}, ...pairs.map(({ totals }) => totals)),
      events_402: events.totals,
      ledger: { requests: ledger.totals.req, payment_required: ledger.totals.refused },
    },
  }
}

async function erasuresOf(
  database: Database,
  state: StateStore,
): Promise<{ erasures: number; unfinished: readonly string[] }> {
  const [row] = await database.query<{ n: number }>('SELECT uniqExact(id) AS n FROM tollwatch.erasure')
  const unfinished = [...(await state.load(erasureKind)).values()].map((text) => {
    const { tenant } = JSON.parse(text) as { tenant: string }
    return `the erasure of a tenant was interrupted: run "tollwatch history forget --tenant ${tenant}" again`
  })
  return { erasures: row?.n ?? 0, unfinished }
}
