import rrule from 'rrule'
import type { EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'
import { floatingOf, momentOf } from '../time/local-time.ts'

/**
 * Times that come again, by a recurrence rule of RFC 5545. The library is only ever given floating times, the ones that
 * clocks of the zone show written as UTC: its own reading of time zones depends on the zone of the machine. A day
 * therefore stays a day over changes of the clocks, and each start is turned into its moment here.
 */
export interface Schedule {
  readonly rrule: string
  readonly durationMs: number
  readonly timezone: string
  /** The floating time to count from; null where the rule says everything itself. */
  readonly startFloatingMs: EpochMs | null
}

export interface Occurrence {
  readonly startsAtMs: EpochMs
  readonly endsAtMs: EpochMs
}

export type ParsedSchedule =
  | { readonly ok: true; readonly schedule: Schedule }
  | { readonly ok: false; readonly message: string; readonly fix: string }

/** Days count from both ends, and then from 1: there is no day 0. */
const numbers = (least: number, most: number) => (text: string) =>
  text.split(',').every((part) => {
    const value = /^[+-]?\d{1,5}$/.test(part) ? Number(part) : Number.NaN
    return value >= least && value <= most && (least >= 0 || value !== 0)
  })

/** What a rule may consist of; the library takes more than it can make sense of. */
const parts: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['FREQ', (text: string) => /^(?:DAILY|WEEKLY|MONTHLY|YEARLY)$/.test(text)],
  ['INTERVAL', numbers(1, 1_000)],
  ['COUNT', numbers(1, 10_000)],
  ['UNTIL', (text: string) => /^\d{8}(?:T\d{6}Z?)?$/.test(text)],
  ['BYMONTH', numbers(1, 12)],
  ['BYMONTHDAY', numbers(-31, 31)],
  ['BYDAY', (text: string) => text.split(',').every((part) => /^(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)$/.test(part))],
  ['BYHOUR', numbers(0, 23)],
  ['BYMINUTE', numbers(0, 59)],
  ['BYSETPOS', numbers(-366, 366)],
  ['WKST', (text: string) => /^(?:MO|TU|WE|TH|FR|SA|SU)$/.test(text)],
])

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** @param asked `start` as clocks of the zone show it, such as `2026-01-05T22:00` */
export function parseSchedule(asked: {
  rrule: string
  durationMs: number
  timezone: string
  start: string | null
}): ParsedSchedule {
  const text = asked.rrule
    .trim()
    .replace(/^RRULE:/, '')
    .toUpperCase()
  const fields = new Map<string, string>()
  for (const part of text.split(';')) {
    const [name = '', value = ''] = part.split('=', 2)
    if (parts.get(name)?.(value) !== true)
      return refused(`the rule has a part that cannot be used: ${part.slice(0, 60)}`)
    fields.set(name, value)
  }
  if (!fields.has('FREQ')) return refused('the rule has no FREQ')
  const startFloatingMs = asked.start === null ? null : floatingFrom(asked.start)
  if (Number.isNaN(startFloatingMs))
    return {
      ok: false,
      message: `"${asked.start}" is no start`,
      fix: 'write it like 2026-01-05T22:00, as clocks there show',
    }
  if (startFloatingMs === null && needsStart(fields)) {
    const fix = 'add start, such as 2026-01-05T22:00, or name the days in the rule'
    return { ok: false, message: 'the rule does not say when to begin', fix }
  }
  const frequency = fields.get('FREQ')
  if (fields.has('BYSETPOS') && (frequency === 'DAILY' || frequency === 'WEEKLY'))
    return refused('BYSETPOS counts within a month or a year')
  const schedule = { rrule: text, durationMs: asked.durationMs, timezone: asked.timezone, startFloatingMs }
  if (isImpossible(fields) || new Calendar(schedule).isEmpty()) return refused('the rule never happens')
  return { ok: true, schedule }
}

function refused(message: string): ParsedSchedule {
  const fix = 'write it like FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=3 or FREQ=WEEKLY;BYDAY=SA,SU, daily or rarer'
  return { ok: false, message, fix }
}

function floatingFrom(text: string): number {
  return /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?$/.test(text)
    ? Date.parse(`${text.length === 10 ? `${text}T00:00` : text}Z`)
    : Number.NaN
}

/** Whether the rule takes something from its start: a phase, a count, or the day it left out. */
function needsStart(fields: ReadonlyMap<string, string>): boolean {
  if (Number(fields.get('INTERVAL') ?? 1) > 1 || fields.has('COUNT')) return true
  const day = fields.has('BYDAY') || fields.has('BYMONTHDAY')
  const frequency = fields.get('FREQ')
  return frequency === 'DAILY' ? false : frequency === 'YEARLY' ? !(day && fields.has('BYMONTH')) : !day
}

/** A 30th of February would keep the library busy up to the year 9999. */
function isImpossible(fields: ReadonlyMap<string, string>): boolean {
  const months = fields.get('BYMONTH')?.split(',').map(Number)
  const days = fields.get('BYMONTHDAY')?.split(',').map(Number)
  if (months === undefined || days === undefined) return false
  return months.every((month) => days.every((day) => Math.abs(day) > (daysIn[month - 1] ?? 0)))
}

/** The occurrences of one schedule; what it found is kept until time passes the next change. */
export class Calendar {
  readonly #schedule: Schedule
  #known: {
    readonly fromMs: EpochMs
    readonly untilMs: EpochMs
    readonly now: Occurrence | null
    readonly next: Occurrence | null
  } | null = null

  constructor(schedule: Schedule) {
    this.#schedule = schedule
  }

  /** The occurrence under way, the newest if they overlap. */
  at(now: EpochMs): Occurrence | null {
    return this.#look(now).now
  }

  /** The next one to start; null when there is none left. */
  after(now: EpochMs): Occurrence | null {
    return this.#look(now).next
  }

  /** Whether it has no occurrence at all. */
  isEmpty(): boolean {
    const { startFloatingMs } = this.#schedule
    return this.#rule(startFloatingMs ?? 0).after(new Date((startFloatingMs ?? 0) - 1), true) === null
  }

  #look(now: EpochMs) {
    if (this.#known !== null && this.#known.fromMs <= now && now < this.#known.untilMs) return this.#known
    const { durationMs, timezone } = this.#schedule
    const floating = floatingOf(now, timezone)
    const rule = this.#rule(floating)
    // Two days more on both sides, since a change of the clocks moves moments against floating times.
    const candidates = rule.between(new Date(floating - durationMs - 2 * dayMs), new Date(floating + 2 * dayMs), true)
    const later = rule.after(new Date(floating + 2 * dayMs), false)
    const found = [...candidates, ...(later === null ? [] : [later])].map((start): Occurrence => {
      const startsAtMs = momentOf(start.getTime(), timezone)
      return { startsAtMs, endsAtMs: startsAtMs + durationMs }
    })
    const current = found.findLast(({ startsAtMs, endsAtMs }) => startsAtMs <= now && now < endsAtMs) ?? null
    const next = found.find(({ startsAtMs }) => startsAtMs > now) ?? null
    const untilMs = Math.min(
      current?.endsAtMs ?? Number.POSITIVE_INFINITY,
      next?.startsAtMs ?? Number.POSITIVE_INFINITY,
    )
    this.#known = { fromMs: now, untilMs, now: current, next }
    return this.#known
  }

  /** Counted from a year before the time in question where the rule does not care: the library steps from its start. */
  #rule(nearFloatingMs: EpochMs): rrule.RRule {
    const { startFloatingMs, rrule: text, timezone } = this.#schedule
    const options = rrule.RRule.parseString(text)
    const until = options.until ?? null
    const year = new Date(nearFloatingMs).getUTCFullYear() - 1
    // Without times of its own a rule takes those of its start, to the second.
    return new rrule.RRule({
      ...options,
      dtstart: new Date(startFloatingMs ?? Date.UTC(year, 0, 1)),
      until: until !== null && text.includes('Z') ? new Date(floatingOf(until.getTime(), timezone)) : until,
    })
  }
}
