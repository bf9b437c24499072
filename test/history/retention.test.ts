import { expect, test } from 'vitest'
import { History } from '../../src/history/history.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions, type Retention } from '../../src/history/options.ts'
import { keptOf, wholeSince } from '../../src/history/retention.ts'
import { systemClock } from '../../src/time/clock.ts'
import { describeWithChdb } from '../support/available.ts'
import { hour, lastHour, rangeOf, testStore } from './store.ts'

const day = 24 * hour
const defaults = historyOptions.parse({}).retention

describeWithChdb('history.retention', () => {
  const store = testStore()
  const apply = (changes: Partial<Retention>, keepRetention = false) =>
    migrate(store.database, { ...defaults, ...changes }, { keepRetention, state: store.history.state })
  const kept = () => keptOf(store.database, store.history.state)
  const days = async (table: keyof Awaited<ReturnType<typeof kept>>): Promise<[ttl: number, since: number | null]> => {
    const { ttlMs, sinceMs } = (await kept())[table]
    return [ttlMs / day, sinceMs === null ? null : Math.abs(Math.round((Date.now() - sinceMs) / day))]
  }

  test('is applied to tables that are there, and changes nothing the second time', async () => {
    expect(await days('rollup_10s')).toEqual([3, 3])
    await apply({
      rollup_10s: 2 * day,
      rollup_1m: 30 * day,
      rollup_1h: 400 * day,
      events: 7 * day,
      dead_letters: 3 * day,
    })
    expect(await days('rollup_10s')).toEqual([2, 2])
    expect(await days('rollup_1m')).toEqual([30, 30])
    expect(await days('rollup_1h')).toEqual([400, 400])
    expect(await days('events_402')).toEqual([7, 7])
    expect(await days('dead_letter')).toEqual([3, 3])
    expect(await days('ledger')).toEqual([730, 730])
  })

  test('that is lengthened brings nothing back: a table is whole from where it was until then', async () => {
    await apply({ rollup_10s: 30 * day })
    expect(await days('rollup_10s')).toEqual([30, 3])
    await apply({ rollup_10s: 30 * day })
    expect(await days('rollup_10s')).toEqual([30, 3])
    // So what had expired is not taken for lost.
    await store.history.land(rangeOf('old', 0, [{ tenant: 'acme', at: lastHour - 10 * day }]))
    await store.damage('ALTER TABLE tollwatch.rollup_10s DELETE WHERE 1')
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('stays as it is for a command that only writes, perhaps without the settings', async () => {
    await apply({ rollup_10s: 30 * day })
    await apply({}, true)
    expect(await days('rollup_10s')).toEqual([30, 3])
  })

  test('of refused calls can be off, and on again: between, nothing is missed', async () => {
    await apply({ events: null })
    expect(await days('events_402')).toEqual([30, null])
    const without = new History(store.database, { clock: systemClock, epoch: 0, keepEvents: false })
    await without.land(rangeOf('off', 0, [{ tenant: 'acme', cause: 'quota_exceeded' }]))
    expect(await store.count('sum(payment_required) AS n FROM tollwatch.rollup_1h')).toBe(1)
    expect(await store.count('count() AS n FROM tollwatch.events_402')).toBe(0)
    const off = await store.history.verify()
    expect(off.problems).toEqual([])
    expect(off.checks.find(({ name }) => name.startsWith('events_402'))).toMatchObject({ since: null, hours: 0 })
    await apply({})
    expect(await days('events_402')).toEqual([30, 0])
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('is compared in whole hours, with room for what expires meanwhile', async () => {
    const at = await kept()
    const since = wholeSince(at, ['rollup_10s', 'rollup_1m']) ?? 0
    expect(since % 3600).toBe(0)
    expect(since * 1000 - (at.rollup_10s.sinceMs ?? 0)).toBeGreaterThanOrEqual(10 * 60_000)
    expect(since * 1000 - (at.rollup_10s.sinceMs ?? 0)).toBeLessThan(hour + 10 * 60_000)
  })
})
