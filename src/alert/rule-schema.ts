import { z } from 'zod'
import { dayMs, hourMs, parseDuration } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import { severities } from './alert.ts'
import { measures, seriesLabels } from './rule.ts'

/** A duration as text, to milliseconds within bounds and in whole slices. */
function duration(bounds: { least: number; most: number }): z.ZodType<number> {
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

const windowDuration = duration({ least: sliceMs, most: hourMs })
const waitDuration = duration({ least: 0, most: 7 * dayMs })
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'is no label name')
const labelSet = z.record(labelName, z.coerce.string())

const threshold = z.strictObject({
  type: z.literal('threshold'),
  measure: z.enum(measures),
  above: z.number().min(0).optional(),
  below: z.number().min(0).optional(),
  recover: z.number().min(0).optional(),
  over: z.enum(['requests', 'refusals']).default('requests'),
  min_total: z.int().min(1).default(50),
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

/** One rule as it stands in a file; semantics are checked in `rule-files.ts`. */
export const ruleSchema = z.strictObject({
  rule: z.string().min(1).max(200).optional(),
  alert: z.string().min(1).max(200).optional(),
  group_by: z.array(z.enum(seriesLabels)).default(['tenant', 'api', 'cause']),
  matchers: z.array(z.string()).default([]),
  window: windowDuration.default(300_000),
  condition: z.discriminatedUnion('type', [threshold, spike]),
  for: waitDuration.default(0),
  keep_firing_for: waitDuration.optional(),
  severity: z.enum(severities).default('ticket'),
  labels: labelSet.default({}),
  annotations: z.record(labelName, z.string()).default({}),
  no_data: z.literal('pause').default('pause'),
})

export type RuleInput = z.infer<typeof ruleSchema>

export const groupSchema = z.strictObject({
  name: z.string().min(1),
  interval: duration({ least: sliceMs, most: hourMs }).default(60_000),
  limit: z.int().min(1).max(100_000).default(200),
  labels: labelSet.default({}),
  rules: z.array(z.unknown()).min(1),
})

export const fileSchema = z.strictObject({
  version: z.literal(1),
  groups: z.array(z.unknown()),
})

/** Parts of the rule format that are agreed but not built; naming them beats a bare "unknown key". */
export const laterConditions = ['quota_forecast', 'burn_rate', 'absence', 'stalled_input', 'new_value', 'all', 'any']

const waits = 'write a duration such as 30s, 5m or 1h, in steps of 10s'

/** What to do about a bad value, by the name of the field it stands in. */
export const fixes: Readonly<Record<string, string>> = {
  version: 'write version: 1',
  groups: 'write a list of groups, each with a name and rules',
  name: 'give the group a name',
  interval: 'write 10s, 30s, 1m, 5m, or another multiple of 10s that divides a day',
  limit: 'write a whole number from 1 to 100000',
  rules: 'write a list with at least one rule',
  rule: 'give the rule a name, as rule: NAME (or alert: NAME)',
  group_by: `use any of ${seriesLabels.join(', ')}`,
  matchers: `write a list of texts such as 'cause="quota_exceeded"'`,
  window: 'write a duration from 10s to 1h in steps of 10s, such as 5m',
  also_window: 'write a duration longer than window, up to 1h',
  condition: 'write type: threshold or type: spike with its fields',
  type: 'use threshold or spike',
  for: waits,
  keep_firing_for: waits,
  severity: `use one of ${severities.join(', ')}`,
  labels: 'write label names with texts, such as team: billing',
  annotations: 'write names with texts, such as summary: "…"',
  no_data: 'leave it out: rules pause while the input is stale',
  measure: `use one of ${measures.join(', ')}`,
  above: 'write a number from 0 up; a ratio lies between 0 and 1',
  below: 'write a number from 0 up; a ratio lies between 0 and 1',
  recover: 'write a number on the healthy side of the bound, or leave it out',
  over: 'use requests or refusals',
  min_total: 'write a whole number from 1 up',
  min_count: 'write a whole number from 0 up (for spike from 1 up)',
  min_share: 'write a number from 0 to 1',
  confidence: 'write a number from 0.5 to 0.9999, such as 0.99',
  exposure: 'use requests, or time if only refusals are logged',
  baseline: 'write {half_life: 1d, seasonal: none} or leave it out',
  half_life: 'write a duration from 1h to 28d, such as 1d',
  seasonal: 'use none; hour_of_week comes in a later release, and exposure: requests needs no season',
  false_alerts_per_week: 'write a number above 0, such as 1',
  min_ratio: 'write a number from 1 up, such as 2',
  direction: 'use up, down or both',
  max_tenant_share: 'write a number above 0 up to 1, such as 0.5',
}
