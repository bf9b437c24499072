import { randomUUID } from 'node:crypto'
import type { EpochMs } from '../time/clock.ts'
import { hourMs } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { monthsFrom } from './check.ts'
import { compareWithLedger } from './check-ledger.ts'
import { compareTiers, measures, type TierPair, tierPairs, type UnequalHour } from './check-tiers.ts'
import { type Database, insertSettings, target } from './database.ts'
import { keptOf, serverNow, wholeSince } from './retention.ts'
import { openRanges } from './settled.ts'
import type { StateStore } from './state.ts'

/** What to repair: a coarser tier from the next finer one. Reading a range again from its source is another matter. */
export interface RepairOrder {
  readonly tier: TierPair['coarser']
  /** Whole hours of event time that this span touches. */
  readonly fromMs: EpochMs
  readonly toMs: EpochMs
  /** Only tells what differs. */
  readonly dryRun: boolean
  /** Somebody vouches that the daemon was stopped in an orderly way, so that no range will be written once more. */
  readonly settled: boolean
}

interface Counts {
  readonly requests: number
  readonly payment_required: number
}

export interface RepairedHour {
  readonly hour: string
  readonly before: Counts
  readonly after: Counts
  /** Why it was left as it is; null when it was (or in a dry run would be) repaired. */
  readonly left: string | null
}

export interface Repaired {
  readonly tier: string
  readonly from_tier: string
  /** What was compared: the part of the span that both tiers still hold. */
  readonly from: string
  readonly to: string
  readonly dry_run: boolean
  /** The hours that differ. */
  readonly hours: readonly RepairedHour[]
}

/** Hears how far long work has come. */
export interface Steps {
  begin(total: number): void
  advance(by: number): void
}

export const noSteps: Steps = { begin() {}, advance() {} }

/** Most hours in one go: 27 years. */
const hourLimit = 240_000

/**
 * Brings the hours of a coarser tier in line with the finer one, each by one INSERT of the differences. Measures add
 * up, and 64-bit sums wrap round, so too much is corrected by adding the negative. An INSERT into one hour is one
 * block in one partition: it is there or it is not. Dying in between leaves hours that are repaired and hours that are
 * as they were; run again, there is nothing to add to the former. The dedup log of the table stays as it is, which
 * replacing a partition would not grant on every server.
 *
 * Left out are hours whose finer tier disagrees with the ledger itself, and hours of a range that may be written once
 * more: repeating it would add to the coarser tier what the repair has added already.
 */
export async function repairTier(
  { database, state }: { database: Database; state: StateStore },
  order: RepairOrder,
  steps: Steps = noSteps,
): Promise<Repaired> {
  const pair = tierPairs.find(({ coarser }) => coarser === order.tier) ?? tierPairs[0]
  const span = await comparable(database, state, pair, order)
  const unequal = await unequalHours(database, pair, span)
  const reasons = await reasonsToLeave({ database, state }, pair, { since: span.from, unequal, settled: order.settled })
  const due = unequal.filter(([hour]) => !reasons.has(hour))
  if (!order.dryRun) {
    steps.begin(due.length)
    for (const [hour] of due) {
      await database.command(differences(database, pair, hour))
      steps.advance(1)
    }
  }
  return {
    ...{ tier: pair.coarser, from_tier: pair.finer, dry_run: order.dryRun },
    ...{ from: formatInstant(span.from * 1000), to: formatInstant(span.to * 1000) },
    hours: unequal.map(([hour, fr, fp, cr, cp]) => ({
      hour: formatInstant(hour * 1000),
      before: { requests: cr, payment_required: cp },
      after: { requests: fr, payment_required: fp },
      left: reasons.get(hour) ?? null,
    })),
  }
}

/** The part of the span that both tiers still hold, in whole hours. */
async function comparable(
  database: Database,
  state: StateStore,
  { finer, coarser }: TierPair,
  { fromMs, toMs }: RepairOrder,
): Promise<{ from: number; to: number }> {
  const since = wholeSince(await keptOf(database, state), [finer, coarser]) ?? 0
  const from = Math.max(since, (Math.floor(fromMs / hourMs) * hourMs) / 1000)
  return { from, to: Math.max(from, (Math.ceil(toMs / hourMs) * hourMs) / 1000) }
}

async function unequalHours(
  database: Database,
  pair: TierPair,
  { from, to }: { from: number; to: number },
): Promise<readonly UnequalHour[]> {
  const hours: UnequalHour[] = []
  const now = (await serverNow(database)) / 1000
  for (const month of monthsFrom(from, now)) {
    if (month.from >= to) break
    const span = { from: month.from, to: Math.min(month.to, to) }
    hours.push(...(await compareTiers(database, pair, span, hourLimit)).examples)
  }
  return hours
}

/** Hours that must stay as they are, with the reason. */
async function reasonsToLeave(
  { database, state }: { database: Database; state: StateStore },
  { finer }: TierPair,
  { since, unequal, settled }: { since: number; unequal: readonly UnequalHour[]; settled: boolean },
): Promise<ReadonlyMap<number, string>> {
  const reasons = new Map<number, string>()
  const open = await openRanges(database, state)
  for (const { lane, firstHour, lastHour } of settled ? [] : open) {
    for (const [hour] of unequal) {
      if (hour < firstHour || hour > lastHour) continue
      reasons.set(
        hour,
        `the newest range of ${lane} lies in it and may be written once more after a crash: let the daemon go on and repair it later, or give --settled if the daemon ended with exit code 0`,
      )
    }
  }
  for (const { hour } of (await compareWithLedger(database, finer, since, hourLimit)).examples) {
    reasons.set(hour, `${finer} itself disagrees with the ledger here, so it cannot mend another tier`)
  }
  return reasons
}

/** Adds to one hour of the coarser tier what the finer one has more, and takes away what it has less. */
function differences(database: Database, { finer, coarser, floor }: TierPair, hour: number): string {
  const within = `bucket >= fromUnixTimestamp(${hour}) AND bucket < fromUnixTimestamp(${hour + 3600})`
  // The same difference may have to be added again one day, and equal rows without a token of their own are dropped.
  const token = `repair:${randomUUID()}`
  const side = (sign: '' | '-') => measures.map((measure) => `${sign}toInt64(${measure}) AS d_${measure}`).join(', ')
  return `
    INSERT INTO ${target(database.place, `tollwatch.${coarser}`)} (bucket, tenant, api, cause, ${measures.join(', ')})
    SELECT at, t, a, c, ${measures.map((measure) => `toUInt64(sum(d_${measure}))`).join(', ')}
    FROM (
      SELECT ${floor}(bucket) AS at, tenant AS t, api AS a, cause AS c, ${side('')} FROM tollwatch.${finer} WHERE ${within}
      UNION ALL
      SELECT bucket AS at, tenant AS t, api AS a, cause AS c, ${side('-')} FROM tollwatch.${coarser} WHERE ${within}
    )
    GROUP BY at, t, a, c
    HAVING ${measures.map((measure) => `sum(d_${measure}) != 0`).join(' OR ')}
    SETTINGS ${insertSettings(token, database.place)}, max_insert_threads = 1`
}
