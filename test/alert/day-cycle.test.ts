import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { busyMinutes, cycleFrom, flatDay, untilBusy, waveAt } from '../../src/alert/day-cycle.ts'
import { dayMs, hourMs, minuteMs } from '../../src/time/duration.ts'
import { startMs } from './simulation.ts'

/** The shape of a day in which each minute has the given units. */
function shapeOf(unitsAt: (minute: number) => number) {
  const sums = { c1: 0, s1: 0, c2: 0, s2: 0 }
  let units = 0
  for (let minute = 0; minute < 1440; minute++) {
    const count = unitsAt(minute)
    const wave = waveAt(minute * minuteMs)
    units += count
    for (const name of ['c1', 's1', 'c2', 's2'] as const) sums[name] += count * wave[name]
  }
  return cycleFrom(units, sums)
}

describe('a day cycle', () => {
  it('is flat for even usage and for none', () => {
    expect(Object.values(shapeOf(() => 3)).every((value) => Math.abs(value) < 1e-9)).toBe(true)
    expect(shapeOf(() => 0)).toEqual(flatDay)
    expect(busyMinutes(flatDay, startMs, startMs + hourMs)).toBeCloseTo(60, 6)
  })

  it('finds the wave that usage follows', () => {
    const cycle = shapeOf((minute) => 1 + 0.8 * Math.sin((2 * Math.PI * minute) / 1440))
    expect(cycle.s1).toBeCloseTo(0.8, 6)
    expect(cycle.c1).toBeCloseTo(0, 6)
    // From 6:00 to 7:00 it is at its height.
    expect(busyMinutes(cycle, 6 * hourMs, 7 * hourMs)).toBeCloseTo(60 * 1.79, 0)
  })

  it('has 1,440 busy minutes in every day, never fewer than none, and knows when they have passed', () => {
    const coefficient = fc.double({ min: -2, max: 2, noNaN: true })
    fc.assert(
      fc.property(
        fc.record({ c1: coefficient, s1: coefficient, c2: coefficient, s2: coefficient }),
        fc.integer({ min: 0, max: 5 * dayMs }),
        fc.integer({ min: 0, max: 3 * dayMs }),
        (sums, fromMs, spanMs) => {
          const cycle = cycleFrom(2, sums)
          expect(busyMinutes(cycle, fromMs, fromMs + dayMs)).toBeCloseTo(1440, 5)
          const busy = busyMinutes(cycle, fromMs, fromMs + spanMs)
          expect(busy).toBeGreaterThanOrEqual(0)
          const minutes = untilBusy(cycle, fromMs, busy)
          expect(Math.abs(busyMinutes(cycle, fromMs, fromMs + minutes * minuteMs) - busy)).toBeLessThan(0.01)
        },
      ),
    )
  })
})
