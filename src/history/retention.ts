import type { EpochMs } from '../time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../time/duration.ts'
import type { Database } from './database.ts'
import type { Retention } from './options.ts'
import { type ExpiringTable, expiringTables, retentionStatement } from './schema.ts'
import type { StateStore } from './state.ts'

const kind = 'kept'

/** What is remembered of a table beside its time to live. */
interface Note {
  /** Rows of an earlier time may be gone although today's time to live would keep them. */
  readonly sinceMs: EpochMs
  /** Nothing is written to it at all. */
  readonly off?: boolean
}

/** How far back each table is whole: everything at or after `sinceMs` is still there; null where nothing is written. */
export type Kept = Readonly<
  Record<ExpiringTable | 'ledger', { readonly ttlMs: number; readonly sinceMs: EpochMs | null }>
>

/**
 * Makes the tables expire as the settings say. Lengthening a time to live brings nothing back, so the table is noted as
 * whole only from where it was until now; the same where refused calls were not written for a while.
 */
export async function applyRetention(database: Database, state: StateStore, retention: Retention): Promise<void> {
  const ttls = await timesToLive(database)
  const notes = await readNotes(state)
  const nowMs = await serverNow(database)
  for (const { table, setting } of expiringTables) {
    const note = notes.get(table)
    const wanted = retention[setting]
    const knownMs = ttls.get(table) ?? null
    let sinceMs = note?.sinceMs ?? 0
    if (wanted === null) {
      if (note?.off !== true) await remember(state, table, { sinceMs: nowMs, off: true })
      continue
    }
    // Stamps may run a minute ahead of the arrival; whatever is younger than this was written after the change.
    if (note?.off === true) sinceMs = nowMs + 2 * minuteMs
    if (knownMs !== null && wanted > knownMs) sinceMs = Math.max(sinceMs, nowMs - knownMs)
    if (sinceMs !== (note?.sinceMs ?? 0) || note?.off === true) await remember(state, table, { sinceMs })
    if (knownMs !== wanted) await database.command(retentionStatement(database.place, table, Math.round(wanted / 1000)))
  }
}

/** How far back each table is whole, from what the tables themselves are set to. */
export async function keptOf(database: Database, state: StateStore): Promise<Kept> {
  const ttls = await timesToLive(database)
  const notes = await readNotes(state)
  const nowMs = await serverNow(database)
  const of = (table: ExpiringTable | 'ledger') => {
    const ttlMs = ttls.get(table) ?? Number.POSITIVE_INFINITY
    const note = notes.get(table)
    return { ttlMs, sinceMs: note?.off === true ? null : Math.max(nowMs - ttlMs, note?.sinceMs ?? 0) }
  }
  return {
    rollup_10s: of('rollup_10s'),
    rollup_1m: of('rollup_1m'),
    rollup_1h: of('rollup_1h'),
    events_402: of('events_402'),
    dead_letter: of('dead_letter'),
    ledger: of('ledger'),
  }
}

/** The first full hour that is whole in all of these, as epoch seconds; null when one is not written at all. */
export function wholeSince(kept: Kept, tables: readonly (keyof Kept)[]): number | null {
  let sinceMs = 0
  for (const table of tables) {
    const one = kept[table].sinceMs
    if (one === null) return null
    sinceMs = Math.max(sinceMs, one)
  }
  // Rows expire while one looks: some minutes of room.
  return sinceMs === 0 ? 0 : (Math.ceil((sinceMs + 10 * minuteMs) / hourMs) * hourMs) / 1000
}

/** The database's own clock, because it is the one that lets rows expire. */
export async function serverNow(database: Database): Promise<EpochMs> {
  const [row] = await database.query<{ now: number }>('SELECT toUnixTimestamp(now()) AS now')
  return (row?.now ?? 0) * 1000
}

/** Time to live by table, in milliseconds. */
async function timesToLive(database: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await database.query<{ name: string; engine_full: string }>(
    'SELECT name, engine_full FROM system.tables WHERE database = {database:String}',
    { database: database.place.tables },
  )
  return new Map(
    rows.flatMap(({ name, engine_full }) => {
      const ms = ttlOf(engine_full)
      return ms === null ? [] : [[name, ms] as const]
    }),
  )
}

function ttlOf(engine: string): number | null {
  const match = /TTL .*?\+ (?:INTERVAL (\d+) (SECOND|DAY)|toInterval(Second|Day)\((\d+)\))/.exec(engine)
  if (match === null) return null
  const amount = Number(match[1] ?? match[4])
  return (match[2] ?? match[3] ?? '').toUpperCase() === 'DAY' ? amount * dayMs : amount * 1000
}

async function readNotes(state: StateStore): Promise<ReadonlyMap<string, Note>> {
  return new Map([...(await state.load(kind))].map(([table, text]) => [table, JSON.parse(text) as Note]))
}

function remember(state: StateStore, table: string, note: Note): Promise<void> {
  return state.put([{ kind, key: table, value: JSON.stringify(note) }])
}
