import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Database, openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { land } from '../../src/history/landing.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { gapRange, type Range, RangeBuilder } from '../../src/history/range.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { SeriesTable } from '../../src/window/series.ts'
import { sliceMs } from '../../src/window/view.ts'

const now = Math.floor(Date.now() / 3_600_000) * 3_600_000
const clock = new ManualClock(now)
const table = new SeriesTable({ limit: 1000, perTenant: 100, lifetime: new Lifetime(1000) })
const retention = historyOptions.parse({}).retention

let directory: string
let database: Database
let history: History

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tollwatch-history-'))
  database = await openEmbedded(join(directory, 'store'))
  await migrate(database, retention)
  history = new History(database, { clock, epoch: 0 })
})

afterAll(async () => {
  await history.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Call {
  tenant: string
  api: string
  minutesAgo: number
  cause?: number
  status?: number
}

function rangeOf(source: string, lo: number, calls: readonly Call[]): Range {
  const builder = new RangeBuilder(lo, now)
  for (const { tenant, api, minutesAgo, cause = -1, status = cause < 0 ? 200 : 402 } of calls) {
    const timeMs = now - minutesAgo * 60_000
    const offset = builder.next
    builder.count(timeMs, Math.floor(timeMs / sliceMs), table.of(tenant, api), status, cause, false)
    if (cause >= 0) {
      builder.events.push({
        ...{ timeMs, tenant, api, cause: 'quota_exceeded', causeCode: 'quota_exceeded', causeSource: 'test' },
        ...{ kind: 'payment_required', status, upstreamStatus: 0, method: 'POST', consumer: '', plan: '' },
        ...{ requestId: `r${offset}`, latencyMs: 1.5, format: 'kong', offset, index: 0 },
      })
    }
    builder.next = offset + 1
  }
  return builder.seal({ source, lane: 0, configHash: 'test' })
}

const quota = 4

async function counted(source: string): Promise<{ requests: number; refused: number }> {
  const [row] = await database.query<{ r: number; p: number }>(
    'SELECT sum(requests) AS r, sum(payment_required) AS p FROM tollwatch.rollup_10s WHERE source = {source:String}',
    { source },
  )
  return { requests: row?.r ?? 0, refused: row?.p ?? 0 }
}

describe('land', () => {
  test('writes a range once however often it is repeated', async () => {
    const range = rangeOf('repeat', 100, [
      { tenant: 'acme', api: 'chat', minutesAgo: 30 },
      { tenant: 'acme', api: 'chat', minutesAgo: 30, cause: quota },
    ])
    for (let i = 0; i < 3; i++) await history.land(range)
    expect(await counted('repeat')).toEqual({ requests: 2, refused: 1 })
    const [events] = await database.query<{ n: number }>(
      "SELECT count() AS n FROM tollwatch.events_402 WHERE source = 'repeat'",
    )
    expect(events?.n).toBe(1)
    expect(await history.position('repeat', 0)).toBe(102)
    expect(await history.holds({ source: 'repeat', lane: 0, lo: 100, hi: 101 })).toBe(true)
  })

  test('keeps equal rows of different ranges apart', async () => {
    const calls = [{ tenant: 'acme', api: 'chat', minutesAgo: 20 }]
    await history.land(rangeOf('equal', 0, calls))
    await history.land(rangeOf('equal', 1, calls))
    expect((await counted('equal')).requests).toBe(2)
  })

  test('completes a write that reached only the rollups', async () => {
    const range = rangeOf('half', 0, [{ tenant: 'acme', api: 'chat', minutesAgo: 10, cause: quota }])
    const cut: Database = {
      ...{ place: database.place, command: (sql) => database.command(sql), close: async () => {} },
      query: (sql, params) => database.query(sql, params),
      insert: async (insert) => {
        if (insert.table.includes('events_402')) throw new Error('the process died here')
        await database.insert(insert)
      },
    }
    await expect(land(cut, range, 0)).rejects.toThrow('died')
    expect((await history.verify()).ok).toBe(false)
    await history.land(range)
    expect(await counted('half')).toEqual({ requests: 1, refused: 1 })
    expect((await history.verify()).problems).toEqual([])
  })

  test('records a range without a single readable record', async () => {
    const builder = new RangeBuilder(0, now)
    builder.next = 5
    builder.skipped = 4
    builder.deadLetters.push({
      ...{ atMs: now, reason: 'not-json', offset: 2, index: 0, bytes: 3, message: 'no JSON', sketch: 'aaa', raw: '' },
    })
    await history.land(builder.seal({ source: 'empty', lane: 0, configHash: 'test' }))
    expect(await history.position('empty', 0)).toBe(5)
    const { rows } = await history.queries.deadLetters({ fromMs: now - 1, toMs: now + 1, limit: 10 })
    expect(rows).toEqual([
      {
        ...{
          time: new Date(now).toISOString(),
          reason: 'not-json',
          source: 'empty',
          partition: 0,
          offset: 2,
          index: 0,
        },
        ...{ bytes: 3, message: 'no JSON', sketch: 'aaa' },
      },
    ])
  })
})

describe('verifyHistory', () => {
  test('finds history whole, and then the gap, the overlap and the disagreement that are made', async () => {
    expect((await history.verify()).problems).toEqual([])
    await history.land(gapRange({ source: 'gaps', lane: 3, lo: 0, hi: 9, configHash: 'test' }))
    expect((await history.verify()).lanes.find((lane) => lane.source === 'gaps')).toMatchObject({
      declared_gaps: 10,
      missing: 0,
    })
    const call = { tenant: 'acme', api: 'chat', minutesAgo: 5 }
    await history.land(rangeOf('broken', 0, [call, call]))
    await history.land(rangeOf('broken', 3, [call]))
    await history.land(rangeOf('broken', 3, [call, call]))
    const { ok, problems } = await history.verify()
    expect(ok).toBe(false)
    expect(problems).toContain('broken lane 0: 1 offsets are in no range: 2')
    expect(problems).toContain('broken lane 0: 1 offsets are in more than one range: 3')
    await database.command("ALTER TABLE tollwatch.rollup_1m DELETE WHERE tenant = 'acme' SETTINGS mutations_sync = 1")
    expect((await history.verify()).problems.join('\n')).toMatch(/rollup_10s has \d+ requests .* rollup_1m has 0/)
  })
})

describe('Questions', () => {
  test('count each request once in every grouping and give the ratio of each cause', async () => {
    await history.land(
      rangeOf('ask', 0, [
        ...Array.from({ length: 8 }, () => ({ tenant: 'zinc', api: 'chat', minutesAgo: 90 })),
        { tenant: 'zinc', api: 'chat', minutesAgo: 90, cause: quota },
        { tenant: 'zinc', api: 'chat', minutesAgo: 90, cause: 1 },
        { tenant: 'zinc', api: 'images', minutesAgo: 90 },
      ]),
    )
    const select = { fromMs: now - 2 * 3_600_000, toMs: now, tenant: 'zinc', limit: 10 }
    expect(await history.queries.summary({ ...select, by: ['tenant'] })).toEqual({
      rows: [{ tenant: 'zinc', requests: 11, payment_required: 2, ratio: 2 / 11 }],
    })
    expect(await history.queries.summary({ ...select, by: ['api', 'cause'] })).toEqual({
      rows: [
        { api: 'chat', cause: 'insufficient_funds', requests: 10, payment_required: 1, ratio: 0.1 },
        { api: 'chat', cause: 'quota_exceeded', requests: 10, payment_required: 1, ratio: 0.1 },
        { api: 'images', cause: '', requests: 1, payment_required: 0, ratio: 0 },
      ],
    })
    expect(await history.queries.summary({ ...select, by: ['api'], cause: 'quota_exceeded' })).toMatchObject({
      rows: [
        { api: 'chat', requests: 10, payment_required: 1 },
        { api: 'images', requests: 1, payment_required: 0 },
      ],
    })
    const trends = await history.queries.trends({ ...select, by: ['cause'], stepMs: 60_000 })
    expect(trends.step_ms).toBe(60_000)
    expect(trends.series).toEqual(
      ['insufficient_funds', 'quota_exceeded'].map((cause) => ({
        labels: { cause },
        points: [{ time: new Date(now - 90 * 60_000).toISOString(), requests: 11, payment_required: 1, ratio: 1 / 11 }],
      })),
    )
    const events = await history.queries.events({ ...select })
    expect(events.rows).toHaveLength(2)
    expect(events.rows[0]).toMatchObject({ tenant: 'zinc', kind: 'payment_required', latency_ms: 1.5, consumer: null })
  })
})

describe('windowRows', () => {
  test('leave out the lanes of a shared topic that belong to another member', async () => {
    const call = { tenant: 'argon', api: 'chat', minutesAgo: 1 }
    await history.land(rangeOf('kafka:shared', 0, [call]))
    await history.land({ ...rangeOf('kafka:shared', 0, [call]), lane: 1 })
    const rows = await history.windowRows(now - 600_000, [{ source: 'kafka:shared', lane: 1 }])
    expect(rows.filter((row) => row.tenant === 'argon')).toEqual([
      { slice: (now - 60_000) / sliceMs, tenant: 'argon', api: 'chat', cause: -1, requests: 1, paymentRequired: 0 },
    ])
  })
})

describe('DurableState', () => {
  test('keeps the last value of each key, deletes, and survives an equal write', async () => {
    const { state } = history
    await state.put([
      { kind: 'test', key: 'a', value: '1' },
      { kind: 'test', key: 'b', value: '1' },
    ])
    await state.put([{ kind: 'test', key: 'a', value: '2' }])
    await state.put([{ kind: 'test', key: 'a', value: '1' }])
    await state.put([{ kind: 'test', key: 'b', value: null }])
    expect(await state.load('test')).toEqual(new Map([['a', '1']]))
    expect(await new History(database, { clock, epoch: 0 }).state.load('other')).toEqual(new Map())
  })
})

describe('migrate', () => {
  test('changes nothing the second time, applies a new retention, and refuses a table without dedup', async () => {
    await migrate(database, { ...retention, events: 7 * 86_400_000 })
    const [events] = await database.query<{ e: string }>(
      "SELECT engine_full AS e FROM system.tables WHERE database = 'tollwatch' AND name = 'events_402'",
    )
    expect(events?.e).toContain('604800')
    await database.command('ALTER TABLE tollwatch.ledger MODIFY SETTING non_replicated_deduplication_window = 0')
    await expect(migrate(database, retention)).rejects.toThrow(/ledger has no deduplication window/)
    await database.command('ALTER TABLE tollwatch.ledger MODIFY SETTING non_replicated_deduplication_window = 10000')
  })
})

describe('minutes', () => {
  test('are the minute tier, series by series, whatever the source', async () => {
    const tenant = 'minute-tenant'
    await history.land(
      rangeOf('minutes', 0, [
        { tenant, api: 'chat', minutesAgo: 50 },
        { tenant, api: 'chat', minutesAgo: 50, cause: quota },
        { tenant, api: 'chat', minutesAgo: 20 },
        { tenant, api: 'chat', minutesAgo: 70 },
      ]),
    )
    await history.land(rangeOf('minutes-too', 0, [{ tenant, api: 'chat', minutesAgo: 20 }]))
    const answer = await history.queries.minutes({ fromMs: now - 3_600_000, toMs: now, tenant })
    expect(answer).toEqual({
      complete: true,
      rows: [
        { tenant, api: 'chat', cause: '', minutes: [10, 40], counts: [2, 2] },
        { tenant, api: 'chat', cause: 'quota_exceeded', minutes: [10], counts: [1] },
      ],
    })
    const long = await history.queries.minutes({ fromMs: now - 300 * 86_400_000, toMs: now - 299 * 86_400_000 })
    expect(long.complete).toBe(false)
  })
})

test('a span that ends in the first second of a slice holds that slice', async () => {
  const tenant = 'second-tenant'
  await history.land(rangeOf('second', 0, [{ tenant, api: 'chat', minutesAgo: 40 }]))
  const began = now - 40 * 60_000
  const requests = async (toMs: number) => {
    const { rows } = await history.queries.summary({ fromMs: began - 60_000, toMs, tenant, by: ['tenant'], limit: 9 })
    return rows[0]?.requests ?? 0
  }
  expect(await requests(began + 400)).toBe(1)
  expect(await requests(began)).toBe(0)
})
