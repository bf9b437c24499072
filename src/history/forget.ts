import { randomUUID } from 'node:crypto'
import { Fault } from '../fault/fault.ts'
import type { Clock } from '../time/clock.ts'
import { altered, type Database, insertSettings, quoted, target } from './database.ts'
import { blankMentions } from './forget-mentions.ts'
import { forgetInState, namedInState } from './forget-state.ts'
import { finished } from './mutation.ts'
import { noSteps, type Steps } from './repair.ts'
import { openRanges } from './settled.ts'
import type { StateStore } from './state.ts'

/** Kind of the entries that say an erasure has begun; they alone hold the name, until it has ended. */
export const erasureKind = 'erasure'

/** Tables that are counted by the ledger: what is taken out of them is accounted for in `tollwatch.erasure`. */
const countedTables = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'events_402'] as const
const tables = [...countedTables, 'alert_log'] as const

/** What is known of a tenant, or was erased, in rows by table. */
export interface Forgotten {
  readonly rows: Readonly<Record<string, number>>
  /** An erasure that had been interrupted was completed. */
  readonly resumed: boolean
}

interface Begun {
  readonly id: string
  readonly tenant: string
  readonly rows: Readonly<Record<string, number>>
}

interface Store {
  readonly database: Database
  readonly state: StateStore
  readonly clock: Clock
}

/** Rows that name the tenant, by table; what `forgetTenant` would take out. */
export async function rowsOfTenant(database: Database, tenant: string): Promise<Readonly<Record<string, number>>> {
  const rows: Record<string, number> = {}
  const hash = await hashOf(database, tenant)
  for (const table of tables) {
    const [row] = await database.query<{ n: number }>(
      `SELECT count() AS n FROM tollwatch.${table} WHERE ${condition(table, hash)}`,
    )
    rows[table] = row?.n ?? 0
  }
  rows['state'] = (await namedInState(database, tenant)).length
  return rows
}

/**
 * Erases one tenant from every table, for good:
 *
 *  1. the erasure is noted in the state. Dying from here on: the same command resumes it, and verify asks for it.
 *  2. what each counted table holds of the tenant is written into `tollwatch.erasure`, hour by hour and without the
 *     name, once. Dying before a table's deletion has ended: its sums are too large for the ledger until it is resumed.
 *  3. the rows are deleted, by the hash of the name, so that the name stays in no log of mutations or queries.
 *  4. mentions in texts are blanked, and the state is cleaned.
 *  5. the note goes, and with it the last place of the name.
 *
 * Nobody may write meanwhile: rows that came between 2 and 3 would be deleted without being accounted for.
 *
 * @throws Fault `store-busy` when an interrupted write must be completed first
 */
export async function forgetTenant(store: Store, tenant: string, steps: Steps = noSteps): Promise<Forgotten> {
  const { database, state, clock } = store
  refuseStrangeNames(tenant)
  const begun = await noted(store, tenant)
  const hash = await hashOf(database, tenant)
  steps.begin(countedTables.length + tables.length + 2)
  for (const table of countedTables) {
    await account(database, { id: begun.id, table, hash })
    steps.advance(1)
  }
  for (const table of tables) {
    const where = condition(table, hash)
    const [left] = await database.query<{ n: number }>(`SELECT count() AS n FROM tollwatch.${table} WHERE ${where}`)
    if ((left?.n ?? 0) > 0) {
      await database.command(`ALTER TABLE ${altered(database.place, `tollwatch.${table}`)} DELETE WHERE ${where}`)
      await finished(database, table, clock)
    }
    steps.advance(1)
  }
  const mentions = await blankMentions({ database, clock }, tenant, hash)
  steps.advance(1)
  await forgetInState(store, tenant, begun.id)
  await state.put([{ kind: erasureKind, key: begun.id, value: null }])
  // Older versions of an entry lie beside the new one until they are merged, and hold the name.
  await database.command(`OPTIMIZE TABLE ${altered(database.place, 'tollwatch.state')} FINAL`)
  steps.advance(1)
  return { rows: { ...begun.rows, ...mentions }, resumed: begun.resumed }
}

function refuseStrangeNames(tenant: string): void {
  if (tenant !== '' && tenant !== '__other__') return
  throw new Fault(
    'argument-invalid',
    tenant === '' ? '--tenant is empty' : '__other__ is no tenant but the sum of many that were folded',
    { retryable: false },
  )
}

async function noted({ database, state }: Store, tenant: string): Promise<Begun & { resumed: boolean }> {
  for (const text of (await state.load(erasureKind)).values()) {
    const begun = JSON.parse(text) as Begun
    if (begun.tenant === tenant) return { ...begun, resumed: true }
  }
  // A range that is half in would come back whole, and with it rows that were accounted for as erased.
  await openRanges(database, state)
  const begun: Begun = { id: randomUUID(), tenant, rows: await rowsOfTenant(database, tenant) }
  await state.put([{ kind: erasureKind, key: begun.id, value: JSON.stringify(begun) }])
  return { ...begun, resumed: false }
}

/** Writes down once what a table holds of the tenant: one block, there as a whole or not at all. */
async function account(
  database: Database,
  { id, table, hash }: { id: string; table: (typeof countedTables)[number]; hash: string },
): Promise<void> {
  const [done] = await database.query<{ n: number }>(
    'SELECT count() AS n FROM tollwatch.erasure WHERE id = {id:String} AND erased_from = {table:String}',
    { id, table },
  )
  if ((done?.n ?? 0) > 0) return
  const lane = table === 'rollup_10s' ? 'source, lane' : "'', 0"
  const isEvents = table === 'events_402'
  const hour = isEvents ? "toStartOfHour(toDateTime(ts, 'UTC'))" : 'toStartOfHour(bucket)'
  const sums = isEvents ? "0, countIf(kind = 'payment_required')" : 'sum(requests), sum(payment_required)'
  await database.command(`
    INSERT INTO ${target(database.place, 'tollwatch.erasure')} (id, erased_from, hour, source, lane, cause, requests, payment_required)
    SELECT ${quoted(id)}, ${quoted(table)}, ${hour} AS at, ${lane}, cause, ${sums}
    FROM tollwatch.${table}${isEvents ? ' FINAL' : ''} WHERE ${condition(table, hash)}
    GROUP BY at, cause${table === 'rollup_10s' ? ', source, lane' : ''}
    SETTINGS ${insertSettings(`erasure:${id}:${table}`, database.place)}, max_insert_threads = 1`)
}

/** A tenant's name as the deletion addresses it. */
async function hashOf(database: Database, tenant: string): Promise<string> {
  const [row] = await database.query<{ hash: string }>('SELECT hex(sipHash128({tenant:String})) AS hash', { tenant })
  return row?.hash ?? ''
}

function condition(table: (typeof tables)[number], hash: string): string {
  const named = (value: string) => `hex(sipHash128(${value})) = ${quoted(hash)}`
  return table === 'alert_log'
    ? `(${named('toString(tenant)')} OR arrayExists(label -> ${named('label')}, mapValues(labels)))`
    : named('toString(tenant)')
}
