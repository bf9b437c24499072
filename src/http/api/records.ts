import { z } from 'zod'
import { count, nameOf, tenantName, time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { filterInput, limitText, rangeInput, readSelection } from '../parameters.ts'

const text = z.string().nullable()

export const events = endpoint(
  {
    method: 'GET',
    path: '/api/v1/events',
    summary: 'Refused requests one by one, newest first.',
    input: z.strictObject({ ...rangeInput, ...filterInput, limit: limitText(10_000, 100) }),
    answer: z.object({
      rows: z.array(
        z.object({
          time,
          tenant: z.string(),
          tenant_name: tenantName,
          api: z.string(),
          cause: z.string(),
          cause_code: text,
          cause_source: text,
          kind: z.string().describe('payment_required counts in rates; equivalent, upstream_402 and challenge do not.'),
          method: text,
          consumer: text,
          plan: text,
          latency_ms: z.number().nullable(),
          request_id: text,
          format: z.string(),
        }),
      ),
    }),
    problems: [503],
  },
  async ({ input }, { queries, tenants, clock }) => {
    const { rows } = await queries.events({ ...readSelection(input, clock.now()), limit: Number(input.limit) })
    return { rows: rows.map((row) => ({ ...row, tenant_name: nameOf(tenants, row.tenant) })) }
  },
)

export const deadLetters = endpoint(
  {
    method: 'GET',
    path: '/api/v1/dead-letters',
    summary: 'What could not be read, with its place in the input and a masked sketch of its shape.',
    input: z.strictObject({ ...rangeInput, limit: limitText(10_000, 100) }),
    answer: z.object({
      rows: z.array(
        z.object({
          time,
          reason: z.string(),
          source: z.string(),
          partition: count,
          offset: count,
          index: count,
          bytes: count,
          message: z.string(),
          sketch: z.string(),
        }),
      ),
    }),
    problems: [503],
  },
  ({ input }, { queries, clock }) => {
    const { fromMs, toMs } = readSelection(input, clock.now())
    return queries.deadLetters({ fromMs, toMs, limit: Number(input.limit) })
  },
)
