import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HorizonReading, isCalm, judgeSpike, logAlphaOf, mayFire, type SpikeGates } from '../../src/alert/spike.ts'

const gates: SpikeGates = { minCount: 5, minRatio: 2, direction: 'up' }
const logAlpha = Math.log(1e-6)

function reading(count: number, mean: number, spread = 0.1): HorizonReading {
  return { count, mean, spread, exposure: 1000 }
}

function judge(short: HorizonReading, long: HorizonReading, more: Partial<SpikeGates> = {}, longMuted = false) {
  return judgeSpike(short, long, { gates: { ...gates, ...more }, logAlpha, longMuted })
}

describe('logAlphaOf', () => {
  // The table of the design: one evaluation a minute.
  it.each([
    [100, 1, 9.9e-7],
    [1_000, 1, 9.9e-8],
    [5_000, 1, 2.0e-8],
    [20_000, 1, 5.0e-9],
    [100, 7, 6.9e-6],
    [20_000, 7, 3.5e-8],
  ])('gives %d series with %d false alerts a week alpha %f', (series, week, alpha) => {
    expect(Math.exp(logAlphaOf(week, series, 1440)) / alpha).toBeCloseTo(1, 1)
  })

  it('shares the budget over six times as many tests at an interval of 10 s', () => {
    expect(Math.exp(logAlphaOf(1, 100, 8640)) * 6).toBeCloseTo(Math.exp(logAlphaOf(1, 100, 1440)), 12)
  })

  it('never lets a single series fire on one in ten thousand', () => {
    expect(Math.exp(logAlphaOf(1000, 1, 24))).toBeCloseTo(1e-4, 12)
  })
})

describe('judgeSpike', () => {
  it('fires on the short horizon, with half of alpha for each', () => {
    expect(judge(reading(60, 2.2), reading(80, 26))).toMatchObject({ fires: true, horizon: 0, side: 'up' })
    // Expected 1 at spread 0.1: 11 alarms at 1e-6 (the design's table); at half of it too, 10 do not.
    expect(judge(reading(11, 1), reading(12, 12)).fires).toBe(true)
    expect(judge(reading(10, 1), reading(12, 12)).fires).toBe(false)
  })

  it('fires on the long horizon for what is slow, while it goes on', () => {
    expect(judge(reading(2, 0.1), reading(25, 1.2))).toMatchObject({ fires: true, horizon: 1 })
    expect(judge(reading(0, 0.1), reading(25, 1.2)).fires).toBe(false)
  })

  it('does not believe the long horizon while that remembers what is over', () => {
    expect(judge(reading(2, 0.1), reading(25, 1.2), {}, true).fires).toBe(false)
  })

  it('keeps to its gates however small the chance', () => {
    expect(judge(reading(4, 0.0001), reading(4, 0.001)).fires).toBe(false)
    expect(judge(reading(1900, 1000, 0.0001), reading(0, 1)).fires).toBe(false)
    expect(judge(reading(1900, 1000, 0.0001), reading(0, 1), { minRatio: 1.5 }).fires).toBe(true)
  })

  it('looks down when asked', () => {
    expect(judge(reading(5, 200, 0.02), reading(2000, 2400), { direction: 'down' })).toMatchObject({
      fires: true,
      side: 'down',
    })
    expect(judge(reading(5, 200, 0.02), reading(2000, 2400)).fires).toBe(false)
    expect(judge(reading(600, 200, 0.02), reading(2400, 2400), { direction: 'both' })).toMatchObject({ side: 'up' })
  })

  it('says nothing where nothing is expected because nothing was asked', () => {
    expect(judge(reading(50, 0), reading(50, 0)).fires).toBe(false)
  })
})

describe('isCalm', () => {
  it.each([
    [0, 0.01, 'up', true],
    [12, 10, 'up', true],
    [60, 2, 'up', false],
    [2, 1, 'up', true],
    [90, 100, 'down', true],
    [2, 100, 'down', false],
  ] as const)('finds %d of %f going %s calm: %s', (count, mean, side, calm) => {
    expect(isCalm(reading(count, mean, 0.02), side)).toBe(calm)
  })
})

describe('mayFire', () => {
  it('is true of all counts that fire', () => {
    const count = fc.integer({ min: 0, max: 60 })
    const mean = fc.double({ min: 0.001, max: 40, noNaN: true })
    const direction = fc.constantFrom('up' as const, 'down' as const, 'both' as const)
    let fired = 0
    fc.assert(
      fc.property(count, mean, count, mean, direction, (short, shortMean, long, longMean, side) => {
        const verdict = judge(reading(short, shortMean), reading(long, longMean), { direction: side })
        if (verdict.fires) fired++
        return !verdict.fires || mayFire(short, long, { ...gates, direction: side })
      }),
      { numRuns: 500 },
    )
    expect(fired).toBeGreaterThan(10)
  })

  it('turns away a series with too few refusals, which is all that most of a fleet have', () => {
    expect(mayFire(4, 4, gates)).toBe(false)
    expect(mayFire(5, 0, gates)).toBe(true)
    expect(mayFire(0, 5, gates)).toBe(true)
  })
})
