import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dashboardFiles } from '../../scripts/dashboards.ts'
import { causes } from '../../src/classify/cause.ts'
import { describeWithChdb, describeWithPromtool } from '../support/available.ts'
import { type ClickHouse, startClickHouse } from '../support/clickhouse-http.ts'
import { type Chosen, dashboardExpressions, dashboards, type Panel, rawExpressions } from '../support/dashboards.ts'
import { checkRules } from '../support/promtool.ts'

/** The names of the contract; a metric may carry the suffixes of a histogram. */
const metrics = [
  'tollwatch_gateway_requests_total',
  'tollwatch_payment_required_total',
  'tollwatch_payment_required_ratio',
  'tollwatch_records_total',
  'tollwatch_kafka_lag_records',
  'tollwatch_watermark_delay_seconds',
  'tollwatch_series',
  'tollwatch_series_folded_total',
  'tollwatch_history_flush_duration_seconds',
  'tollwatch_history_oldest_unwritten_seconds',
  'tollwatch_alerts',
  'tollwatch_notifications_total',
]

const minute = 60_000
const t0 = Date.parse('2026-03-02T12:00:00Z')
const hour: Chosen = { fromMs: t0, toMs: t0 + 60 * minute }
const panels = () => dashboards().flatMap(({ file, json }) => flat(json.panels).map((panel) => ({ file, panel })))
const flat = (list: readonly Panel[]): Panel[] => list.flatMap((panel) => [panel, ...flat(panel.panels ?? [])])

describe('the dashboards', () => {
  test('are what the code makes (else: npm run dashboards)', () => {
    expect(new Map(dashboards().map(({ file, text }) => [file, text]))).toEqual(
      new Map([...dashboardFiles()].sort(([a], [b]) => a.localeCompare(b))),
    )
  })

  test('say in every panel what it shows, in which unit, under an id of its own', () => {
    for (const { panel } of panels().filter(({ panel }) => panel.type !== 'row')) {
      expect(panel.description?.length, panel.title).toBeGreaterThan(20)
      if (panel.type !== 'table') expect(panel.fieldConfig?.defaults.unit, panel.title).toBeDefined()
    }
    for (const { json } of dashboards()) {
      const ids = flat(json.panels).map((panel) => panel.id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })

  test('use all metrics of the contract, and no other', () => {
    const used = rawExpressions()
      .filter(({ kind }) => kind === 'promql')
      .flatMap(({ text }) => [...text.matchAll(/\btollwatch_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')))
    expect([...new Set(used)].sort()).toEqual([...metrics].sort())
  })

  test('give every cause its colour', () => {
    const board = dashboards().find(({ file }) => file === 'tollwatch-history.json')
    for (const cause of causes) expect(board?.text).toContain(`/\\\\b${cause}\\\\b/`)
  })

  test('are filled in as Grafana does it', () => {
    const chosen = { ...hour, values: { tenant: ['a.b', "o'c"], cause: ['unknown'], window: ['15m'] } }
    const text = (part: string) => dashboardExpressions(chosen).find(({ name }) => name.includes(part))?.text
    expect(text('worst eight (A)')).toContain('tenant=~"(a\\\\.b|o\'c)", api=~".*", window="15m"')
    expect(text('of requests (A)')).toContain(
      "bucket >= toDateTime(1772452800) AND bucket <= toDateTime(1772456400) AND tenant IN ('a.b','o\\'c') AND 1=1",
    )
    expect(dashboardExpressions(hour).filter(({ text }) => text.includes('$'))).toEqual([])
  })
})

describeWithPromtool('the PromQL of the dashboards', () => {
  test('is PromQL', async () => {
    const rules = dashboardExpressions(hour)
      .filter(({ kind }) => kind === 'promql')
      .map(({ text }) => ({ record: 'r', expr: text }))
    expect(rules.length).toBeGreaterThan(20)
    // JSON is YAML, too.
    expect(await checkRules(JSON.stringify({ groups: [{ name: 'dashboards', rules }] }))).not.toContain('parse error')
  })
})

describeWithChdb('the SQL of the dashboards', () => {
  let server: ClickHouse
  const insert = (table: string, rows: readonly object[]) =>
    server.query(
      `INSERT INTO tollwatch.${table} FORMAT JSONEachRow\n${rows.map((row) => JSON.stringify(row)).join('\n')}`,
    )
  const ask = async (part: string, chosen: Chosen): Promise<Record<string, unknown>[]> => {
    const found = dashboardExpressions(chosen).filter(({ kind, name }) => kind === 'sql' && name.includes(part))
    expect(found, part).toHaveLength(1)
    const answer = await server.query(`${found[0]?.text ?? ''}\nFORMAT JSONEachRow`)
    return answer
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  beforeAll(async () => {
    server = await startClickHouse()
    await server.query('CREATE DATABASE IF NOT EXISTS tollwatch')
    for (const statement of migrations()) await server.query(statement)
    const at = (minutes: number) => (t0 + minutes * minute) / 1_000
    const row = (minutes: number, tenant: string, api: string, cause: string, count: number) => ({
      ...{ bucket: at(minutes), tenant, api, cause },
      ...(cause === '' ? { requests: count, payment_required: 0 } : { requests: 0, payment_required: count }),
    })
    const rows = [
      row(0, 'acme', 'chat', '', 100),
      row(0, 'acme', 'chat', 'quota_exceeded', 20),
      row(0, 'acme', 'chat', 'insufficient_funds', 5),
      row(1, 'acme', 'chat', '', 50),
      row(0, 'bay', 'files', '', 850),
      row(1, 'bay', 'files', 'quota_exceeded', 10),
      // The same times a week and two weeks before, and one that no choice of time reaches.
      row(-7 * 24 * 60, 'acme', 'chat', '', 100),
      row(-7 * 24 * 60, 'acme', 'chat', 'unknown', 1),
      row(-14 * 24 * 60, 'acme', 'chat', '', 100),
      row(-14 * 24 * 60, 'acme', 'chat', 'unknown', 3),
      row(300, 'late', 'chat', '', 7),
    ]
    for (const tier of ['rollup_10s', 'rollup_1m', 'rollup_1h']) await insert(tier, rows)
    const place = { source: 'kafka:c:t', lane: 1 }
    // A DateTime64 takes a number for its own ticks; a text is plain.
    const then = new Date(t0 + minute).toISOString()
    const range = { ...place, min_time: then, max_time: then, landed_at: then }
    await insert('ledger', [
      { ...range, lo: 0, hi: 9, requests: 6, payment_required: 1, dead_letters: 1 },
      { ...range, lo: 12, hi: 14, requests: 3, gap: 1 },
    ])
    await insert('events_402', [
      { ...place, ts: then, tenant: 'acme', api: 'chat', cause: 'unknown', offset: 5, status: 402 },
    ])
    await insert('alert_log', [
      { at: then, fingerprint: 'f', rule: 'Spike', state: 'firing', severity: 'page', summary: 'acme is refused' },
    ])
    await insert('dead_letter', [{ ...place, at: then, reason: 'not-json', offset: 7, sketch: '{"a":' }])
  })
  afterAll(() => server?.stop())

  test.each(dashboardExpressions(hour).filter(({ kind }) => kind === 'sql'))(
    'runs on the engine and has rows: $name',
    async ({ text }) => {
      expect((await server.query(text)).trim()).not.toBe('')
    },
  )

  test.each(['10s', '1m', '1h'])('runs with everything chosen, on the tier of %s', async (tier) => {
    const values = { tenant: ['acme', "o'c"], api: ['chat'], cause: ['quota_exceeded'], tier: [tier] }
    for (const { kind, text } of dashboardExpressions({ ...hour, values })) if (kind === 'sql') await server.query(text)
  })

  test('counts requests once, whatever causes are chosen', async () => {
    const chosen = (cause: string[]) => ({ ...hour, values: { cause } })
    expect(await ask('of requests (A)', hour)).toEqual([{ total: 1_000 }])
    expect(await ask('of requests (A)', chosen(['quota_exceeded']))).toEqual([{ total: 1_000 }])
    expect(await ask('history.json: Refused (A)', hour)).toEqual([{ refused: 35 }])
    expect(await ask('history.json: Refused (A)', chosen(['quota_exceeded']))).toEqual([{ refused: 30 }])
    expect(await ask('Share refused (A)', chosen(['quota_exceeded', 'unknown']))).toEqual([{ share: 0.03 }])
    expect(await ask('Tenants refused', chosen(['insufficient_funds']))).toEqual([{ tenants: 1 }])
  })

  test('shows who and why with the right base', async () => {
    expect(await ask('Refused by tenant, API and cause', hour)).toMatchObject([
      { tenant: 'acme', api: 'chat', cause: 'quota_exceeded', refused: 20, requests: 150, share: 20 / 150 },
      { tenant: 'bay', api: 'files', cause: 'quota_exceeded', refused: 10, requests: 850 },
      { tenant: 'acme', api: 'chat', cause: 'insufficient_funds', refused: 5, requests: 150 },
    ])
    expect(await ask('Refused by cause', hour)).toMatchObject([
      { cause: 'quota_exceeded', refused: 30, tenants: 2, of_all_refused: 30 / 35 },
      { cause: 'insufficient_funds', refused: 5, tenants: 1 },
    ])
  })

  test('compares with the same times of the weeks before', async () => {
    const chosen = { ...hour, values: { tenant: ['acme'] } }
    expect(await ask('four weeks before (A)', chosen)).toMatchObject([{ share: 0.25 }, { share: 0 }])
    expect(await ask('four weeks before (B)', chosen)).toEqual([
      { time: '2026-03-02 12:00:00', least: 0.01, most: 0.03 },
    ])
  })

  test('finds offsets that no range covers', async () => {
    expect(await ask('What was read', hour)).toMatchObject([
      { first_offset: 0, last_offset: 14, missing: 2, gaps: 1, read_requests: 9, refused: 1, unreadable: 1 },
    ])
  })
})

function migrations(): readonly string[] {
  const folder = fileURLToPath(new URL('../../src/history/migrations/', import.meta.url))
  return (
    readdirSync(folder)
      .filter((file) => file.endsWith('.sql'))
      .sort()
      .flatMap((file) => readFileSync(join(folder, file), 'utf8').split(/;[ \t]*\n/))
      .filter((statement) => statement.replace(/--.*/g, '').trim() !== '')
      // Old rows of the test must not be cleared away while it looks at them.
      .map((statement) => statement.replace(/^TTL .*$/gm, ''))
  )
}
