import { z } from 'zod'
import { formatNames } from '../../decode/decode.ts'
import { count } from '../answers.ts'
import { endpoint } from '../endpoint.ts'

const names = [...formatNames, 'auto'] as const

export const ingest = endpoint(
  {
    method: 'POST',
    path: '/api/v1/ingest',
    scope: 'ingest',
    summary: 'Takes access log lines (NDJSON, one record a line) and answers once they are safe.',
    input: z.strictObject({
      format: z
        .enum(names, { error: `must be one of ${names.join(', ')}` })
        .default('auto')
        .describe('How the lines are laid out.'),
    }),
    stream: true,
    answer: z.object({ accepted: count, unreadable: count }),
    problems: [413, 415, 503],
  },
  async ({ input, stream }, deps) => {
    const { accepted, unreadable } = await deps.ingest(input.format, stream)
    return { accepted, unreadable }
  },
)
