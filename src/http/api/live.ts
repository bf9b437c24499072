import { z } from 'zod'
import type { Alert } from '../../alert/alert.ts'
import type { EpochMs } from '../../time/clock.ts'
import { minuteMs, parseDuration } from '../../time/duration.ts'
import { formatInstant } from '../../time/instant.ts'
import { type SeriesTotals, sliceMs, windowLengthsMs } from '../../window/view.ts'
import { count, nameOf, ratio, tenantName, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { durationText, filterInput, limitText, wholeText } from '../parameters.ts'

const longestMs = windowLengthsMs['1h']

const windowText = durationText
  .refine((text) => (parseDuration(text) ?? 0) % sliceMs === 0, { error: 'must be a multiple of 10s' })
  .refine((text) => (parseDuration(text) ?? 0) <= longestMs, {
    error: 'is longer than the 1h kept in memory; ask /api/v1/summary for longer spans',
  })

const row = z.object({ requests: count, payment_required: count, ratio })

const liveRow = row.extend({
  tenant: z.string(),
  tenant_name: tenantName,
  api: z.string(),
  causes: z.record(z.string(), count),
  sparkline: z.array(count).optional().describe('Refusals of each minute, the oldest first; the newest is not over.'),
  since: time.nullable().describe('Since when the oldest firing alert about it holds; null where none fires.'),
  normal: z
    .object({
      expected: z.number().nonnegative().describe('Refusals that so many requests usually bring.'),
      times: z.number().nonnegative().describe('Refusals there are for each one that is expected.'),
    })
    .nullable()
    .describe('What the spike rules take for normal; null where nothing is refused, or they know nothing of it.'),
})

/** What a page asks of the windows. */
export const liveInput = z.strictObject({
  window: windowText.default('5m').describe('How far to look back, 10s to 1h.'),
  tenant: filterInput.tenant,
  api: filterInput.api,
  limit: limitText(10_000, 200),
  sparkline: wholeText({ least: 0, most: 60, standard: 0 }).describe('Gives each row its last minutes, 0 to 60.'),
})

export const liveAnswer = z.object({
  at: time.nullable().describe('End of the window; null before the first record.'),
  watermark: time.nullable().describe('Up to here all input has been read, as far as we know.'),
  window_ms: count,
  series: count.describe('How many series there are, shown or not.'),
  total: row.describe('Over all series, shown or not.'),
  rows: z.array(liveRow),
})

/** The rolling window that ends with the newest record, so that a fresh record shows at once. */
export const live = endpoint(
  {
    method: 'GET',
    path: '/api/v1/live',
    summary: 'The last minutes from memory, worst first; times are event times.',
    scope: 'read',
    forTenants: true,
    input: liveInput,
    answer: liveAnswer,
  },
  ({ input }, deps) => liveNow(input, deps),
)

export function liveNow(input: z.output<typeof liveInput>, deps: HttpDeps): z.output<typeof liveAnswer> {
  const windowMs = parseDuration(input.window) ?? longestMs
  const view = deps.view()
  const headMs = view?.headMs ?? null
  const watermarkMs = deps.watermarkMs()
  const all = view === null || headMs === null ? [] : view.totals(headMs - windowMs, headMs)
  const chosen = all.filter(({ tenant, api }) => (input.tenant ?? tenant) === tenant && (input.api ?? api) === api)
  const firing = new FiringSince(deps.alerts())
  const rows = chosen.toSorted(worstFirst).slice(0, Number(input.limit))
  return {
    at: headMs === null ? null : formatInstant(headMs),
    watermark: watermarkMs === null ? null : formatInstant(watermarkMs),
    window_ms: windowMs,
    series: chosen.length,
    total: totalOf(chosen),
    rows: rows.map((series) => ({
      ...rowOf(series, nameOf(deps.tenants, series.tenant)),
      ...sparklineOf(series, { headMs, minutes: Number(input.sparkline) }, deps),
      since: firing.of(series),
      normal: normalOf(series, windowMs, deps),
    })),
  }
}

/** Minutes of the clock, so that a bar once drawn keeps its place. */
function sparklineOf(
  series: SeriesTotals,
  { headMs, minutes }: { headMs: EpochMs | null; minutes: number },
  deps: HttpDeps,
): { sparkline?: number[] } {
  if (headMs === null || minutes === 0) return {}
  return { sparkline: [...deps.refusalsByMinute(series, Math.ceil(headMs / minuteMs) * minuteMs, minutes)] }
}

function normalOf({ tenant, api, requests, paymentRequired }: SeriesTotals, spanMs: number, { rules }: HttpDeps) {
  if (paymentRequired === 0) return null
  const expected = rules.usual({ tenant, api }, { requests, spanMs })
  return expected === null || expected <= 0 ? null : { expected, times: paymentRequired / expected }
}

/** The oldest firing alert about each tenant, or one of its APIs. */
class FiringSince {
  readonly #since = new Map<string, EpochMs>()

  constructor(alerts: readonly Alert[]) {
    for (const { state, labels, activeAtMs } of alerts) {
      const { tenant, api } = labels
      if (state !== 'firing' || tenant === undefined) continue
      const key = JSON.stringify([tenant, api ?? null])
      this.#since.set(key, Math.min(activeAtMs, this.#since.get(key) ?? activeAtMs))
    }
  }

  of({ tenant, api }: SeriesTotals): string | null {
    const found = [api, null].flatMap((one) => this.#since.get(JSON.stringify([tenant, one])) ?? [])
    return found.length === 0 ? null : formatInstant(Math.min(...found))
  }
}

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

export function totalOf(all: readonly SeriesTotals[]) {
  let requests = 0
  let refused = 0
  for (const series of all) {
    requests += series.requests
    refused += series.paymentRequired
  }
  return counts(requests, refused)
}

export function counts(requests: number, refused: number) {
  return { requests, payment_required: refused, ratio: requests > 0 ? refused / requests : null }
}
