import { z } from 'zod'
import type { AlertLogRow } from '../history/query.ts'
import { labels, tenantName, time } from '../http/answers.ts'
import { alertsAnswer } from '../http/api/alerts.ts'
import { adviceOn, isCause } from '../notify/runbook.ts'
import { dayMs } from '../time/duration.ts'
import { type Desk, nameIn } from './desk.ts'
import { limitInput, notFound, tool } from './tool.ts'

/** How far back alerts are looked for where only history can be asked. */
const lookBackMs = 7 * dayMs
const mostChanges = 10_000

const states = ['firing', 'pending', 'resolved'] as const

/** An alert in brief. */
export const briefAlert = z.object({
  fingerprint: z.string().describe('For explain_alert.'),
  rule: z.string(),
  state: z.string(),
  severity: z.string(),
  labels,
  tenant_name: tenantName,
  since: time,
  summary: z.string(),
})

export type BriefAlert = z.infer<typeof briefAlert>

const knownFrom = z
  .enum(['daemon', 'history'])
  .describe('daemon: as it is now. history: the last state that was stored in seven days.')

/** Alerts as they are now; without a daemon their last stored states. */
export async function alertsOf(desk: Desk, tenant?: string): Promise<readonly BriefAlert[]> {
  if (desk.live === null) return storedAlerts(desk, tenant)
  const { alerts } = alertsAnswer.parse(await desk.live.alerts())
  return alerts
    .filter((alert) => tenant === undefined || alert.labels['tenant'] === tenant)
    .map(({ annotations, fingerprint, rule, state, severity, since, tenant_name, labels: own }) => {
      return {
        fingerprint,
        rule,
        state,
        severity,
        labels: own,
        tenant_name,
        since,
        summary: annotations['summary'] ?? '',
      }
    })
}

async function storedAlerts(desk: Desk, tenant: string | undefined): Promise<readonly BriefAlert[]> {
  const now = desk.clock.now()
  const span = { fromMs: now - lookBackMs, toMs: now + 1, limit: mostChanges }
  const { rows } = await desk.queries.alerts({ ...span, ...(tenant === undefined ? {} : { tenant }) })
  const newest = new Map<string, AlertLogRow>()
  for (const row of rows) if (!newest.has(row.fingerprint)) newest.set(row.fingerprint, row)
  return [...newest.values()].map((row) => {
    const { fingerprint, rule, state, severity, summary } = row
    const own = { ...row.labels }
    const name = nameIn(row, own['tenant'], desk)
    return { fingerprint, rule, state, severity, labels: own, tenant_name: name, since: row.time, summary }
  })
}

export const listAlerts = tool({
  name: 'list_alerts',
  title: 'Alerts',
  description:
    'Alerts about refused calls and about Tollwatch itself, the most urgent first: what fires, since when, about whom. Use it first when asked "is anything wrong". Ask explain_alert with the fingerprint for the reasons.',
  input: z.strictObject({
    state: z.enum(states).optional().describe('Only alerts in this state.'),
    tenant: z.string().min(1).optional().describe('Only alerts about this tenant, by its id.'),
    limit: limitInput(200, 50),
  }),
  answer: z.object({
    known_from: knownFrom,
    alerts: z.array(briefAlert),
    total: z.int().describe('How many there are, also beyond the limit.'),
  }),
  run: async ({ state, tenant, limit }, desk) => {
    const all = (await alertsOf(desk, tenant)).filter((alert) => (state ?? alert.state) === alert.state)
    const alerts = all.slice(0, limit)
    const lines = alerts.map(alertLine)
    const from = desk.live === null ? ('history' as const) : ('daemon' as const)
    const head = from === 'history' ? ['No daemon is asked: these are the last stored states.'] : []
    const text = [...head, ...(lines.length === 0 ? ['There are no such alerts.'] : lines)].join('\n')
    return { data: { known_from: from, alerts, total: all.length }, text }
  },
})

export function alertLine({ state, severity, rule, since, summary, fingerprint }: BriefAlert): string {
  return `${state} (${severity}) since ${since}: ${rule}: ${summary} [${fingerprint}]`
}

const explained = z.looseObject({ sentences: z.array(z.string()) })

export const explainAlert = tool({
  name: 'explain_alert',
  title: 'Why an alert fires',
  description:
    'Why an alert is in its state: what was observed, what a normal time would have, who was told of it and what comes next; how its state changed in the last 30 days; and what to do first about its cause. Take the fingerprint from list_alerts or tenant_overview.',
  input: z.strictObject({ fingerprint: z.string().min(1).max(100) }),
  answer: z.object({
    fingerprint: z.string(),
    sentences: z.array(z.string()),
    changes: z.array(
      z.object({ time, state: z.string(), severity: z.string(), value: z.number(), summary: z.string() }),
    ),
    labels: labels.nullable(),
    cause: z.string().nullable().describe('For read_runbook; null where the alert is not about one cause.'),
    what_to_do: z.array(z.string()),
  }),
  run: async ({ fingerprint }, desk) => {
    const now = desk.clock.now()
    const span = { fromMs: now - 30 * dayMs, toMs: now + 1, limit: 20 }
    const { rows } = await desk.queries.alerts({ ...span, fingerprint })
    const current = (await alertsOf(desk)).find((alert) => alert.fingerprint === fingerprint)
    const told = explained.nullable().parse((await desk.live?.explain(fingerprint)) ?? null)
    if (told === null && rows.length === 0 && current === undefined)
      throw notFound('There is no alert with this fingerprint, and none in 30 days; list_alerts shows those there are.')
    const own = current?.labels ?? (rows[0] === undefined ? null : { ...rows[0].labels })
    const cause = own?.['cause'] ?? null
    const advice = cause !== null && isCause(cause) ? adviceOn[cause] : null
    const stored = rows.map((row) => `${row.time} ${row.state}: ${row.summary}`)
    const sentences = told?.sentences ?? stored
    const changes = rows.map(({ time: at, state, severity, value, summary }) => ({
      time: at,
      state,
      severity,
      value,
      summary,
    }))
    const steps = advice === null ? [] : [...advice.steps]
    const text = [
      ...sentences,
      ...(advice === null ? [] : [`Likely: ${advice.likely}.`]),
      ...steps.map((step) => `Do: ${step}.`),
    ]
    return { data: { fingerprint, sentences, changes, labels: own, cause, what_to_do: steps }, text: text.join('\n') }
  },
})
