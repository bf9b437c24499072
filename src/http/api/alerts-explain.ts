import { z } from 'zod'
import type { Account } from '../../notify/account.ts'
import { accountSentences } from '../../notify/account-text.ts'
import { failureReasons } from '../../notify/receiver.ts'
import { formatInstant } from '../../time/instant.ts'
import { count, labels, time } from '../answers.ts'
import { endpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'

const way = z.object({
  receiver: z.string(),
  integration: z.string(),
  route: z.string().describe('The matchers of the route; empty for the first one.'),
  group: labels.describe('What the alerts of its group have in common.'),
  state: z.string(),
  told: z.string().nullable().describe('The severity that was told last; null before anything was told.'),
  muted_by: z.object({ by: z.enum(['silence', 'inhibition', 'time']), name: z.string() }).nullable(),
  next: z
    .object({ kind: z.enum(['news', 'reminder', 'delivery']), at: time.nullable() })
    .nullable()
    .describe('What the group waits for; a past time is due at once.'),
})

const message = z.object({
  id: z.string(),
  receiver: z.string(),
  integration: z.string(),
  subject: z.string(),
  state: z.enum(['pending', 'sent', 'dead']),
  made_at: time,
  settled_at: time.nullable(),
  attempts: count.nullable(),
  reason: z.enum(failureReasons).nullable(),
  retry_at: time.nullable(),
})

/** Who is told of an alert, and who was. */
export const accountAnswer = { ways: z.array(way), messages: z.array(message) }

export function answerOfAccount({ ways, messages }: Account) {
  const instant = (ms: number | null) => (ms === null ? null : formatInstant(ms))
  return {
    ways: ways.map(({ muted, next, group, ...one }) => ({
      ...one,
      group: { ...group },
      muted_by: muted === null ? null : { by: muted.by, name: muted.name },
      next: next === null ? null : { kind: next.kind, at: instant(next.atMs) },
    })),
    messages: messages.map(({ madeAtMs, settledAtMs, retryAtMs, ...one }) => ({
      ...one,
      ...{ made_at: formatInstant(madeAtMs), settled_at: instant(settledAtMs), retry_at: instant(retryAtMs) },
    })),
  }
}

export const explain = endpoint(
  {
    method: 'GET',
    path: '/api/v1/alerts/{fingerprint}/explain',
    scope: 'read',
    forTenants: true,
    summary: 'Why an alert is what it is, who is told of it, who was, and what comes next.',
    input: z.strictObject({ fingerprint: z.string().min(1).max(100) }),
    answer: z.object({ fingerprint: z.string(), sentences: z.array(z.string()), ...accountAnswer }),
    problems: [404],
  },
  ({ input: { fingerprint } }, deps) => {
    const sentences = deps.explain(fingerprint)
    const account = deps.account(fingerprint)
    if (sentences === null && account === null) {
      throw new Problem(404, `There is no alert with the fingerprint ${fingerprint} now, and none was told of lately.`)
    }
    const told = account ?? { ways: [], messages: [] }
    const own = sentences ?? ['the rules no longer know it: it ended more than a quarter of an hour ago']
    return {
      fingerprint,
      sentences: [...own, ...accountSentences(told, deps.clock.now())],
      ...answerOfAccount(told),
    }
  },
)
