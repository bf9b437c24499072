import assert from 'node:assert/strict'
import type { Clock } from '../time/clock.ts'
import { altered, type Database, quoted } from './database.ts'
import { finished } from './mutation.ts'
import { mentionPattern } from './tenant-name.ts'

/** Rows that one change names one by one. */
const batchRows = 500

/**
 * Empties the texts that mention a tenant in rows that are not its own: summaries of alerts, and what is kept of dead
 * letters, whose rows stay because the ledger counts them.
 *
 * @returns rows by table
 */
export async function blankMentions(
  { database, clock }: { database: Database; clock: Clock },
  tenant: string,
  hash: string,
): Promise<Readonly<Record<string, number>>> {
  const pattern = mentionPattern(tenant)
  const blank = async (table: string, texts: readonly string[], keys: readonly string[]): Promise<number> => {
    const mentions = texts.map((text) => `match(${text}, {pattern:String})`).join(' OR ')
    const set = texts.map((text) => `${text} = ''`).join(', ')
    for (let [rows, last] = [0, '']; ; ) {
      const found = await database.query<Record<string, string | number>>(
        `SELECT DISTINCT ${keys.map((key, index) => `${key} AS k${index}`).join(', ')} FROM tollwatch.${table} WHERE ${mentions} LIMIT ${batchRows}`,
        { pattern },
      )
      if (found.length === 0) return rows
      // What was blanked is not found again; if it were, this would go on for ever.
      assert(JSON.stringify(found) !== last, `texts of ${table} stay as they were`)
      last = JSON.stringify(found)
      const tuples = found.map((row) => `(${keys.map((_, index) => literal(row[`k${index}`])).join(', ')})`)
      await database.command(
        `ALTER TABLE ${altered(database.place, `tollwatch.${table}`)} UPDATE ${set} WHERE (${keys.join(', ')}) IN (${tuples.join(', ')})`,
      )
      await finished(database, table, clock)
      rows += found.length
    }
  }
  const alerts = await blank('alert_log', ['summary'], ['rule', 'fingerprint', 'toUnixTimestamp64Milli(at)', 'state'])
  const letters = await blank('dead_letter', ['message', 'sketch', 'raw'], ['source', 'lane', 'offset', 'entry'])
  const consumers = await blankConsumers({ database, clock }, hash)
  return { 'texts of alert_log': alerts, 'texts of dead_letter': letters, 'consumers of events_402': consumers }
}

/** Calls of other tenants whose consumer goes by the same name. */
async function blankConsumers(
  { database, clock }: { database: Database; clock: Clock },
  hash: string,
): Promise<number> {
  const where = `hex(sipHash128(consumer)) = ${quoted(hash)}`
  const [row] = await database.query<{ n: number }>(`SELECT count() AS n FROM tollwatch.events_402 WHERE ${where}`)
  if ((row?.n ?? 0) === 0) return 0
  await database.command(
    `ALTER TABLE ${altered(database.place, 'tollwatch.events_402')} UPDATE consumer = '' WHERE ${where}`,
  )
  await finished(database, 'events_402', clock)
  return row?.n ?? 0
}

function literal(value: string | number | undefined): string {
  return typeof value === 'number' ? String(value) : quoted(value ?? '')
}
