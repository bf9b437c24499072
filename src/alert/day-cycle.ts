import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs } from '../time/duration.ts'

/**
 * How usage is spread over the day (UTC): a density around 1 with a daily and a half-daily wave,
 * w(t) = 1 + c1·cos ωt + s1·sin ωt + c2·cos 2ωt + s2·sin 2ωt. All zero is a day without a shape.
 */
export interface DayCycle {
  readonly c1: number
  readonly s1: number
  readonly c2: number
  readonly s2: number
}

export const flatDay: DayCycle = { c1: 0, s1: 0, c2: 0, s2: 0 }

/** The waves together stay below this, so that the density never reaches zero. */
const highestWave = 0.95
const omega = (2 * Math.PI) / dayMs

/** What one unit of usage at a time adds to the sums that `cycleFrom` takes. */
export function waveAt(atMs: EpochMs): DayCycle {
  const angle = omega * (atMs % dayMs)
  return { c1: Math.cos(angle), s1: Math.sin(angle), c2: Math.cos(2 * angle), s2: Math.sin(2 * angle) }
}

/**
 * The shape of whole days, from the sums of `waveAt` over all their units: each coefficient is twice the mean of its
 * wave (a Fourier series estimate of a density on a circle).
 */
export function cycleFrom(units: number, sums: DayCycle): DayCycle {
  if (units <= 0) return flatDay
  const double = (sum: number) => (2 * sum) / units
  const wave = { c1: double(sums.c1), s1: double(sums.s1), c2: double(sums.c2), s2: double(sums.s2) }
  const height = Math.hypot(wave.c1, wave.s1) + Math.hypot(wave.c2, wave.s2)
  const scale = height > highestWave ? highestWave / height : 1
  return { c1: wave.c1 * scale, s1: wave.s1 * scale, c2: wave.c2 * scale, s2: wave.s2 * scale }
}

/** The minutes of a span, each weighed by how busy its time of day is: a whole day has 1,440. */
export function busyMinutes(cycle: DayCycle, fromMs: EpochMs, toMs: EpochMs): number {
  return (integral(cycle, toMs) - integral(cycle, fromMs)) / minuteMs
}

function integral({ c1, s1, c2, s2 }: DayCycle, atMs: EpochMs): number {
  const angle = omega * (atMs % dayMs)
  const first = c1 * Math.sin(angle) - s1 * Math.cos(angle)
  const second = (c2 * Math.sin(2 * angle) - s2 * Math.cos(2 * angle)) / 2
  return atMs + (first + second) / omega
}

/** How long it takes from a time until so many busy minutes have passed, in minutes. */
export function untilBusy(cycle: DayCycle, fromMs: EpochMs, minutes: number): number {
  const days = Math.floor(minutes / 1440)
  const rest = minutes - days * 1440
  let low = 0
  let high = 1440
  for (let k = 0; k < 20; k++) {
    const middle = (low + high) / 2
    if (busyMinutes(cycle, fromMs, fromMs + middle * minuteMs) < rest) low = middle
    else high = middle
  }
  return days * 1440 + (low + high) / 2
}
