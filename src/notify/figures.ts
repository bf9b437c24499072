import type { EpochMs } from '../time/clock.ts'

/** How messages write numbers: a count with its base, against normal in words, at most three digits that matter. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** `1,004`; unknown is a word. */
export function count(value: number): string {
  return Number.isFinite(value) ? grouped.format(value) : 'an unknown number of'
}

/** `60 of 1,004 requests (6.0 %)`; no share below 50 requests, where it would mean little. */
export function share(refused: number, requests: number): string {
  if (requests <= 0) return `${count(refused)} requests`
  const base = `${count(refused)} of ${count(requests)} requests`
  return requests < 50 ? base : `${base} (${percent(refused / requests)})`
}

/** `6.0 %`, `0.31 %`; ratios above 1 happen where refusals are logged without their requests. */
export function percent(ratio: number): string {
  const value = ratio * 100
  if (value === 0) return '0 %'
  if (value < 0.01) return '<0.01 %'
  if (value < 1) return `${value.toPrecision(2)} %`
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} %`
}

/** What a normal window would have: `2.2`, `38`, `1,200`. */
export function expectation(value: number): string {
  if (value > 0 && value < 0.01) return 'less than 0.01'
  return value >= 10 ? count(value) : String(Number(value.toPrecision(2)))
}

/** `27×`, `3.2×`; null when there is nothing to compare with. `sign` is what stands for "times". */
export function factor(observed: number, expected: number, sign: '×' | 'x'): string | null {
  if (expected <= 0) return null
  const times = observed / expected
  if (times > 1_000) return `over 1,000${sign}`
  return `${times >= 10 ? count(times) : Number(times.toPrecision(2))}${sign}`
}

/** A small chance as people say it: `about 1 in 37 million`, never below one in a billion. */
export function odds(chance: number): string {
  if (!(chance >= 1e-9)) return 'less than 1 in 1 billion'
  const one = 1 / chance
  if (one < 1.5) return 'nothing unusual'
  if (one < 1_000) return `about 1 in ${Number(one.toPrecision(2))}`
  if (one < 999_500) return `about 1 in ${count(Number(one.toPrecision(2)))}`
  return one < 999_500_000 ? `about 1 in ${Number((one / 1e6).toPrecision(2))} million` : 'about 1 in 1 billion'
}

/**
 * `11:04 UTC`, or `12:04 CET (11:04 UTC)` for a reader elsewhere.
 *
 * @param now the day is added when the time is on another day than this
 */
export function timeOfDay(at: EpochMs, timezone: string, now: EpochMs): string {
  if (!Number.isFinite(at)) return 'an unknown time'
  const utc = inZone(at, 'UTC', now)
  return timezone === 'UTC' ? utc : `${inZone(at, timezone, now)} (${utc})`
}

function inZone(at: EpochMs, timeZone: string, now: EpochMs): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', timeZoneName: 'short' })
  const date = day.format(at) === day.format(now) ? '' : `${day.format(at)} `
  return `${date}${time.format(at)}`
}

const bars = '▁▂▃▄▅▆▇█'

/**
 * A line of small bars from zero up, scaled to the largest value; a value that is not a number is a gap, for a time
 * without data.
 */
export function sparkline(values: readonly number[]): string {
  const largest = Math.max(0, ...values.filter((value) => Number.isFinite(value)))
  return values
    .map((value) => {
      if (!Number.isFinite(value)) return ' '
      const height = largest === 0 ? 0 : Math.round((Math.max(0, value) / largest) * (bars.length - 1))
      return bars[height] ?? ' '
    })
    .join('')
}
