import type { EpochMs } from './clock.ts'
import { dayMs } from './duration.ts'

/** A moment as the clocks and calendars of a place show it. */
export interface WallTime {
  readonly year: number
  /** From 1. */
  readonly month: number
  readonly day: number
  /** From 0, Sunday. */
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** One for each zone in use; there are some 600 zones. */
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    const two = '2-digit' as const
    const fields = { year: 'numeric' as const, month: two, day: two, hour: two, minute: two, second: two }
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, calendar: 'gregory', hourCycle: 'h23', ...fields })
    formats.set(zone, format)
  }
  return format
}

export function isTimezone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/** The zone of the machine. */
export function machineZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** @param zone an IANA name; see `isTimezone` */
export function wallTime(at: EpochMs, zone: string): WallTime {
  const floating = new Date(floatingOf(at, zone))
  return {
    year: floating.getUTCFullYear(),
    month: floating.getUTCMonth() + 1,
    day: floating.getUTCDate(),
    weekday: floating.getUTCDay(),
    hour: floating.getUTCHours(),
    minute: floating.getUTCMinutes(),
    second: floating.getUTCSeconds(),
  }
}

/** The calendar day there, such as `2026-03-02`. */
export function dayOf(at: EpochMs, zone: string): string {
  return new Date(floatingOf(at, zone)).toISOString().slice(0, 10)
}

/** What clocks there show, written as if it were UTC: a "floating" time, in which every day has 24 hours. */
export function floatingOf(at: EpochMs, zone: string): EpochMs {
  const field = new Map<string, number>()
  for (const { type, value } of formatOf(zone).formatToParts(at)) field.set(type, Number(value))
  const [year = 0, month = 1, day = 1] = [field.get('year'), field.get('month'), field.get('day')]
  return Date.UTC(year, month - 1, day, field.get('hour'), field.get('minute'), field.get('second'))
}

/**
 * The moment at which clocks there show a floating time. Of a time that they show twice, the first; one that they skip
 * is moved on by the length of the gap, as RFC 5545 (3.3.5) has it.
 */
export function momentOf(floating: EpochMs, zone: string): EpochMs {
  const offsetAt = (at: EpochMs) => floatingOf(at, zone) - Math.floor(at / 1_000) * 1_000
  const before = offsetAt(floating - dayMs)
  for (const offset of [before, offsetAt(floating + dayMs)]) {
    if (offsetAt(floating - offset) === offset) return floating - offset
  }
  return floating - before
}
