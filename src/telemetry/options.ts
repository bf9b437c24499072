import { z } from 'zod'
import { listenSetting } from './address.ts'
import { logLevels } from './log.ts'

/** Settings under `telemetry:`. */
export const telemetryOptions = z.strictObject({
  listen: listenSetting
    .default('127.0.0.1:9464')
    .describe(
      'Where Prometheus scrapes /metrics. It shows tenant names and has no login: keep it on a private address.',
    ),
  top_series: z
    .int()
    .min(1)
    .max(100_000)
    .default(1_000)
    .describe('How many (tenant, api) pairs get metrics of their own; the rest is summed under __other__.'),
  log_level: z.enum(logLevels).default('info').describe('The least severe line the log shows.'),
})
