import { z } from 'zod'

/** Settings under `tenants:`. */
export const tenantOptions = z.strictObject({
  file: z
    .string()
    .min(1)
    .optional()
    .describe('Who the tenants are: id to name, plan, time zone and contacts. Read again when it changes.'),
})
