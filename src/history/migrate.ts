import { readdirSync, readFileSync } from 'node:fs'
import { Fault } from '../fault/fault.ts'
import type { Database } from './database.ts'
import type { HistoryOptions } from './options.ts'

const directory = new URL('./migrations/', import.meta.url)

/** Tables whose token dedup the exactly-once protocol rests on. */
const dedupTables = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'ledger', 'events_402', 'dead_letter']

/** Brings the schema up to date; safe to run at every start. Each file of `migrations/` runs once, in order. */
export async function migrate(database: Database, retention: HistoryOptions['retention']): Promise<void> {
  await database.command('CREATE DATABASE IF NOT EXISTS tollwatch ENGINE = Atomic')
  await database.command(
    'CREATE TABLE IF NOT EXISTS tollwatch.migration (name String, applied_at DateTime DEFAULT now()) ENGINE = ReplacingMergeTree ORDER BY name',
  )
  const applied = new Set(
    (await database.query<{ name: string }>('SELECT name FROM tollwatch.migration')).map((row) => row.name),
  )
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith('.sql') || applied.has(name)) continue
    // Every statement is `IF NOT EXISTS`, so a file that was cut short by a crash is simply run again.
    for (const statement of statementsOf(readFileSync(new URL(name, directory), 'utf8')))
      await database.command(statement)
    await database.insert({ table: 'tollwatch.migration', columns: ['name'], rows: [[name]], token: null })
  }
  await applyRetention(database, retention)
  await refuseWithoutDedup(database)
}

function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

async function applyRetention(database: Database, retention: HistoryOptions['retention']): Promise<void> {
  const wanted = [
    ['rollup_10s', 'bucket', retention.rollup_10s],
    ['rollup_1m', 'bucket', retention.rollup_1m],
    ['rollup_1h', 'bucket', retention.rollup_1h],
    ['events_402', 'toDateTime(ts)', retention.events],
    ['dead_letter', 'toDateTime(at)', retention.dead_letters],
  ] as const
  const tables = await database.query<{ name: string; engine_full: string }>(
    "SELECT name, engine_full FROM system.tables WHERE database = 'tollwatch'",
  )
  for (const [table, column, ms] of wanted) {
    const seconds = Math.round(ms / 1000)
    const known = tables.find((row) => row.name === table)?.engine_full ?? ''
    if (ttlSeconds(known) === seconds) continue
    await database.command(
      `ALTER TABLE tollwatch.${table} MODIFY TTL ${column} + INTERVAL ${seconds} SECOND SETTINGS materialize_ttl_after_modify = 0`,
    )
  }
}

function ttlSeconds(engine: string): number | null {
  const match = /TTL .*?\+ (?:INTERVAL (\d+) (SECOND|DAY)|toInterval(Second|Day)\((\d+)\))/.exec(engine)
  if (match === null) return null
  const amount = Number(match[1] ?? match[4])
  return (match[2] ?? match[3] ?? '').toUpperCase() === 'DAY' ? amount * 86_400 : amount
}

async function refuseWithoutDedup(database: Database): Promise<void> {
  const tables = await database.query<{ name: string; engine_full: string }>(
    "SELECT name, engine_full FROM system.tables WHERE database = 'tollwatch'",
  )
  for (const name of dedupTables) {
    const engine = tables.find((row) => row.name === name)?.engine_full ?? ''
    if (/deduplication_window = [1-9]/.test(engine)) continue
    throw new Fault(
      'store-refused',
      `table tollwatch.${name} has no deduplication window, so records could be counted twice: ALTER TABLE tollwatch.${name} MODIFY SETTING non_replicated_deduplication_window = 10000`,
      { retryable: false },
    )
  }
}
