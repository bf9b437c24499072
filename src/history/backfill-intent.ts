import { randomUUID } from 'node:crypto'
import type { EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'
import type { Database } from './database.ts'
import { tokenOf } from './landing.ts'
import type { StateStore } from './state.ts'

const kind = 'backfill'

/** What a backfill announces before it writes: exactly these offsets of a lane are about to land. */
export interface BackfillIntent {
  readonly source: string
  readonly lane: number
  readonly lo: number
  readonly hi: number
  /** Makes the token its own: the lane's ordinary token may be known to tables that have lost the rows. */
  readonly id: string
  /** Hash of the settings that decide what a record becomes. */
  readonly cfg: string
  /** When it was announced; stands in for the arrival of records that have none, so that a repeat reads the same. */
  readonly atMs: EpochMs
}

/** A table remembers 10,000 inserted blocks, and a range makes a block for each day it touches. */
const rememberedRanges = 4_000
/** On a cluster tokens are forgotten after a week. */
const rememberedMs = 6 * dayMs

export function intentFor(
  range: { source: string; lane: number; lo: number; hi: number; configHash: string },
  atMs: EpochMs,
): BackfillIntent {
  const { source, lane, lo, hi, configHash } = range
  return { source, lane, lo, hi, id: randomUUID(), cfg: configHash, atMs }
}

export function announce(state: StateStore, intent: BackfillIntent): Promise<void> {
  return state.put([{ kind, key: keyOf(intent), value: JSON.stringify(intent) }])
}

export function settle(state: StateStore, intent: BackfillIntent): Promise<void> {
  return state.put([{ kind, key: keyOf(intent), value: null }])
}

/** Writes of a backfill that may have landed in part, by `source/lane`. */
export async function openIntents(state: StateStore): Promise<ReadonlyMap<string, BackfillIntent>> {
  return new Map([...(await state.load(kind))].map(([key, text]) => [key, JSON.parse(text) as BackfillIntent]))
}

function keyOf({ source, lane }: { source: string; lane: number }): string {
  return `${source}/${lane}`
}

export function backfillToken(intent: BackfillIntent, epoch: number): string {
  return `${tokenOf(intent, epoch)}:backfill:${intent.id}`
}

/** Whether every table still knows the token of an intent, so that repeating its inserts adds nothing twice. */
export async function isRemembered(database: Database, intent: BackfillIntent, nowMs: EpochMs): Promise<boolean> {
  const [row] = await database.query<{ since: number }>(
    'SELECT count() AS since FROM tollwatch.ledger WHERE landed_at >= fromUnixTimestamp64Milli({at:Int64})',
    { at: intent.atMs },
  )
  return (row?.since ?? 0) < rememberedRanges && nowMs - intent.atMs < rememberedMs
}
