import { z } from 'zod'
import { Fault } from '../../fault/fault.ts'
import { hourMs } from '../../time/duration.ts'
import { formatInstant } from '../../time/instant.ts'
import { count, time } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint, noInput } from '../endpoint.ts'

const lane = z.object({
  source: z.string(),
  lane: count,
  label: z.string(),
  lag: count.nullable().describe('Records not read yet; null where it is not known.'),
  position: count.describe('The next offset to be read.'),
  problem: z.string().nullable(),
})

export const healthReport = endpoint(
  {
    method: 'GET',
    path: '/api/v1/health-report',
    summary: 'How the daemon itself is doing: inputs, history, dead letters, notifications.',
    scope: 'read',
    input: noInput,
    answer: z.object({
      lanes: z.array(lane),
      watermark: time.nullable(),
      lateness_ms: count.describe('How long the watermark waits behind the newest record.'),
      oldest_unwritten_seconds: z.number().nonnegative(),
      series: count,
      folded_total: count.describe('Records counted under __other__ because a limit of series was reached.'),
      memory_bytes: count.describe('Resident memory of the process.'),
      dead_letters: z
        .object({ last_hour: count, by_reason: z.record(z.string(), count) })
        .nullable()
        .describe('Null while history is away.'),
      verify: z
        .object({ at: time, ok: z.boolean(), problems: z.array(z.string()) })
        .nullable()
        .describe('The last proof that history is whole; null before anybody asked for one.'),
      notifications: z.record(z.string(), z.object({ ok: count, failed: count, waiting: count })),
      problems: z.array(z.string()),
    }),
  },
  async (_, deps) => {
    const { lanes, latenessMs, memoryBytes, verify, notifications } = deps.health()
    const { oldestUnwrittenSeconds, series, foldedTotal } = deps.progress()
    const watermarkMs = deps.watermarkMs()
    return {
      lanes,
      watermark: watermarkMs === null ? null : formatInstant(watermarkMs),
      lateness_ms: latenessMs,
      oldest_unwritten_seconds: oldestUnwrittenSeconds,
      ...{ series, folded_total: foldedTotal, memory_bytes: memoryBytes },
      dead_letters: await deadLettersOf(deps),
      verify:
        verify === null
          ? null
          : { at: formatInstant(verify.atMs), ok: verify.report.ok, problems: verify.report.problems },
      notifications: Object.fromEntries(notifications),
      problems: deps.ready(),
    }
  },
)

async function deadLettersOf({ facts, clock }: HttpDeps) {
  try {
    const reasons = await facts.deadLetterReasons(clock.now() - hourMs)
    const lastHour = [...reasons.values()].reduce((sum, one) => sum + one, 0)
    return { last_hour: lastHour, by_reason: Object.fromEntries(reasons) }
  } catch (error) {
    if (error instanceof Fault && error.retryable) return null
    throw error
  }
}
