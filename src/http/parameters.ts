import { z } from 'zod'
import { type CursorShape, readCursor } from '../history/cursor.ts'
import { type GroupKey, groupKeys, type Selection } from '../history/query.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs, formatDuration, hourMs, minuteMs, parseDuration } from '../time/duration.ts'
import { parseInstant } from '../time/instant.ts'
import { sliceMs } from '../window/view.ts'
import { badRequest, type Flaw } from './problem.ts'

/** The most points one answer gives for one series. */
const maxPoints = 2_000

/** A chart reads well with 60 to 200 columns; steps are slices of ours that people also say. */
const pleasantPoints = 200

const stepsMs = [
  ...[10_000, 30_000, minuteMs, 2 * minuteMs, 5 * minuteMs, 10 * minuteMs, 15 * minuteMs, 30 * minuteMs],
  ...[hourMs, 2 * hourMs, 3 * hourMs, 6 * hourMs, 12 * hourMs, dayMs, 7 * dayMs],
]

const once = { error: 'must be given once, as text' }

/** A time in the query: ISO 8601, epoch milliseconds, `now` or relative such as `-1h`. */
export const instantText = z.string(once).refine((text) => parseInstant(text, 0) !== null, {
  error: 'is no time; write 2026-05-01T12:00:00Z, epoch milliseconds, -1h or now',
})

/** A duration in the query, such as `5m`. */
export const durationText = z.string(once).refine((text) => (parseDuration(text) ?? 0) > 0, {
  error: 'is no duration; write 10s, 5m, 1h or 1d',
})

/** A whole number written as text. */
export function wholeText({ least, most, standard }: { least: number; most: number; standard: number }) {
  return z
    .string(once)
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most, {
      error: `must be a whole number from ${least} to ${most}`,
    })
    .default(String(standard))
}

/** How many rows, from 1 to `max`. */
export function limitText(max: number, standard: number) {
  return wholeText({ least: 1, most: max, standard }).describe(`How many rows at most, 1 to ${max}.`)
}

/** Where a page of rows begins. */
export function cursorText(shape: CursorShape) {
  return z
    .string(once)
    .refine((text) => readCursor(text, shape) !== null, {
      error: 'is none of this list; take `next` of the page before',
    })
    .optional()
    .describe('The `next` of the page before, with the other parameters as they were.')
}

/** Where the next page begins. */
export const next = z.string().nullable().optional().describe('The cursor of the next page; null after the last row.')

/** The span asked for; half-open, the last hour when nothing is said. */
export const rangeInput = {
  from: instantText.default('-1h').describe('Start, inclusive: ISO 8601, epoch milliseconds or relative such as -1h.'),
  to: instantText.default('now').describe('End, exclusive.'),
}

/** Exact filters. */
export const filterInput = {
  tenant: z.string(once).min(1, { error: 'is empty' }).optional().describe('Only this tenant.'),
  api: z.string(once).min(1, { error: 'is empty' }).optional().describe('Only this API.'),
  cause: z.string(once).min(1, { error: 'is empty' }).optional().describe('Only refusals of this cause.'),
}

export const byInput = {
  by: z
    .union([z.string(), z.array(z.string())])
    .refine((value) => keysOf(value) !== null, { error: `may list ${groupKeys.join(', ')}, each once` })
    .default('')
    .describe(`Group by any of ${groupKeys.join(', ')}, separated by commas.`),
}

/** Reads `by`; null when it names something that history cannot group by. */
function keysOf(value: string | readonly string[]): readonly GroupKey[] | null {
  const names = (typeof value === 'string' ? value : value.join(',')).split(',').filter((name) => name !== '')
  const keys = names.flatMap((name) => groupKeys.filter((key) => key === name.trim()))
  return keys.length === names.length && new Set(keys).size === keys.length ? keys : null
}

export function readBy(input: { readonly by: string | readonly string[] }): readonly GroupKey[] {
  return keysOf(input.by) ?? []
}

/** Turns checked texts into a selection. */
export function readSelection(
  input: {
    readonly from: string
    readonly to: string
    readonly tenant?: string | undefined
    readonly api?: string | undefined
    readonly cause?: string | undefined
  },
  now: EpochMs,
): Selection {
  const fromMs = parseInstant(input.from, now) ?? Number.NaN
  const toMs = parseInstant(input.to, now) ?? Number.NaN
  const flaws: Flaw[] = []
  if (!(fromMs < toMs))
    flaws.push({ parameter: 'from', detail: `must be before to (${input.from} is not before ${input.to})` })
  if (fromMs < 0) flaws.push({ parameter: 'from', detail: 'lies before 1970' })
  if (toMs > now + 366 * dayMs) flaws.push({ parameter: 'to', detail: 'lies more than a year ahead' })
  if (flaws.length > 0) throw badRequest(flaws)
  return {
    fromMs,
    toMs,
    ...(input.tenant === undefined ? {} : { tenant: input.tenant }),
    ...(input.api === undefined ? {} : { api: input.api }),
    ...(input.cause === undefined ? {} : { cause: input.cause }),
  }
}

/**
 * The step between points: what was asked for, or the finest common step that gives no more than 200 points.
 *
 * @throws Problem 400 when the step is no multiple of a slice or gives too many points
 */
export function readStep(step: string | undefined, { fromMs, toMs }: Selection): number {
  const spanMs = toMs - fromMs
  if (step === undefined) return stepsMs.find((ms) => spanMs / ms <= pleasantPoints) ?? 30 * dayMs
  const stepMs = parseDuration(step) ?? Number.NaN
  if (stepMs % sliceMs !== 0) {
    throw badRequest([{ parameter: 'step', detail: `must be a multiple of ${formatDuration(sliceMs)}` }])
  }
  if (spanMs / stepMs > maxPoints) {
    const least = stepsMs.find((ms) => spanMs / ms <= maxPoints) ?? 30 * dayMs
    const detail = `gives more than ${maxPoints} points for this span; use ${formatDuration(least)} or more`
    throw badRequest([{ parameter: 'step', detail }])
  }
  return stepMs
}
