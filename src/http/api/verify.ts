import { z } from 'zod'
import { count } from '../answers.ts'
import { endpoint, noInput } from '../endpoint.ts'

export const verify = endpoint(
  {
    method: 'GET',
    path: '/api/v1/history/verify',
    summary: 'Proves that history is whole: no gap and no overlap in any lane, and the tiers agree.',
    input: noInput,
    answer: z.object({
      ok: z.boolean(),
      problems: z.array(z.string()),
      lanes: z.array(
        z.object({
          source: z.string(),
          lane: count,
          ranges: count,
          lo: count,
          hi: count,
          requests: count,
          payment_required: count,
          skipped: count,
          dead_letters: count,
          missing: count.describe('Offsets that no range covers.'),
          doubled: count.describe('Offsets that more than one range covers.'),
          declared_gaps: count.describe('Offsets that were deleted before they could be read.'),
        }),
      ),
      totals: z.record(z.string(), z.object({ requests: count.nullable(), payment_required: count })),
    }),
    problems: [503],
  },
  (_, deps) => deps.verify(),
)
