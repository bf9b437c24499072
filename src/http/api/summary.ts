import { z } from 'zod'
import { count, nameOf, ratio, tenantName } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { byInput, filterInput, limitText, rangeInput, readBy, readSelection } from '../parameters.ts'

export const summary = endpoint(
  {
    method: 'GET',
    path: '/api/v1/summary',
    summary: 'Totals over a span, from history, worst first. Rows have the keys asked for in `by`.',
    input: z.strictObject({ ...rangeInput, ...byInput, ...filterInput, limit: limitText(10_000, 100) }),
    answer: z.object({
      rows: z.array(
        z.object({
          tenant: z.string().optional(),
          tenant_name: tenantName.optional(),
          api: z.string().optional(),
          cause: z.string().optional(),
          requests: count,
          payment_required: count,
          ratio,
        }),
      ),
    }),
    problems: [503],
  },
  async ({ input }, { queries, tenants, clock }) => {
    const select = { ...readSelection(input, clock.now()), by: readBy(input), limit: Number(input.limit) }
    const { rows } = await queries.summary(select)
    if (!select.by.includes('tenant')) return { rows }
    return { rows: rows.map((row) => ({ ...row, tenant_name: nameOf(tenants, row.tenant) })) }
  },
)
