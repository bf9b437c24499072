import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { type Database, type Insert, openEmbedded, openServer, singlePlace } from '../../src/history/database.ts'
import { land, landUnder } from '../../src/history/landing.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { type DeadLetter, gapRange, type Range, type RefusedCall, type RollupRow } from '../../src/history/range.ts'
import { sliceMs } from '../../src/window/view.ts'
import { describeWithChdb } from '../support/available.ts'
import { type ClickHouse, startClickHouse } from '../support/clickhouse-http.ts'
import { tempDir } from '../support/run-context.ts'
import { lastHour } from './store.ts'

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 90 }),
  fc.constantFrom(
    '',
    '\0',
    'a\nb\tc',
    "';--\\",
    '😀',
    'x'.repeat(64),
    'x'.repeat(65),
    'é'.repeat(64),
    'ж'.repeat(9_000),
  ),
)
const count = fc.oneof(fc.nat(9), fc.maxSafeNat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER))
const uint32 = fc.nat(2 ** 32 - 1)
const uint16 = fc.nat(65_535)
const time = fc.oneof(fc.integer({ min: -2e12, max: 8e12 }), fc.double({ min: -2e12, max: 8e12, noNaN: true }))
const cause = fc.constantFrom(...causes)

const rollup: fc.Arbitrary<RollupRow> = fc.record({
  ...{ slice: fc.nat(429_496_729), tenant: text, api: text, cause: fc.oneof(cause, fc.constant('' as const)) },
  ...{ requests: count, paymentRequired: count, n2xx: count, n4xx: count, n5xx: count, late: count },
})
const call: fc.Arbitrary<RefusedCall> = fc.record({
  ...{ timeMs: time, tenant: text, api: text, cause, causeCode: text, causeSource: text },
  kind: fc.constantFrom('payment_required' as const, 'equivalent' as const, 'challenge' as const),
  ...{ status: uint16, upstreamStatus: uint16, method: text, consumer: text, plan: text, requestId: text },
  ...{ latencyMs: fc.option(fc.double()), format: text, offset: count, index: uint32 },
})
const letter: fc.Arbitrary<DeadLetter> = fc.record({
  ...{ atMs: time, reason: text, offset: count, index: uint32, bytes: count, message: text, sketch: text, raw: text },
})
const anyRange: fc.Arbitrary<Range> = fc.record({
  ...{ source: text, lane: uint32, lo: count, hi: count, configHash: text, requests: count, paymentRequired: count },
  ...{ late: count, skipped: count, gap: fc.boolean(), minMs: time, maxMs: time },
  rollups: fc.array(rollup, { maxLength: 20 }),
  events: fc.array(call, { maxLength: 20 }),
  deadLetters: fc.array(letter, { maxLength: 5 }),
})

/** The inserts that a range lands with. */
async function insertsOf(range: Range): Promise<readonly Insert[]> {
  const inserts: Insert[] = []
  const database: Database = {
    place: singlePlace,
    command: async () => {},
    query: async () => [],
    insert: async (insert) => {
      inserts.push(insert)
    },
    close: async () => {},
  }
  await land(database, range, 0)
  return inserts
}

/** A database that is given rows, as JSON, where ours is given pieces. */
function byRows(database: Database): Database {
  return {
    place: database.place,
    command: (sql) => database.command(sql),
    query: (sql, params, seconds) => database.query(sql, params, seconds),
    insert: ({ table, columns, rows, token }) => database.insert({ table, columns, rows, token }),
    close: async () => {},
  }
}

const ways = ['pieces', 'rows'] as const

/** Tables with the columns of the real ones, which keep what is inserted as it came. */
async function makeCopies(database: Database): Promise<void> {
  await migrate(database, historyOptions.parse({}).retention)
  for (const table of ['landing', 'events_402', 'dead_letter']) {
    for (const way of ways) {
      await database.command(
        `CREATE TABLE tollwatch.${table}_${way} ENGINE = Memory AS SELECT * FROM tollwatch.${table} LIMIT 0`,
      )
    }
  }
}

async function expectTheSame(database: Database, range: Range): Promise<void> {
  for (const { table, columns, rows, pieces } of await insertsOf(range)) {
    if (pieces === undefined) throw new Error(`${table} is not written by pieces`)
    const stored = []
    for (const way of ways) {
      const insert = { table: `${table}_${way}`, columns, rows, token: null }
      await database.insert(way === 'pieces' ? { ...insert, pieces } : insert)
      stored.push(await database.query(`SELECT * FROM ${insert.table}`))
      await database.command(`TRUNCATE TABLE ${insert.table}`)
    }
    expect(stored[0]).toHaveLength(rows.length)
    expect(stored[0]).toEqual(stored[1])
  }
}

const base: Range = gapRange({ source: 'test', lane: 0, lo: 0, hi: 0, configHash: '' })

/** A range with as many rollup rows as asked for, within one hour. */
function busyRange(source: string, rows: number, tenant: (i: number) => string): Range {
  const first = lastHour / sliceMs
  const rollups: RollupRow[] = []
  for (let i = 0; i < rows; i++) {
    const cell = { slice: first + (i % 300), tenant: tenant(i), api: `api-${i}`, cause: '' as const, requests: i % 5 }
    rollups.push({ ...cell, paymentRequired: 0, n2xx: i % 5, n4xx: 0, n5xx: 0, late: 0 })
  }
  const requests = rollups.reduce((sum, row) => sum + row.requests, 0)
  return { ...base, source, gap: false, hi: rows - 1, rollups, requests, minMs: lastHour, maxMs: lastHour }
}

/** The same with a refused call for each row. */
function refusedRange(...[source, rows, tenant]: Parameters<typeof busyRange>): Range {
  const range = busyRange(source, rows, tenant)
  const events = range.rollups.map(({ tenant: name, api }, i): RefusedCall => {
    const cause = { cause: 'quota_exceeded' as const, causeCode: 'q', causeSource: 'test', kind: 'equivalent' as const }
    const asked = { status: 429, upstreamStatus: 0, method: 'GET', consumer: '', plan: '', requestId: `r${i}` }
    return {
      ...{ timeMs: lastHour + i, tenant: name, api, ...cause, ...asked },
      ...{ latencyMs: null, format: 'kong', offset: i, index: 0 },
    }
  })
  return { ...range, events }
}

const tables = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'ledger', 'events_402', 'dead_letter'] as const

/** What the tables hold of one way, with the names that tell the ways apart taken off. */
async function heldOf(database: Database, way: string): Promise<unknown> {
  const held: Record<string, unknown> = {}
  for (const table of tables) {
    const own = table === 'ledger' || table === 'dead_letter' ? `source = '${way}'` : `startsWith(tenant, '${way} ')`
    const rows = await database.query<Record<string, unknown>>(
      `SELECT * EXCEPT (${table === 'ledger' ? 'landed_at' : 'lane'}) FROM tollwatch.${table} FINAL WHERE ${own} ORDER BY ALL`,
    )
    held[table] = rows.map(({ tenant = '', source: _, ...row }) => [String(tenant).slice(way.length), row])
  }
  return held
}

const countOf = async (database: Database, sql: string): Promise<number> =>
  (await database.query<{ n: number }>(`SELECT ${sql}`))[0]?.n ?? 0

describeWithChdb('A range that lands in the embedded engine', () => {
  let database: Database
  beforeAll(async () => {
    database = await openEmbedded(join(tempDir('landing'), 'store'))
    await makeCopies(database)
  })
  afterAll(() => database.close())

  test('is stored by pieces as it would be row by row, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(anyRange, (range) => expectTheSame(database, range)),
      { numRuns: 25 },
    )
  })

  test('is stored in every tier and table as it would be row by row', async () => {
    for (const way of ways) {
      const tenant = (i: number) => `${way} ${i % 7}`
      const range = { ...refusedRange(way, 700, tenant), deadLetters: fc.sample(letter, { numRuns: 20, seed: 402 }) }
      const recent = range.deadLetters.map((one, i) => ({ ...one, atMs: lastHour + i }))
      await land(way === 'rows' ? byRows(database) : database, { ...range, deadLetters: recent }, 0)
    }
    const held = await heldOf(database, 'pieces')
    expect(held).toEqual(await heldOf(database, 'rows'))
    expect(held).toMatchObject({
      rollup_10s: { length: 700 },
      events_402: { length: 700 },
      dead_letter: { length: 20 },
    })
  })

  test('adds nothing when another version has landed it, or a part of it, row by row', async () => {
    const range = refusedRange('versions', 50, () => 'versions')
    const [rollups] = await insertsOf(range)
    for (const { table, columns, rows, token } of rollups === undefined ? [] : [rollups]) {
      await database.insert({ table, columns, rows, token })
    }
    await land(database, range, 0)
    await land(byRows(database), range, 0)
    for (const table of ['rollup_10s', 'rollup_1m', 'rollup_1h'] as const) {
      expect(await countOf(database, `sum(requests) AS n FROM tollwatch.${table} WHERE tenant = 'versions'`)).toBe(100)
    }
    expect(await countOf(database, "count() AS n FROM tollwatch.events_402 WHERE source = 'versions'")).toBe(50)
    expect(await countOf(database, "count() AS n FROM tollwatch.ledger WHERE source = 'versions'")).toBe(1)
  })

  test('is one part of each table however large it is, with more names than a short index tells apart', async () => {
    await database.command('SYSTEM STOP MERGES')
    const rows = 66_000
    const range = busyRange('large', rows, (i) => `large-${i}`)
    const { events } = refusedRange('large', 300, (i) => `large-${i}`)
    for (let i = 0; i < 2; i++) await landUnder(database, { ...range, events }, 'large')
    for (const [table, held] of [['rollup_10s', rows] as const, ['events_402', events.length] as const]) {
      const right = "tenant = concat('large-', substring(api, 5))"
      const sql = `countIf(${right}) AS n FROM tollwatch.${table} WHERE source = 'large' AND _part = (
        SELECT any(_part) FROM tollwatch.${table} WHERE source = 'large')`
      expect(await countOf(database, sql)).toBe(held)
      expect(await countOf(database, `count() AS n FROM tollwatch.${table} WHERE source = 'large'`)).toBe(held)
    }
    await database.command('SYSTEM START MERGES')
  })

  test('has halves of surrogate pairs replaced, which no UTF-8 can hold', async () => {
    const range = { ...base, source: 'half', rollups: [], deadLetters: fc.sample(letter, { numRuns: 1, seed: 402 }) }
    const halved = range.deadLetters.map((one) => ({ ...one, atMs: lastHour, message: 'a\ud800b', sketch: '\udc00' }))
    await landUnder(database, { ...range, deadLetters: halved }, 'half')
    const sql = "SELECT message, sketch FROM tollwatch.dead_letter WHERE source = 'half'"
    expect(await database.query(sql)).toEqual([{ message: 'a\ufffdb', sketch: '\ufffd' }])
  })

  test('lets the event loop turn while it is made ready', async () => {
    const [rollups] = await insertsOf(busyRange('pieces', 20_000, (i) => `t-${i}`))
    const sizes = [...(rollups?.pieces?.() ?? [])].map(({ length }) => length)
    expect(sizes.length).toBeGreaterThan(2)
    expect(Math.max(...sizes)).toBeLessThan(2_000_000)
  })
})

describeWithChdb('A range that lands in a server over HTTP', () => {
  let server: ClickHouse
  let database: Database
  beforeAll(async () => {
    server = await startClickHouse({ user: 'tester', password: 'sesame' })
    database = openServer({ url: server.url, user: server.user }, server.password)
    await database.command('DROP DATABASE IF EXISTS tollwatch SYNC')
    await makeCopies(database)
  })
  afterAll(async () => {
    await database?.close()
    await server?.stop()
  })

  test('is stored by pieces as it would be row by row, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(anyRange, (range) => expectTheSame(database, range)),
      { numRuns: 6 },
    )
  })

  test('is stored once however often it is sent, also where it takes many pieces', async () => {
    const range = refusedRange('http', 4_000, (i) => `http-${i % 50}`)
    for (let i = 0; i < 2; i++) await land(database, range, 0)
    expect(await countOf(database, "sum(requests) AS n FROM tollwatch.rollup_1h WHERE tenant LIKE 'http-%'")).toBe(
      range.requests,
    )
    expect(await countOf(database, "count() AS n FROM tollwatch.events_402 WHERE source = 'http'")).toBe(4_000)
  })
})
