import { Fault } from '../fault/fault.ts'
import type { Clock } from '../time/clock.ts'
import { type Database, systemTable } from './database.ts'

const lookMs = 200

/** Resolves when no change of the table's rows is under way any more. @throws Fault when one cannot be carried out */
export async function finished(database: Database, table: string, clock: Clock): Promise<void> {
  for (;;) {
    const [row] = await database.query<{ open: number; reason: string }>(
      `SELECT count() AS open, max(latest_fail_reason) AS reason FROM ${systemTable(database.place, 'mutations')}
       WHERE database = {database:String} AND table = {table:String} AND NOT is_done`,
      { database: database.place.tables, table },
    )
    if (row === undefined || row.open === 0) return
    if (row.reason !== '') {
      throw new Fault('store-refused', `ClickHouse cannot change ${table}: ${row.reason.slice(0, 300)}`, {
        retryable: true,
      })
    }
    await clock.sleep(lookMs)
  }
}
