import { z } from 'zod'
import { formatInstant } from '../../time/instant.ts'
import { count, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint, noInput } from '../endpoint.ts'
import { Problem } from '../problem.ts'

export const health = endpoint(
  {
    method: 'GET',
    path: '/healthz',
    scope: 'open',
    summary: 'Whether the process answers at all.',
    input: noInput,
    answer: z.object({ ok: z.literal(true) }),
  },
  () => ({ ok: true as const }),
)

export const readiness = endpoint(
  {
    method: 'GET',
    path: '/readyz',
    scope: 'open',
    summary: 'Whether the daemon reads, counts and writes; 503 with the reasons when it does not.',
    input: noInput,
    answer: z.object({ ready: z.literal(true), reasons: z.array(z.string()) }),
    problems: [503],
  },
  (_, deps) => {
    const reasons = deps.ready()
    if (reasons.length > 0) throw new Problem(503, reasons.join('; '), { reasons })
    return { ready: true as const, reasons }
  },
)

export const statusAnswer = z.object({
  title: z.string(),
  version: z.string(),
  demo: z.boolean().describe('Whether the traffic is made up.'),
  now: time,
  started: time,
  watermark: time.nullable(),
  lag_records: count.nullable(),
  oldest_unwritten_seconds: z.number().nonnegative(),
  series: count,
  folded_total: count,
  ready: z.boolean(),
  reasons: z.array(z.string()),
})

/** @param title what the page is called */
export function status(title: string) {
  return endpoint(
    {
      method: 'GET',
      path: '/api/v1/status',
      scope: 'read',
      summary: 'What runs here and how far it has come.',
      input: noInput,
      answer: statusAnswer,
    },
    (_, deps) => statusNow(title, deps),
  )
}

export function statusNow(title: string, deps: HttpDeps): z.output<typeof statusAnswer> {
  const watermarkMs = deps.watermarkMs()
  const progress = deps.progress()
  const reasons = deps.ready()
  return {
    title,
    version: deps.version,
    demo: deps.demo,
    now: formatInstant(deps.clock.now()),
    started: formatInstant(deps.startedMs),
    watermark: watermarkMs === null ? null : formatInstant(watermarkMs),
    lag_records: progress.lagRecords,
    oldest_unwritten_seconds: progress.oldestUnwrittenSeconds,
    series: progress.series,
    folded_total: progress.foldedTotal,
    ready: reasons.length === 0,
    reasons: [...reasons],
  }
}
