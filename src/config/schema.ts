import { z } from 'zod'
import { alertOptions } from '../alert/options.ts'
import { classifyOptions } from '../classify/options.ts'
import { decodeOptions } from '../decode/options.ts'
import { historyOptions } from '../history/options.ts'
import { httpOptions } from '../http/options.ts'
import { notifyOptions } from '../notify/options.ts'
import { sourceOptions } from '../source/options.ts'
import { telemetryOptions } from '../telemetry/options.ts'
import { tenantOptions } from '../tenants/options.ts'
import { windowOptions } from '../window/options.ts'

/** tollwatch.yaml: each stage's options under its name. Everything has a default; unknown keys are errors. */
export const configSchema = z.strictObject({
  source: sourceOptions.prefault({}),
  decode: decodeOptions.prefault({}),
  classify: classifyOptions.prefault({}),
  tenants: tenantOptions.prefault({}),
  window: windowOptions.prefault({}),
  history: historyOptions.prefault({}),
  dead_letter: z
    .strictObject({
      keep_raw: z
        .boolean()
        .default(false)
        .describe('Keep the bytes of unreadable records in history. They may hold secrets and personal data.'),
    })
    .prefault({}),
  alerts: alertOptions.prefault({}),
  notify: notifyOptions.prefault({}),
  http: httpOptions.prefault({}),
  telemetry: telemetryOptions.prefault({}),
})

export type Config = z.output<typeof configSchema>
