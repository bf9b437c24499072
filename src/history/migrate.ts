import { systemClock } from '../time/clock.ts'
import type { Database } from './database.ts'
import { DurableState } from './durable-state.ts'
import type { Retention } from './options.ts'
import { probe, refuseWithoutDedup } from './probe.ts'
import { applyRetention } from './retention.ts'
import { groundStatements, type Migration, migrations } from './schema.ts'
import type { StateStore } from './state.ts'

/**
 * Brings the schema up to date; safe to run at every start. Each file of `migrations/` runs once, in order.
 *
 * @param keepRetention leaves the times to live of a store that is there already: a command that was started without
 *   the daemon's settings must not let rows expire
 * @throws Fault `store-refused` for a server that cannot keep what history promises
 */
export async function migrate(
  database: Database,
  retention: Retention,
  options: { keepRetention?: boolean; state?: StateStore } = {},
): Promise<void> {
  const { keepRetention = false, state = new DurableState(database, systemClock) } = options
  await probe(database)
  const isNew = await bringUpToDate(database)
  if (isNew || !keepRetention) await applyRetention(database, state, retention)
  await refuseWithoutDedup(database)
}

/** Runs the missing steps of the schema and nothing else. @returns whether the store was empty */
export async function bringUpToDate(database: Database): Promise<boolean> {
  const steps = migrations(database.place)
  const before = await appliedSteps(database)
  const missing = steps.filter(({ name }) => !before.has(name))
  if (missing.length === 0) return false
  for (const statement of groundStatements(database.place)) await database.command(statement)
  for (const step of missing) await take(database, step)
  return before.size === 0
}

async function take(database: Database, { name, statements }: Migration): Promise<void> {
  for (const statement of statements) await database.command(statement)
  await database.insert({ table: 'tollwatch.migration', columns: ['name'], rows: [[name]], token: null })
}

/** Asked before anything is made, so that a user without the right to make tables can use those that are there. */
async function appliedSteps(database: Database): Promise<ReadonlySet<string>> {
  const [list] = await database.query<{ found: number }>(
    "SELECT count() AS found FROM system.tables WHERE database = 'tollwatch' AND name = 'migration'",
  )
  if (list === undefined || list.found === 0) return new Set()
  return new Set(
    (await database.query<{ name: string }>('SELECT name FROM tollwatch.migration')).map(({ name }) => name),
  )
}
