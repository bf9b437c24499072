import { z } from 'zod'
import { count, labels, ratio, time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import {
  byInput,
  durationText,
  filterInput,
  limitText,
  rangeInput,
  readBy,
  readSelection,
  readStep,
} from '../parameters.ts'

export const trends = endpoint(
  {
    method: 'GET',
    path: '/api/v1/trends',
    scope: 'read',
    forTenants: true,
    summary: 'Requests and refusals over time, from history.',
    input: z.strictObject({
      ...rangeInput,
      step: durationText.optional().describe('Time between points; chosen to suit the span when left out.'),
      ...byInput,
      ...filterInput,
      limit: limitText(1_000, 100),
    }),
    answer: z.object({
      from: time,
      to: time,
      step_ms: count,
      series: z.array(
        z.object({
          labels,
          points: z.array(z.object({ time, requests: count, payment_required: count, ratio })),
        }),
      ),
    }),
    table: ({ series }, input) => ({
      columns: ['time', ...readBy(input), 'requests', 'payment_required', 'ratio'],
      rows: series.flatMap((one) => one.points.map(({ time: at, ...rest }) => ({ time: at, ...one.labels, ...rest }))),
    }),
    tagged: true,
    problems: [503],
  },
  ({ input }, { queries, clock }) => {
    const select = readSelection(input, clock.now())
    const stepMs = readStep(input.step, select)
    return queries.trends({ ...select, stepMs, by: readBy(input), limit: Number(input.limit) })
  },
)
