import { z } from 'zod'
import { count } from '../answers.ts'
import { endpoint, noInput } from '../endpoint.ts'

export const verify = endpoint(
  {
    method: 'GET',
    path: '/api/v1/history/verify',
    scope: 'read',
    summary: 'Proves that history is whole: no gap and no overlap in any lane, and all tables agree.',
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
      lane_count: count.describe('All lanes; at most 1,000 are listed, those with something wrong among them.'),
      checks: z.array(
        z.object({
          name: z.string().describe('The two tables, such as "rollup_10s and rollup_1m".'),
          ok: z.boolean(),
          since: z.string().nullable().describe('From when on they were compared; null where one is not kept.'),
          hours: count.describe('What was compared: hours, hours of each lane, or ranges of offsets.'),
          unequal: count,
          left_out: count.describe('Hours that entries of version 0.1 tell nothing exact about.'),
        }),
      ),
      erasures: count.describe('Erasures of tenants that were taken into account.'),
      totals: z.record(z.string(), z.object({ requests: count.nullable(), payment_required: count })),
    }),
    problems: [503],
  },
  (_, deps) => deps.verify(),
)
