import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client as Assistant } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithChdb } from '../support/available.ts'
import { type ClickHouse, startClickHouse } from '../support/clickhouse-http.ts'
import { dashboardExpressions } from '../support/dashboards.ts'
import { type Caller, countOf, kongTraffic, type Span } from '../support/kong-traffic.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { builtMain, type Daemon, startTollwatch, tollwatch } from '../support/tollwatch.ts'

const minute = 60_000
const token = 'a-token-for-the-five-ways'
const env = { TOLLWATCH_TOKEN: token }

const toMs = Math.floor(Date.now() / minute) * minute - 5 * minute
const fromMs = toMs - 60 * minute
const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]

/** Two APIs of the tenant that is asked about, and somebody else. */
const callers: readonly Caller[] = [
  { tenant: 'acme', api: 'chat', everyMs: 2_000, refused: { code: 'quota_exceeded', each: 7 } },
  { tenant: 'acme', api: 'files', everyMs: 3_000, refused: { code: 'insufficient_funds', each: 11 } },
  { tenant: 'acme', api: 'search', everyMs: 30_000, refused: null },
  { tenant: 'bay', api: 'chat', everyMs: 2_000, refused: { code: 'quota_exceeded', each: 3 } },
]

/** Refusals of the tenant in the hour by cause, and all its requests. */
interface Answer {
  readonly causes: Readonly<Record<string, number>>
  readonly requests: number
}

interface Series {
  readonly labels: { readonly cause?: string }
  readonly points: readonly { readonly requests: number; readonly payment_required: number }[]
}

/** What was sent; a moment at the very end belongs to the next hour. */
const truth: Answer = answerOf(
  callers.flatMap((caller) => {
    if (caller.tenant !== 'acme') return []
    const { requests, refused } = countOf(caller, { afterMs: fromMs - 1, untilMs: toMs - 1 })
    return [{ api: caller.api, cause: caller.refused?.code ?? '', refused, requests }]
  }),
)

/** Rows by API and cause, each with all requests of its API. */
function answerOf(rows: readonly { api: string; cause: string; refused: number; requests: number }[]): Answer {
  const causes: Record<string, number> = {}
  for (const { cause, refused } of rows) if (refused > 0) causes[cause] = (causes[cause] ?? 0) + refused
  const requests = new Map(rows.map((row) => [row.api, row.requests]))
  return { causes, requests: [...requests.values()].reduce((sum, one) => sum + one, 0) }
}

describeWithChdb('How many calls of acme were refused in the hour, why, and of how many requests', () => {
  const dir = tempDir('five-ways')
  const settings = join(dir, 'tollwatch.yaml')
  let server: ClickHouse
  let daemon: Daemon

  beforeAll(async () => {
    server = await startClickHouse()
    const config = `
source: {}
history: { clickhouse: { url: "${server.url}" }, flush_interval: 1s }
http: { token: "\${TOLLWATCH_TOKEN}" }
alerts: { rules: [] }
`
    writeFileSync(settings, config)
    daemon = await startTollwatch({ dir, config, env })
    // Before and after the hour there is traffic too.
    const span: Span = { afterMs: fromMs - 20 * minute, untilMs: toMs + 3 * minute }
    const lines = kongTraffic(callers, span).flatMap((value) =>
      (JSON.parse(value) as unknown[]).map((one) => JSON.stringify(one)),
    )
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' }
    const body = `${lines.join('\n')}\n`
    const sent = await fetch(`${daemon.url}/api/v1/ingest?format=kong`, { method: 'POST', headers, body })
    expect(await sent.json()).toMatchObject({ accepted: lines.length })
    await waitFor('history to have everything', async () => {
      const counted = await server.query('SELECT sum(requests) FROM tollwatch.rollup_10s FORMAT TabSeparated')
      return Number(counted) === lines.length
    })
  })
  afterAll(async () => {
    await daemon?.stop()
    await server?.stop()
  })

  const headers = { authorization: `Bearer ${token}` }

  /** As the view Trends asks: points over time, once by cause and once for all. */
  async function byPage(): Promise<Answer> {
    const seriesBy = async (by: string) => {
      const query = new URLSearchParams({ from, to, tenant: 'acme', by, step: '1m', limit: '100' })
      const response = await fetch(`${daemon.url}/api/v1/trends?${query}`, { headers })
      const { series } = (await response.json()) as { series: Series[] }
      return series.map(({ labels, points }) => ({
        cause: labels.cause ?? '',
        requests: points.reduce((sum, point) => sum + point.requests, 0),
        refused: points.reduce((sum, point) => sum + point.payment_required, 0),
      }))
    }
    const causes = (await seriesBy('cause')).map((one) => ({ ...one, api: '', requests: 0 }))
    const [all] = await seriesBy('')
    return { causes: answerOf(causes).causes, requests: all?.requests ?? 0 }
  }

  async function byApi(): Promise<Answer> {
    const query = new URLSearchParams({ from, to, tenant: 'acme', by: 'api,cause' })
    const response = await fetch(`${daemon.url}/api/v1/summary?${query}`, { headers })
    const { rows } = (await response.json()) as {
      rows: { api: string; cause: string; requests: number; payment_required: number }[]
    }
    return answerOf(rows.map((row) => ({ ...row, refused: row.payment_required })))
  }

  async function byGrafana(): Promise<Answer> {
    // Grafana's macro takes in the second of the end.
    const chosen = { fromMs, toMs: toMs - 1_000, values: { tenant: ['acme'] } }
    const panel = (title: string) => {
      const found = dashboardExpressions(chosen).filter(
        ({ name }) => name.startsWith('tollwatch-history.json') && name.includes(title),
      )
      expect(found, title).toHaveLength(1)
      return found[0]?.text ?? ''
    }
    const rowsOf = async <Row>(title: string): Promise<Row[]> => {
      const text = await server.query(
        `${panel(title)} FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0`,
      )
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row)
    }
    const rows = await rowsOf<{ api: string; cause: string; refused: number; requests: number }>(
      'Refused by tenant, API and cause',
    )
    const [all] = await rowsOf<{ total: number }>('of requests (A)')
    return { causes: answerOf(rows).causes, requests: all?.total ?? 0 }
  }

  async function byQuery(): Promise<Answer> {
    const span = ['--from', from, '--to', to, '--tenant', 'acme', '--by', 'api,cause']
    const { stdout, stderr } = await tollwatch(['query', 'summary', '--url', daemon.url, ...span, '--json'], { env })
    expect(stderr).toBe('')
    const rows = JSON.parse(stdout) as { api: string; cause: string; requests: number; payment_required: number }[]
    return answerOf(rows.map((row) => ({ ...row, refused: row.payment_required })))
  }

  async function bySql(): Promise<Answer> {
    const statement = `SELECT api, cause, sum(requests) AS calls, sum(payment_required) AS refused FROM tollwatch.rollup_1m
      WHERE tenant = 'acme' AND bucket >= toDateTime(${fromMs / 1000}) AND bucket < toDateTime(${toMs / 1000}) GROUP BY api, cause`
    const { stdout, stderr } = await tollwatch(['sql', '-c', settings, '--format', 'json'], { input: statement, env })
    expect(stderr).toBe('')
    const rows = JSON.parse(stdout) as { api: string; cause: string; calls: number; refused: number }[]
    // Here a row with a cause carries no requests: they stand in the row without one.
    const requests = rows.reduce((sum, row) => sum + row.calls, 0)
    return { causes: answerOf(rows.map((row) => ({ ...row, requests: 0 }))).causes, requests }
  }

  async function byAssistant(transport: unknown): Promise<Answer> {
    const assistant = new Assistant({ name: 'test', version: '0' })
    // The package declares optional members without `undefined`, and reads them as if it were there.
    await assistant.connect(transport as Transport)
    try {
      const result = await assistant.callTool({ name: 'tenant_overview', arguments: { tenant: 'acme', from, to } })
      const told = result.structuredContent as {
        causes: { cause: string; payment_required: number }[]
        requests: number
      }
      return {
        causes: Object.fromEntries(told.causes.map((one) => [one.cause, one.payment_required])),
        requests: told.requests,
      }
    } finally {
      await assistant.close()
    }
  }

  test('is answered alike by the API, Grafana, query, SQL and an assistant', async () => {
    expect(Object.keys(truth.causes).sort()).toEqual(['insufficient_funds', 'quota_exceeded'])
    const main = await builtMain()
    const stdio = (args: readonly string[]) =>
      new StdioClientTransport({
        command: process.execPath,
        args: [main, 'mcp', ...args],
        env,
        cwd: dir,
        stderr: 'inherit',
      })
    const [page, api, grafana, query, sql, http, daemonOverStdio, storeOverStdio] = await Promise.all([
      byPage(),
      byApi(),
      byGrafana(),
      byQuery(),
      bySql(),
      byAssistant(new StreamableHTTPClientTransport(new URL('/mcp', daemon.url), { requestInit: { headers } })),
      byAssistant(stdio(['--url', daemon.url])),
      byAssistant(stdio(['-c', settings])),
    ])
    const all = { page, api, grafana, query, sql, http, daemonOverStdio, storeOverStdio }
    expect(all).toEqual(Object.fromEntries(Object.keys(all).map((way) => [way, truth])))
  }, 60_000)
})
