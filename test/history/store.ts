import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { type Database, openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions, type Retention } from '../../src/history/options.ts'
import { type Range, RangeBuilder } from '../../src/history/range.ts'
import { systemClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { SeriesTable } from '../../src/window/series.ts'
import { sliceMs } from '../../src/window/view.ts'
import { tempDir } from '../support/run-context.ts'

export const hour = 3_600_000
/** The start of the hour before this one, so that whatever a test writes within an hour of it is in the past. */
export const lastHour = Math.floor(Date.now() / hour) * hour - hour

const series = new SeriesTable({ limit: 1000, perTenant: 100, lifetime: new Lifetime(1000) })

export interface Call {
  readonly tenant: string
  readonly api?: string
  /** Milliseconds since the epoch; the start of the last full hour by default. */
  readonly at?: number
  readonly cause?: (typeof causes)[number]
}

/** A range as the pipeline seals it: one offset for each call, then one for each dead letter. */
export function rangeOf(
  source: string,
  lo: number,
  calls: readonly Call[],
  options: { lane?: number; letters?: number; letterAt?: number; raw?: string } = {},
): Range {
  const { lane = 0, letters = 0, letterAt = lastHour, raw = '' } = options
  const builder = new RangeBuilder(lo, lastHour)
  for (const { tenant, api = 'chat', at = lastHour, cause } of calls) {
    const index = cause === undefined ? -1 : causes.indexOf(cause)
    const status = cause === undefined ? 200 : 402
    builder.count(at, Math.floor(at / sliceMs), series.of(tenant, api), status, index, false)
    if (cause !== undefined) {
      builder.events.push({
        ...{ timeMs: at, tenant, api, cause, causeCode: cause, causeSource: 'test', kind: 'payment_required', status },
        ...{
          upstreamStatus: 0,
          method: 'POST',
          consumer: tenant,
          plan: '',
          requestId: '',
          latencyMs: 1,
          format: 'kong',
        },
        ...{ offset: builder.next, index: 0 },
      })
    }
    builder.next++
  }
  for (let letter = 0; letter < letters; letter++) {
    builder.deadLetters.push({
      ...{ atMs: letterAt, reason: 'not-json', offset: builder.next, index: 0, bytes: 3, message: 'no JSON' },
      ...{ sketch: 'aaa', raw },
    })
    builder.next++
  }
  return builder.seal({ source, lane, configHash: 'test' })
}

/** A store of the test file's own, empty before each test. One process can have one directory open. */
export function testStore(retention: Retention = historyOptions.parse({}).retention) {
  let database: Database
  let history: History
  beforeAll(async () => {
    database = await openEmbedded(join(tempDir('history'), 'store'))
  })
  beforeEach(async () => {
    await database.command('DROP DATABASE IF EXISTS tollwatch SYNC')
    await migrate(database, retention)
    history = new History(database, { clock: systemClock, epoch: 0 })
  })
  afterAll(() => database.close())
  return {
    get database() {
      return database
    },
    get history() {
      return history
    },
    count: async (sql: string): Promise<number> => {
      const [row] = await database.query<{ n: number }>(`SELECT ${sql}`)
      return Number(row?.n ?? 0)
    },
    /** Changes rows behind history's back, as a fault would. */
    damage: (sql: string) => database.command(`${sql} SETTINGS mutations_sync = 1`),
  }
}

/**
 * Passes calls on until the `at`th statement that changes something, and dies before it. Dying after a statement is
 * the same as dying before the next one.
 */
export function mortal(database: Database, at: number): Database {
  let calls = 0
  const perhaps = async (act: () => Promise<void>): Promise<void> => {
    if (++calls >= at) throw new Error('the process died')
    await act()
  }
  return {
    place: database.place,
    query: (sql, params, seconds) => database.query(sql, params, seconds),
    command: (sql) => perhaps(() => database.command(sql)),
    insert: (insert) => perhaps(() => database.insert(insert)),
    close: async () => {},
  }
}
