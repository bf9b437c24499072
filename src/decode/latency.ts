import { numberOf } from './json.ts'

/** Milliseconds in one unit. Every layout names its own: the same idea comes in ns, ms and s. */
export const msPer = { ns: 1e-6, us: 1e-3, ms: 1, s: 1e3 } as const

export type LatencyUnit = keyof typeof msPer

/** A latency in milliseconds, kept to the microsecond; null where it is missing, negative (Kong's -1) or no number. */
export function latencyOf(value: unknown, unit: LatencyUnit): number | null {
  const number = numberOf(value)
  if (number === null || number < 0) return null
  const ms = Math.round(number * msPer[unit] * 1000) / 1000
  return Number.isFinite(ms) ? ms : null
}
