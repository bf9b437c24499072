import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, startChild, waitFor } from './process.ts'
import { tempDir } from './run-context.ts'

/** One series of an instant query. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  /** Prometheus says NaN and Inf, too. */
  readonly value: number
}

/** A running Prometheus server. */
export interface Prometheus {
  readonly url: string
  /** Evaluates PromQL now, or at a time in epoch milliseconds. Throws Prometheus' own words for what it cannot read. */
  query(promql: string, atMs?: number): Promise<readonly Sample[]>
  /** Resolves once every target has been scraped with success, `scrapes` times or more. */
  scraped(scrapes?: number): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts Debian's Prometheus with its files in a folder of the run.
 *
 * @param targets `host:port` of what to scrape, or a whole configuration text
 * @param intervalMs time between scrapes; seconds are its unit of thought, so give 1,000 or more
 */
export async function startPrometheus(targets: readonly string[] | string, intervalMs = 1_000): Promise<Prometheus> {
  const dir = tempDir('prometheus')
  const config = join(dir, 'prometheus.yml')
  writeFileSync(config, typeof targets === 'string' ? targets : scrapeConfig(targets, intervalMs))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const server = startChild('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ])
  const failed = () => (server.ended() ? `it ended:\n${server.output().slice(-3_000)}` : null)
  await waitFor('Prometheus to be ready', async () => (await fetch(`${url}/-/ready`)).ok, { failed })
  const query = (promql: string, atMs?: number) => instantQuery(url, promql, atMs)
  return {
    url,
    query,
    scraped: async (scrapes = 1) => {
      const promql = `min(count_over_time((up == 1)[1h:${Math.ceil(intervalMs / 1_000)}s]))`
      await waitFor(`${scrapes} scrapes`, async () => ((await query(promql))[0]?.value ?? 0) >= scrapes, {
        timeoutMs: 60_000,
        everyMs: 200,
        failed,
      })
    },
    stop: async () => void (await server.stop()),
  }
}

function scrapeConfig(targets: readonly string[], intervalMs: number): string {
  const list = targets.map((target) => `'${target}'`).join(', ')
  return `global:
  scrape_interval: ${intervalMs}ms
  scrape_timeout: ${Math.min(intervalMs, 10_000)}ms
scrape_configs:
  - job_name: tollwatch
    static_configs:
      - targets: [${list}]
`
}

async function instantQuery(url: string, promql: string, atMs?: number): Promise<readonly Sample[]> {
  const asked = new URLSearchParams({ query: promql })
  if (atMs !== undefined) asked.set('time', String(atMs / 1_000))
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body: asked })
  const answer = (await response.json()) as Answer
  if (answer.status !== 'success') throw new Error(`${answer.error} in: ${promql}`)
  const { resultType, result } = answer.data
  if (resultType === 'scalar') return [{ labels: {}, value: Number((result as [number, string])[1]) }]
  return (result as Series[]).map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
}

interface Series {
  readonly metric: Record<string, string>
  readonly value: [number, string]
}

type Answer =
  | { readonly status: 'success'; readonly data: { readonly resultType: string; readonly result: unknown } }
  | { readonly status: 'error'; readonly error: string }
