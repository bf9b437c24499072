import { z } from 'zod'
import { groupKeys } from '../history/query.ts'
import { count, labels, ratio, tenantName, time } from '../http/answers.ts'
import { durationText, filterInput, rangeInput, readSelection, readStep } from '../http/parameters.ts'
import { badRequest } from '../http/problem.ts'
import { formatDuration } from '../time/duration.ts'
import { formatInstant } from '../time/instant.ts'
import { nameIn } from './desk.ts'
import { limitInput, shareText, tool } from './tool.ts'

/** More would fill an assistant's memory and tell it nothing more. */
const mostPoints = 200

const counted = { requests: count, payment_required: count, ratio }
const span = { from: time, to: time }

export const paymentRequiredTrends = tool({
  name: 'payment_required_trends',
  title: 'Refused calls over time',
  description:
    'How many calls were refused with HTTP 402 Payment Required over time, of how many requests. Use it to see when a rise began, whether it goes on, and to compare spans (ask twice with other times). Without `by` it answers one series of totals. `requests` are all requests of the tenant and API, also beside a cause, so `ratio` is the share of all requests. Steps without traffic are left out.',
  input: z.strictObject({
    ...rangeInput,
    ...filterInput,
    by: z.array(z.enum(groupKeys)).max(3).default([]).describe('One series for each of these.'),
    step: durationText.optional().describe('Time between points, such as 5m; chosen to suit the span when left out.'),
    limit: limitInput(20, 10),
  }),
  answer: z.object({
    ...span,
    step: z.string(),
    series: z.array(z.object({ labels, ...counted, points: z.array(z.object({ time, ...counted })) })),
  }),
  run: async ({ by, step, limit, ...input }, { queries, clock }) => {
    const select = readSelection(input, clock.now())
    const stepMs = readStep(step, select)
    if ((select.toMs - select.fromMs) / stepMs > mostPoints)
      throw badRequest([{ parameter: 'step', detail: `gives more than ${mostPoints} points; leave it out` }])
    const trends = await queries.trends({ ...select, stepMs, by: [...new Set(by)], limit })
    const series = trends.series.map((one) => ({
      labels: { ...one.labels },
      ...totalOf(one.points),
      points: [...one.points],
    }))
    const stepText = formatDuration(trends.step_ms)
    const lines = series.map((one) => {
      const [worst = null] = one.points.toSorted((a, b) => b.payment_required - a.payment_required)
      const peak =
        worst === null || worst.payment_required === 0 ? '' : `, most at ${worst.time}: ${worst.payment_required}`
      return `${Object.values(one.labels).join(' ') || 'all'}: ${countsText(one)}${peak}`
    })
    const head = `Calls refused with 402 from ${trends.from} to ${trends.to}, by ${stepText}:`
    const text = lines.length === 0 ? 'No traffic was counted in this span.' : [head, ...lines].join('\n')
    return { data: { from: trends.from, to: trends.to, step: stepText, series }, text }
  },
})

export const topRefusedTenants = tool({
  name: 'top_refused_tenants',
  title: 'Who is refused most',
  description:
    'The tenants with the most calls refused with HTTP 402 in a span, worst first, each with its causes. Use it for "who is hit" and "how widely". Ask tenant_overview about one of them next.',
  input: z.strictObject({ ...rangeInput, api: filterInput.api, cause: filterInput.cause, limit: limitInput(100, 10) }),
  answer: z.object({
    ...span,
    tenants: z.array(
      z.object({ tenant: z.string(), tenant_name: tenantName, ...counted, causes: z.record(z.string(), count) }),
    ),
  }),
  run: async ({ limit, ...input }, desk) => {
    const select = readSelection(input, desk.clock.now())
    const { rows } = await desk.queries.summary({ ...select, by: ['tenant'], limit })
    const refused = rows.filter((row) => row.payment_required > 0)
    const tenants = await Promise.all(
      refused.map(async ({ tenant = '', ...row }) => {
        const causes = await desk.queries.summary({ ...select, tenant, by: ['cause'], limit: 100 })
        const entries = causes.rows.filter((one) => one.payment_required > 0)
        return {
          ...{ tenant, tenant_name: nameIn(row, tenant, desk) },
          ...{ requests: row.requests, payment_required: row.payment_required, ratio: row.ratio },
          causes: Object.fromEntries(entries.map((one) => [one.cause ?? '', one.payment_required])),
        }
      }),
    )
    const lines = tenants.map((one, i) => {
      const why = Object.entries(one.causes).map(([cause, calls]) => `${cause} ${calls}`)
      return `${i + 1}. ${one.tenant}${one.tenant_name === null ? '' : ` (${one.tenant_name})`}: ${countsText(one)}; ${why.join(', ')}`
    })
    const text = lines.length === 0 ? 'Nobody was refused with 402 in this span.' : lines.join('\n')
    return { data: { from: formatInstant(select.fromMs), to: formatInstant(select.toMs), tenants }, text }
  },
})

export const recentRefusals = tool({
  name: 'recent_refusals',
  title: 'Refused calls one by one',
  description:
    "Single calls that were refused, newest first: tenant, API, cause, and `cause_code`, the word in the gateway's log that decided the cause (from `cause_source`). Use it for evidence and for request ids. Only kind payment_required counts in rates. They are kept for 30 days by default.",
  input: z.strictObject({ ...rangeInput, ...filterInput, limit: limitInput(100, 20) }),
  answer: z.object({
    ...span,
    refusals: z.array(
      z.object({
        ...{ time, tenant: z.string(), tenant_name: tenantName, api: z.string(), cause: z.string() },
        ...{ cause_code: z.string().nullable(), cause_source: z.string().nullable(), kind: z.string() },
        ...{ method: z.string().nullable(), plan: z.string().nullable(), latency_ms: z.number().nullable() },
        request_id: z.string().nullable(),
      }),
    ),
    more: z.boolean().describe('Whether there are older ones in the span.'),
  }),
  run: async ({ limit, ...input }, desk) => {
    const select = readSelection(input, desk.clock.now())
    const { rows } = await desk.queries.events({ ...select, limit: limit + 1 })
    const refusals = rows.slice(0, limit).map((row) => ({
      ...{
        time: row.time,
        tenant: row.tenant,
        tenant_name: nameIn(row, row.tenant, desk),
        api: row.api,
        cause: row.cause,
      },
      ...{ cause_code: row.cause_code, cause_source: row.cause_source, kind: row.kind },
      ...{ method: row.method, plan: row.plan, latency_ms: row.latency_ms, request_id: row.request_id },
    }))
    const lines = refusals.map((one) => {
      const word = one.cause_code === null ? '' : ` (${one.cause_code}, from ${one.cause_source ?? 'the log'})`
      return `${one.time} ${one.tenant} ${one.api}: ${one.cause}${word}`
    })
    const text = lines.length === 0 ? 'No call was refused in this span.' : lines.join('\n')
    const data = {
      from: formatInstant(select.fromMs),
      to: formatInstant(select.toMs),
      refusals,
      more: rows.length > limit,
    }
    return { data, text }
  },
})

interface Counts {
  readonly requests: number
  readonly payment_required: number
}

export function totalOf(points: readonly Counts[]) {
  const requests = points.reduce((sum, point) => sum + point.requests, 0)
  const refused = points.reduce((sum, point) => sum + point.payment_required, 0)
  return { requests, payment_required: refused, ratio: requests === 0 ? null : refused / requests }
}

export function countsText({
  requests,
  payment_required: refused,
  ratio: share,
}: Counts & { ratio: number | null }): string {
  return `${refused} of ${requests} requests refused (${shareText(share)})`
}
