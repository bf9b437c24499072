import { readFileSync } from 'node:fs'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import type { AlertRecord } from './alert-record.ts'
import { alertColumns, alertValues } from './alert-record.ts'
import { type Database, openEmbedded, openServer } from './database.ts'
import { DurableState } from './durable-state.ts'
import { land } from './landing.ts'
import { ledgerHolds, ledgerPosition, type VerifyReport, verifyHistory } from './ledger.ts'
import { migrate } from './migrate.ts'
import type { HistoryOptions } from './options.ts'
import type { Queries } from './query.ts'
import { Questions } from './questions.ts'
import type { Range } from './range.ts'
import { type ReloadedRow, windowRows } from './reload.ts'
import type { StateStore } from './state.ts'

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

/** Exact history in ClickHouse, a server's or the engine in this process: the same SQL either way. */
export class History implements RangeStore {
  readonly state: StateStore
  readonly queries: Queries
  readonly #database: Database
  readonly #epoch: number

  constructor(database: Database, options: { clock: Clock; epoch: number }) {
    this.#database = database
    this.#epoch = options.epoch
    this.state = new DurableState(database, options.clock)
    this.queries = new Questions(database, () => options.clock.now())
  }

  land(range: Range): Promise<void> {
    return land(this.#database, range, this.#epoch)
  }

  position(source: string, lane: number): Promise<number | null> {
    return ledgerPosition(this.#database, source, lane)
  }

  holds(range: { source: string; lane: number; lo: number; hi: number }): Promise<boolean> {
    return ledgerHolds(this.#database, range)
  }

  windowRows(fromMs: number, mine: readonly { source: string; lane: number }[]): Promise<readonly ReloadedRow[]> {
    return windowRows(this.#database, fromMs, mine)
  }

  async logAlerts(records: readonly AlertRecord[]): Promise<void> {
    if (records.length === 0) return
    const rows = records.map(alertValues)
    await this.#database.insert({ table: 'tollwatch.alert_log', columns: alertColumns, rows, token: null })
  }

  verify(): Promise<VerifyReport> {
    return verifyHistory(this.#database)
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

  close(): Promise<void> {
    return this.#database.close()
  }
}

function readPassword({ password, password_file }: { password: string; password_file?: string | undefined }): string {
  if (password_file === undefined) return password
  try {
    return readFileSync(password_file, 'utf8').trim()
  } catch (error) {
    const message = `history.clickhouse.password_file ${password_file} cannot be read; check the path and who may read it`
    throw new Fault('config-unreadable', message, { retryable: false, cause: error })
  }
}

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
    /** Hears why history is not open yet. */
    onProblem?: (problem: string) => void
  },
): Promise<History> {
  const { clock, log, signal, wait, onProblem = () => {} } = behaviour
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 15_000)) {
    let database: Database | null = null
    try {
      database =
        options.clickhouse === undefined
          ? await openEmbedded(`${options.data_dir}/store`)
          : openServer(options.clickhouse, readPassword(options.clickhouse))
      await migrate(database, options.retention)
      return new History(database, { clock, epoch: options.epoch })
    } catch (error) {
      await database?.close().catch(() => undefined)
      const retryable = (error as { retryable?: boolean }).retryable === true
      if (!wait || !retryable || signal?.aborted) throw error
      const problem = `history is not available yet: ${messageOf(error)}`
      onProblem(problem)
      log.warn(`${problem}; trying again in ${pauseMs / 1000} s`)
      await clock.sleep(pauseMs, signal)
    }
  }
}
