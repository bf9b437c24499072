import { expect, test } from 'vitest'
import { type RepairOrder, repairTier } from '../../src/history/repair.ts'
import { describeWithChdb } from '../support/available.ts'
import { hour, lastHour, mortal, rangeOf, testStore } from './store.ts'

describeWithChdb('repairTier', () => {
  const store = testStore()
  const order: RepairOrder = {
    ...{ tier: 'rollup_1m', fromMs: lastHour - 6 * hour, toMs: lastHour, dryRun: false, settled: false },
  }

  /** Five hours of two tenants, and one range after them, so that none of them is the newest. */
  async function history(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      const at = lastHour - (i + 1) * hour
      await store.history.land(
        rangeOf('kafka:test', 3 * i, [
          { tenant: 'acme', at },
          { tenant: 'acme', at: at + 60_000, cause: 'quota_exceeded' },
          { tenant: 'zinc', at: at + 90_000 },
        ]),
      )
    }
    await store.history.land(rangeOf('kafka:test', 15, [{ tenant: 'acme', at: lastHour }]))
  }

  let harmed = 0
  /** Too little in one hour, too much in the next, another tenant in the third. */
  async function harm(tier: string): Promise<void> {
    const at = (i: number) => lastHour / 1000 - (i + 1) * 3600
    await store.damage(
      `ALTER TABLE tollwatch.${tier} DELETE WHERE toStartOfHour(bucket) = fromUnixTimestamp(${at(0)}) AND tenant = 'acme'`,
    )
    await store.database.insert({
      ...{ table: `tollwatch.${tier}`, columns: ['bucket', 'tenant', 'api', 'cause', 'requests'] },
      token: `harm ${harmed++}`,
      rows: [
        [at(1), 'acme', 'chat', '', 5],
        [at(2), 'iron', 'chat', '', 1],
      ],
    })
  }

  test('brings a tier in line with the finer one, whatever is wrong, and again finds nothing to do', async () => {
    await history()
    await harm('rollup_1m')
    const dry = await store.history.repair({ ...order, dryRun: true })
    expect(dry.hours.map(({ before, after, left }) => [before.requests, after.requests, left])).toEqual([
      [4, 3, null],
      [8, 3, null],
      [1, 3, null],
    ])
    expect((await store.history.verify()).ok).toBe(false)

    const done: number[] = []
    const steps = { begin: (total: number) => void done.push(-total), advance: (by: number) => void done.push(by) }
    expect((await store.history.repair(order, steps)).hours).toEqual(dry.hours)
    expect(done).toEqual([-3, 1, 1, 1])
    expect((await store.history.verify()).problems).toEqual([])
    expect((await store.history.repair(order)).hours).toEqual([])
    // What was too much is gone, though it takes a row of its own until the next merge.
    expect(await store.count("sum(requests) AS n FROM tollwatch.rollup_1m WHERE tenant = 'iron'")).toBe(0)
    await store.database.command('OPTIMIZE TABLE tollwatch.rollup_1m FINAL')
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('leaves repeats of what had landed without effect', async () => {
    await history()
    await harm('rollup_1h')
    await store.history.repair({ ...order, tier: 'rollup_1h' })
    await history()
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('leaves an hour that the newest range of a lane touches, unless somebody vouches for it', async () => {
    await history()
    const at = lastHour - hour
    await store.history.land(rangeOf('kafka:late', 0, [{ tenant: 'acme', at }]))
    await harm('rollup_1m')
    const { hours } = await store.history.repair(order)
    expect(hours.map(({ left }) => left !== null)).toEqual([false, false, true])
    expect(hours[2]?.left).toContain('the newest range of kafka:late lane 0 lies in it')
    expect((await store.history.repair({ ...order, settled: true })).hours).toMatchObject([{ left: null }])
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('leaves an hour of which the finer tier itself is wrong', async () => {
    await history()
    await harm('rollup_10s')
    const { hours } = await store.history.repair(order)
    expect(hours).toHaveLength(3)
    for (const { left } of hours) expect(left).toContain('rollup_10s itself disagrees with the ledger')
  })

  test('refuses while an announced range is not in the ledger', async () => {
    await history()
    const value = JSON.stringify({ v: 1, epoch: 0, lo: 16, hi: 20, cfg: '' })
    await store.history.state.put([{ kind: 'intent', key: 'file:abc/0', value }])
    await expect(store.history.repair(order)).rejects.toThrow('a write to file:abc/0 was interrupted')
  })

  test('dying at any statement leaves each hour as it was or repaired, and the next run does the rest', async () => {
    await history()
    const { state } = store.history
    for (const at of [1, 2, 3]) {
      await harm('rollup_1m')
      await expect(repairTier({ database: mortal(store.database, at), state }, order)).rejects.toThrow('died')
      expect((await store.history.repair(order)).hours).toHaveLength(4 - at)
    }
    expect((await store.history.verify()).problems).toEqual([])
  })
})
