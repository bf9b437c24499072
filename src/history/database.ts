import { mkdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { Fault } from '../fault/fault.ts'
import { emptyStandardInput } from '../source/standard-input.ts'
import { classified } from './outage.ts'
import { asFile } from './piece-file.ts'
import { Turns } from './turns.ts'

export type Param = string | number | boolean | readonly string[]

/** What the rest of `history/` needs of ClickHouse, be it a server or the engine inside this process. */
export interface Database {
  readonly place: Place
  /** Runs one statement that answers nothing; changes of data give themselves a `max_execution_time`. */
  command(sql: string): Promise<void>
  /** @param seconds longest time the query may run; 30 by default */
  query<Row>(sql: string, params?: Readonly<Record<string, Param>>, seconds?: number): Promise<readonly Row[]>
  /**
   * Inserts the rows as one block. With a token a repeat of the insert is dropped, table by table, also in the targets
   * of materialized views; without one the rows are always added.
   */
  insert(insert: Insert): Promise<void>
  close(): Promise<void>
}

/** Where the tables lie. They are always read as `tollwatch.NAME`. */
export interface Place {
  /** The database that holds the tables themselves: what is written or altered is addressed there. */
  readonly tables: string
  /** Name of the cluster where `tollwatch.NAME` is a Distributed table over them; null on a single server. */
  readonly cluster: string | null
}

export const singlePlace: Place = { tables: 'tollwatch', cluster: null }

/** On a cluster each shard has its own tables in a database beside the one for reading. */
export function clusterPlace(cluster: string): Place {
  return { tables: 'local_tollwatch', cluster }
}

/** A table as INSERT must address it. */
export function target(place: Place, table: string): string {
  return table.replace(/^tollwatch\./, `${place.tables}.`)
}

/** A table as ALTER must address it: on every replica at once where there are several. */
export function altered(place: Place, table: string): string {
  return place.cluster === null ? target(place, table) : `${target(place, table)} ON CLUSTER ${quoted(place.cluster)}`
}

/** A table of the server's own, over all replicas where there are several. */
export function systemTable(place: Place, name: string): string {
  return place.cluster === null ? `system.${name}` : `clusterAllReplicas(${quoted(place.cluster)}, system.${name})`
}

export interface Insert {
  /** As it is read: `tollwatch.NAME`. */
  readonly table: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
  readonly token: string | null
  /**
   * The same rows in ClickHouse's format Native, at a fraction of the price: then `rows` is not looked at. A piece is
   * good until the next is asked for. No two rows have the same sorting key.
   */
  readonly pieces?: () => Iterable<Uint8Array>
}

/** Limits of every read: a page must not take the daemon's memory, and an abort does not stop an embedded query. */
function readSettings(seconds: number): string {
  return `max_execution_time = ${seconds}, max_memory_usage = 2000000000, output_format_json_quote_64bit_integers = 0`
}

const readSeconds = 30

/** Every setting that matters is sent, because the defaults differ between versions. */
export function insertSettings(token: string | null, { cluster }: Place): string {
  const dedup =
    token === null
      ? 'insert_deduplicate = 0'
      : `insert_deduplicate = 1, deduplicate_blocks_in_dependent_materialized_views = 1, insert_deduplication_token = ${quoted(token)}`
  // The answer comes when most replicas have the rows, so that the loss of one loses nothing.
  const quorum = cluster === null ? '' : "insert_quorum = 'auto', insert_quorum_timeout = 50000, "
  return `async_insert = 0, ${quorum}${dedup}, max_insert_block_size = 1048576, min_insert_block_size_rows = 1048576, input_format_parallel_parsing = 0, input_format_skip_unknown_fields = 0, max_execution_time = 60`
}

/** What pieces need beside: text that repeats comes as LowCardinality, and there is nothing to merge among the rows. */
const pieceSettings = 'input_format_native_allow_types_conversion = 1, optimize_on_insert = 0'

/** A text as a literal of SQL. Values of queries go as parameters; statements that change tables take none. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/**
 * Opens a ClickHouse server; the connection itself is made by the first statement.
 *
 * @param timeoutMs how long an answer may take; longer than any statement is allowed to run
 */
export function openServer(
  options: { url: string; user: string; cluster?: string | undefined },
  password: string,
  timeoutMs = 70_000,
): Database {
  const client = createClient({
    url: options.url,
    username: options.user,
    password,
    request_timeout: timeoutMs,
    // What went wrong is thrown, and told once, in our own words.
    log: { level: ClickHouseLogLevel.OFF },
    // Without the first an error after the first bytes of an answer looks like success; the others keep a long query's
    // connection from looking dead.
    clickhouse_settings: {
      wait_end_of_query: 1,
      send_progress_in_http_headers: 1,
      http_headers_progress_interval_ms: '20000',
    },
  })
  const place = options.cluster === undefined ? singlePlace : clusterPlace(options.cluster)
  return new ClientDatabase(new ServerWriter(client), client, place)
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
  const connect = await chdb()
  mkdirSync(directory, { recursive: true })
  emptyStandardInput()
  try {
    const writer = connect(directory)
    const reader = connect(directory)
    const database = new ClientDatabase(new EmbeddedWriter(writer, directory), reader, singlePlace)
    await database.query('SELECT 1 AS one')
    return database
  } catch (error) {
    throw classified(error)
  }
}

/** The optional package, as a way to connect to a directory. @throws Fault `store-missing` without it */
async function chdb(): Promise<(directory: string) => ClickHouseClient> {
  const { createChdbConnection } = await import('chdb/connection').catch((error: unknown) => {
    throw new Fault(
      'store-missing',
      'the embedded store needs the optional package chdb (Linux with glibc or macOS): run "npm install chdb", or set history.clickhouse.url to use a ClickHouse server',
      { retryable: false, cause: error },
    )
  })
  // The package ships its own copy of the client's types; at run time the connection is what the client expects.
  return (directory) => createClient({ connection: createChdbConnection({ path: directory }) as unknown as never })
}

/** What a statement answers: the names of its columns, each once, and rows. */
export interface SqlAnswer {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

/** Reads and cannot write: the engine itself refuses to. */
export interface ReadingDatabase extends Database {
  /** Runs one statement as somebody wrote it; it may run for 30 s. */
  ask(sql: string): Promise<SqlAnswer>
}

/** With `readonly = 1` no setting can be changed either, so all others come with it. */
const readingSettings = {
  output_format_json_quote_64bit_integers: 0,
  max_execution_time: readSeconds,
  max_memory_usage: 2_000_000_000,
  readonly: 1,
}

/** Opens a server to read; see `openServer`. */
export function openServerToRead(options: { url: string; user: string }, password: string): ReadingDatabase {
  const settings = Object.fromEntries(Object.entries(readingSettings).map(([name, value]) => [name, String(value)]))
  const client = createClient({
    url: options.url,
    username: options.user,
    password,
    request_timeout: 70_000,
    log: { level: ClickHouseLogLevel.OFF },
    clickhouse_settings: { wait_end_of_query: 1, ...settings },
  })
  return new ReadOnlyDatabase(client)
}

/**
 * Opens the embedded engine on a directory to read. Unlike `openEmbedded` it leaves the standard input alone, because
 * only INSERTs take what waits there.
 *
 * @throws Fault as `openEmbedded`
 */
export async function openEmbeddedToRead(directory: string): Promise<ReadingDatabase> {
  const connect = await chdb()
  try {
    const client = connect(directory)
    const settings = Object.entries(readingSettings).map(([name, value]) => `${name} = ${value}`)
    await client.command({ query: `SET ${settings.join(', ')}` })
    return new ReadOnlyDatabase(client)
  } catch (error) {
    throw classified(error)
  }
}

/** Runs what changes something. */
interface Writer {
  command(query: string): Promise<unknown>
  insertRows(into: string, settings: string, rows: readonly (readonly unknown[])[]): Promise<unknown>
  insertPieces(into: string, settings: string, pieces: Iterable<Uint8Array>): Promise<unknown>
  close(): Promise<void>
}

class ServerWriter implements Writer {
  readonly #client: ClickHouseClient

  constructor(client: ClickHouseClient) {
    this.#client = client
  }

  command(query: string): Promise<unknown> {
    return this.#client.command({ query })
  }

  insertRows(into: string, settings: string, rows: readonly (readonly unknown[])[]): Promise<unknown> {
    const values = rows as unknown[][]
    return this.#client.insert({ table: `${into} SETTINGS ${settings}`, values, format: 'JSONCompactEachRow' })
  }

  async insertPieces(into: string, settings: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const { stream } = await this.#client.exec({
      query: `INSERT INTO ${into} SETTINGS ${settings} FORMAT Native`,
      values: Readable.from(copies(pieces), { objectMode: false }),
    })
    // The connection is free for the next statement once the answer has been read.
    for await (const _ of stream);
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** The socket may still hold one when the next is made. */
function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  for (const piece of pieces) yield Buffer.from(piece)
}

/**
 * The engine's connection runs one statement at a time, and each that waits for it keeps one of the few threads of
 * Node.js busy: so they wait here. Its client takes text alone, so pieces go by a file.
 */
class EmbeddedWriter implements Writer {
  readonly #client: ClickHouseClient
  readonly #directory: string
  readonly #engine = new Turns(1)
  /** One file is read by the engine while the next is written. */
  readonly #files = new Turns(2)

  constructor(client: ClickHouseClient, directory: string) {
    this.#client = client
    this.#directory = directory
  }

  command(query: string): Promise<unknown> {
    return this.#engine.take(() => this.#client.command({ query }))
  }

  insertRows(into: string, settings: string, rows: readonly (readonly unknown[])[]): Promise<unknown> {
    const values = rows as unknown[][]
    const table = `${into} SETTINGS ${settings}`
    return this.#engine.take(() => this.#client.insert({ table, values, format: 'JSONCompactEachRow' }))
  }

  insertPieces(into: string, settings: string, pieces: Iterable<Uint8Array>): Promise<unknown> {
    return this.#files.take(() =>
      asFile(this.#directory, pieces, (path) =>
        this.command(`INSERT INTO ${into} FROM INFILE ${quoted(path)} SETTINGS ${settings} FORMAT Native`),
      ),
    )
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

class ClientDatabase implements Database {
  readonly place: Place
  readonly #writer: Writer
  readonly #reader: ClickHouseClient

  constructor(writer: Writer, reader: ClickHouseClient, place: Place) {
    this.place = place
    this.#writer = writer
    this.#reader = reader
  }

  async command(sql: string): Promise<void> {
    await guarded(() => this.#writer.command(sql))
  }

  query<Row>(
    sql: string,
    params: Readonly<Record<string, Param>> = {},
    seconds: number = readSeconds,
  ): Promise<readonly Row[]> {
    return guarded(async () => {
      const result = await this.#reader.query({
        query: `${sql} SETTINGS ${readSettings(seconds)}`,
        query_params: { ...params },
        format: 'JSONEachRow',
      })
      return result.json<Row>()
    })
  }

  async insert(insert: Insert): Promise<void> {
    const { table, columns, token, pieces } = insert
    const into = `${target(this.place, table)} (${columns.join(', ')})`
    const settings = insertSettings(token, this.place)
    await guarded(() =>
      pieces === undefined
        ? this.#writer.insertRows(into, settings, insert.rows)
        : this.#writer.insertPieces(into, `${settings}, ${pieceSettings}`, pieces()),
    )
  }

  async close(): Promise<void> {
    await this.#writer.close()
    await this.#reader.close()
  }
}

class ReadOnlyDatabase implements ReadingDatabase {
  readonly place = singlePlace
  readonly #client: ClickHouseClient

  constructor(client: ClickHouseClient) {
    this.#client = client
  }

  query<Row>(sql: string, params: Readonly<Record<string, Param>> = {}): Promise<readonly Row[]> {
    return guarded(async () => {
      const result = await this.#client.query({ query: sql, query_params: { ...params }, format: 'JSONEachRow' })
      return result.json<Row>()
    })
  }

  ask(sql: string): Promise<SqlAnswer> {
    return guarded(async () => {
      const result = await this.#client.query({ query: sql, format: 'JSONCompactEachRowWithNames' })
      const lines = (await result.text()).split('\n').filter((line) => line !== '')
      const [names = [], ...rows] = lines.map((line) => JSON.parse(withLongNumbersAsText(line)) as unknown[])
      const columns = eachOnce(names.map(String))
      return { columns, rows: rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]]))) }
    })
  }

  async command(): Promise<void> {
    throw this.#refusal()
  }

  async insert(): Promise<void> {
    throw this.#refusal()
  }

  #refusal(): Fault {
    return new Fault('store-refused', 'history was opened to read', { retryable: false })
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** Numbers beyond 2^53 would lose their last digits. */
function withLongNumbersAsText(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  )
}

/** Two columns of one name would be one in a row. */
function eachOnce(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return times === 1 ? name : `${name}_${times}`
  })
}

async function guarded<Value>(call: () => Promise<Value>): Promise<Value> {
  try {
    return await call()
  } catch (error) {
    throw classified(error)
  }
}
