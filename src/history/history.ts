import { readFileSync } from 'node:fs'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import type { AlertRecord } from './alert-record.ts'
import { alertColumns, alertValues } from './alert-record.ts'
import { type BackfilledLane, type BackfillOrder, type BackfillStore, backfillLanes } from './backfill.ts'
import { backfillToken } from './backfill-intent.ts'
import { type Database, openEmbedded, openServer, target } from './database.ts'
import { DurableState } from './durable-state.ts'
import { type Facts, StoredFacts } from './facts.ts'
import { type Forgotten, forgetTenant, rowsOfTenant } from './forget.ts'
import { InsertGovernor } from './governor.ts'
import { land, landUnder } from './landing.ts'
import { WriterLease, withoutWriters } from './lease.ts'
import { ledgerHolds, ledgerPosition, type VerifyReport, verifyHistory } from './ledger.ts'
import { bringUpToDate, migrate } from './migrate.ts'
import type { HistoryOptions } from './options.ts'
import { outageOf } from './outage.ts'
import type { Queries } from './query.ts'
import { Questions } from './questions.ts'
import type { Range } from './range.ts'
import { type ReloadedRow, windowRows } from './reload.ts'
import { type Repaired, type RepairOrder, repairTier, type Steps } from './repair.ts'
import { type RebuildOrder, type RebuildResult, rebuildFromSource } from './repair-source.ts'
import { type Kept, keptOf } from './retention.ts'
import type { StateStore } from './state.ts'
import { type StrayTenant, strayTenant } from './stray-tenant.ts'

/** What the pipeline needs of history. */
export interface RangeStore {
  readonly state: StateStore
  /** Writes a range; repeat it until it succeeds, repeats add nothing. */
  land(range: Range): Promise<void>
  /** The offset after the last one in the ledger, or null when the lane has none. */
  position(source: string, lane: number): Promise<number | null>
  /** Whether exactly this range has landed. */
  holds(range: { source: string; lane: number; lo: number; hi: number }): Promise<boolean>
  /** The 10 s tier from `fromMs` on, without the lanes of `mine`'s sources that belong to others. */
  windowRows(fromMs: number, mine: readonly { source: string; lane: number }[]): Promise<readonly ReloadedRow[]>
}

const longestFarewellMs = 3_000

/** What `History` is made with beside the database. */
export interface HistoryParts {
  readonly clock: Clock
  readonly epoch: number
  /** False keeps no refused calls one by one. */
  readonly keepEvents?: boolean
  /** How far back each table is whole; by default what the default settings keep. */
  readonly kept?: Kept
  /** Others can write to the same tables: a server, not a directory that one process has to itself. */
  readonly shared?: boolean
  readonly lease?: WriterLease
}

/** Exact history in ClickHouse, a server's or the engine in this process: the same SQL either way. */
export class History implements RangeStore {
  readonly state: StateStore
  readonly queries: Queries
  readonly facts: Facts
  readonly #database: Database
  readonly #parts: HistoryParts
  readonly #governor: InsertGovernor

  constructor(database: Database, parts: HistoryParts) {
    this.#database = database
    this.#parts = parts
    this.#governor = new InsertGovernor(database, parts.clock)
    this.state = new DurableState(database, parts.clock)
    this.facts = new StoredFacts(database)
    this.queries = new Questions(database, () => parts.clock.now(), parts.kept)
  }

  async land(range: Range): Promise<void> {
    const { epoch, keepEvents, lease } = this.#parts
    await lease?.confirm()
    await this.#governor.wait()
    await land(this.#database, range, epoch, keepEvents)
  }

  async position(source: string, lane: number): Promise<number | null> {
    await this.#caughtUp('ledger')
    return ledgerPosition(this.#database, source, lane)
  }

  holds(range: { source: string; lane: number; lo: number; hi: number }): Promise<boolean> {
    return ledgerHolds(this.#database, range)
  }

  async windowRows(fromMs: number, mine: readonly { source: string; lane: number }[]): Promise<readonly ReloadedRow[]> {
    await this.#caughtUp('rollup_10s')
    return windowRows(this.#database, fromMs, mine)
  }

  /** A tenant that came by more than one lane of a source since `sinceMs`; null when there is none. */
  strayTenant(sources: readonly string[], sinceMs: number): Promise<StrayTenant | null> {
    return strayTenant(this.#database, sources, sinceMs)
  }

  async logAlerts(records: readonly AlertRecord[]): Promise<void> {
    if (records.length === 0) return
    const rows = records.map(alertValues)
    await this.#database.insert({ table: 'tollwatch.alert_log', columns: alertColumns, rows, token: null })
  }

  verify(): Promise<VerifyReport> {
    return verifyHistory(this.#database, this.state)
  }

  /**
   * Brings a coarser tier in line with the finer one over a span.
   *
   * @throws Fault `store-busy` while a daemon writes, or when an interrupted write must be completed first
   */
  repair(order: RepairOrder, steps?: Steps): Promise<Repaired> {
    const store = { database: this.#database, state: this.state }
    const work = () => repairTier(store, order, steps)
    return order.dryRun ? work() : this.#alone('history repair', work)
  }

  /**
   * Rebuilds the 10 s tier and the tables beside it from their source over a span; see `rebuildFromSource`.
   *
   * @throws Fault `store-busy` while a daemon writes, or when an interrupted write must be completed first
   */
  rebuild(order: RebuildOrder, steps?: Steps): Promise<RebuildResult> {
    const work = async () => {
      await this.#caughtUp('ledger', 'rollup_10s', 'rollup_1m', 'events_402', 'dead_letter')
      return rebuildFromSource({ database: this.#database, state: this.state }, order, steps)
    }
    return order.dryRun ? work() : this.#alone('history repair', work)
  }

  /**
   * Lands what the lanes still have of a span of time and the ledger does not; see `backfillLanes`.
   *
   * @throws Fault `store-busy` while a daemon writes
   */
  backfill(order: BackfillOrder, steps?: Steps): Promise<readonly BackfilledLane[]> {
    const { clock, epoch, keepEvents } = this.#parts
    const store: BackfillStore = {
      database: this.#database,
      state: this.state,
      now: () => clock.now(),
      land: async (range, intent) => {
        await this.#governor.wait()
        await landUnder(this.#database, range, backfillToken(intent, epoch), keepEvents)
      },
    }
    const work = async () => {
      await this.#caughtUp('ledger', 'rollup_10s', 'rollup_1m')
      return backfillLanes(store, order, steps)
    }
    return order.dryRun ? work() : this.#alone('history backfill', work)
  }

  /** Rows that name a tenant, by table. */
  rowsOfTenant(tenant: string): Promise<Readonly<Record<string, number>>> {
    return rowsOfTenant(this.#database, tenant)
  }

  /**
   * Erases one tenant for good; repeating the call completes an erasure that was interrupted.
   *
   * @throws Fault `store-busy` while a daemon writes, or when an interrupted write must be completed first
   */
  forget(tenant: string, steps?: Steps): Promise<Forgotten> {
    const store = { database: this.#database, state: this.state, clock: this.#parts.clock }
    return this.#alone('history forget', () => forgetTenant(store, tenant, steps))
  }

  /** Whether the store answers; the reason when it does not. */
  async problem(): Promise<string | null> {
    try {
      await this.#database.query('SELECT 1 AS one')
      return null
    } catch (error) {
      return messageOf(error)
    }
  }

  async close(): Promise<void> {
    this.#governor.close()
    const { lease, clock } = this.#parts
    // A server that hangs must not hold up the end; what is left of the lease dies by itself.
    if (lease !== undefined)
      await Promise.race([lease.release().catch(() => undefined), clock.sleep(longestFarewellMs)])
    await this.#database.close()
  }

  #alone<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    const { clock, shared = false } = this.#parts
    return shared ? withoutWriters({ state: this.state, clock }, what, work) : work()
  }

  /** On a cluster, waits until the replica that answers has what the others were given. */
  async #caughtUp(...tables: readonly string[]): Promise<void> {
    const { place } = this.#database
    if (place.cluster === null) return
    for (const table of tables) {
      await this.#database.command(`SYSTEM SYNC REPLICA ${target(place, `tollwatch.${table}`)} LIGHTWEIGHT`)
    }
  }
}

/** @throws Fault `config-unreadable` when the file of the password cannot be read */
export function readPassword({
  password,
  password_file,
}: {
  password: string
  password_file?: string | undefined
}): string {
  if (password_file === undefined) return password
  try {
    return readFileSync(password_file, 'utf8').trim()
  } catch (error) {
    const message = `history.clickhouse.password_file ${password_file} cannot be read; check the path and who may read it`
    throw new Fault('config-unreadable', message, { retryable: false, cause: error })
  }
}

/** What history is opened for. */
export type Purpose =
  /** The daemon: makes the tables expire as the settings say, and leaves a sign of life on a server. */
  | 'daemon'
  /** A command that writes, perhaps without the daemon's settings: tables that are there expire as before. */
  | 'write'
  /** Reads, and repairs or erases while nobody writes. */
  | 'read'

/**
 * Opens history and brings its schema up to date. While the store is away it waits with growing pauses and says so
 * once a try; what needs a person (no chdb, a locked directory, no dedup window) is thrown at once.
 */
export async function openHistory(
  options: HistoryOptions,
  behaviour: {
    clock: Clock
    log: Log
    signal?: AbortSignal
    /** False throws also what may pass. */
    wait: boolean
    /** `daemon` by default. */
    purpose?: Purpose
    /** Hears why history is not open yet. */
    onProblem?: (problem: string) => void
  },
): Promise<History> {
  const { clock, log, signal, wait, purpose = 'daemon', onProblem = () => {} } = behaviour
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    let database: Database | null = null
    try {
      database =
        options.clickhouse === undefined
          ? await openEmbedded(`${options.data_dir}/store`)
          : openServer(options.clickhouse, readPassword(options.clickhouse))
      return await prepared(database, options, { clock, purpose })
    } catch (error) {
      await database?.close().catch(() => undefined)
      const retryable = (error as { retryable?: boolean }).retryable === true
      if (!wait || !retryable || signal?.aborted) throw error
      const problem = `history is not available yet: ${messageOf(error)}`
      onProblem(problem)
      log.warn(`${problem}; trying again in ${pauseMs / 1000} s`, { outage: outageOf(error) })
      await clock.sleep(pauseMs, signal)
    }
  }
}

async function prepared(
  database: Database,
  options: HistoryOptions,
  { clock, purpose }: { clock: Clock; purpose: Purpose },
): Promise<History> {
  const state = new DurableState(database, clock)
  const shared = options.clickhouse !== undefined
  if (purpose === 'read') await bringUpToDate(database)
  else await migrate(database, options.retention, { keepRetention: purpose !== 'daemon', state })
  const lease = shared && purpose !== 'read' ? { lease: await WriterLease.take(state, clock) } : {}
  const keepEvents = options.retention.events !== null
  const kept = await keptOf(database, state)
  return new History(database, { clock, epoch: options.epoch, keepEvents, kept, shared, ...lease })
}
