import { dayMs, hourMs, minuteMs, secondMs } from '../time/duration.ts'

/**
 * A length of time as people say it: `40 s`, `5 min`, `1 h 20 min`, `1 d 2 h`. Rounded to the nearest second, minute
 * or hour, at most two units. Sentences, mails and the page all use it, so that one alert never lasts 19 minutes in
 * one line and 20 in the next.
 */
export function spanText(ms: number): string {
  if (!Number.isFinite(ms)) return 'an unknown time'
  const seconds = Math.max(0, Math.round(ms / secondMs))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(ms / minuteMs)
  if (minutes < hourMs / minuteMs) return `${minutes} min`
  if (minutes < dayMs / minuteMs) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(ms / hourMs)
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}
