import { z } from 'zod'
import { dayMs, hourMs, minuteMs, parseDuration } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import { severities } from './alert.ts'
import { measures, rearmEvents, seriesLabels } from './rule.ts'

/** A duration as text, to milliseconds within bounds and in whole slices. */
export function duration(bounds: { least: number; most: number }): z.ZodType<number> {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text)
    if (ms === null) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no duration` })
    else if (ms < bounds.least) context.addIssue({ code: 'custom', message: `${text} is too short` })
    else if (ms > bounds.most) context.addIssue({ code: 'custom', message: `${text} is too long` })
    else if (ms % sliceMs !== 0) context.addIssue({ code: 'custom', message: `${text} is not a multiple of 10s` })
    else return ms
    return z.NEVER
  })
}

const levels = z.strictObject({
  info: z.number().gt(0).optional(),
  ticket: z.number().gt(0).optional(),
  page: z.number().gt(0).optional(),
})

export type LevelsInput = z.infer<typeof levels>

const threshold = z.strictObject({
  type: z.literal('threshold'),
  measure: z.enum(measures),
  above: z.number().min(0).optional(),
  below: z.number().min(0).optional(),
  levels: levels.optional(),
  recover: z.number().min(0).optional(),
  over: z.enum(['requests', 'refusals']).default('requests'),
  min_total: z.int().min(0).default(50),
  min_count: z.int().min(0).default(5),
  min_share: z.number().min(0).max(1).default(0),
  confidence: z.number().min(0.5).max(0.9999).default(0.99),
})

const spike = z.strictObject({
  type: z.literal('spike'),
  exposure: z.enum(['requests', 'time']).default('requests'),
  also_window: duration({ least: 2 * sliceMs, most: hourMs }).default(hourMs),
  baseline: z
    .strictObject({
      half_life: duration({ least: hourMs, most: 28 * dayMs }).default(dayMs),
      seasonal: z.literal('none').default('none'),
    })
    .default({ half_life: dayMs, seasonal: 'none' }),
  false_alerts_per_week: z.number().gt(0).max(1000).default(1),
  min_count: z.int().min(1).default(5),
  min_ratio: z.number().min(1).max(1000).default(2),
  direction: z.enum(['up', 'down', 'both']).default('up'),
  max_tenant_share: z.number().gt(0).max(1).default(1),
})

const quotaForecast = z.strictObject({
  type: z.literal('quota_forecast'),
  levels: levels.optional(),
  forecast: z
    .strictObject({
      within: duration({ least: 10 * minuteMs, most: 31 * dayMs }).default(dayMs),
      probability: z.number().min(0.5).max(0.999).default(0.8),
      min_used: z.number().min(0).max(1).default(0.2),
    })
    .optional(),
  rearm_on: z.array(z.enum(rearmEvents)).default([...rearmEvents]),
})

const burnWindow = z.strictObject({
  long: duration({ least: 10 * minuteMs, most: 3 * dayMs }),
  short: duration({ least: sliceMs, most: dayMs }),
  factor: z.number().gt(0),
  severity: z.enum(severities).optional(),
})

const burnRate = z.strictObject({
  type: z.literal('burn_rate'),
  bad: z.literal('payment_required').default('payment_required'),
  objective: z.number().gt(0).lt(100),
  period: duration({ least: dayMs, most: 90 * dayMs }).default(30 * dayMs),
  windows: z.union([z.literal('google'), z.array(burnWindow).min(1).max(6)]).default('google'),
  min_bad: z.int().min(1).default(20),
})

const topPattern = /^top\((\d{1,6})\)$/

const absence = z.strictObject({
  type: z.literal('absence'),
  of: z.literal('requests').default('requests'),
  longer_than: z.union([z.literal('learned'), duration({ least: minuteMs, most: 7 * dayMs })]).default('learned'),
  at_least: duration({ least: minuteMs, most: 7 * dayMs }).default(15 * minuteMs),
  among: z
    .string()
    .transform((text, context) => {
      if (text === 'all') return null
      const count = Number(topPattern.exec(text)?.[1] ?? 0)
      if (count > 0) return count
      context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is neither all nor top(N)` })
      return z.NEVER
    })
    .default(200),
  learn_for: duration({ least: hourMs, most: 28 * dayMs }).default(7 * dayMs),
})

const stalledInput = z.strictObject({
  type: z.literal('stalled_input'),
  watermark_age: duration({ least: 30_000, most: dayMs }).optional(),
  or_lag_seconds: z.number().gt(0).optional(),
})

const newValue = z.strictObject({
  type: z.literal('new_value'),
  of: z.enum(seriesLabels),
  memory: duration({ least: hourMs, most: 90 * dayMs }).default(30 * dayMs),
  min_count: z.int().min(1).default(3),
})

const beforeEnd = duration({ least: hourMs, most: 366 * dayMs })

const expiry = z.strictObject({
  type: z.literal('expiry'),
  levels: z
    .strictObject({ info: beforeEnd.optional(), ticket: beforeEnd.optional(), page: beforeEnd.optional() })
    .default({ info: 30 * dayMs, ticket: 7 * dayMs }),
})

/** One condition as it stands in a file; what it means is checked in `read-condition.ts`. */
export const conditionSchema = z.discriminatedUnion('type', [
  threshold,
  spike,
  quotaForecast,
  burnRate,
  absence,
  stalledInput,
  newValue,
  expiry,
])

export type ConditionInput = z.infer<typeof conditionSchema>

export const conditionTypes: readonly ConditionInput['type'][] = conditionSchema.options.map(
  ({ shape }) => shape.type.value,
)

const levelFix = 'write a number above 0; for expiry a duration from 1h to 366d, such as 7d'

/** What to do about a bad value of a condition, by the name of the field it stands in. */
export const conditionFixes: Readonly<Record<string, string>> = {
  condition: `write type: and one of ${conditionTypes.join(', ')}, with its fields; or all: or any: with a list of them`,
  all: 'write a list of at least two conditions',
  any: 'write a list of at least two conditions',
  type: `use one of ${conditionTypes.join(', ')}`,
  measure: `use one of ${measures.join(', ')}`,
  above: 'write a number from 0 up; a ratio lies between 0 and 1',
  below: 'write a number from 0 up; a ratio lies between 0 and 1',
  levels: 'write severities with numbers, such as {ticket: 0.05, page: 0.2}; for expiry {info: 30d, ticket: 7d}',
  info: levelFix,
  ticket: levelFix,
  page: levelFix,
  recover: 'write a number on the healthy side of the bound, or leave it out',
  over: 'use requests or refusals',
  min_total: 'write a whole number from 1 up',
  min_count: 'write a whole number from 0 up (for spike and new_value from 1 up)',
  min_share: 'write a number from 0 to 1',
  confidence: 'write a number from 0.5 to 0.9999, such as 0.99',
  exposure: 'use requests, or time if only refusals are logged',
  baseline: 'write {half_life: 1d, seasonal: none} or leave it out',
  half_life: 'write a duration from 1h to 28d, such as 1d',
  also_window: 'write a duration longer than window, up to 1h',
  seasonal: 'use none; exposure: requests needs no season',
  false_alerts_per_week: 'write a number above 0, such as 1',
  min_ratio: 'write a number from 1 up, such as 2',
  direction: 'use up, down or both',
  max_tenant_share: 'write a number above 0 up to 1, such as 0.5',
  forecast: 'write {within: 24h, probability: 0.8, min_used: 0.2} or a part of it',
  within: 'write a duration from 10m to 31d, such as 24h',
  probability: 'write a number from 0.5 to 0.999, such as 0.8',
  min_used: 'write a share of the limit from 0 to 1, such as 0.2',
  rearm_on: `write a list with any of ${rearmEvents.join(', ')}`,
  bad: 'use payment_required; matchers choose the causes',
  objective: 'write a percentage between 0 and 100, such as 99.5',
  period: 'write a duration from 1d to 90d, such as 30d',
  windows: 'write google, or a list such as [{long: 1h, short: 5m, factor: 14.4, severity: page}]',
  long: 'write a duration from 10m to 3d',
  short: 'write a duration shorter than long, such as a twelfth of it',
  factor: 'write a number above 0, such as 14.4',
  min_bad: 'write a whole number from 1 up',
  of: `use requests for absence; for new_value one of ${seriesLabels.join(', ')}`,
  longer_than: 'write learned, or a duration from 1m to 7d',
  at_least: 'write a duration from 1m to 7d, such as 15m',
  among: "write all or 'top(200)'",
  learn_for: 'write a duration from 1h to 28d, such as 7d',
  watermark_age: 'write a duration from 30s to 1d, such as 3m',
  or_lag_seconds: 'write a number above 0, such as 120',
  memory: 'write a duration from 1h to 90d, such as 30d',
}
