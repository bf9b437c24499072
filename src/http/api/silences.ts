import { z } from 'zod'
import { longestSilenceMs, type NewSilence, type Silence } from '../../notify/silence.ts'
import type { EpochMs } from '../../time/clock.ts'
import { formatDuration, parseDuration } from '../../time/duration.ts'
import { formatInstant, parseInstant } from '../../time/instant.ts'
import { time } from '../answers.ts'
import { endpoint, noInput } from '../endpoint.ts'
import { durationText, instantText } from '../parameters.ts'
import { badRequest, Problem } from '../problem.ts'
import { wildMatcher } from '../tame-pattern.ts'

const silenceAnswer = z.object({
  id: z.string(),
  matchers: z.array(z.string()),
  starts_at: time,
  ends_at: time,
  created_by: z.string(),
  comment: z.string(),
  state: z.enum(['scheduled', 'active', 'expired']),
})

const newSilence = z.strictObject({
  matchers: z
    .array(z.string().min(1).max(500))
    .min(1, { error: 'must hold at least one matcher; an empty list would silence everything' })
    .max(20)
    .describe('All must match, such as tenant="acme" or rule=~"Spike.*".'),
  duration: durationText.optional().describe('How long from the start; give this or ends_at.'),
  starts_at: instantText.default('now'),
  ends_at: instantText.optional(),
  created_by: z.string().min(1).max(200).default('api').describe('Who asks for silence.'),
  comment: z.string().max(1_000).default('set over the API').describe('Why, for whoever finds the silence later.'),
})

export const listSilences = endpoint(
  {
    method: 'GET',
    path: '/api/v1/silences',
    scope: 'read',
    summary: 'Silences that are active, to come or expired lately.',
    input: noInput,
    answer: z.object({ silences: z.array(silenceAnswer) }),
  },
  (_, { silences, clock }) => ({ silences: silences.list().map((entry) => answerOf(entry, clock.now())) }),
)

export const addSilence = endpoint(
  {
    method: 'POST',
    path: '/api/v1/silences',
    scope: 'operate',
    summary: 'Mutes new notifications of alerts that match. What has been announced is still told when it resolves.',
    input: noInput,
    json: newSilence,
    answer: silenceAnswer,
    status: 201,
    problems: [413, 415, 503],
    operation: ({ json }) => ({
      what: 'silence added',
      target: `of ${json.matchers.join(' ')} until ${json.ends_at ?? `${json.duration ?? ''} later`}`,
    }),
  },
  async ({ json }, { silences, clock }) => {
    const now = clock.now()
    return answerOf(await silences.add(readSilence(json, now)), now)
  },
)

const silenceId = z.strictObject({ id: z.string().min(1).max(200).describe('The id from the list.') })

/** One silence by its path, or as `?id=`, which is easier to type. */
export const expireSilence = ['/api/v1/silences/{id}', '/api/v1/silences'].map((path) =>
  endpoint(
    {
      method: 'DELETE',
      path,
      scope: 'operate',
      summary: 'Ends a silence now.',
      input: silenceId,
      answer: z.object({ expired: z.string() }),
      problems: [404, 503],
      operation: ({ input: { id } }) => ({ what: 'silence ended', target: `silence ${id}` }),
    },
    async ({ input }, { silences }) => {
      if (!(await silences.expire(input.id))) throw new Problem(404, `There is no silence with the id ${input.id}.`)
      return { expired: input.id }
    },
  ),
)

function readSilence(json: z.output<typeof newSilence>, now: EpochMs): NewSilence {
  if ((json.duration === undefined) === (json.ends_at === undefined)) {
    throw badRequest([{ parameter: 'duration', detail: 'or ends_at must be given, and not both' }])
  }
  const wild = wildMatcher(json.matchers)
  if (wild !== null) throw badRequest([{ parameter: 'matchers', detail: wild }])
  const startsAtMs = parseInstant(json.starts_at, now) ?? now
  const lengthMs = json.duration === undefined ? 0 : (parseDuration(json.duration) ?? 0)
  const endsAtMs = json.ends_at === undefined ? startsAtMs + lengthMs : (parseInstant(json.ends_at, now) ?? now)
  const end = json.ends_at === undefined ? 'duration' : 'ends_at'
  if (endsAtMs <= startsAtMs || endsAtMs <= now) {
    throw badRequest([{ parameter: end, detail: 'must end the silence after its start and in the future' }])
  }
  if (endsAtMs - startsAtMs > longestSilenceMs) {
    throw badRequest([{ parameter: end, detail: `makes it too long; ${formatDuration(longestSilenceMs)} at most` }])
  }
  return { matchers: json.matchers, startsAtMs, endsAtMs, createdBy: json.created_by, comment: json.comment }
}

function answerOf(entry: Silence, now: EpochMs): z.output<typeof silenceAnswer> {
  return {
    id: entry.id,
    matchers: [...entry.matchers],
    starts_at: formatInstant(entry.startsAtMs),
    ends_at: formatInstant(entry.endsAtMs),
    created_by: entry.createdBy,
    comment: entry.comment,
    state: entry.endsAtMs <= now ? 'expired' : entry.startsAtMs > now ? 'scheduled' : 'active',
  }
}
