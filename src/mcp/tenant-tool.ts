import { z } from 'zod'
import type { SummaryRow } from '../history/query.ts'
import { count, ratio, tenantName, time } from '../http/answers.ts'
import { rangeInput, readSelection } from '../http/parameters.ts'
import { formatInstant } from '../time/instant.ts'
import { alertLine, alertsOf, briefAlert } from './alert-tools.ts'
import { type Desk, nameIn } from './desk.ts'
import { countsText, totalOf } from './history-tools.ts'
import { notFound, tool } from './tool.ts'

const quota = z.looseObject({
  ...{ api: z.string().nullable(), quota: z.string(), limit: z.number(), used: z.number(), share: z.number() },
  ...{ resets: z.string().nullable(), runs_out: z.string().nullable(), probability: z.number().nullable() },
})

/** The part of `/api/v1/tenants/{tenant}` that is told on. */
const known = z.object({
  tenant_name: tenantName,
  plan: z.string().nullable(),
  timezone: z.string().nullable(),
  expires: time.nullable(),
  contact: z.record(z.string(), z.array(z.string())).nullable(),
  quotas: z.array(quota),
  first_seen: time.nullable(),
  last_seen: time.nullable(),
})

const similar = z.object({ rows: z.array(z.object({ tenant: z.string(), tenant_name: tenantName })) })

const counted = { requests: count, payment_required: count, ratio }

export const tenantOverview = tool({
  name: 'tenant_overview',
  title: 'All about one tenant',
  description:
    'Everything about one tenant: how many of its calls were refused with HTTP 402 in the span (the last 24 hours unless said), on which APIs and for which causes, its quotas and when they run out, its alerts, its plan and whom to contact. Use it for "why is acme getting 402s". Then read_runbook with the cause that leads, and recent_refusals for evidence. `tenant` is the id in the logs; a name or a part of one is answered with ids that fit.',
  input: z.strictObject({
    tenant: z.string().min(1).max(500).describe('Its id, as it stands in the access logs.'),
    from: rangeInput.from.unwrap().default('-24h').describe('Start of the counts, inclusive.'),
    to: rangeInput.to,
  }),
  answer: z.object({
    ...{ tenant: z.string(), tenant_name: tenantName, from: time, to: time, ...counted },
    causes: z.array(z.object({ cause: z.string(), payment_required: count })),
    apis: z.array(z.object({ api: z.string(), ...counted, causes: z.record(z.string(), count) })),
    alerts: z.array(briefAlert),
    known: known.omit({ tenant_name: true }).nullable().describe('Null where only history could be asked.'),
  }),
  run: async ({ tenant, ...span }, desk) => {
    const select = { ...readSelection(span, desk.clock.now()), tenant }
    const [summary, alerts, live] = await Promise.all([
      desk.queries.summary({ ...select, by: ['api', 'cause'], limit: 10_000 }),
      alertsOf(desk, tenant),
      desk.live?.tenant(tenant) ?? null,
    ])
    if (live === null && summary.rows.length === 0 && alerts.length === 0) throw await unknownTenant(tenant, desk)
    const { tenant_name: name = nameIn({}, tenant, desk), ...facts } = known.nullable().parse(live) ?? {}
    const apis = apisOf(summary.rows)
    const total = totalOf(apis)
    const causes = causesOf(summary.rows)
    const text = [
      `${tenant}${name === null ? '' : ` (${name})`}: ${countsText(total)} from ${formatInstant(select.fromMs)} to ${formatInstant(select.toMs)}.`,
      ...causes.map((one) => `Cause ${one.cause}: ${one.payment_required} calls.`),
      ...apis.filter((one) => one.payment_required > 0).map((one) => `API ${one.api}: ${countsText(one)}.`),
      ...alerts.map(alertLine),
    ]
    return {
      data: {
        ...{ tenant, tenant_name: name, from: formatInstant(select.fromMs), to: formatInstant(select.toMs), ...total },
        ...{
          causes,
          apis,
          alerts: [...alerts],
          known: live === null ? null : known.omit({ tenant_name: true }).parse(facts),
        },
      },
      text: text.join('\n'),
    }
  },
})

/** Rows by API and cause; each carries all requests of its API. */
function apisOf(rows: readonly SummaryRow[]) {
  const apis = new Map<string, { requests: number; payment_required: number; causes: Record<string, number> }>()
  for (const { api = '', cause = '', requests, payment_required: refused } of rows) {
    const one = apis.get(api) ?? { requests, payment_required: 0, causes: {} }
    apis.set(api, one)
    one.payment_required += refused
    if (refused > 0) one.causes[cause] = refused
  }
  return [...apis]
    .map(([api, one]) => ({ api, ...one, ratio: one.requests === 0 ? null : one.payment_required / one.requests }))
    .toSorted((a, b) => b.payment_required - a.payment_required || b.requests - a.requests)
    .slice(0, 100)
}

function causesOf(rows: readonly SummaryRow[]) {
  const causes = new Map<string, number>()
  for (const { cause = '', payment_required: refused } of rows)
    if (refused > 0) causes.set(cause, (causes.get(cause) ?? 0) + refused)
  return [...causes]
    .map(([cause, refused]) => ({ cause, payment_required: refused }))
    .toSorted((a, b) => b.payment_required - a.payment_required)
}

async function unknownTenant(tenant: string, { live }: Desk): Promise<Error> {
  const { rows } = live === null ? { rows: [] } : similar.parse(await live.tenants(tenant.slice(0, 200)))
  const ids = rows.slice(0, 10).map((row) => `${row.tenant}${row.tenant_name === null ? '' : ` (${row.tenant_name})`}`)
  const hint = ids.length === 0 ? 'top_refused_tenants lists ids' : `ids that fit: ${ids.join(', ')}`
  return notFound(`Nothing is known of a tenant with the id ${tenant} in this span; ${hint}.`)
}
