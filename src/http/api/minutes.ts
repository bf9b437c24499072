import { z } from 'zod'
import { minutesSpanMs } from '../../history/query.ts'
import { count } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { filterInput, rangeInput, readSelection } from '../parameters.ts'
import { badRequest } from '../problem.ts'

const { tenant } = filterInput

/** What `tollwatch rules backtest` reads, an hour at a time. */
export const minutes = endpoint(
  {
    method: 'GET',
    path: '/api/v1/minutes',
    scope: 'read',
    forTenants: true,
    summary: 'The minute tier of history, series by series: at most an hour.',
    input: z.strictObject({ ...rangeInput, tenant }),
    answer: z.object({
      complete: z.boolean().describe('False where only coarser tiers may be left of that time.'),
      rows: z.array(
        z.object({
          tenant: z.string(),
          api: z.string(),
          cause: z.string().describe('Empty for the requests of a tenant and API; else the counts are refusals.'),
          minutes: z.array(count).describe('Minutes since `from`.'),
          counts: z.array(count),
        }),
      ),
    }),
    problems: [503],
  },
  ({ input }, { queries, clock }) => {
    const select = readSelection(input, clock.now())
    if (select.toMs - select.fromMs > minutesSpanMs) {
      throw badRequest([{ parameter: 'to', detail: 'is more than an hour after `from`; ask hour by hour' }])
    }
    const fromMs = Math.floor(select.fromMs / 60_000) * 60_000
    return queries.minutes({ ...select, fromMs })
  },
)
