import { z } from 'zod'
import { cursorShapes } from '../../history/query.ts'
import { count, nameOf, tenantName, time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { cursorText, filterInput, limitText, next, rangeInput, readSelection } from '../parameters.ts'

const text = z.string().nullable()

const event = z.object({
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
})

export const events = endpoint(
  {
    method: 'GET',
    path: '/api/v1/events',
    summary: 'Refused requests one by one, newest first.',
    scope: 'read',
    forTenants: true,
    input: z.strictObject({
      ...rangeInput,
      ...filterInput,
      limit: limitText(10_000, 100),
      cursor: cursorText(cursorShapes.events),
    }),
    answer: z.object({ rows: z.array(event), next }),
    table: ({ rows }) => ({ columns: Object.keys(event.shape), rows }),
    tagged: true,
    problems: [503],
  },
  async ({ input }, { queries, tenants, clock }) => {
    const page = pageOf(input)
    const { rows, next = null } = await queries.events({ ...readSelection(input, clock.now()), ...page })
    return { rows: rows.map((row) => ({ ...row, tenant_name: nameOf(tenants, row.tenant) })), next }
  },
)

const letter = z.object({
  time,
  reason: z.string(),
  source: z.string(),
  partition: count,
  offset: count,
  index: count,
  bytes: count,
  message: z.string(),
  sketch: z.string(),
})

export const deadLetters = endpoint(
  {
    method: 'GET',
    path: '/api/v1/dead-letters',
    summary: 'What could not be read, with its place in the input and a masked sketch of its shape.',
    scope: 'read',
    input: z.strictObject({
      ...rangeInput,
      limit: limitText(10_000, 100),
      cursor: cursorText(cursorShapes.deadLetters),
    }),
    answer: z.object({ rows: z.array(letter), next }),
    table: ({ rows }) => ({ columns: Object.keys(letter.shape), rows }),
    tagged: true,
    problems: [503],
  },
  async ({ input }, { queries, clock }) => {
    const { fromMs, toMs } = readSelection(input, clock.now())
    const { rows, next = null } = await queries.deadLetters({ fromMs, toMs, ...pageOf(input) })
    return { rows, next }
  },
)

function pageOf({ limit, cursor }: { limit: string; cursor?: string | undefined }) {
  return { limit: Number(limit), ...(cursor === undefined ? {} : { after: cursor }) }
}
