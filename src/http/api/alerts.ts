import { z } from 'zod'
import { type Alert, severities } from '../../alert/alert.ts'
import { cursorShapes } from '../../history/query.ts'
import type { TenantDirectory } from '../../tenants/directory.ts'
import { formatInstant } from '../../time/instant.ts'
import { count, labels, nameOf, tenantName, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { cursorText, filterInput, limitText, next, rangeInput, readSelection } from '../parameters.ts'

const states = ['firing', 'pending', 'resolved'] as const

const alertAnswer = z.object({
  fingerprint: z.string(),
  rule: z.string(),
  state: z.enum(states),
  severity: z.enum(severities),
  labels,
  tenant_name: tenantName.describe('Name of the tenant among the labels; null where none is known, or no one tenant.'),
  since: time.describe('When the condition became true.'),
  value: z.number().describe('What the condition measured, in its own unit.'),
  annotations: labels,
  fired_at: time.nullable(),
  resolved_at: time.nullable(),
  numbers: z.object({
    window_ms: count,
    observed: count.describe('Refusals in the window.'),
    requests: count,
    expected: z.number().nullable().describe('Refusals a normal window would have.'),
    p_value: z.number().nullable(),
    so_far: count.describe('Refusals since the alert became active.'),
    peak: count,
    tenants: count,
    top: z.array(z.object({ tenant: z.string(), tenant_name: tenantName, api: z.string(), cause: z.string(), count })),
  }),
})

const change = z.object({
  time,
  fingerprint: z.string(),
  rule: z.string(),
  state: z.string(),
  severity: z.string(),
  labels,
  tenant_name: tenantName,
  value: z.number(),
  summary: z.string(),
})

export const alertsAnswer = z.object({ alerts: z.array(alertAnswer) })

export const alerts = endpoint(
  {
    method: 'GET',
    path: '/api/v1/alerts',
    summary: 'Alerts as they are now, the most urgent first.',
    scope: 'read',
    forTenants: true,
    input: z.strictObject({ state: z.enum(states).optional().describe('Only alerts in this state.') }),
    answer: alertsAnswer,
  },
  ({ input }, deps) => alertsNow(deps, ({ state }) => (input.state ?? state) === state),
)

export function alertsNow(deps: HttpDeps, wanted: (alert: Alert) => boolean): z.output<typeof alertsAnswer> {
  const chosen = deps.alerts().filter(wanted).toSorted(mostUrgentFirst)
  return { alerts: chosen.map((alert) => answerOf(alert, deps.tenants)) }
}

export const alertHistory = endpoint(
  {
    method: 'GET',
    path: '/api/v1/alerts/history',
    summary: 'Changes of alerts, from history, newest first.',
    scope: 'read',
    forTenants: true,
    input: z.strictObject({
      ...rangeInput,
      ...filterInput,
      rule: z.string().min(1, { error: 'is empty' }).optional().describe('Only alerts of this rule.'),
      fingerprint: z.string().min(1, { error: 'is empty' }).optional().describe('Only this alert.'),
      limit: limitText(10_000, 100),
      cursor: cursorText(cursorShapes.alerts),
    }),
    answer: z.object({ rows: z.array(change), next }),
    table: ({ rows }) => ({ columns: Object.keys(change.shape), rows }),
    tagged: true,
    problems: [503],
  },
  async ({ input }, { queries, tenants, clock }) => {
    const { rule, fingerprint, cursor } = input
    const { rows, next = null } = await queries.alerts({
      ...readSelection(input, clock.now()),
      ...(rule === undefined ? {} : { rule }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(cursor === undefined ? {} : { after: cursor }),
      limit: Number(input.limit),
    })
    return { rows: rows.map((row) => ({ ...row, tenant_name: nameOf(tenants, row.labels['tenant']) })), next }
  },
)

function mostUrgentFirst(a: Alert, b: Alert): number {
  return (
    states.indexOf(a.state) - states.indexOf(b.state) ||
    severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
    b.activeAtMs - a.activeAtMs ||
    a.fingerprint.localeCompare(b.fingerprint)
  )
}

function answerOf(alert: Alert, tenants: TenantDirectory): z.output<typeof alertAnswer> {
  const { fingerprint, rule, state, severity, value, numbers } = alert
  return {
    ...{ fingerprint, rule, state, severity, value },
    labels: { ...alert.labels },
    tenant_name: nameOf(tenants, alert.labels['tenant']),
    since: formatInstant(alert.activeAtMs),
    annotations: { ...alert.annotations },
    fired_at: alert.firedAtMs === null ? null : formatInstant(alert.firedAtMs),
    resolved_at: alert.resolvedAtMs === null ? null : formatInstant(alert.resolvedAtMs),
    numbers: {
      window_ms: numbers.windowMs,
      observed: numbers.observed,
      requests: numbers.requests,
      expected: numbers.expected,
      p_value: numbers.pValue,
      so_far: numbers.soFar,
      peak: numbers.peak,
      tenants: numbers.tenants,
      top: numbers.top.map((one) => ({ ...one, tenant_name: nameOf(tenants, one.tenant) })),
    },
  }
}
