import { z } from 'zod'
import { dayMs, hourMs } from '../time/duration.ts'
import { sliceMs } from '../window/view.ts'
import { severities } from './alert.ts'
import { conditionFixes, duration } from './condition-schema.ts'
import { ownLabels, seriesLabels } from './rule.ts'

const windowDuration = duration({ least: sliceMs, most: hourMs })
const waitDuration = duration({ least: 0, most: 7 * dayMs })
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'is no label name')
const labelSet = z.record(labelName, z.coerce.string())

/** One rule as it stands in a file; its condition is read by itself, see `condition-schema.ts`. */
export const ruleSchema = z.strictObject({
  rule: z.string().min(1).max(200).optional(),
  alert: z.string().min(1).max(200).optional(),
  group_by: z.array(z.enum([...seriesLabels, ...ownLabels])).optional(),
  matchers: z.array(z.string()).default([]),
  window: windowDuration.optional(),
  condition: z.unknown(),
  for: waitDuration.default(0),
  keep_firing_for: waitDuration.optional(),
  severity: z.enum(severities).optional(),
  labels: labelSet.default({}),
  annotations: z.record(labelName, z.string()).default({}),
  mode: z.enum(['live', 'shadow']).default('live'),
  no_data: z.enum(['pause', 'ok', 'alert']).default('pause'),
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

const waits = 'write a duration such as 30s, 5m or 1h, in steps of 10s'

/** What to do about a bad value, by the name of the field it stands in. */
export const fixes: Readonly<Record<string, string>> = {
  ...conditionFixes,
  version: 'write version: 1',
  groups: 'write a list of groups, each with a name and rules',
  name: 'give the group a name',
  interval: 'write 10s, 30s, 1m, 5m, or another multiple of 10s that divides a day',
  limit: 'write a whole number from 1 to 100000',
  rules: 'write a list with at least one rule',
  rule: 'give the rule a name, as rule: NAME (or alert: NAME)',
  group_by: `use any of ${seriesLabels.join(', ')}; quota_forecast also has quota, stalled_input has topic`,
  matchers: `write a list of texts such as 'cause="quota_exceeded"'`,
  window: 'write a duration from 10s to 1h in steps of 10s, such as 5m',
  for: waits,
  keep_firing_for: waits,
  severity: `use one of ${severities.join(', ')}`,
  labels: 'write label names with texts, such as team: billing',
  annotations: 'write names with texts, such as summary: "…"',
  mode: 'use live, or shadow for a rule on trial',
  no_data: 'use pause (freeze while the input is stale), ok (take it for calm) or alert (say so)',
}
