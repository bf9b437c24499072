import { expect, test } from 'vitest'
import { gapRange } from '../../src/history/range.ts'
import { describeWithChdb } from '../support/available.ts'
import { hour, lastHour, rangeOf, testStore } from './store.ts'

describeWithChdb('verifyHistory', () => {
  const store = testStore()
  const land = (...range: Parameters<typeof rangeOf>) => store.history.land(rangeOf(...range))
  const name = (ms: number) => new Date(ms).toISOString().replace(':00.000Z', 'Z')

  test('finds a sound history whole, and says what it compared since when', async () => {
    await land('kafka:test', 0, [{ tenant: 'acme' }, { tenant: 'acme', cause: 'quota_exceeded' }], { letters: 2 })
    await land('kafka:test', 4, [
      { tenant: 'acme', at: lastHour - hour + 10_000 },
      { tenant: 'zinc', at: lastHour - hour },
      { tenant: 'zinc', at: lastHour + 1_000, cause: 'insufficient_funds' },
    ])
    await land('kafka:test', 0, [{ tenant: 'zinc', at: lastHour - 30 * 24 * hour }], { lane: 1 })
    await store.history.land(gapRange({ source: 'kafka:test', lane: 1, lo: 1, hi: 10, configHash: 'test' }))
    // Beyond the retention of all but the longest tier; merges delete it in their own time.
    await land('old', 0, [{ tenant: 'acme', at: lastHour - 100 * 24 * hour, cause: 'quota_exceeded' }], {
      letters: 1,
      letterAt: lastHour - 20 * 24 * hour,
    })
    await store.damage('ALTER TABLE tollwatch.rollup_1m DELETE WHERE bucket < now() - INTERVAL 90 DAY')
    await store.damage('ALTER TABLE tollwatch.events_402 DELETE WHERE ts < now() - INTERVAL 30 DAY')
    await store.damage('ALTER TABLE tollwatch.dead_letter DELETE WHERE at < now() - INTERVAL 14 DAY')

    const report = await store.history.verify()
    expect(report.problems).toEqual([])
    expect(report).toMatchObject({ ok: true, lane_count: 3, erasures: 0 })
    expect(
      report.lanes.map(({ source, lane, missing, doubled, declared_gaps }) => {
        return [source, lane, missing, doubled, declared_gaps]
      }),
    ).toEqual([
      ['kafka:test', 0, 0, 0, 0],
      ['kafka:test', 1, 0, 0, 10],
      ['old', 0, 0, 0, 0],
    ])
    expect(report.checks.map(({ name, hours }) => [name, hours])).toEqual([
      ['rollup_10s and rollup_1m', 2],
      ['rollup_1m and rollup_1h', 3],
      ['ledger and rollup_10s', 2],
      ['ledger and rollup_1m', 3],
      ['ledger and rollup_1h', 4],
      ['events_402 and rollup_1h', 2],
      ['ledger and dead_letter', 1],
    ])
    expect(report.totals).toMatchObject({
      rollup_10s: { requests: 5, payment_required: 2 },
      rollup_1m: { requests: 6, payment_required: 2 },
      ledger: { requests: 7, payment_required: 3 },
      events_402: { requests: null, payment_required: 2 },
    })
  })

  test('names the offsets that are in no range and those in several, also where a range holds another', async () => {
    const call = { tenant: 'acme' }
    await land('nested', 0, [call])
    await land('nested', 5, [call, call, call, call])
    await land('nested', 6, [call])
    await land('nested', 9, [call])
    // A hole and an overlap of the same size.
    await land('same', 0, [call, call])
    await land('same', 1, [call])
    await land('same', 3, [call])
    const { problems, lanes } = await store.history.verify()
    expect(problems).toEqual([
      'nested lane 0: 4 offsets are in no range: 1 to 4',
      'nested lane 0: 1 offsets are in more than one range: 6',
      'same lane 0: 1 offsets are in no range: 2',
      'same lane 0: 1 offsets are in more than one range: 1',
    ])
    expect(lanes).toMatchObject([
      { missing: 4, doubled: 1 },
      { missing: 1, doubled: 1 },
    ])
  })

  test('names each hour in which two tables disagree, and nothing else', async () => {
    const [lacking, swapped, gone, recalled, added] = [1, 2, 3, 4, 5].map((i) => lastHour - i * hour) as [
      ...[number, number, number, number, number],
    ]
    for (const [index, at] of [lacking, swapped, gone, recalled, added].entries()) {
      const calls = [
        { tenant: 'acme', at },
        { tenant: 'zinc', at, cause: 'insufficient_funds' as const },
      ]
      await land('lane', 3 * index, calls, { letters: 1, letterAt: at })
    }
    const within = (at: number, column = 'bucket') => `toStartOfHour(${column}) = fromUnixTimestamp(${at / 1000})`
    await store.damage(`ALTER TABLE tollwatch.rollup_1m DELETE WHERE ${within(lacking)} AND cause != ''`)
    await store.database.insert({
      ...{ table: 'tollwatch.rollup_1h', columns: ['bucket', 'tenant', 'api', 'cause', 'requests'], token: null },
      rows: [
        [swapped / 1000, 'iron', 'chat', '', 1],
        // One less: sums of 64 bits wrap round.
        [swapped / 1000, 'acme', 'chat', '', '18446744073709551615'],
      ],
    })
    for (const tier of ['10s', '1m', '1h']) {
      await store.damage(`ALTER TABLE tollwatch.rollup_${tier} DELETE WHERE ${within(gone)}`)
    }
    await store.damage(
      `ALTER TABLE tollwatch.events_402 UPDATE cause = 'quota_exceeded' WHERE ${within(recalled, 'toDateTime(ts)')}`,
    )
    await store.damage('ALTER TABLE tollwatch.dead_letter DELETE WHERE offset = 5')
    await store.database.insert({
      ...{ table: 'tollwatch.dead_letter', columns: ['at', 'source', 'lane', 'offset'], token: null },
      rows: [[new Date(lastHour).toISOString().slice(0, 19), 'lane', 0, 77]],
    })
    await store.database.insert({
      ...{ table: 'tollwatch.rollup_10s', columns: ['bucket', 'source', 'lane', 'tenant', 'requests'], token: null },
      rows: [[added / 1000, 'lane', 0, 'acme', 7]],
    })
    const { ok, problems } = await store.history.verify()
    expect(ok).toBe(false)
    expect([...problems].sort()).toEqual(
      [
        `hour ${name(lacking)}: rollup_10s has 2 requests and 1 refusals, rollup_1m has 2 and 0; most of all zinc chat insufficient_funds (1, 0)`,
        `hour ${name(lacking)}: rollup_1m has 2 requests and 0 refusals, rollup_1h has 2 and 1; most of all zinc chat insufficient_funds (0, 1)`,
        `hour ${name(lacking)}: the ledger has 2 requests and 1 refusals, rollup_1m has 2 and 0`,
        `hour ${name(swapped)}: rollup_1m has 2 requests and 1 refusals, rollup_1h has 2 and 1; most of all acme chat (1, 0), iron chat (0, 1)`,
        `lane lane 0, hour ${name(gone)}: the ledger has 2 requests and 1 refusals, rollup_10s has 0 and 0`,
        `hour ${name(gone)}: the ledger has 2 requests and 1 refusals, rollup_1m has 0 and 0`,
        `hour ${name(gone)}: the ledger has 2 requests and 1 refusals, rollup_1h has 0 and 0`,
        `hour ${name(gone)}: events_402 has 1 refusals for insufficient_funds, rollup_1h has 0`,
        `hour ${name(recalled)}: events_402 has 0 refusals for insufficient_funds, rollup_1h has 1`,
        `hour ${name(recalled)}: events_402 has 1 refusals for quota_exceeded, rollup_1h has 0`,
        `hour ${name(added)}: rollup_10s has 9 requests and 1 refusals, rollup_1m has 2 and 1; most of all acme  (7, 0)`,
        `lane lane 0, hour ${name(added)}: the ledger has 2 requests and 1 refusals, rollup_10s has 9 and 1`,
        'lane lane 0, offsets 3 to 5: the ledger counts 1 dead letters, dead_letter has 0',
        'dead_letter has 1 entries in ranges that the ledger knows no dead letters of',
      ].sort(),
    )
  })

  test('leaves hours out that entries of version 0.1 tell nothing exact about, and checks the others', async () => {
    await land('old', 0, [{ tenant: 'acme' }, { tenant: 'acme', at: lastHour + 60_000 }])
    await land('old', 2, [
      { tenant: 'acme', at: lastHour - 1_000 },
      { tenant: 'acme', at: lastHour - 5 * hour },
    ])
    await store.damage('ALTER TABLE tollwatch.ledger UPDATE hours = [] WHERE 1')
    await store.damage(`ALTER TABLE tollwatch.rollup_1h DELETE WHERE bucket >= fromUnixTimestamp(${lastHour / 1000})`)
    const { problems, checks } = await store.history.verify()
    // The second range spans the five hours before the first one's.
    expect(checks.find((check) => check.name === 'ledger and rollup_1h')).toMatchObject({ hours: 1, left_out: 5 })
    expect(problems).toEqual([
      `hour ${name(lastHour)}: rollup_1m has 2 requests and 0 refusals, rollup_1h has 0 and 0; most of all acme chat (2, 0)`,
      `hour ${name(lastHour)}: the ledger has 2 requests and 0 refusals, rollup_1h has 0 and 0`,
    ])
  })

  test('spells out twenty hours and counts the rest', async () => {
    await land(
      'many',
      0,
      Array.from({ length: 30 }, (_, i) => ({ tenant: 'acme', at: lastHour - i * hour })),
    )
    await store.damage('ALTER TABLE tollwatch.rollup_1h DELETE WHERE 1')
    const { problems } = await store.history.verify()
    expect(problems.filter((problem) => /rollup_1h has 0/.test(problem))).toHaveLength(40)
    expect(problems.filter((problem) => problem === 'and 10 more of the same kind')).toHaveLength(2)
  })
})
