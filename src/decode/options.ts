import { z } from 'zod'
import { formatNames } from './decode.ts'
import { pathSegmentLimit } from './json.ts'
import { isTimeZone } from './time-zone.ts'

const dotted = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => text.split('.').length <= pathSegmentLimit, `has more than ${pathSegmentLimit} segments`)

/** One dotted path, or several of which the first that holds a value counts. */
const places = z.union([dotted.transform((path) => [path]), z.array(dotted).min(1).max(20)])

const candidates = z.partialRecord(z.enum(['any', ...formatNames]), places)

type LineField = string | readonly LineField[]

const lineField: z.ZodType<LineField> = z.lazy(() => z.union([z.string().min(1), z.array(lineField).min(1)]))

const customLayout = z.strictObject({
  status: places.describe('What the client got.'),
  time: places.optional().describe('Event time; without it the arrival time stands in.'),
  time_unit: z
    .enum(['iso', 'iso_utc', 'clf', 's', 'ms', 'us', 'ns'])
    .default('iso')
    .describe(
      'Notation of the time: ISO 8601 with a zone, without one (UTC), Common Log Format, or a count since 1970.',
    ),
  tenant: places.optional(),
  api: places.optional().describe('A stable name, or a path: paths lose their query and their ids.'),
  method: places.optional(),
  latency: places.optional(),
  latency_unit: z.enum(['ns', 'us', 'ms', 's']).default('ms'),
  request_id: places.optional(),
  consumer: places.optional(),
  plan: places.optional(),
  upstream_status: places.optional().describe('Last upstream attempt; empty means the gateway answered itself.'),
  cause_code: places.optional().describe('Places that hold a machine word for the cause.'),
  cause_text: places.optional().describe('Places that hold a message for people.'),
  response_body: places.optional().describe('Response bodies to search for the cause: JSON, cut JSON, SSE or text.'),
  response_headers: places.optional().describe('Objects of response headers.'),
})

const pathRuleSetting = z
  .string()
  .startsWith('/', 'must begin with /')
  .max(200)
  .describe('Segments: literal, {name} or * for any one, ** at the end for the rest.')

/** Settings under `decode:`. */
export const decodeOptions = z
  .strictObject({
    format: z
      .enum(['auto', ...formatNames])
      .default('auto')
      .describe('The gateway layout; auto recognises it and sticks to it per lane.'),
    max_value_bytes: z
      .int()
      .min(1)
      .max(256 * 1024 * 1024)
      .default(8 * 1024 * 1024)
      .describe('Larger values go to the dead letter unread.'),
    time_zone: z
      .string()
      .refine(isTimeZone, 'must be the name of a time zone, such as Europe/Berlin or UTC')
      .default('UTC')
      .describe('Whose clock a gateway shows that logs times without a zone: KrakenD, and time_local of Apinto.'),
    tenant: candidates
      .default({})
      .describe('Where to look for the tenant first, per format or under `any`; `none` at the end stops there.'),
    api: candidates
      .default({})
      .describe('Where to look for the API first, per format or under `any`; `none` at the end stops there.'),
    paths: z
      .strictObject({
        template: z
          .boolean()
          .default(true)
          .describe('Replace ids in paths, where a path has to serve as the API name.'),
        rules: z.array(pathRuleSetting).max(1_000).default([]).describe('Templates tried first, such as /v1/files/**.'),
      })
      .prefault({}),
    apipark_line: z
      .strictObject({
        fields: z
          .array(lineField)
          .min(1)
          .describe("The `fields` of Apinto's line formatter; a group is a nested list."),
      })
      .optional(),
    custom: customLayout.optional().describe('Where a layout of your own keeps its fields.'),
  })
  .superRefine((options, context) => {
    if (options.format === 'custom' && options.custom === undefined) {
      context.addIssue({ code: 'custom', path: ['custom'], message: 'format custom needs a `custom` mapping' })
    }
  })

export type DecodeOptions = z.output<typeof decodeOptions>
export type CustomLayout = z.output<typeof customLayout>
export type { LineField }
