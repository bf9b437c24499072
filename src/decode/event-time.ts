import type { EpochMs } from '../time/clock.ts'
import { isBlank, type JsonObject, numberOf } from './json.ts'

/** A time as read: epoch milliseconds, null where there is none, `bad-time` where something unreadable stands. */
export type TimeReading = EpochMs | null | 'bad-time'

/** How times may be written at one place, and how they are read there. */
export interface TimeNotation {
  readonly read: (value: unknown) => TimeReading
  /** What a number counts, also one that is written as text; null where a number is no time. */
  readonly number: 'ms' | 's' | 'us' | 'ns' | null
  /** Whether ISO 8601 with a zone is read. */
  readonly iso: boolean
  /** Whether the Common Log Format is read. */
  readonly clf: boolean
}

/** One place where a layout may keep its event time, with the notation it uses there. */
export interface TimeField {
  readonly key: string
  readonly as: TimeNotation
}

/**
 * The first readable time of several fields. A field that holds something unreadable counts only when no other field
 * can be read: then the record has a time, but we do not know it.
 */
export function timeFrom(entry: JsonObject, fields: readonly TimeField[]): TimeReading {
  let reading: TimeReading = null
  for (const { key, as } of fields) {
    const value = entry[key]
    if (value === undefined) continue
    const found = as.read(value)
    if (typeof found === 'number') return found
    if (found === 'bad-time') reading = found
  }
  return reading
}

// Beyond the year 9999 a unit has been mixed up. We never guess the unit from the magnitude, we only refuse.
const lastMs = 253_402_300_799_999

function epoch(value: unknown, perMs: number): TimeReading {
  if (isBlank(value)) return null
  const number = numberOf(value)
  if (number === null) return 'bad-time'
  // Several gateways write 0 for "not set".
  if (number === 0) return null
  // To the microsecond first: 1791188136.042 * 1000 falls just below its millisecond.
  const ms = Math.floor(Math.round((number / perMs) * 1000) / 1000)
  return ms > 0 && ms <= lastMs ? ms : 'bad-time'
}

export const epochMs = (value: unknown): TimeReading => epoch(value, 1)
export const epochSeconds = (value: unknown): TimeReading => epoch(value, 0.001)
export const epochMicros = (value: unknown): TimeReading => epoch(value, 1e3)

/**
 * Text is cut, not calculated: a double cannot hold that many digits, and would round a time just before a millisecond
 * up into it.
 */
export function epochNanos(value: unknown): TimeReading {
  return typeof value === 'string' && /^\d{7,20}$/.test(value) ? epochMs(value.slice(0, -6)) : epoch(value, 1e6)
}

/** ISO 8601 with a zone, up to nanoseconds; without a zone it is a `bad-time`, since nobody knows which was meant. */
export const isoTime = (value: unknown): TimeReading => iso(value, null)

/** ISO 8601 where a missing zone means UTC. */
export const isoTimeOrUtc = (value: unknown): TimeReading => iso(value, 'Z')

const isoPattern =
  /^\s*(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s?(Z|z|[+-]\d\d:?\d\d|[+-]\d\d)?\s*$/

function iso(value: unknown, defaultZone: string | null): TimeReading {
  if (isBlank(value)) return null
  if (typeof value !== 'string' || value.length > 64) return 'bad-time'
  return plainIso(value) ?? anyIso(value, defaultZone)
}

function anyIso(value: string, defaultZone: string | null): TimeReading {
  const match = isoPattern.exec(value)
  if (match === null) return 'bad-time'
  const zone = match[8] ?? defaultZone
  if (zone === null) return 'bad-time'
  const [, year, month, day, hour, minute, second = 0, fraction] = match
  const ms = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'))
  const parts = { year: Number(year), month: Number(month) - 1, day: Number(day), hour: Number(hour), ms }
  return calendar({ ...parts, minute: Number(minute), second: Number(second), zoneMs: zoneMs(zone) })
}

/**
 * `2026-10-05T08:15:36Z` and `2026-10-05T08:15:36.042Z`, as most programs write it; null for every other notation. The
 * pattern above takes four times as long.
 */
function plainIso(text: string): TimeReading {
  const { length } = text
  if ((length !== 20 && length !== 24) || text.charCodeAt(length - 1) !== 0x5a) return null
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d || text.charCodeAt(10) !== 0x54) return null
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return null
  if (length === 24 && text.charCodeAt(19) !== 0x2e) return null
  const year = 100 * twoDigits(text, 0) + twoDigits(text, 2)
  const month = twoDigits(text, 5) - 1
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  const ms = length === 24 ? 10 * twoDigits(text, 20) + digit(text, 22) : 0
  // What is no digit makes all of it no number.
  if (Number.isNaN(year + month + day + hour + minute + second + ms)) return null
  return calendar({ year, month, day, hour, minute, second, ms, zoneMs: 0 })
}

function twoDigits(text: string, at: number): number {
  return 10 * digit(text, at) + digit(text, at + 1)
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 0x30
  return value >= 0 && value <= 9 ? value : Number.NaN
}

/** The Common Log Format's `05/Oct/2026:08:15:36 +0000`. */
export function clfTime(value: unknown): TimeReading {
  if (isBlank(value)) return null
  if (typeof value !== 'string' || value.length > 64) return 'bad-time'
  const match = clfPattern.exec(value)
  if (match === null) return 'bad-time'
  const [, day, name = '', year, hour, minute, second, zone = ''] = match
  const month = monthNames.indexOf(name.toLowerCase())
  if (month < 0) return 'bad-time'
  const parts = { year: Number(year), month, day: Number(day), hour: Number(hour), ms: 0 }
  return calendar({ ...parts, minute: Number(minute), second: Number(second), zoneMs: zoneMs(zone) })
}

const clfPattern = /^\s*\[?(\d\d)\/([A-Za-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]?\s*$/
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** ISO 8601 with a zone, or the Common Log Format. */
function isoOrClf(value: unknown): TimeReading {
  const reading = isoTime(value)
  return reading === 'bad-time' ? clfTime(value) : reading
}

type Reader = TimeNotation['read']

function numberOr(text: Reader, count: Reader): Reader {
  return (value) => {
    // To try a date as a number first costs as much as to read it. No number has the T between date and time.
    const isDate = typeof value === 'string' && value.charCodeAt(10) === 0x54
    return isDate || numberOf(value) === null ? text(value) : count(value)
  }
}

/** The notations in use, each with what it takes, since the fast core reads the same times by itself. */
export const notations = {
  ms: { read: epochMs, number: 'ms', iso: false, clf: false },
  s: { read: epochSeconds, number: 's', iso: false, clf: false },
  us: { read: epochMicros, number: 'us', iso: false, clf: false },
  ns: { read: epochNanos, number: 'ns', iso: false, clf: false },
  iso: { read: isoTime, number: null, iso: true, clf: false },
  isoOrUtc: { read: isoTimeOrUtc, number: null, iso: true, clf: false },
  clf: { read: clfTime, number: null, iso: false, clf: true },
  isoOrClf: { read: isoOrClf, number: null, iso: true, clf: true },
  msOrIso: { read: numberOr(isoTime, epochMs), number: 'ms', iso: true, clf: false },
  sOrIso: { read: numberOr(isoTime, epochSeconds), number: 's', iso: true, clf: false },
  msIsoOrClf: { read: numberOr(isoOrClf, epochMs), number: 'ms', iso: true, clf: true },
  sIsoOrClf: { read: numberOr(isoOrClf, epochSeconds), number: 's', iso: true, clf: true },
} as const satisfies Readonly<Record<string, TimeNotation>>

interface CalendarParts {
  readonly year: number
  /** 0 is January. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly ms: number
  /** By how much the zone is ahead of UTC. */
  readonly zoneMs: number
}

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function calendar({ year, month, day, hour, minute, second, ms, zoneMs }: CalendarParts): TimeReading {
  // Date.UTC would roll 31 April over into May, and reads the years 0 to 99 as 1900 to 1999.
  if (year < 1970 || day < 1 || day > (daysIn[month] ?? 0) || hour > 23 || minute > 59 || second > 60) {
    return 'bad-time'
  }
  if (month === 1 && day === 29 && new Date(Date.UTC(year, 1, 29)).getUTCMonth() !== 1) return 'bad-time'
  const at = Date.UTC(year, month, day, hour, minute, second, ms) - zoneMs
  return at > 0 && at <= lastMs ? at : 'bad-time'
}

function zoneMs(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const ms = (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000
  return zone.startsWith('-') ? -ms : ms
}
