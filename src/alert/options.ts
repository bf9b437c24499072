import { z } from 'zod'

/** The word in `rules` that stands for the rules that come with Tollwatch. */
export const shippedRules = 'shipped'

/** The `alerts` section of tollwatch.yaml. */
export const alertOptions = z.strictObject({
  rules: z
    .array(z.string().min(1))
    .default([shippedRules])
    .describe('Rule files: paths or patterns such as rules/*.rules.yaml; "shipped" stands for the built-in rules.'),
  baseline_series_limit: z
    .int()
    .min(100)
    .max(5_000_000)
    .default(200_000)
    .describe(
      'The most series one rule keeps a baseline, or another memory, for; those beyond are counted, not judged.',
    ),
})
