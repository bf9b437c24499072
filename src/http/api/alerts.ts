import { z } from 'zod'
import { type Alert, severities } from '../../alert/alert.ts'
import type { TenantDirectory } from '../../tenants/directory.ts'
import { formatInstant } from '../../time/instant.ts'
import { count, labels, nameOf, tenantName, time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { filterInput, limitText, rangeInput, readSelection } from '../parameters.ts'

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

export const alerts = endpoint(
  {
    method: 'GET',
    path: '/api/v1/alerts',
    summary: 'Alerts as they are now, the most urgent first.',
    input: z.strictObject({ state: z.enum(states).optional().describe('Only alerts in this state.') }),
    answer: z.object({ alerts: z.array(alertAnswer) }),
  },
  ({ input }, deps) => {
    const chosen = deps.alerts().filter(({ state }) => (input.state ?? state) === state)
    return { alerts: [...chosen].sort(mostUrgentFirst).map((alert) => answerOf(alert, deps.tenants)) }
  },
)

export const alertHistory = endpoint(
  {
    method: 'GET',
    path: '/api/v1/alerts/history',
    summary: 'Changes of alerts, from history, newest first.',
    input: z.strictObject({ ...rangeInput, ...filterInput, limit: limitText(10_000, 100) }),
    answer: z.object({
      rows: z.array(
        z.object({
          time,
          fingerprint: z.string(),
          rule: z.string(),
          state: z.string(),
          severity: z.string(),
          labels,
          tenant_name: tenantName,
          value: z.number(),
          summary: z.string(),
        }),
      ),
    }),
    problems: [503],
  },
  async ({ input }, { queries, tenants, clock }) => {
    const { rows } = await queries.alerts({ ...readSelection(input, clock.now()), limit: Number(input.limit) })
    return { rows: rows.map((row) => ({ ...row, tenant_name: nameOf(tenants, row.labels['tenant']) })) }
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
