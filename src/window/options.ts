import { z } from 'zod'
import { duration } from '../time/setting.ts'

export const windowOptions = z.strictObject({
  lateness: duration('30s').describe('How long the watermark waits behind the newest record of a lane.'),
  idle_after: duration('30s').describe(
    'A lane that is read to its end and silent this long no longer holds the watermark.',
  ),
  series_limit: z
    .int()
    .min(100)
    .default(100_000)
    .describe('Most (tenant, api) series kept live; beyond it new ones fold.'),
  series_limit_per_tenant: z.int().min(1).default(1_000).describe('Most APIs kept apart for one tenant.'),
})
