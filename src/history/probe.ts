import { Fault } from '../fault/fault.ts'
import { altered, type Database } from './database.ts'
import { dedupTables } from './schema.ts'

/** Deduplication through materialized views came whole with this version; nothing older was ever tried. */
const minimumVersion = [24, 8] as const

/** Settings that the protocol rests on: a server that does not know one of them would refuse every insert. */
const neededSettings = [
  ...['async_insert', 'insert_deduplicate', 'insert_deduplication_token', 'max_execution_time', 'max_memory_usage'],
  ...['deduplicate_blocks_in_dependent_materialized_views', 'max_insert_block_size', 'min_insert_block_size_rows'],
  ...['input_format_parallel_parsing', 'input_format_skip_unknown_fields', 'output_format_json_quote_64bit_integers'],
  ...['insert_quorum', 'insert_quorum_timeout', 'mutations_sync', 'input_format_native_allow_types_conversion'],
  'optimize_on_insert',
]

/** Refuses a server that cannot keep what history promises. @throws Fault `store-refused` with the fix */
export async function probe(database: Database): Promise<void> {
  const [row] = await database.query<{ version: string }>('SELECT version() AS version')
  const version = row?.version ?? 'unknown'
  if (olderThanMinimum(version)) {
    throw refusal(
      `ClickHouse ${version} is too old: Tollwatch needs ${minimumVersion.join('.')} or later, because older servers count repeated inserts twice in materialized views`,
    )
  }
  const known = await database.query<{ name: string }>(
    'SELECT name FROM system.settings WHERE name IN {names:Array(String)}',
    { names: neededSettings },
  )
  const missing = neededSettings.filter((name) => !known.some((one) => one.name === name))
  if (missing.length > 0) {
    throw refusal(
      `ClickHouse ${version} does not know the settings ${missing.join(', ')}: use a version from ${minimumVersion.join('.')} on that this version of Tollwatch was tried with (docs/clickhouse.md)`,
    )
  }
}

/** Refuses tables on which a repeated insert would count twice. @throws Fault `store-refused` with the fix */
export async function refuseWithoutDedup(database: Database): Promise<void> {
  const tables = await database.query<{ name: string; engine_full: string }>(
    'SELECT name, engine_full FROM system.tables WHERE database = {database:String}',
    { database: database.place.tables },
  )
  for (const name of dedupTables) {
    const engine = tables.find((row) => row.name === name)?.engine_full ?? ''
    const setting = `${engine.startsWith('Replicated') ? '' : 'non_'}replicated_deduplication_window`
    if (new RegExp(`\\b${setting} = [1-9]`).test(engine)) continue
    throw refusal(
      `table ${database.place.tables}.${name} has no deduplication window, so records could be counted twice: ALTER TABLE ${altered(database.place, `tollwatch.${name}`)} MODIFY SETTING ${setting} = 10000`,
    )
  }
}

function olderThanMinimum(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < minimumVersion[0] || (major === minimumVersion[0] && minor < minimumVersion[1])
}

function refusal(message: string): Fault {
  return new Fault('store-refused', message, { retryable: false })
}
