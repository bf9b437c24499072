import { mkdirSync } from 'node:fs'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { Fault, messageOf } from '../fault/fault.ts'
import { emptyStandardInput } from '../source/standard-input.ts'

export type Param = string | number | boolean | readonly string[]

/** What the rest of `history/` needs of ClickHouse, be it a server or the engine inside this process. */
export interface Database {
  command(sql: string): Promise<void>
  query<Row>(sql: string, params?: Readonly<Record<string, Param>>): Promise<readonly Row[]>
  /**
   * Inserts the rows as one block. With a token a repeat of the insert is dropped, table by table, also in the targets
   * of materialized views; without one the rows are always added.
   */
  insert(insert: Insert): Promise<void>
  close(): Promise<void>
}

export interface Insert {
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly token: string | null
}

/** Limits of every read: a page must not take the daemon's memory, and an abort does not stop an embedded query. */
const readSettings =
  'max_execution_time = 30, max_memory_usage = 2000000000, output_format_json_quote_64bit_integers = 0'

/** Every setting that matters is sent, because the defaults differ between versions. */
function insertSettings(token: string | null): string {
  const dedup =
    token === null
      ? 'insert_deduplicate = 0'
      : `insert_deduplicate = 1, deduplicate_blocks_in_dependent_materialized_views = 1, insert_deduplication_token = ${quoted(token)}`
  return `async_insert = 0, ${dedup}, max_insert_block_size = 1048576, min_insert_block_size_rows = 1048576, input_format_parallel_parsing = 0, input_format_skip_unknown_fields = 0, max_execution_time = 60`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** Opens a ClickHouse server; the connection itself is made by the first statement. */
export function openServer(options: { url: string; user: string }, password: string): Database {
  const client = createClient({
    url: options.url,
    username: options.user,
    password,
    request_timeout: 70_000,
    // What went wrong is thrown, and told once, in our own words.
    log: { level: ClickHouseLogLevel.OFF },
    // Without it an error after the first bytes of an answer looks like success.
    clickhouse_settings: { wait_end_of_query: 1 },
  })
  return new ClientDatabase(client, client)
}

/**
 * Opens the embedded engine on a directory that it makes if need be.
 *
 * Settings stay on an embedded connection for ever, so none is passed beside the SQL, and reads have a connection of
 * their own so that they do not wait behind writes.
 *
 * @throws Fault `store-missing` without the chdb package, `store-locked` while another process has the directory open
 */
export async function openEmbedded(directory: string): Promise<Database> {
  const { createChdbConnection } = await import('chdb/connection').catch((error: unknown) => {
    throw new Fault(
      'store-missing',
      'the embedded store needs the optional package chdb (Linux with glibc or macOS): run "npm install chdb", or set history.clickhouse.url to use a ClickHouse server',
      { retryable: false, cause: error },
    )
  })
  mkdirSync(directory, { recursive: true })
  emptyStandardInput()
  const connect = (): ClickHouseClient => {
    // The package ships its own copy of the client's types; at run time the connection is what the client expects.
    return createClient({ connection: createChdbConnection({ path: directory }) as unknown as never })
  }
  try {
    const writer = connect()
    const reader = connect()
    const database = new ClientDatabase(writer, reader)
    await database.query('SELECT 1 AS one')
    return database
  } catch (error) {
    throw classified(error)
  }
}

class ClientDatabase implements Database {
  readonly #writer: ClickHouseClient
  readonly #reader: ClickHouseClient

  constructor(writer: ClickHouseClient, reader: ClickHouseClient) {
    this.#writer = writer
    this.#reader = reader
  }

  async command(sql: string): Promise<void> {
    await guarded(() => this.#writer.command({ query: sql }))
  }

  query<Row>(sql: string, params: Readonly<Record<string, Param>> = {}): Promise<readonly Row[]> {
    return guarded(async () => {
      const result = await this.#reader.query({
        query: `${sql} SETTINGS ${readSettings}`,
        query_params: { ...params },
        format: 'JSONEachRow',
      })
      return result.json<Row>()
    })
  }

  async insert({ table, columns, rows, token }: Insert): Promise<void> {
    await guarded(() =>
      this.#writer.insert({
        table: `${table} (${columns.join(', ')}) SETTINGS ${insertSettings(token)}`,
        values: rows as unknown[][],
        format: 'JSONCompactEachRow',
      }),
    )
  }

  async close(): Promise<void> {
    await this.#writer.close()
    if (this.#reader !== this.#writer) await this.#reader.close()
  }
}

async function guarded<Value>(call: () => Promise<Value>): Promise<Value> {
  try {
    return await call()
  } catch (error) {
    throw classified(error)
  }
}

const busyCodes = new Map([
  ['159', 'the query took too long'],
  ['202', 'too many queries at once'],
  ['203', 'too many connections'],
  ['209', 'the socket timed out'],
  ['210', 'a network error'],
  ['241', 'out of memory'],
  ['242', 'the table is read-only'],
  ['243', 'the disk is full'],
  ['252', 'too many parts'],
  ['319', 'the outcome of the insert is unknown'],
  ['999', 'Keeper is away'],
])

/** Turns what the client throws into a Fault. `instanceof ClickHouseError` is false for the embedded engine. */
function classified(error: unknown): Fault {
  if (error instanceof Fault) return error
  const code = String((error as { code?: unknown }).code ?? '')
  const text = messageOf(error)
  const busy = busyCodes.get(code)
  if (busy !== undefined) {
    return new Fault('store-busy', `ClickHouse cannot serve now: ${busy}`, { retryable: true, cause: error })
  }
  if (code === 'CHDB_CONNECTION' || text.includes('Cannot lock file')) {
    return new Fault(
      'store-locked',
      'the embedded store is open in another process (a running daemon?): ask the daemon with --url, or stop it first',
      { retryable: false, cause: error },
    )
  }
  if (['516', '192', '193', '194', '497'].includes(code)) {
    return new Fault('store-refused', `ClickHouse refuses this user: ${firstLine(text)}`, {
      retryable: true,
      cause: error,
    })
  }
  if (/^\d+$/.test(code)) {
    return new Fault('store-refused', `ClickHouse refuses the statement: ${firstLine(text)}`, {
      retryable: false,
      cause: error,
    })
  }
  return new Fault('store-unreachable', `ClickHouse cannot be reached: ${firstLine(text)}`, {
    retryable: true,
    cause: error,
  })
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? ''
}
