import { z } from 'zod'
import { severities } from '../../alert/alert.ts'
import type { Drill } from '../../notify/drill.ts'
import { formatInstant } from '../../time/instant.ts'
import { labels, time } from '../answers.ts'
import { endpoint, noInput } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import { accountAnswer, answerOfAccount } from './alerts-explain.ts'

const drillAnswer = z.object({
  id: z.string(),
  rule: z.string(),
  severity: z.enum(severities),
  labels,
  started_at: time,
  done: z.boolean().describe('Everybody was told of its beginning and its end, or never will be.'),
  ...accountAnswer,
})

export const startDrill = endpoint(
  {
    method: 'POST',
    path: '/api/v1/drills',
    scope: 'operate',
    summary: 'A fire drill: a marked alert goes the way of a real one, and ends after a minute or two.',
    input: noInput,
    json: z.strictObject({
      receiver: z.string().min(1).max(200).optional().describe('Tells this receiver, past the routes.'),
      rule: z.string().min(1).max(200).optional().describe('As this rule would raise it.'),
      severity: z.enum(severities).default('page').describe('Where no rule decides it.'),
    }),
    answer: drillAnswer,
    status: 201,
    problems: [413, 415, 503],
    operation: ({ json: { receiver, rule } }) => ({
      what: 'drill started',
      target: `for ${receiver === undefined ? 'the routes' : `the receiver ${receiver}`}${rule === undefined ? '' : ` as the rule ${rule}`}`,
    }),
  },
  async ({ json: { receiver = null, rule = null, severity } }, { drills }) =>
    answerOf(await drills.start({ receiver, rule, severity })),
)

export const findDrill = endpoint(
  {
    method: 'GET',
    path: '/api/v1/drills/{id}',
    scope: 'read',
    summary: 'How a fire drill stands: who was told, when, and who was not.',
    input: z.strictObject({ id: z.string().min(1).max(100).describe('From the answer that started it.') }),
    answer: drillAnswer,
    problems: [404],
  },
  ({ input: { id } }, { drills }) => {
    const drill = drills.find(id)
    if (drill === null) throw new Problem(404, `There is no drill with the id ${id}, or it was long ago.`)
    return answerOf(drill)
  },
)

/** A drill as the API answers it. */
export type DrillAnswer = ReturnType<typeof answerOf>

export function answerOf({ id, rule, severity, labels: all, startedAtMs, isDone, account }: Drill) {
  return {
    ...{ id, rule, severity, labels: { ...all }, started_at: formatInstant(startedAtMs), done: isDone },
    ...answerOfAccount(account),
  }
}
