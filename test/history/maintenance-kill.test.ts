import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Database, openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { systemClock } from '../../src/time/clock.ts'
import { describeWithChdb } from '../support/available.ts'
import { startChild, waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { hour, lastHour, rangeOf } from './store.ts'

const script = fileURLToPath(new URL('maintenance-child.ts', import.meta.url))
const hours = 24
const from = lastHour - hours * hour

describeWithChdb('Maintenance that is killed', () => {
  const dir = join(tempDir('killed'), 'store')

  async function inStore<Result>(work: (history: History, database: Database) => Promise<Result>): Promise<Result> {
    const database = await openEmbedded(dir)
    const history = new History(database, { clock: systemClock, epoch: 0 })
    return work(history, database).finally(() => history.close())
  }

  /** Runs it until it has taken some steps, then kills it; how many it had taken. */
  async function killed(args: readonly string[], steps: number): Promise<void> {
    const child = startChild(process.execPath, ['--import', 'tsx', script, dir, ...args])
    const taken = () => child.stdout().split('step').length - 1
    await waitFor(`${steps} steps`, () => taken() >= steps || child.ended(), { everyMs: 1, timeoutMs: 60_000 })
    const { signal } = await child.kill()
    expect([signal, child.stderr()]).toEqual(['SIGKILL', ''])
  }

  async function completed(args: readonly string[]): Promise<void> {
    const child = startChild(process.execPath, ['--import', 'tsx', script, dir, ...args])
    expect([await child.exited, child.stderr()]).toEqual([{ code: 0, signal: null }, ''])
  }

  test('leaves nothing wrong: repair and forget go on where they were', { timeout: 120_000 }, async () => {
    await inStore(async (history, database) => {
      await migrate(database, historyOptions.parse({}).retention)
      for (let i = 0; i < hours; i++) {
        const at = from + i * hour
        const calls = ['acme', 'zinc'].flatMap((tenant) => [
          { tenant, at },
          { tenant, at, cause: 'quota_exceeded' as const },
        ])
        await history.land(rangeOf('kafka:test', 4 * i, calls))
      }
      await history.land(rangeOf('kafka:test', 4 * hours, [{ tenant: 'zinc' }]))
      await database.command(`ALTER TABLE tollwatch.rollup_1m DELETE WHERE tenant = 'acme' SETTINGS mutations_sync = 1`)
    })

    const repair = ['repair', String(from), String(lastHour)]
    for (const steps of [1, 6]) await killed(repair, steps)
    await inStore(async (history) => {
      const order = { tier: 'rollup_1m', fromMs: from, toMs: lastHour, dryRun: true, settled: false } as const
      const { hours: left } = await history.repair(order)
      expect(left.length).toBeLessThan(hours - 6)
      // Each hour is as it was or repaired, never in between.
      for (const { before, after } of left) {
        expect([before, after]).toEqual([
          { requests: 2, payment_required: 1 },
          { requests: 4, payment_required: 2 },
        ])
      }
    })
    await completed(repair)
    await inStore(async (history) => expect((await history.verify()).problems).toEqual([]))

    for (const steps of [2, 5, 8]) await killed(['forget', 'acme'], steps)
    await completed(['forget', 'acme'])
    await inStore(async (history) => {
      const report = await history.verify()
      expect([report.problems, report.erasures]).toEqual([[], 1])
      expect(Object.values(await history.rowsOfTenant('acme')).every((rows) => rows === 0)).toBe(true)
      expect(report.totals['rollup_1h']).toEqual({ requests: 2 * hours + 1, payment_required: hours })
    })
  })
})
