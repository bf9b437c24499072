import { Fault, messageOf } from '../fault/fault.ts'
import type { Clock } from '../time/clock.ts'
import { openEmbeddedToRead, openServerToRead, type SqlAnswer } from './database.ts'
import { DurableState } from './durable-state.ts'
import { readPassword } from './history.ts'
import type { HistoryOptions } from './options.ts'
import type { Queries } from './query.ts'
import { Questions } from './questions.ts'
import { keptOf } from './retention.ts'
import { readingStatement } from './sql-statement.ts'

/** History for those who only look: nothing is written, not even the next step of the schema. */
export interface HistoryReader {
  readonly queries: Queries
  /**
   * Runs one reading statement as somebody wrote it.
   *
   * @throws Fault `argument-invalid` with the engine's words when it cannot be run
   */
  ask(sql: string): Promise<SqlAnswer>
  close(): Promise<void>
}

/** Opens history to read; the standard input is left alone. @throws Fault when the store cannot be had */
export async function openReader(options: HistoryOptions, clock: Clock): Promise<HistoryReader> {
  const database =
    options.clickhouse === undefined
      ? await openEmbeddedToRead(`${options.data_dir}/store`)
      : openServerToRead(options.clickhouse, readPassword(options.clickhouse))
  try {
    const kept = await keptOf(database, new DurableState(database, clock))
    return {
      queries: new Questions(database, () => clock.now(), kept),
      ask: async (sql) => database.ask(readingStatement(sql)).catch((error: unknown) => refuse(error)),
      close: () => database.close(),
    }
  } catch (error) {
    await database.close().catch(() => undefined)
    throw error
  }
}

/** The engine's own words, because the statement is the caller's own. */
function refuse(error: unknown): never {
  const { cause } = error instanceof Fault ? error : {}
  const code = String((cause as { code?: unknown } | undefined)?.code ?? '')
  if (!/^\d+$/.test(code)) throw error
  const said = messageOf(cause).split('\n', 1)[0]?.slice(0, 500) ?? ''
  const why = code === '164' ? 'only what reads is possible here, with the settings as they are' : 'ClickHouse refuses'
  throw new Fault('argument-invalid', `${why}: ${said}`, { retryable: false, cause: error })
}
