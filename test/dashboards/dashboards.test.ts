import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dashboardFiles } from '../../scripts/dashboards.ts'
import { causes } from '../../src/classify/cause.ts'
import { causeColours } from '../../src/classify/cause-colours.ts'
import { describeWithChdb } from '../support/available.ts'
import { type ClickHouse, startClickHouse } from '../support/clickhouse-http.ts'
import { type Chosen, dashboardExpressions, dashboards, rawExpressions } from '../support/dashboards.ts'

/** The names of the contract; a metric may carry the suffixes of a histogram. */
const metrics = [
  'tollwatch_gateway_requests_total',
  'tollwatch_payment_required_total',
  'tollwatch_payment_required_ratio',
  'tollwatch_records_total',
  'tollwatch_refusals_apart_total',
  'tollwatch_kafka_lag_records',
  'tollwatch_watermark_delay_seconds',
  'tollwatch_series',
  'tollwatch_series_folded_total',
  'tollwatch_history_flush_duration_seconds',
  'tollwatch_history_oldest_unwritten_seconds',
  'tollwatch_alerts',
  'tollwatch_notifications_total',
  'tollwatch_build_info',
]

const minute = 60_000
const t0 = Date.parse('2026-03-02T12:00:00Z')
const hour: Chosen = { fromMs: t0, toMs: t0 + 60 * minute }

describe('the dashboards', () => {
  test('are what the code makes (else: npm run dashboards)', () => {
    expect(new Map(dashboards().map(({ file, text }) => [file, text]))).toEqual(
      new Map([...dashboardFiles()].sort(([a], [b]) => a.localeCompare(b))),
    )
  })

  test('use all metrics of the contract, and no other', () => {
    const used = rawExpressions()
      .filter(({ kind }) => kind === 'promql')
      .flatMap(({ text }) =>
        [...text.matchAll(/\btollwatch_\w+/g)].map(([name]) => name.replace(/_(?:bucket|count)$/, '')),
      )
    expect([...new Set(used)].sort()).toEqual([...metrics].sort())
  })

  test.each(['live', 'tenant', 'history'])('give every cause its colour on the %s one', (name) => {
    const board = dashboards().find(({ file }) => file === `tollwatch-${name}.json`)
    const charts = board?.json.panels.filter(({ title }) => /^Refused.*by cause$/.test(title)) ?? []
    expect(charts.length).toBeGreaterThan(0)
    for (const cause of causes) {
      const look = { id: 'color', value: { mode: 'fixed', fixedColor: causeColours[cause] } }
      const found = charts[0]?.fieldConfig?.overrides.find(({ matcher }) => matcher.options === `/\\b${cause}\\b/`)
      expect(found?.properties, cause).toContainEqual(look)
    }
  })

  test('are filled in as Grafana does it', () => {
    const chosen = { ...hour, values: { tenant: ['a.b', "o'c"], cause: ['unknown'], window: ['15m'] } }
    const text = (part: string) => dashboardExpressions(chosen).find(({ name }) => name.includes(part))?.text
    expect(text('worst eight (A)')).toContain('tenant=~"(a\\\\.b|o\'c)", api=~".*", window="15m"')
    expect(text('history.json: of requests (A)')).toContain(
      "bucket >= toDateTime(1772452800) AND bucket <= toDateTime(1772456400) AND tenant IN ('a.b','o\\'c') AND 1=1",
    )
    expect(dashboardExpressions(hour).filter(({ text }) => text.includes('$'))).toEqual([])
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
    const event = { ...place, ts: then, tenant: 'acme', api: 'chat', kind: 'payment_required', status: 402 }
    await insert('events_402', [
      { ...event, cause: 'unknown', offset: 5, consumer: 'key-1' },
      // Read twice after a kill, before ClickHouse has merged the two.
      { ...event, cause: 'unknown', offset: 5, consumer: 'key-1' },
      {
        ...event,
        cause: 'quota_exceeded',
        cause_code: 'quota',
        cause_source: 'body.code',
        offset: 6,
        consumer: 'key-1',
      },
      { ...event, cause: 'unknown', offset: 7, kind: 'challenge' },
    ])
    const after = (minutes: number) => new Date(t0 + minutes * minute).toISOString()
    const alert = { fingerprint: 'f', episode: 'f-1', rule: 'Spike', tenant: 'acme', severity: 'page', expected: 2 }
    await insert('alert_log', [
      { ...alert, at: after(1), state: 'pending', summary: 'acme may be refused' },
      { ...alert, at: after(2), state: 'firing', severity: 'ticket', observed: 20, summary: 'acme is refused' },
      { ...alert, at: after(2), state: 'firing', severity: 'ticket', observed: 20, summary: 'acme is refused' },
      { ...alert, at: after(4), state: 'firing', observed: 30, summary: 'acme is refused more' },
      { ...alert, at: after(12), state: 'resolved', summary: 'acme is well' },
      // Fires since before the chosen time; another is over before it.
      { ...alert, at: after(-60), episode: 'g-1', fingerprint: 'g', rule: 'Fleet', tenant: '', state: 'firing' },
      { ...alert, at: after(-90), episode: 'h-1', fingerprint: 'h', state: 'firing' },
      { ...alert, at: after(-80), episode: 'h-1', fingerprint: 'h', state: 'resolved' },
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
    const several = { tenant: ['acme', "o'c"], api: ['chat'], cause: ['quota_exceeded'], rule: ['Spike'] }
    const values = { ...several, severity: ['page', 'info'], tier: [tier] }
    for (const { kind, text } of dashboardExpressions({ ...hour, values })) if (kind === 'sql') await server.query(text)
  })

  test('counts requests once, whatever causes are chosen', async () => {
    const chosen = (cause: string[]) => ({ ...hour, values: { cause } })
    expect(await ask('history.json: of requests (A)', hour)).toEqual([{ total: 1_000 }])
    expect(await ask('history.json: of requests (A)', chosen(['quota_exceeded']))).toEqual([{ total: 1_000 }])
    expect(await ask('history.json: Refused (A)', hour)).toEqual([{ refused: 35 }])
    expect(await ask('history.json: Refused (A)', chosen(['quota_exceeded']))).toEqual([{ refused: 30 }])
    expect(await ask('history.json: Share refused (A)', chosen(['quota_exceeded', 'unknown']))).toEqual([
      { share: 0.03 },
    ])
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
    expect(await ask('history.json: Share refused, against the four weeks before (A)', chosen)).toMatchObject([
      { share: 0.25 },
      { share: 0 },
    ])
    expect(await ask('history.json: Share refused, against the four weeks before (B)', chosen)).toEqual([
      { time: '2026-03-02 12:00:00', least: 0.01, most: 0.03 },
    ])
  })

  test('tells what changed since a week before, and what is new', async () => {
    expect(await ask('against the same time a week before', hour)).toMatchObject([
      { cause: 'quota_exceeded', refused: 30, week_before: 0, factor: null },
      { cause: 'insufficient_funds', refused: 5 },
      { cause: 'unknown', refused: 0, week_before: 1, factor: 0 },
    ])
    const newest = await ask('Newest refusals', hour)
    expect(newest).toHaveLength(3)
    expect(newest[0]).toMatchObject({ tenant: 'bay', cause: 'quota_exceeded', first_refused: '2026-03-02 12:01:00' })
  })

  test('shows one tenant with its own numbers', async () => {
    const acme = { ...hour, values: { tenant: ['acme'] } }
    expect(await ask('tenant.json: Refused (A)', acme)).toEqual([{ refused: 25 }])
    expect(await ask('tenant.json: Share refused (A)', acme)).toEqual([{ share: 25 / 150 }])
    const [against] = await ask('Against a week before', acme)
    expect(against?.['factor']).toBeCloseTo(25 / 150 / 0.01)
    expect(await ask('Last refused', acme)).toEqual([{ seen: t0 }])
    expect(await ask('Last refused', { ...hour, values: { tenant: ['late'] } })).toEqual([])
    expect(await ask('Its APIs', acme)).toEqual([{ api: 'chat', refused: 25, all_requests: 150, share: 25 / 150 }])
    expect(await ask('tenant.json: variable api', { ...hour, values: { tenant: ['bay'] } })).toEqual([{ api: 'files' }])
  })

  test('counts a refused call once, and only those that count in the rates', async () => {
    const rows = await ask('codes that decided', hour)
    expect(rows.map(({ cause, refused }) => [cause, refused]).sort()).toEqual([
      ['quota_exceeded', 1],
      ['unknown', 1],
    ])
    expect(await ask('Refused by consumer', hour)).toMatchObject([
      { consumer: 'key-1', refused: 2, causes: 2, of_all: 1 },
    ])
  })

  test('puts the changes of an alert together to one row', async () => {
    expect(await ask('Alerts from beginning to end', hour)).toMatchObject([
      {
        ...{ rule: 'Spike', tenant: 'acme', severity: 'page', lasted: 600, most_refused: 30, expected: 2, factor: 15 },
        ...{ started: '2026-03-02 12:02:00.000', ended: '2026-03-02 12:12:00.000', summary: 'acme is refused more' },
      },
      { rule: 'Fleet', tenant: '', ended: null, lasted: 2 * 3_600 },
    ])
    expect(await ask('alerts.json: Rules (A)', hour)).toMatchObject([
      { alerts: 1, firing: expect.any(Number) },
      { alerts: 1 },
    ])
    expect(await ask('alerts.json: Tenants (A)', hour)).toMatchObject([{ tenant: 'acme', alerts: 1, rules: 'Spike' }])
    expect(await ask('Alerts that began', hour)).toMatchObject([{ severity: 'ticket', alerts: 1 }])
    expect(await ask('Alerts from beginning', { ...hour, values: { severity: ['info'] } })).toEqual([])
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
