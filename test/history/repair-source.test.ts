import { expect, test, vi } from 'vitest'
import { History } from '../../src/history/history.ts'
import type { RebuildOrder } from '../../src/history/repair-source.ts'
import { systemClock } from '../../src/time/clock.ts'
import { plainReading } from '../pipeline/fake-world.ts'
import { describeWithChdb } from '../support/available.ts'
import { FakePartition, limits, type Slot } from './rereadable.ts'
import { hour, lastHour, mortal, rangeOf, testStore } from './store.ts'

vi.setConfig({ testTimeout: 60_000 })

describeWithChdb('rebuildFromSource', () => {
  const store = testStore()

  /** Three hours of two tenants; the last record lies in a fourth, so that none of the three is the newest. */
  const slots: Slot[] = Array.from({ length: 181 }, (_, i) => {
    if (i % 60 === 7) return 'rubbish'
    const at = lastHour - 3 * hour + i * 60_000
    const tenant = i % 2 === 0 ? 'acme' : 'zinc'
    return i % 10 === 0 ? { t: at, tenant, api: 'chat', cause: 'quota_exceeded' } : { t: at, tenant, api: 'chat' }
  })

  const orderFor = (lanes: readonly FakePartition[], more: Partial<RebuildOrder> = {}): RebuildOrder => ({
    ...{ fromMs: lastHour - 3 * hour, toMs: lastHour, dryRun: false, settled: false, withPresentSettings: false },
    ...{ reading: plainReading, limits, cellLimit: 10_000, lanes: async () => lanes },
    ...more,
  })

  /** Ranges that do not begin or end with the hours, and the newest apart. */
  async function landed(lane: FakePartition): Promise<void> {
    for (const [lo, hi] of [
      [0, 49],
      [50, 99],
      [100, 179],
      [180, 180],
    ] as const) {
      await store.history.land(await lane.range(lo, hi))
    }
  }

  async function contents() {
    const rows = (sql: string) => store.database.query<Record<string, unknown>>(sql)
    return {
      fine: await rows(
        `SELECT toUnixTimestamp(bucket) AS at, tenant AS t, cause AS c, sum(requests) AS r, sum(payment_required) AS p,
                sum(n2xx) AS ok, sum(n4xx) AS bad, sum(late) AS tardy
         FROM tollwatch.rollup_10s GROUP BY at, t, c HAVING r != 0 OR p != 0 OR tardy != 0 ORDER BY at, t, c`,
      ),
      events: await rows(
        'SELECT offset, entry, tenant, count() AS n FROM tollwatch.events_402 GROUP BY ALL ORDER BY ALL',
      ),
      letters: await rows('SELECT offset, entry, count() AS n FROM tollwatch.dead_letter GROUP BY ALL ORDER BY ALL'),
    }
  }

  let harmed = 0
  /** In the 10 s tier: too little, too much, a stranger, swapped names; and refused calls and a dead letter are gone. */
  async function harm(): Promise<void> {
    const from = (lastHour - 3 * hour) / 1000
    await store.damage(
      `ALTER TABLE tollwatch.rollup_10s DELETE WHERE tenant = 'acme' AND bucket BETWEEN fromUnixTimestamp(${from}) AND fromUnixTimestamp(${from + 1200})`,
    )
    await store.database.insert({
      ...{
        table: 'tollwatch.rollup_10s',
        columns: ['bucket', 'source', 'lane', 'tenant', 'api', 'cause', 'requests', 'late'],
      },
      token: `harm ${harmed++}`,
      rows: [
        [from + 3600, 'kafka:fake:logs:id', 0, 'acme', 'chat', '', 5, 0],
        [from + 3630, 'kafka:fake:logs:id', 0, 'iron', 'chat', '', 1, 1],
      ],
    })
    await store.damage(`ALTER TABLE tollwatch.events_402 DELETE WHERE offset IN (130, 140)`)
    await store.damage(`ALTER TABLE tollwatch.dead_letter DELETE WHERE offset = 67`)
  }

  test('rebuilds the 10 s tier, the refused calls and the dead letters, and again finds nothing to do', async () => {
    const lane = new FakePartition(slots)
    await landed(lane)
    const due = await contents()
    await harm()
    expect((await store.history.verify()).ok).toBe(false)

    const dry = await store.history.rebuild(orderFor([lane], { dryRun: true }))
    expect(
      dry.places.map(({ before, after, missing_events, missing_dead_letters, left }) => [
        ...[before?.requests, after?.requests, missing_events, missing_dead_letters, left],
      ]),
    ).toEqual([
      [48, 59, 0, 0, null],
      [65, 59, 0, 0, null],
      [59, 59, 2, 0, null],
      [undefined, undefined, 0, 1, null],
    ])
    expect(lane.read0).toBe(181)
    const told: number[] = []
    const steps = { begin: (total: number) => void told.push(-total), advance: (by: number) => void told.push(by) }
    expect((await store.history.rebuild(orderFor([lane]), steps)).places).toEqual(dry.places)
    expect(told).toEqual([-4, 1, 1, 1, 1])
    expect(await contents()).toEqual(due)
    expect((await store.history.verify()).problems).toEqual([])
    // Where nothing is wrong nobody is asked.
    const unasked = () => Promise.reject(new Error('Kafka was asked'))
    expect((await store.history.rebuild(orderFor([], { lanes: unasked }))).places).toEqual([])
  })

  test('rebuilds an hour that is too much for the memory in parts', async () => {
    const lane = new FakePartition(slots)
    await landed(lane)
    const due = await contents()
    await harm()
    const { places } = await store.history.rebuild(orderFor([lane], { cellLimit: 20 }))
    expect(places.map(({ left }) => left)).toEqual([null, null, null, null])
    expect(lane.read0).toBeGreaterThan(2 * 181)
    expect(await contents()).toEqual(due)
  })

  test('mends names that are wrong while all sums are right', async () => {
    const lane = new FakePartition(slots)
    await landed(lane)
    const due = await contents()
    await store.database.insert({
      ...{
        table: 'tollwatch.rollup_10s',
        columns: ['bucket', 'source', 'lane', 'tenant', 'api', 'cause', 'requests', 'n2xx'],
      },
      token: 'swap',
      rows: [
        [lastHour / 1000 - 3600, 'kafka:fake:logs:id', 0, 'iron', 'chat', '', 1, 1],
        [
          lastHour / 1000 - 3600,
          'kafka:fake:logs:id',
          0,
          'acme',
          'chat',
          '',
          '18446744073709551615',
          '18446744073709551615',
        ],
      ],
    })
    expect((await store.history.rebuild(orderFor([lane]))).places).toMatchObject([{ left: null }])
    expect(await contents()).toEqual(due)
  })

  test('leaves what cannot be rebuilt, with the reason', async () => {
    const lane = new FakePartition(slots)
    await landed(lane)
    await store.history.land(rangeOf('file:abc', 0, [{ tenant: 'acme', at: lastHour - hour }]))
    await store.damage(`ALTER TABLE tollwatch.rollup_10s DELETE WHERE startsWith(source, 'file:')`)
    await harm()
    const reasons = async (more: Partial<RebuildOrder> = {}) =>
      (await store.history.rebuild(orderFor([lane], more))).places.map(({ left }) => left)
    lane.earliest = 10
    const other = { ...plainReading, configHash: 'other' }
    expect(await reasons({ reading: other })).toEqual([
      'Kafka has deleted offsets 0 to 9 of it',
      expect.stringContaining('offsets 50 to 99 landed under other settings'),
      expect.stringContaining('it is no topic of source.kafka'),
      expect.stringContaining('offsets 100 to 179 landed under other settings'),
      expect.stringContaining('offsets 50 to 99 landed under other settings'),
    ])
    // Settings under which the same offsets bring something else cannot rebuild anything.
    const blind = { ...other, judge: () => null }
    const [, second] = await reasons({ reading: blind, withPresentSettings: true })
    expect(second).toContain('bring other counts than they did')
    const left = await reasons({ reading: other, withPresentSettings: true })
    expect(left.map((reason) => reason === null)).toEqual([false, true, false, true, true])
  })

  test('leaves the hours of the newest range unless somebody vouches, and those with an erased tenant', async () => {
    const lane = new FakePartition(slots.slice(0, 180))
    for (const [lo, hi] of [
      [0, 99],
      [100, 179],
    ] as const)
      await store.history.land(await lane.range(lo, hi))
    await harm()
    const { places } = await store.history.rebuild(orderFor([lane]))
    expect(places.map(({ left }) => left?.slice(0, 16) ?? null)).toEqual([
      null,
      'the newest range',
      'the newest range',
      null,
    ])
    const vouched = await store.history.rebuild(orderFor([lane], { settled: true }))
    expect(vouched.places.map(({ left }) => left)).toEqual([null, null])
    await store.history.repair({ tier: 'rollup_1m', ...orderFor([]), settled: true })
    await store.history.forget('acme')
    await store.damage("ALTER TABLE tollwatch.rollup_10s DELETE WHERE tenant = 'zinc'")
    const after = await store.history.rebuild(orderFor([lane], { settled: true }))
    for (const { left } of after.places) expect(left).toContain('a tenant was erased from it')
    expect(await store.count("count() AS n FROM tollwatch.rollup_10s WHERE tenant = 'acme'")).toBe(0)
  })

  test('dying before any statement, the next run does the rest', async () => {
    const lane = new FakePartition(slots)
    await landed(lane)
    const due = await contents()
    await harm()
    for (let at = 1; at <= 4; at++) {
      const history = new History(mortal(store.database, at), { clock: systemClock, epoch: 0 })
      await history.rebuild(orderFor([lane])).catch(() => undefined)
    }
    await store.history.rebuild(orderFor([lane]))
    expect(await contents()).toEqual(due)
    expect((await store.history.verify()).problems).toEqual([])
  })
})
