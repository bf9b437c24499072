import { z } from 'zod'
import { parseDuration } from './duration.ts'

/** A setting such as `30s` or `1h30m`, read as milliseconds. */
export function duration(fallback: string) {
  return z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDuration(text)
      if (ms === null) {
        context.addIssue({ code: 'custom', message: `"${text}" is no duration; write it like 10s, 5m, 1h or 1d` })
        return z.NEVER
      }
      return ms
    })
}
