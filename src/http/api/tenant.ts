import { z } from 'zod'
import { Fault } from '../../fault/fault.ts'
import type { EpochMs } from '../../time/clock.ts'
import { formatInstant } from '../../time/instant.ts'
import { tenantName, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { alertsAnswer, alertsNow } from './alerts.ts'
import { liveAnswer, liveInput, liveNow } from './live.ts'

const quota = z.object({
  api: z.string().nullable().describe('Null where the rule that follows it does not tell APIs apart.'),
  quota: z.string().describe('Which of the quotas it is, such as month or the name of a policy.'),
  limit: z.number(),
  used: z.number(),
  share: z.number().describe('Used of the limit.'),
  resets: time.nullable(),
  source: z.enum(['header', 'learned']).describe('Told by the gateway, or learnt from where refusals began.'),
  runs_out: time.nullable().describe('When, if usage goes on like this; null for not before the reset, or unknown.'),
  probability: z.number().nullable().describe('Chance of running out in the time the rule looks ahead.'),
})

export const tenant = endpoint(
  {
    method: 'GET',
    path: '/api/v1/tenants/{tenant}',
    summary: 'All that is known of one tenant now.',
    scope: 'read',
    forTenants: true,
    input: z.strictObject({
      tenant: z.string().min(1).max(500).describe('Its id, as it stands in the access logs.'),
      window: liveInput.shape.window,
    }),
    answer: z.object({
      tenant: z.string(),
      tenant_name: tenantName,
      plan: z.string().nullable(),
      timezone: z.string().nullable(),
      expires: time.nullable().describe('When its subscription is over, from tenants.file.'),
      contact: z.record(z.string(), z.array(z.string())).nullable().describe('Mail addresses by purpose.'),
      quotas: z.array(quota),
      alerts: alertsAnswer.shape.alerts,
      live: liveAnswer.describe('Its series, with the last 30 minutes of each.'),
      first_seen: time.nullable().describe('To the hour, from history.'),
      last_seen: time.nullable().describe('To the minute, from history.'),
    }),
    problems: [404, 503],
  },
  async ({ input }, deps) => {
    const { tenant: id, window } = input
    const known = deps.tenants.find(id)
    const { alerts } = alertsNow(deps, ({ labels }) => labels['tenant'] === id)
    const live = liveNow({ window, tenant: id, limit: '1000', sparkline: '30' }, deps)
    const quotas = deps.rules.quotas(id).map(quotaOf)
    const isKnown = known !== null || alerts.length > 0 || live.series > 0 || quotas.length > 0
    const seen = await seenOf(id, isKnown, deps)
    if (!isKnown && seen === null) throw new Problem(404, 'Nothing is known of a tenant with this id.')
    return {
      tenant: id,
      tenant_name: known?.name ?? null,
      plan: known?.plan ?? null,
      timezone: known?.timezone ?? null,
      expires: known?.expires === undefined ? null : formatInstant(known.expires.atMs),
      contact: known === null || known.contacts.size === 0 ? null : Object.fromEntries(known.contacts),
      ...{ quotas, alerts, live },
      first_seen: seen === null ? null : formatInstant(seen.firstMs),
      last_seen: seen === null ? null : formatInstant(seen.lastMs),
    }
  },
)

/** History may be away; who is known otherwise is shown without it. */
async function seenOf(
  id: string,
  isKnown: boolean,
  { facts }: HttpDeps,
): Promise<{ firstMs: EpochMs; lastMs: EpochMs } | null> {
  try {
    return await facts.seen(id)
  } catch (error) {
    if (isKnown && error instanceof Fault && error.retryable) return null
    throw error
  }
}

function quotaOf(state: ReturnType<HttpDeps['rules']['quotas']>[number]) {
  const instant = (ms: EpochMs | null) => (ms === null ? null : formatInstant(ms))
  return {
    ...{ api: state.api, quota: state.quota, limit: state.limit, used: state.used },
    share: state.used / state.limit,
    resets: instant(state.resetAtMs),
    source: state.source,
    runs_out: instant(state.runsOutAtMs),
    probability: state.chance,
  }
}
