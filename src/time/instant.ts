import type { EpochMs } from './clock.ts'
import { parseDuration } from './duration.ts'

/**
 * Reads a time argument: ISO 8601, epoch milliseconds, `now`, or relative to now such as `-1h`.
 *
 * @returns epoch milliseconds, or null when the text is no time
 */
export function parseInstant(text: string, now: EpochMs): EpochMs | null {
  const trimmed = text.trim()
  if (trimmed === 'now') return now
  const relative = /^(?:now)?([+-])(.+)$/.exec(trimmed)
  if (relative !== null) {
    const duration = parseDuration(relative[2] ?? '')
    if (duration !== null) return relative[1] === '-' ? now - duration : now + duration
  }
  if (/^\d{11,}$/.test(trimmed)) return Number(trimmed)
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return null
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(trimmed) || !trimmed.includes('T') ? trimmed : `${trimmed}Z`
  const parsed = Date.parse(zoned)
  return Number.isNaN(parsed) ? null : parsed
}

/** ISO 8601 in UTC with milliseconds. */
export function formatInstant(at: EpochMs): string {
  return new Date(at).toISOString()
}
