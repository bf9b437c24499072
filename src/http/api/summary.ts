import { z } from 'zod'
import type { GroupKey } from '../../history/query.ts'
import { count, nameOf, ratio, tenantName } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { byInput, filterInput, limitText, rangeInput, readBy, readSelection } from '../parameters.ts'

const measured = ['requests', 'payment_required', 'ratio']

/** The name stands beside the id. */
function columnsOf(by: readonly GroupKey[]): readonly string[] {
  return by.flatMap((key) => (key === 'tenant' ? ['tenant', 'tenant_name'] : [key]))
}

export const summary = endpoint(
  {
    method: 'GET',
    path: '/api/v1/summary',
    scope: 'read',
    forTenants: true,
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
    table: ({ rows }, input) => ({ columns: [...columnsOf(readBy(input)), ...measured], rows }),
    tagged: true,
    problems: [503],
  },
  async ({ input }, { queries, tenants, clock }) => {
    const select = { ...readSelection(input, clock.now()), by: readBy(input), limit: Number(input.limit) }
    const { rows } = await queries.summary(select)
    if (!select.by.includes('tenant')) return { rows }
    return { rows: rows.map((row) => ({ ...row, tenant_name: nameOf(tenants, row.tenant) })) }
  },
)
