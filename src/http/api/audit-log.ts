import { z } from 'zod'
import { readCursor, writeCursor } from '../../history/cursor.ts'
import { formatInstant } from '../../time/instant.ts'
import { time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { cursorText, limitText, next } from '../parameters.ts'

const place = ['string'] as const

export const auditLog = endpoint(
  {
    method: 'GET',
    path: '/api/v1/audit',
    summary: 'What callers did: silences, drills, backtests. Newest first; the last 5,000 of a year.',
    scope: 'read',
    input: z.strictObject({ limit: limitText(1_000, 100), cursor: cursorText(place) }),
    answer: z.object({
      rows: z.array(
        z.object({
          at: time,
          who: z.string().describe('The name of the token, or loopback.'),
          what: z.string(),
          target: z.string(),
          result: z.string().describe('done, or the status it was refused with.'),
        }),
      ),
      next,
    }),
  },
  ({ input }, { audit }) => {
    const all = audit.list()
    const after = input.cursor === undefined ? null : readCursor(input.cursor, place)?.[0]
    // What a page ended with may have expired meanwhile; then nothing older is left either.
    const from = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1 || all.length
    const page = all.slice(from, from + Number(input.limit))
    const last = from + page.length < all.length ? page.at(-1) : undefined
    return {
      rows: page.map(({ atMs, who, what, target, result }) => ({ at: formatInstant(atMs), who, what, target, result })),
      next: last === undefined ? null : writeCursor([last.id]),
    }
  },
)
