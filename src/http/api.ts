import { alertChart } from './api/alert-chart.ts'
import { alertHistory, alerts } from './api/alerts.ts'
import { explain } from './api/alerts-explain.ts'
import { auditLog } from './api/audit-log.ts'
import { findDrill, startDrill } from './api/drills.ts'
import { healthReport } from './api/health-report.ts'
import { ingest } from './api/ingest.ts'
import { live } from './api/live.ts'
import { minutes } from './api/minutes.ts'
import { deadLetters, events } from './api/records.ts'
import { rules } from './api/rules.ts'
import { rulesBacktest } from './api/rules-backtest.ts'
import { addSilence, expireSilence, listSilences } from './api/silences.ts'
import { health, readiness, status } from './api/status.ts'
import { stream } from './api/stream.ts'
import { summary } from './api/summary.ts'
import { tenant } from './api/tenant.ts'
import { tenantList } from './api/tenants.ts'
import { trends } from './api/trends.ts'
import { verify } from './api/verify.ts'
import { whoami } from './api/whoami.ts'
import type { Endpoint } from './endpoint.ts'
import type { LiveStream } from './live-stream.ts'

/** What endpoints need of the server itself. */
export interface ApiParts {
  /** What the page is called. */
  readonly title: string
  readonly live: LiveStream
  /** Aborted when the server closes. */
  readonly closing: AbortSignal
}

/** Every path of the API, in the order the OpenAPI document lists them. */
export function apiEndpoints({ title, live: hub, closing }: ApiParts): readonly Endpoint[] {
  return [
    live,
    stream(title, hub),
    tenantList(),
    tenant,
    trends,
    summary,
    minutes,
    events,
    alerts,
    alertHistory,
    explain,
    alertChart,
    rules,
    rulesBacktest(closing),
    listSilences,
    addSilence,
    ...expireSilence,
    startDrill,
    findDrill,
    ingest,
    deadLetters,
    verify,
    healthReport,
    auditLog,
    whoami,
    status(title),
    health,
    readiness,
  ]
}
