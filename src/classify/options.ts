import { z } from 'zod'
import { causes } from './cause.ts'
import { type WatchedStatus, wellKnown, wellKnownStatuses } from './well-known.ts'

const pattern = z.string().min(1).max(200)
const status = z.int().min(100).max(599)

const causeRule = z.strictObject({
  name: z.string().min(1).max(80).optional().describe('Shown as `rule:NAME` in cause_source; its number by default.'),
  when: z
    .strictObject({
      api: pattern.optional().describe('The API, with * for any run of characters.'),
      route: pattern.optional().describe('Another word for `api`.'),
      service: pattern.optional().describe('The service behind the API, where the layout names one; * allowed.'),
      tenant: pattern.optional(),
      status: status.optional(),
      code: pattern.optional().describe('A machine word of the response or the gateway, in any spelling; * allowed.'),
      text: pattern.optional().describe('Words in a message, at word boundaries, in any case.'),
    })
    .refine(
      (when) => Object.values(when).some((value) => value !== undefined),
      'needs at least one condition: api, service, tenant, status, code or text',
    ),
  cause: z.enum(causes),
})

const watched = z
  .strictObject({
    status,
    codes: z
      .array(pattern)
      .max(100)
      .default([])
      .describe('Machine words that make this status about money; * allowed.'),
    texts: z.array(pattern).max(100).default([]).describe('Words of a message that do, at word boundaries.'),
  })
  .refine(({ codes, texts }) => codes.length + texts.length > 0, 'needs at least one of codes and texts')

const watchList = z
  .array(z.union([z.literal(wellKnown), watched]))
  .max(100)
  .default([])
  .transform((entries): readonly WatchedStatus[] =>
    entries.flatMap((entry) => (entry === wellKnown ? wellKnownStatuses : [entry])),
  )

/** Settings under `classify:`. */
export const classifyOptions = z.strictObject({
  rules: z
    .array(causeRule)
    .max(1_000)
    .default([])
    .transform((rules) => rules.map((rule, i) => ({ ...rule, name: rule.name ?? String(i + 1) })))
    .describe('Causes of your own; the first rule that fits decides.'),
  watch: watchList.describe(
    'Other statuses that mean 402, counted apart: 429 with insufficient_quota, for example; `well-known` is a ready list.',
  ),
  count_challenges: z
    .boolean()
    .default(false)
    .describe('Count the first 402 of a machine payment (x402, Payment authentication), which is only the price tag.'),
})

export type ClassifyOptions = z.output<typeof classifyOptions>
export type CauseRule = ClassifyOptions['rules'][number]
