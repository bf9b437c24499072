import { z } from 'zod'
import type { EpochMs } from '../time/clock.ts'
import { isTimezone, machineZone, wallTime } from '../time/local-time.ts'

/** Times that come again, as in Alertmanager: every part that is given must fit, and of each part one range. */
export interface TimeInterval {
  /** Minutes of the day; the end is not part of it. Empty parts leave nothing out. */
  readonly times: readonly Range[]
  /** From 0, Sunday. */
  readonly weekdays: readonly Range[]
  /** From 1; negative ones count from the end of the month, -1 being its last day. */
  readonly daysOfMonth: readonly Range[]
  readonly months: readonly Range[]
  readonly years: readonly Range[]
  /** An IANA name, the zone of the alert's tenant, or the routing's. */
  readonly zone: { readonly kind: 'named'; readonly name: string } | { readonly kind: 'tenant' | 'routing' }
}

interface Range {
  readonly from: number
  readonly to: number
}

/** @param zones where the alert's tenant is, null if unknown, and what the routing says */
export function contains(
  interval: TimeInterval,
  at: EpochMs,
  zones: { tenant: string | null; routing: string },
): boolean {
  const { zone } = interval
  const name = zone.kind === 'named' ? zone.name : ((zone.kind === 'tenant' ? zones.tenant : null) ?? zones.routing)
  const local = wallTime(at, name)
  const minutes = local.hour * 60 + local.minute
  if (interval.times.length > 0 && !interval.times.some(({ from, to }) => from <= minutes && minutes < to)) return false
  const last = new Date(Date.UTC(local.year, local.month, 0)).getUTCDate()
  const days = interval.daysOfMonth.map(({ from, to }) => ({ from: countedDay(from, last), to: countedDay(to, last) }))
  return (
    isIn(interval.weekdays, local.weekday) &&
    isIn(days, local.day) &&
    isIn(interval.months, local.month) &&
    isIn(interval.years, local.year)
  )
}

function isIn(ranges: readonly Range[], value: number): boolean {
  return ranges.length === 0 || ranges.some(({ from, to }) => from <= value && value <= to)
}

function countedDay(day: number, last: number): number {
  return day < 0 ? last + day + 1 : day
}

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const months = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july'],
  ...['august', 'september', 'october', 'november', 'december'],
]

type Parsed = Range | { readonly message: string; readonly fix: string }

/** A range as Alertmanager writes it, `a:b` or `a`. `read` gives NaN for what it does not know. */
function rangeOf(text: string, read: (part: string) => number, example: string): Parsed {
  const parts = text.split(':').map((part) => read(part.trim().toLowerCase()))
  const [from = Number.NaN, to = from] = parts
  if (parts.length > 2 || Number.isNaN(from) || Number.isNaN(to))
    return { message: `"${text}" is no such range`, fix: `write it like ${example}` }
  // A day counted from the end is late in the month whatever the month.
  const order = (value: number) => (value < 0 ? 32 + value : value)
  if (from < 0 && to > 0) return { message: `"${text}" goes over the end of the month`, fix: 'write two ranges' }
  return order(from) > order(to)
    ? { message: `"${text}" ends before it starts`, fix: 'write two ranges' }
    : { from, to }
}

function number(part: string, least: number, most: number): number {
  const value = /^-?\d{1,4}$/.test(part) ? Number(part) : Number.NaN
  return value >= least && value <= most ? value : Number.NaN
}

function ranges(read: (part: string) => number, example: string) {
  const text = z.union([z.string(), z.int().transform(String)], { error: `must be a text such as ${example}` })
  return z
    .array(
      text.transform((range, context): Range => {
        const parsed = rangeOf(range, read, example)
        if (!('message' in parsed)) return parsed
        context.addIssue({ code: 'custom', message: parsed.message, params: { fix: parsed.fix } })
        return z.NEVER
      }),
    )
    .min(1)
    .max(50)
    .optional()
}

const minuteOfDay = z.string().transform((text, context) => {
  const found = /^(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))$/.exec(text)
  if (found !== null) return Number(found[1] ?? found[3]) * 60 + Number(found[2] ?? found[4])
  context.addIssue({ code: 'custom', message: `"${text}" is no time of day`, params: { fix: "write it like '08:00'" } })
  return z.NEVER
})

const timeShape = z
  .strictObject({ start_time: minuteOfDay, end_time: minuteOfDay })
  .refine((time) => time.start_time < time.end_time, {
    error: 'ends before it starts',
    params: { fix: "write two: one up to '24:00' and one from '00:00'" },
  })
  .transform((time): Range => ({ from: time.start_time, to: time.end_time }))

const tenantZone = /^\{\{\s*tenant\.timezone\s*\}\}$/

const locationShape = z.string().transform((text, context): TimeInterval['zone'] => {
  if (tenantZone.test(text)) return { kind: 'tenant' }
  if (text === 'Local') return { kind: 'named', name: machineZone() }
  if (isTimezone(text)) return { kind: 'named', name: text }
  const fix = 'write an IANA name such as Europe/Berlin, or {{ tenant.timezone }}'
  context.addIssue({ code: 'custom', message: `"${text}" is no time zone`, params: { fix } })
  return z.NEVER
})

/** An interval as it stands under `time_intervals`. */
export const timeIntervalShape = z
  .strictObject({
    times: z.array(timeShape).min(1).max(50).optional(),
    weekdays: ranges((part) => indexOf(weekdays, part), "'monday:friday'"),
    days_of_month: ranges((part) => (part === '0' ? Number.NaN : number(part, -31, 31)), "'1:5' or '-3:-1'"),
    months: ranges((part) => indexOf(months, part, 1) || number(part, 1, 12), "'january:march' or '1:3'"),
    years: ranges((part) => number(part, 0, 9_999), "'2026:2028'"),
    location: locationShape.optional(),
  })
  .transform(
    (file): TimeInterval => ({
      times: file.times ?? [],
      weekdays: file.weekdays ?? [],
      daysOfMonth: file.days_of_month ?? [],
      months: file.months ?? [],
      years: file.years ?? [],
      zone: file.location ?? { kind: 'routing' },
    }),
  )

function indexOf(names: readonly string[], name: string, first = 0): number {
  const place = names.indexOf(name)
  return place < 0 ? Number.NaN : place + first
}
