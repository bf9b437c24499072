import { z } from 'zod'
import { matchesAll } from '../../alert/matcher.ts'
import { isCombined, type Rule } from '../../alert/rule.ts'
import { type Cause, causes, familyOf } from '../../classify/cause.ts'
import type { Trends } from '../../history/query.ts'
import type { EpochMs } from '../../time/clock.ts'
import { dayMs, hourMs } from '../../time/duration.ts'
import { formatInstant, parseInstant } from '../../time/instant.ts'
import { count, labels, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { durationText, instantText, readSelection, readStep } from '../parameters.ts'
import { Problem } from '../problem.ts'

/** How far back an alert that the rules have forgotten is looked for. */
const rememberedMs = 365 * dayMs

const point = z.object({
  time,
  observed: count.describe('Refusals that the alert is about.'),
  expected: z.number().nonnegative().nullable().describe('Of these, on a normal day; null where its rule knows none.'),
  upper: z.number().nonnegative().nullable().describe('From so many on, its rule would find too many in one step.'),
  requests: count,
  payment_required: count.describe('Refusals of the same tenant and API for any cause.'),
})

export const alertChart = endpoint(
  {
    method: 'GET',
    path: '/api/v1/alerts/{fingerprint}/chart',
    summary: 'What an alert is about, over time, with what its rule takes for normal now.',
    scope: 'read',
    forTenants: true,
    input: z.strictObject({
      fingerprint: z.string().min(1).max(100),
      from: instantText.optional().describe('Start, inclusive; an hour before the alert began when left out.'),
      to: instantText.default('now').describe('End, exclusive.'),
      step: durationText.optional().describe('Time between points; chosen to suit the span when left out.'),
    }),
    answer: z.object({
      rule: z.string(),
      labels,
      step_ms: count,
      fired_at: time.nullable(),
      resolved_at: time.nullable(),
      threshold: z
        .object({ measure: z.string(), side: z.enum(['above', 'below']), bound: z.number(), window_ms: count })
        .nullable()
        .describe('The bound of a threshold rule, in the unit of its measure; null for other rules.'),
      points: z.array(point),
    }),
    problems: [404, 503],
  },
  async ({ input }, deps) => {
    const now = deps.clock.now()
    const about = await aboutOf(input.fingerprint, deps)
    if (about === null) throw new Problem(404, `There is and was no alert with the fingerprint ${input.fingerprint}.`)
    const toMs = parseInstant(input.to, now) ?? now
    const usualFrom = Math.min(about.sinceMs, toMs) - hourMs
    const { tenant, api } = about.labels
    const select = {
      ...readSelection({ from: input.from ?? String(Math.max(0, usualFrom)), to: input.to }, now),
      ...(tenant === undefined ? {} : { tenant }),
      ...(api === undefined ? {} : { api }),
    }
    const stepMs = readStep(input.step, select)
    const trends = await deps.queries.trends({ ...select, stepMs, by: ['cause'], limit: causes.length + 1 })
    const rule = deps.rules.find(about.rule)
    const band = deps.rules.band(input.fingerprint)
    const sums = sumsOf(trends, (cause) => concerns(cause, about.labels, rule))
    const points = []
    for (let at = Math.floor(select.fromMs / trends.step_ms) * trends.step_ms; at < select.toMs; at += trends.step_ms) {
      const { observed, requests, refused } = sums.get(at) ?? { observed: 0, requests: 0, refused: 0 }
      const { expected, upper } = band?.({ requests, spanMs: trends.step_ms }) ?? { expected: null, upper: null }
      points.push({ time: formatInstant(at), observed, expected, upper, requests, payment_required: refused })
    }
    return {
      ...{ rule: about.rule, labels: about.labels, step_ms: trends.step_ms },
      ...{ fired_at: about.firedAt, resolved_at: about.resolvedAt, threshold: thresholdOf(rule), points },
    }
  },
)

interface About {
  readonly rule: string
  readonly labels: Readonly<Record<string, string>>
  readonly sinceMs: EpochMs
  readonly firedAt: string | null
  readonly resolvedAt: string | null
}

/** The alert as the rules have it, else as history has it. */
async function aboutOf(fingerprint: string, { alerts, queries, clock }: HttpDeps): Promise<About | null> {
  const instant = (ms: EpochMs | null) => (ms === null ? null : formatInstant(ms))
  const alert = alerts().find((one) => one.fingerprint === fingerprint)
  if (alert !== undefined) {
    const { rule, labels: own, activeAtMs, firedAtMs, resolvedAtMs } = alert
    return { rule, labels: own, sinceMs: activeAtMs, firedAt: instant(firedAtMs), resolvedAt: instant(resolvedAtMs) }
  }
  const now = clock.now()
  const { rows } = await queries.alerts({ fromMs: now - rememberedMs, toMs: now + dayMs, fingerprint, limit: 20 })
  const [newest] = rows
  const fired = rows.find(({ state }) => state === 'firing')
  if (newest === undefined) return null
  return {
    ...{ rule: newest.rule, labels: newest.labels, sinceMs: Date.parse((fired ?? newest).time) },
    firedAt: fired?.time ?? null,
    resolvedAt: newest.state === 'resolved' ? newest.time : null,
  }
}

/** Whether refusals of a cause are among those that an alert counts. */
function concerns(name: string, own: Readonly<Record<string, string>>, rule: Rule | null): boolean {
  const cause = causes.find((one): one is Cause => one === name)
  if (cause === undefined) return false
  if (own['cause'] !== undefined) return own['cause'] === cause
  const known = { cause, family: familyOf[cause] }
  if ((own['family'] ?? known.family) !== known.family) return false
  const about = (rule?.matchers ?? []).filter(({ label }) => label === 'cause' || label === 'family')
  return matchesAll(about, known)
}

/** The counts of each step: requests stand beside every cause, and count once. */
function sumsOf({ series }: Trends, isOwn: (cause: string) => boolean) {
  const sums = new Map<EpochMs, { requests: number; refused: number; observed: number }>()
  for (const { labels: own, points } of series) {
    const counted = isOwn(own['cause'] ?? '')
    for (const { time: at, requests, payment_required } of points) {
      const sum = sums.get(Date.parse(at)) ?? { requests: 0, refused: 0, observed: 0 }
      sums.set(Date.parse(at), sum)
      sum.requests = Math.max(sum.requests, requests)
      sum.refused += payment_required
      if (counted) sum.observed += payment_required
    }
  }
  return sums
}

function thresholdOf(rule: Rule | null) {
  const condition = rule?.condition
  if (rule === null || condition === undefined || isCombined(condition) || condition.type !== 'threshold') return null
  const { measure, side, bound } = condition
  return { measure, side, bound, window_ms: rule.windowMs }
}
