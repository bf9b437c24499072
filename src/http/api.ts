import { alertHistory, alerts } from './api/alerts.ts'
import { explain } from './api/alerts-explain.ts'
import { findDrill, startDrill } from './api/drills.ts'
import { ingest } from './api/ingest.ts'
import { live } from './api/live.ts'
import { minutes } from './api/minutes.ts'
import { deadLetters, events } from './api/records.ts'
import { addSilence, expireSilence, listSilences } from './api/silences.ts'
import { health, readiness, status } from './api/status.ts'
import { summary } from './api/summary.ts'
import { trends } from './api/trends.ts'
import { verify } from './api/verify.ts'
import type { Endpoint } from './endpoint.ts'

/** Paths that answer without a token: probes must know neither secrets nor data. */
export const openPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz'])

/**
 * Every path of the API, in the order the OpenAPI document lists them.
 *
 * @param options `title` is what the page is called
 */
export function apiEndpoints(options: { readonly title: string }): readonly Endpoint[] {
  return [
    live,
    trends,
    summary,
    minutes,
    events,
    alerts,
    alertHistory,
    explain,
    listSilences,
    addSilence,
    ...expireSilence,
    startDrill,
    findDrill,
    ingest,
    deadLetters,
    verify,
    status(options.title),
    health,
    readiness,
  ]
}
