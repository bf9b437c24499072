import { z } from 'zod'
import { parseDuration } from '../../time/duration.ts'
import { formatInstant } from '../../time/instant.ts'
import { type SeriesTotals, sliceMs, windowLengthsMs } from '../../window/view.ts'
import { count, nameOf, ratio, tenantName, time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { durationText, filterInput, limitText } from '../parameters.ts'

const longestMs = windowLengthsMs['1h']

const windowText = durationText
  .refine((text) => (parseDuration(text) ?? 0) % sliceMs === 0, { error: 'must be a multiple of 10s' })
  .refine((text) => (parseDuration(text) ?? 0) <= longestMs, {
    error: 'is longer than the 1h kept in memory; ask /api/v1/summary for longer spans',
  })

const row = z.object({ requests: count, payment_required: count, ratio })

/** The rolling window that ends with the newest record, so that a fresh record shows at once. */
export const live = endpoint(
  {
    method: 'GET',
    path: '/api/v1/live',
    summary: 'The last minutes from memory, worst first; times are event times.',
    input: z.strictObject({
      window: windowText.default('5m').describe('How far to look back, 10s to 1h.'),
      tenant: filterInput.tenant,
      api: filterInput.api,
      limit: limitText(10_000, 200),
    }),
    answer: z.object({
      at: time.nullable().describe('End of the window; null before the first record.'),
      watermark: time.nullable().describe('Up to here all input has been read, as far as we know.'),
      window_ms: count,
      series: count.describe('How many series there are, shown or not.'),
      total: row.describe('Over all series, shown or not.'),
      rows: z.array(
        row.extend({
          tenant: z.string(),
          tenant_name: tenantName,
          api: z.string(),
          causes: z.record(z.string(), count),
        }),
      ),
    }),
  },
  ({ input }, deps) => {
    const windowMs = parseDuration(input.window) ?? longestMs
    const view = deps.view()
    const headMs = view?.headMs ?? null
    const watermarkMs = deps.watermarkMs()
    const all = view === null || headMs === null ? [] : view.totals(headMs - windowMs, headMs)
    const chosen = all.filter(({ tenant, api }) => (input.tenant ?? tenant) === tenant && (input.api ?? api) === api)
    return {
      at: headMs === null ? null : formatInstant(headMs),
      watermark: watermarkMs === null ? null : formatInstant(watermarkMs),
      window_ms: windowMs,
      series: chosen.length,
      total: totalOf(chosen),
      rows: chosen
        .sort(worstFirst)
        .slice(0, Number(input.limit))
        .map((series) => rowOf(series, nameOf(deps.tenants, series.tenant))),
    }
  },
)

function worstFirst(a: SeriesTotals, b: SeriesTotals): number {
  return (
    b.paymentRequired - a.paymentRequired ||
    a.requests - b.requests ||
    a.tenant.localeCompare(b.tenant) ||
    a.api.localeCompare(b.api)
  )
}

function rowOf({ tenant, api, requests, paymentRequired, causes }: SeriesTotals, name: string | null) {
  return {
    tenant,
    tenant_name: name,
    api,
    ...counts(requests, paymentRequired),
    causes: Object.fromEntries(causes.map(({ cause, count }) => [cause, count])),
  }
}

function totalOf(all: readonly SeriesTotals[]) {
  let requests = 0
  let refused = 0
  for (const series of all) {
    requests += series.requests
    refused += series.paymentRequired
  }
  return counts(requests, refused)
}

function counts(requests: number, refused: number) {
  return { requests, payment_required: refused, ratio: requests > 0 ? refused / requests : null }
}
