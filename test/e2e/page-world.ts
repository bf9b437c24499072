import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Caller, kongTraffic } from '../support/kong-traffic.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { type Daemon, startTollwatch } from '../support/tollwatch.ts'

// A small company's afternoon: two quiet hours, then the quota of one tenant is used up.

const minute = 60_000

/** One refusal a minute is normal for acme. */
const calm: readonly Caller[] = [
  { tenant: 'acme', api: 'chat', everyMs: 1_000, refused: { code: 'insufficient_quota', each: 60 } },
  { tenant: 'globex', api: 'chat', everyMs: 2_000, refused: { code: 'do_not_honor', each: 120 } },
  { tenant: 'initech', api: 'embeddings', everyMs: 2_000, refused: { code: 'insufficient_balance', each: 150 } },
]
/** The last minutes: every second call of acme is refused. */
const incident: readonly Caller[] = calm.map((caller) =>
  caller.tenant === 'acme' ? { ...caller, refused: { code: 'insufficient_quota', each: 2 } } : caller,
)
const calmMinutes = 120
const incidentMinutes = 6

const rules = `version: 1
groups:
  - name: page
    interval: 10s
    rules:
      # A fifth of the calls of one tenant is too much.
      - rule: TooManyRefused
        group_by: [tenant, api, cause]
        window: 5m
        condition: { type: threshold, measure: ratio, above: 0.2, min_count: 20, min_total: 50 }
        severity: page
      - rule: RefusalSpike
        group_by: [tenant, api, cause]
        condition: { type: spike, false_alerts_per_week: 0.05, min_count: 20 }
        severity: ticket
  - name: quotas
    interval: 1m
    rules:
      - rule: QuotaRunsOut
        group_by: [tenant, api, quota]
        condition: { type: quota_forecast, levels: { info: 0.9 } }
        severity: info
`

const tenants = `tenants:
  acme:
    name: Acme Instruments Ltd
    plan: starter
    timezone: Europe/Berlin
    contacts: { billing: accounts@acme.example.com, technical: ops@acme.example.com }
    expires: 2031-12-31
`

const config = `
window: { lateness: 0s }
history: { flush_interval: 300ms, data_dir: ./data }
tenants: { file: tenants.yaml }
alerts: { rules: [page.rules.yaml] }
`

/** A daemon with all of that in it: one tenant fires, something could not be read. */
export async function startWorld(): Promise<Daemon> {
  const dir = tempDir('page')
  writeFileSync(join(dir, 'page.rules.yaml'), rules)
  writeFileSync(join(dir, 'tenants.yaml'), tenants)
  const daemon = await startTollwatch({ dir, config })
  const untilMs = Math.floor(Date.now() / 10_000) * 10_000
  const changeMs = untilMs - incidentMinutes * minute
  await push(daemon, [
    ...kongTraffic(calm, { afterMs: changeMs - calmMinutes * minute, untilMs: changeMs }),
    'this line is no record of any gateway',
    // The gateway says that acme has 240 of its 5,000 calls left this month.
    recordOf({ tenant: 'acme', api: 'chat', at: changeMs - 1, left: '240' }),
    ...kongTraffic(incident, { afterMs: changeMs, untilMs }),
  ])
  await waitFor('acme to fire', async () => {
    const { alerts } = await daemon.get<{ alerts: readonly { rule: string; state: string }[] }>('/api/v1/alerts')
    return alerts.some(({ rule, state }) => rule === 'TooManyRefused' && state === 'firing')
  })
  await waitFor('history to hold it', async () => {
    const { rows } = await daemon.get<{ rows: readonly { requests: number }[] }>('/api/v1/summary?from=-3h&by=tenant')
    return rows.length === calm.length && (rows[0]?.requests ?? 0) >= (calmMinutes + incidentMinutes) * 59
  })
  return daemon
}

/** @param lines values of Kong's layout, one a line */
export async function push(daemon: Daemon, lines: readonly string[]): Promise<void> {
  const response = await fetch(`${daemon.url}/api/v1/ingest?format=kong`, { method: 'POST', body: lines.join('\n') })
  if (!response.ok) throw new Error(await response.text())
}

/** One refused call as a value of Kong's layout. */
export function recordOf(call: { tenant: string; api: string; at: number; left?: string; status?: number }): string {
  const { tenant, api, at, left } = call
  const headers = left === undefined ? {} : { 'x-ratelimit-limit-month': '5000', 'x-ratelimit-remaining-month': left }
  const status = call.status ?? 402
  return JSON.stringify({
    request: { id: `${tenant}-${at}`, method: 'POST', uri: `/${api}`, headers: {} },
    response: {
      ...{ status, headers, size: 64 },
      ...(status === 402 ? { body: JSON.stringify({ error: { code: 'insufficient_quota' } }) } : {}),
    },
    latencies: { kong: 1, proxy: 30, request: 31 },
    route: { name: api },
    consumer: { username: tenant },
    started_at: at,
    source: 'upstream',
  })
}
