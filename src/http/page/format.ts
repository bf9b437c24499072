import { spanText } from '../../alert/span.ts'

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** A count in full: `1,004`. */
export function count(value: number): string {
  return whole.format(value)
}

/** A count for a sentence, with three digits at most: `1.2 M`. */
export function roundCount(value: number): string {
  if (value < 100_000) return whole.format(value)
  return value < 1e6 ? `${threeDigits.format(value / 1e3)} k` : `${threeDigits.format(value / 1e6)} M`
}

/** A share: `0.31 %`, `6.0 %`, `27 %`; unknown is a word. */
export function percent(ratio: number | null): string {
  if (ratio === null) return 'no requests'
  const value = ratio * 100
  if (value === 0) return '0 %'
  if (value < 0.01) return '< 0.01 %'
  if (value < 0.995) return `${value.toFixed(2)} %`
  if (value < 9.95) return `${value.toFixed(1)} %`
  // What is not all is not shown as all.
  return value < 100 && value >= 99.5 ? '99 %' : `${Math.round(value)} %`
}

/** A count with its base: `60 of 1,004 (6.0 %)`. */
export function share(refused: number, requests: number): string {
  return requests > 0 ? `${count(refused)} of ${count(requests)} (${percent(refused / requests)})` : count(refused)
}

/** Below this many requests a share says little, and is shown in grey. */
export const fewRequests = 50

/** How long, in the two largest units, as the sentences of alerts say it: `42 s`, `3 min`, `2 h 10 min`, `3 d 4 h`. */
export const duration: (ms: number) => string = spanText

/** Against normal, in words: `27× normal`, `1.4× normal`, `new`; null where there is no normal to compare with. */
export function againstNormal(observed: number, expected: number | null): string | null {
  if (expected === null) return null
  if (expected < 0.05) return 'new'
  const factor = observed / expected
  return `${factor < 9.95 ? factor.toFixed(1) : count(factor)}× normal`
}

/** As `againstNormal`, for rows without an alert: what is near normal is said to be. */
export function besideNormal(observed: number, expected: number): string {
  const factor = observed / Math.max(expected, 0.05)
  if (expected >= 0.05 && factor < 1.5) return factor > 0.5 || expected < 5 ? 'as usual' : 'less than usual'
  return observed === 0 ? 'as usual' : (againstNormal(observed, expected) ?? '')
}

/** How two counts compare, for a change in time: `+12 %`, `3.4×`, `−40 %`; null where there was nothing before. */
export function change(now: number, before: number): string | null {
  if (before === 0) return null
  const factor = now / before
  if (factor >= 2) return `${factor < 9.95 ? factor.toFixed(1) : count(factor)}×`
  const percents = Math.round((factor - 1) * 100)
  return percents === 0 ? 'the same' : `${percents > 0 ? '+' : '−'}${Math.abs(percents)} %`
}

/** Bytes with three digits at most: `412 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
  const unit = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10))
  return `${threeDigits.format(value / 1024 ** unit)} ${units[unit]}`
}

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const secondsFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })
const yearFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const fullFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' })

/** The time of day in the reader's zone: `11:01`, with the day in front when it is not the day of `now`. */
export function clockTime(at: number, now: number): string {
  return `${dayBefore(at, now)}${clockFormat.format(at)}`
}

/** As `clockTime`, to the second. */
export function clockSeconds(at: number, now: number): string {
  return `${dayBefore(at, now)}${secondsFormat.format(at)}`
}

/** What stands before the time of day: nothing today, the day in the half year around, and the year beyond. */
function dayBefore(at: number, now: number): string {
  if (yearFormat.format(at) === yearFormat.format(now)) return ''
  const isNear = !(Math.abs(at - now) > halfYearMs)
  return `${(isNear ? dayFormat : yearFormat).format(at)} `
}

const halfYearMs = 183 * 86_400_000

/** The exact time in the reader's zone and in UTC, for hovering. */
export function exactTime(at: number): string {
  return `${fullFormat.format(at)} (${new Date(at).toISOString()})`
}
