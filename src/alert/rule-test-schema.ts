import { z } from 'zod'
import { tenantSchema } from '../tenants/tenant-schema.ts'
import { dayMs, parseDuration } from '../time/duration.ts'

/* The shape of a test file; what the parts mean is said in `rule-test-file.ts`. */

const duration: z.ZodType<number> = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no duration` })
  return z.NEVER
})

const span = z.string().transform((text, context) => {
  const [from, to] = text.split('..').map((part) => parseDuration(part))
  if (typeof from === 'number' && typeof to === 'number' && from <= to) return { fromMs: from, toMs: to }
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no span such as 2h00m..2h49m` })
  return z.NEVER
})

const expectedAlert = z.strictObject({
  exp_labels: z.record(z.string(), z.coerce.string()).default({}),
  exp_annotations: z.record(z.string(), z.string()).default({}),
  exp_value: z
    .strictObject({ min: z.number().optional(), max: z.number().optional(), baseline_max: z.number().optional() })
    .default({}),
  match: z.enum(['subset', 'exact']).default('subset'),
})

const generator = z.strictObject({
  process: z.enum(['poisson', 'batch']).default('poisson'),
  mean: z.number().min(0).max(1_000_000),
  batch: z.number().min(1).max(10_000).default(1),
  seed: z.int().min(0).default(1),
  for: duration.refine((ms) => ms <= 7 * dayMs, { error: 'is longer than 7d' }),
})

const inputSeries = z.strictObject({
  series: z.string(),
  values: z.union([z.string(), z.number()]).optional(),
  generate: generator.optional(),
})

const notificationTest = z.strictObject({
  receiver: z.string().min(1),
  exp: z.array(
    z.strictObject({
      at: duration,
      status: z.enum(['firing', 'resolved']).default('firing'),
      in_thread_of: z.int().min(0).optional(),
    }),
  ),
  tolerance: duration.default(60_000),
})

export const testSchema = z.strictObject({
  name: z.string().min(1),
  start_timestamp: z.string().default('2026-03-02T00:00:00Z'),
  input_series: z.array(inputSeries).default([]),
  tenants: z.record(z.string(), tenantSchema).default({}),
  input_stalls: z.array(span).default([]),
  alert_rule_test: z
    .array(z.strictObject({ eval_time: duration, rule: z.string(), exp_alerts: z.array(expectedAlert) }))
    .default([]),
  timeline_test: z
    .array(z.strictObject({ rule: z.string(), exp_firing: z.array(span), tolerance: duration.default(60_000) }))
    .default([]),
  notification_test: z.array(notificationTest).default([]),
  route_test: z
    .array(
      z.strictObject({ labels: z.record(z.string(), z.coerce.string()), exp_receivers: z.array(z.string()).min(1) }),
    )
    .default([]),
  only_rules: z.array(z.string()).optional(),
  expect_no_other_alerts: z.boolean().default(false),
})

export type TestInput = z.infer<typeof testSchema>

export const fileSchema = z.strictObject({
  rule_files: z.array(z.string()).min(1),
  notify_file: z.string().optional(),
  evaluation_interval: duration.default(60_000),
  tests: z.array(z.unknown()).min(1),
})
