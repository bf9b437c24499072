import { describe, expect, it } from 'vitest'
import { Baselines } from '../../src/alert/baseline.ts'
import { Calibration } from '../../src/alert/calibration.ts'
import { logChance } from '../../src/alert/spike.ts'
import { Chance } from './simulation.ts'

const minute = 60_000
const day = 1440 * minute

function aDay(calibration: Calibration, from: number, share: number, chance = 5e-4): void {
  calibration.roll(from)
  for (let k = 0; k < 20_000; k++) calibration.note(k < share * 20_000 ? Math.log(chance) : null)
  calibration.roll(from + day)
}

describe('Calibration', () => {
  it('inflates the dispersion after a day with too many small chances, and lets go after a good one', () => {
    const calibration = new Calibration()
    aDay(calibration, 0, 0.0015)
    expect(calibration.inflation).toBe(1)
    aDay(calibration, day, 0.005)
    aDay(calibration, 2 * day, 0.005)
    expect(calibration.inflation).toBeCloseTo(2.25, 9)
    aDay(calibration, 3 * day, 0)
    expect(calibration.inflation).toBeCloseTo(1.5, 9)
  })

  it('sees a heavy tail that the larger chances hide', () => {
    const calibration = new Calibration()
    aDay(calibration, 0, 0.0012, 5e-5)
    expect(calibration.inflation).toBe(1.5)
    // 15 of them may be one long mild incident.
    const few = new Calibration()
    aDay(few, 0, 0.00075, 5e-5)
    expect(few.inflation).toBe(1)
  })

  it('stays where it is between half and twice of what should be', () => {
    const calibration = new Calibration()
    aDay(calibration, 0, 0.005)
    for (const [at, share] of [0.0008, 0.0015, 0.0006].entries()) aDay(calibration, (at + 1) * day, share)
    expect(calibration.inflation).toBe(1.5)
    aDay(calibration, 4 * day, 0.0004)
    expect(calibration.inflation).toBe(1)
  })

  it('does not judge by a handful', () => {
    const calibration = new Calibration()
    calibration.roll(0)
    for (let k = 0; k < 4; k++) calibration.note(-20)
    calibration.roll(day)
    expect(calibration.inflation).toBe(1)
  })

  it('goes on from what it saved', () => {
    const calibration = new Calibration()
    aDay(calibration, 0, 0.01)
    const copy = new Calibration()
    const state = calibration.save()
    if (state !== null) copy.load(JSON.parse(JSON.stringify(state)))
    for (const one of [calibration, copy]) aDay(one, 2 * day, 0.01)
    expect(copy.save()).toEqual(calibration.save())
  })
})

/** The share of 5-minute windows whose chance lies below each level, over many simulated series. */
function shares(perMinute: number, batch: number, seed: number): { tests: number; below: number[] } {
  const chance = new Chance(seed)
  const levels = [1e-2, 1e-3, 1e-4]
  const below = levels.map(() => 0)
  let tests = 0
  for (let series = 0; series < 20; series++) {
    const baselines = new Baselines({
      slotMs: 5 * minute,
      halfLifeMs: day,
      horizonsMs: [5 * minute, 60 * minute],
      seriesLimit: 1,
    })
    const place =
      baselines.create({ a: perMinute * 1440, b: 1440, borrowed: 0 }, { bornMs: -day, seenMs: 0, stage: 'settled' }) ??
      0
    for (let window = 0; window < 3 * 288; window++) {
      const atMs = (window + 1) * 5 * minute
      const mean = 5 * perMinute
      const count = batch === 1 ? chance.poisson(mean) : chance.batches(mean, batch)
      const prediction = baselines.predict(place, 0, 5)
      if (window > 288) {
        tests++
        const p = logChance({ ...prediction, count, exposure: 5 }, 'up')
        for (const [at, level] of levels.entries()) if (p < Math.log(level)) below[at] = (below[at] ?? 0) + 1
      }
      baselines.learnSpread(place, 0, count, 5, atMs)
      baselines.feed(place, count, 5, atMs)
      baselines.closeSlot(window)
    }
  }
  return { tests, below }
}

describe('chances of the detector', () => {
  it.each([0.1, 2, 10])('are not smaller than they claim on Poisson counts of %f a minute', (perMinute) => {
    const { tests, below } = shares(perMinute, 1, 11)
    for (const [at, level] of [1e-2, 1e-3, 1e-4].entries()) {
      const expected = tests * level
      expect(below[at]).toBeLessThanOrEqual(expected + 3 * Math.sqrt(expected) + 1)
    }
  })

  it.each([0.5, 10])('stay within a few times of it on batches of three, %f a minute', (perMinute) => {
    const { tests, below } = shares(perMinute, 3, 12)
    expect(below[1]).toBeLessThanOrEqual(tests * 3e-3)
    expect(below[2]).toBeLessThanOrEqual(tests * 6e-4)
  })
})
