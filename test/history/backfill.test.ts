import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type BackfillOrder, backfillLanes } from '../../src/history/backfill.ts'
import { type Cover, coverOf, owedOf, type Span } from '../../src/history/backfill-cover.ts'
import { backfillToken, intentFor } from '../../src/history/backfill-intent.ts'
import { History } from '../../src/history/history.ts'
import { landUnder } from '../../src/history/landing.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { MemoryState } from '../../src/history/state.ts'
import { systemClock } from '../../src/time/clock.ts'
import { plainReading } from '../pipeline/fake-world.ts'
import { describeWithChdb } from '../support/available.ts'
import { FakePartition, limits, type Slot } from './rereadable.ts'
import { hour, lastHour, mortal, testStore } from './store.ts'

const offsets = (spans: readonly Span[]) =>
  spans.flatMap(({ lo, hi }) => Array.from({ length: hi - lo + 1 }, (_, i) => lo + i)).sort((a, b) => a - b)

/** Ranges that follow upon one another, some of them left out. */
const someRanges = fc
  .array(fc.record({ width: fc.integer({ min: 1, max: 6 }), isThere: fc.boolean() }), { minLength: 1, maxLength: 12 })
  .map((parts) => {
    const ranges: Span[] = []
    let at = 5
    for (const { width, isThere } of parts) {
      if (isThere) ranges.push({ lo: at, hi: at + width - 1 })
      at += width
    }
    return ranges
  })
  .filter((ranges) => ranges.length > 0)

function naiveCover(ranges: readonly Span[]): Omit<Cover, 'firstSource'> {
  const covered = new Set(offsets(ranges))
  const [first, last] = [Math.min(...covered), Math.max(...covered)]
  const holes: Span[] = []
  for (let at = first; at <= last; at++) {
    if (covered.has(at)) continue
    const open = holes.at(-1)
    if (open?.hi === at - 1) holes[holes.length - 1] = { lo: open.lo, hi: at }
    else holes.push({ lo: at, hi: at })
  }
  return { first, last, holes }
}

describe('owedOf', () => {
  test('asks for exactly the offsets that the ledger lacks below its end, and for no hole at its beginning', () => {
    const bound = fc.integer({ min: 0, max: 80 })
    fc.assert(
      fc.property(someRanges, bound, bound, bound, (ranges, from, to, earliest) => {
        const cover = naiveCover(ranges)
        const { readable, lost } = owedOf(cover, { from, to, earliest })
        const covered = new Set(offsets(ranges))
        const asked = (at: number) => (at >= from || (from <= earliest && at < earliest)) && at < to
        const isHead = Math.max(from, earliest) < Math.min(to, cover.first)
        const due: number[] = []
        const gone: number[] = []
        for (let at = 0; at <= cover.last; at++) {
          if (covered.has(at)) continue
          if (at < cover.first) {
            if (isHead && at >= Math.max(from, earliest)) due.push(at)
          } else if (asked(at)) (at >= earliest ? due : gone).push(at)
        }
        expect(offsets(readable)).toEqual(due)
        expect(offsets(lost)).toEqual(gone)
        // From the top down.
        expect(readable.map(({ lo }) => lo)).toEqual(readable.map(({ lo }) => lo).sort((a, b) => b - a))
      }),
    )
  })
})

vi.setConfig({ testTimeout: 60_000 })

describeWithChdb('Backfill', () => {
  const store = testStore()

  /** Two tenants by turns, some refused, some unreadable, some without a record, spread over two hours and a half. */
  const slots: Slot[] = Array.from({ length: 300 }, (_, i) => {
    if (i % 50 === 7) return 'rubbish'
    if (i % 50 === 8) return 'marker'
    if (i % 100 === 9) return 'sealed'
    const at = lastHour - 2 * hour + i * 30_000
    const tenant = i % 2 === 0 ? 'acme' : 'zinc'
    const refused = { t: at, tenant, api: 'chat', cause: 'quota_exceeded' as const }
    return i % 10 === 0 ? [refused, { t: at + 1, tenant, api: 'search' }] : { t: at, tenant, api: 'chat' }
  })

  const orderFor = (lanes: readonly FakePartition[], more: Partial<BackfillOrder> = {}): BackfillOrder => ({
    ...{ lanes, reading: plainReading, limits: { ...limits, flushRows: 120 }, fromMs: 0, toMs: lastHour + 24 * hour },
    ...{ dryRun: false, declareLost: false, withPresentSettings: false },
    ...more,
  })

  const ledger = () =>
    store.database.query<{ lo: number; hi: number }>('SELECT lo, hi FROM tollwatch.ledger ORDER BY lane, lo')

  /** All that is there of the records, by table, whatever ranges it came in. */
  async function contents() {
    const rows = (sql: string) => store.database.query<Record<string, unknown>>(sql)
    const tier = (name: string) =>
      rows(
        `SELECT toUnixTimestamp(bucket) AS at, tenant AS t, api AS a, cause AS c, sum(requests) AS r, sum(payment_required) AS p,
                sum(n2xx) AS ok, sum(n4xx) AS bad FROM tollwatch.${name} GROUP BY at, t, a, c ORDER BY at, t, a, c`,
      )
    return {
      fine: await tier('rollup_10s'),
      minute: await tier('rollup_1m'),
      hour: await tier('rollup_1h'),
      events: await rows(
        'SELECT lane, offset, entry, tenant, cause FROM tollwatch.events_402 ORDER BY lane, offset, entry',
      ),
      letters: await rows('SELECT lane, offset, entry, reason FROM tollwatch.dead_letter ORDER BY lane, offset, entry'),
    }
  }

  let due: Awaited<ReturnType<typeof contents>>
  /** What history holds when the daemon has read all of it. */
  beforeAll(async () => {
    await migrate(store.database, historyOptions.parse({}).retention)
    const history = new History(store.database, { clock: systemClock, epoch: 0 })
    await history.land(await new FakePartition(slots).range(0, slots.length - 1))
    due = await contents()
  })

  test('the ledger tells first, last and every hole of a lane', async () => {
    const lanes = fc.sample(someRanges, { numRuns: 60, seed: 402 })
    await store.database.insert({
      ...{ table: 'tollwatch.ledger', columns: ['source', 'lane', 'lo', 'hi'], token: null },
      rows: lanes.flatMap((ranges, lane) => ranges.map(({ lo, hi }) => [`kafka:${lane % 2}`, lane, lo, hi])),
    })
    for (const [lane, ranges] of lanes.entries()) {
      expect(await coverOf(store.database, ['kafka:0', 'kafka:1'], lane)).toEqual({
        ...naiveCover(ranges),
        firstSource: `kafka:${lane % 2}`,
      })
    }
    expect(await coverOf(store.database, ['kafka:2'], 0)).toBeNull()
  })

  test('reads what came before the ledger began, exactly, and a second run finds nothing', async () => {
    const lane = new FakePartition(slots)
    await store.history.land(await lane.range(180, 299))
    const dry = await store.history.backfill(orderFor([lane], { dryRun: true }))
    expect(dry).toMatchObject([{ ledger: { lo: 180, hi: 299 }, missing: [{ lo: 0, hi: 179 }], offsets: 0, left: null }])

    const steps: number[] = []
    const hear = { begin: (total: number) => void steps.push(total), advance: (by: number) => void steps.push(by) }
    const [done] = await store.history.backfill(orderFor([lane]), hear)
    expect(done).toMatchObject({ offsets: 180, left: null, causes: { quota_exceeded: 18 }, payment_required: 18 })
    expect(done?.unreadable).toEqual({ 'not-json': 4, 'unreadable-batch': 2 })
    expect(steps[0]).toBe(180)
    expect(steps.slice(1).reduce((sum, by) => sum + by, 0)).toBe(180)
    expect((await ledger()).length).toBeGreaterThan(1)
    expect(await contents()).toEqual(due)
    expect((await store.history.verify()).problems).toEqual([])
    expect(await store.history.backfill(orderFor([lane]))).toMatchObject([{ missing: [], offsets: 0, left: null }])
  })

  test('takes a span that ends before the ledger begins on to its beginning, and of a hole what was asked for', async () => {
    const lane = new FakePartition(slots)
    await store.history.land(await lane.range(100, 149))
    await store.history.land(await lane.range(250, 299))
    const span = { fromMs: lane.arrivedMs(60), toMs: lane.arrivedMs(80) }
    expect(await store.history.backfill(orderFor([lane], span))).toMatchObject([{ missing: [{ lo: 60, hi: 99 }] }])
    const inside = { fromMs: lane.arrivedMs(160), toMs: lane.arrivedMs(170) }
    expect(await store.history.backfill(orderFor([lane], inside))).toMatchObject([{ missing: [{ lo: 160, hi: 169 }] }])
    // The rest of the hole stays reported.
    const { problems } = await store.history.verify()
    expect(problems).toEqual([expect.stringContaining('90 offsets are in no range')])
    await store.history.backfill(orderFor([lane]))
    expect((await store.history.verify()).problems).toEqual([])
    expect((await ledger())[0]).toEqual({ lo: 0, hi: expect.any(Number) })
  })

  test('fills a hole of rows that had landed, although the tables know their token', async () => {
    const lane = new FakePartition(slots)
    for (const [lo, hi] of [
      [0, 99],
      [100, 199],
      [200, 299],
    ] as const)
      await store.history.land(await lane.range(lo, hi))
    const gone = await lane.range(100, 199)
    await store.damage('ALTER TABLE tollwatch.ledger DELETE WHERE lo = 100')
    await store.damage('ALTER TABLE tollwatch.events_402 DELETE WHERE offset BETWEEN 100 AND 199')
    await store.damage('ALTER TABLE tollwatch.dead_letter DELETE WHERE offset BETWEEN 100 AND 199')
    const first = Math.min(...gone.rollups.map(({ slice }) => slice)) * 10
    const last = Math.max(...gone.rollups.map(({ slice }) => slice)) * 10
    for (const table of ['rollup_10s', 'rollup_1m']) {
      await store.damage(
        `ALTER TABLE tollwatch.${table} DELETE WHERE toUnixTimestamp(bucket) BETWEEN ${first} AND ${last}`,
      )
    }
    // The minute of the first lost slice held others before it.
    await store.history.repair({ tier: 'rollup_1m', fromMs: 0, toMs: lastHour + hour, dryRun: false, settled: true })
    await store.history.repair({ tier: 'rollup_1h', fromMs: 0, toMs: lastHour + hour, dryRun: false, settled: true })
    expect(await store.history.backfill(orderFor([lane]))).toMatchObject([
      { missing: [{ lo: 100, hi: 199 }], offsets: 100, left: null },
    ])
    expect(await contents()).toEqual(due)
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('leaves a hole whose records may be in the tiers', async () => {
    const lane = new FakePartition(slots)
    for (const [lo, hi] of [
      [0, 99],
      [100, 199],
      [200, 299],
    ] as const)
      await store.history.land(await lane.range(lo, hi))
    await store.damage('ALTER TABLE tollwatch.ledger DELETE WHERE lo = 100')
    const [left] = await store.history.backfill(orderFor([lane]))
    expect([left?.offsets, left?.left]).toEqual([0, expect.stringContaining('rollup_10s disagrees with the ledger')])
    expect(await contents()).toEqual(due)
  })

  test('never reaches beyond the end of the ledger, and leaves a lane that is not in it', async () => {
    const [lane, other] = [new FakePartition(slots), new FakePartition(slots, { partition: 1 })]
    await store.history.land(await lane.range(0, 149))
    const [whole, unknown] = await store.history.backfill(orderFor([lane, other]))
    expect(whole).toMatchObject({ missing: [], offsets: 0, left: null })
    expect(unknown).toMatchObject({
      ledger: null,
      offsets: 0,
      left: expect.stringContaining('begin with "tollwatch run"'),
    })
    expect(await ledger()).toEqual([{ lo: 0, hi: 149 }])
  })

  test('takes what an earlier version landed under another name for landed', async () => {
    const lane = new FakePartition(slots)
    await store.history.land({ ...(await lane.range(100, 199)), source: 'kafka:fake:logs' })
    await store.history.land(await lane.range(200, 299))
    expect(await store.history.backfill(orderFor([lane]))).toMatchObject([
      { ledger: { lo: 100, hi: 299 }, missing: [{ lo: 0, hi: 99 }], left: null },
    ])
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('declares the lost part of a hole only when told to', async () => {
    const lane = new FakePartition(slots)
    await store.history.land(await lane.range(0, 49))
    await store.history.land(await lane.range(150, 299))
    lane.earliest = 120
    const [left] = await store.history.backfill(orderFor([lane]))
    expect(left).toMatchObject({
      lost: [{ lo: 50, hi: 119 }],
      offsets: 30,
      left: expect.stringContaining('--declare-lost'),
    })
    expect((await store.history.verify()).problems).toEqual([
      expect.stringContaining('70 offsets are in no range: 50 to 119'),
    ])
    const [told] = await store.history.backfill(orderFor([lane], { declareLost: true }))
    expect(told).toMatchObject({ lost: [{ lo: 50, hi: 119 }], left: null })
    const report = await store.history.verify()
    expect([report.problems, report.lanes.map(({ declared_gaps }) => declared_gaps)]).toEqual([[], [70]])
  })

  test('dying before any statement, it is exact after the next run, and the ledger is whole in between', async () => {
    const lane = new FakePartition(slots)
    await store.history.land(await lane.range(180, 299))
    // Each life gets one statement further than the last, from where that one ended.
    for (let [at, died] = [1, true]; died; at++) {
      const history = new History(mortal(store.database, at), { clock: systemClock, epoch: 0 })
      const order = orderFor([lane], { limits: { ...limits, flushRows: 100 } })
      died = await history.backfill(order).then(
        () => false,
        () => true,
      )
      expect(await coverOf(store.database, [lane.source], 0)).toMatchObject({ last: 299, holes: [] })
    }
    expect(await contents()).toEqual(due)
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('an interrupted write keeps repair and forget waiting, and changed settings ask', async () => {
    const lane = new FakePartition(slots)
    await store.history.land(await lane.range(180, 299))
    const range = await lane.range(100, 179)
    const intent = intentFor(range, Date.now())
    await store.history.state.put([
      { kind: 'backfill', key: `${lane.source}/0`, value: JSON.stringify({ ...intent, cfg: 'other' }) },
    ])
    // Two of its four INSERTs had come.
    await landUnder(mortal(store.database, 2), range, backfillToken(intent, 0)).catch(() => undefined)
    expect((await store.history.verify()).problems).toContainEqual(
      expect.stringContaining('backfill of offsets 100 to 179'),
    )
    const repair = { tier: 'rollup_1m', fromMs: 0, toMs: lastHour, dryRun: false, settled: false } as const
    await expect(store.history.repair(repair)).rejects.toThrow('a backfill of kafka:fake:logs:id/0 was interrupted')
    await expect(store.history.forget('acme')).rejects.toThrow('was interrupted')
    expect(await store.history.backfill(orderFor([lane]))).toMatchObject([
      { offsets: 0, left: expect.stringContaining('--with-present-settings') },
    ])
    expect(await store.history.backfill(orderFor([lane], { withPresentSettings: true }))).toMatchObject([
      { resumed: true, missing: [{ lo: 0, hi: 99 }], offsets: 100, left: null },
    ])
    expect(await contents()).toEqual(due)
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('an interrupted write that the tables may have forgotten is not repeated blindly', async () => {
    const lane = new FakePartition(slots)
    await store.history.land(await lane.range(180, 299))
    const range = await lane.range(100, 179)
    const intent = intentFor(range, Date.now() - 7 * 24 * hour)
    await store.history.state.put([{ kind: 'backfill', key: `${lane.source}/0`, value: JSON.stringify(intent) }])
    // All of it had come but the ledger entry, and the token is forgotten.
    await store.history.land(range)
    await store.damage('ALTER TABLE tollwatch.ledger DELETE WHERE lo = 100')
    const before = await contents()
    const [left] = await store.history.backfill(orderFor([lane]))
    expect(left?.left).toContain('rollup_10s disagrees with the ledger')
    expect(await contents()).toEqual(before)
  })

  test('reads hardly more than there is, however many records an offset holds', async () => {
    const dense = Array.from({ length: 2_000 }, (_, i): Slot => {
      const count = i < 1_000 ? 1 : 40
      return Array.from({ length: count }, (_, k) => ({ t: lastHour - hour + i * 1_000, tenant: `t${k}`, api: 'chat' }))
    })
    const lane = new FakePartition(dense)
    await store.history.land(await lane.range(1_999, 1_999))
    lane.read0 = 0
    const landed: Span[] = []
    const order = orderFor([lane], { limits: { ...limits, flushRows: 1_000 } })
    const [done] = await backfillLanes(
      {
        ...{ database: store.database, state: new MemoryState(), now: () => lastHour },
        land: async (range) => void landed.push(range),
      },
      order,
    )
    expect([done?.offsets, done?.records]).toEqual([1_999, 1_000 + 999 * 40])
    expect(offsets(landed)).toEqual(Array.from({ length: 1_999 }, (_, i) => i))
    expect(landed.length).toBeLessThan(60)
    expect(lane.read0).toBeLessThan(3 * 1_999)
  })
})
