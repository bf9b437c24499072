import type { TimeNotation } from './engine.ts'

// No plain time lies before 2001 or after 2096: a unit would have been mixed up.
const earliestMs = 1_000_000_000_000
const latestMs = 4_000_000_000_000

const digitsIn = { ms: /^[1-9]\d{0,12}$/, us: /^[1-9]\d{15}$/, ns: /^[1-9]\d{18}$/ } as const
const seconds = /^([1-9]\d{0,9})(?:\.(\d{1,6}))?$/
const iso = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/
const clf = /^(\d\d)\/([A-Za-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * A time that is written in exactly the plain way, as epoch milliseconds; null for everything else, which the general
 * decoder reads. The same as `wasm/time.ts`.
 *
 * @param isText whether it stands in quotes
 */
export function plainTime(
  value: string,
  isText: boolean,
  { number, iso: isIso, clf: isClf }: TimeNotation,
): number | null {
  // The notation is told by the place of its first separator.
  if (isText && value.length >= 20 && value[4] === '-') return isIso ? inRange(isoMs(value)) : null
  if (isText && value.length >= 20 && value[2] === '/') return isClf ? inRange(clfMs(value)) : null
  return number === null ? null : inRange(countedMs(value, isText, number))
}

function inRange(ms: number | null): number | null {
  return ms !== null && ms >= earliestMs && ms <= latestMs ? ms : null
}

function countedMs(value: string, isText: boolean, unit: 'ms' | 's' | 'us' | 'ns'): number | null {
  if (unit === 's') {
    const match = seconds.exec(value)
    return match === null ? null : Number(match[1]) * 1000 + milliseconds(match[2])
  }
  if (!digitsIn[unit].test(value)) return null
  if (unit === 'ms') return Number(value)
  if (unit === 'us') return Number(value.slice(0, -3))
  // A JSON number cannot hold so many digits.
  return isText ? Number(value.slice(0, -6)) : null
}

function milliseconds(fraction: string | undefined): number {
  return fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'))
}

function isoMs(value: string): number | null {
  const match = iso.exec(value)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHours, zoneMinutes] = match
  const at = civilMs([year, month, day, hour, minute, second].map(Number))
  const zone = zoneMs(sign, zoneHours, zoneMinutes)
  return at === null || zone === null ? null : at + milliseconds(fraction) - zone
}

function clfMs(value: string): number | null {
  const match = clf.exec(value)
  if (match === null) return null
  const [, day, monthName = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match
  const month = months.indexOf(monthName.toLowerCase()) + 1
  const at = civilMs([Number(year), month, Number(day), Number(hour), Number(minute), Number(second)])
  const zone = zoneMs(sign, zoneHours, zoneMinutes)
  return at === null || zone === null ? null : at - zone
}

/** Null for a moment that does not exist, and for a leap second. */
function civilMs([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]): number | null {
  if (year < 2001 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  return day < 1 || at.getUTCMonth() !== month - 1 ? null : at.getTime()
}

function zoneMs(sign: string | undefined, hours: string | undefined, minutes: string | undefined): number | null {
  if (sign === undefined) return 0
  if (Number(hours) > 23 || Number(minutes) > 59) return null
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000
  return sign === '-' ? -ms : ms
}
