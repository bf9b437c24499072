import { readdirSync, readFileSync } from 'node:fs'
import { altered, type Place, quoted, target } from './database.ts'
import type { Retention } from './options.ts'

const directory = new URL('./migrations/', import.meta.url)

/** One step of the schema. Every statement may be run again, so a step that was cut short is simply repeated. */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

/** Tables whose token dedup the exactly-once protocol rests on. */
export const dedupTables = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'ledger', 'events_402', 'dead_letter'] as const

/** Tables that expire: by which time, and under which setting of `history.retention`. */
export const expiringTables = [
  { table: 'rollup_10s', time: 'bucket', setting: 'rollup_10s' },
  { table: 'rollup_1m', time: 'bucket', setting: 'rollup_1m' },
  { table: 'rollup_1h', time: 'bucket', setting: 'rollup_1h' },
  { table: 'events_402', time: 'toDateTime(ts)', setting: 'events' },
  { table: 'dead_letter', time: 'toDateTime(at)', setting: 'dead_letters' },
] as const

export type ExpiringTable = (typeof expiringTables)[number]['table']

/** What must be there before the first step: the database, and the list of steps that were taken. */
export function groundStatements(place: Place): readonly string[] {
  const { cluster, tables } = place
  const onCluster = cluster === null ? '' : ` ON CLUSTER ${quoted(cluster)}`
  // A cluster has databases of the standard kind on each server; Replicated databases would make ON CLUSTER fail.
  const databases = [...new Set(['tollwatch', tables])].map(
    (name) => `CREATE DATABASE IF NOT EXISTS ${name}${onCluster} ENGINE = Atomic`,
  )
  const list =
    'CREATE TABLE IF NOT EXISTS tollwatch.migration (name String, applied_at DateTime DEFAULT now()) ENGINE = ReplacingMergeTree ORDER BY name'
  return [...databases, ...placed(list, place)]
}

/** The files of `migrations/` in their order, as this place needs them. */
export function migrations(place: Place): readonly Migration[] {
  return readdirSync(directory)
    .sort()
    .filter((name) => name.endsWith('.sql'))
    .map((name) => ({
      name,
      statements: statementsOf(readFileSync(new URL(name, directory), 'utf8')).flatMap((sql) => placed(sql, place)),
    }))
}

/** Makes a table expire; it deletes nothing by itself, merges do. */
export function retentionStatement(place: Place, table: ExpiringTable, seconds: number): string {
  const { time } = expiringTables.find((one) => one.table === table) ?? expiringTables[0]
  return `ALTER TABLE ${altered(place, `tollwatch.${table}`)} MODIFY TTL ${time} + INTERVAL ${seconds} SECOND SETTINGS materialize_ttl_after_modify = 0`
}

/** The whole schema as a person would run it, once, with a client of ClickHouse. */
export function schemaText(place: Place, retention: Retention): string {
  const steps = migrations(place)
  const expiry = expiringTables.flatMap(({ table, setting }) => {
    const ms = retention[setting]
    return ms === null ? [] : [retentionStatement(place, table, Math.round(ms / 1000))]
  })
  const taken = steps.map(({ name }) => `(${quoted(name)})`).join(', ')
  return [
    ...groundStatements(place),
    ...steps.flatMap(({ statements }) => statements),
    ...expiry,
    `INSERT INTO ${target(place, 'tollwatch.migration')} (name) VALUES ${taken}`,
  ]
    .map((statement) => `${statement};\n`)
    .join('\n')
}

function statementsOf(sql: string): string[] {
  return sql
    .replaceAll(/^--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/**
 * A statement for a single server as a cluster needs it: the table itself Replicated, in `local_tollwatch` on every
 * replica, and a Distributed table of the old name over it for reading. Views and the landing table stay local: an
 * INSERT into one replica runs that replica's views, and what they write is replicated.
 */
function placed(sql: string, place: Place): readonly string[] {
  const { cluster, tables } = place
  if (cluster === null) return [sql]
  const onCluster = `ON CLUSTER ${quoted(cluster)}`
  const head = /^(CREATE TABLE IF NOT EXISTS|CREATE MATERIALIZED VIEW IF NOT EXISTS|ALTER TABLE) tollwatch\.(\w+)/.exec(
    sql,
  )
  if (head === null) throw new Error(`no rule for a cluster: ${sql.slice(0, 60)}`)
  const [begin, verb = '', table = ''] = head
  const local = replicated(
    `${verb} ${tables}.${table} ${onCluster}${sql.slice(begin.length).replaceAll('tollwatch.', `${tables}.`)}`,
    { tables, table },
  )
  const distributed = !table.startsWith('landing')
  if (verb.startsWith('CREATE TABLE') && distributed) {
    const over = `Distributed(${quoted(cluster)}, ${quoted(tables)}, ${quoted(table)})`
    return [local, `${verb} tollwatch.${table} ${onCluster} AS ${tables}.${table} ENGINE = ${over}`]
  }
  const columns = verb === 'ALTER TABLE' && distributed && /ADD COLUMN/.test(sql)
  const bare = sql.slice(begin.length).replaceAll(/ CODEC\([^)]*\)(?:\))?/g, '')
  return columns ? [local, `ALTER TABLE tollwatch.${table} ${onCluster}${bare}`] : [local]
}

const dedupWindow = /non_replicated_deduplication_window = (\d+)/
/** A week: longer than any outage after which a range may be repeated. Newer servers forget after an hour by default. */
const dedupSeconds = 604_800

function replicated(sql: string, { tables, table }: { tables: string; table: string }): string {
  const path = `${quoted(`/clickhouse/tables/{shard}/${tables}/${table}`)}, '{replica}'`
  return sql
    .replace(/ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?/, (_, engine: string, argument?: string) => {
      return `ENGINE = Replicated${engine}(${path}${argument === undefined ? '' : `, ${argument}`})`
    })
    .replace(
      dedupWindow,
      `replicated_deduplication_window = $1, replicated_deduplication_window_seconds = ${dedupSeconds}`,
    )
}
