import { describe, expect, it } from 'vitest'
import { busyMinutes } from '../../src/alert/day-cycle.ts'
import { runOutChance, runOutRange } from '../../src/alert/quota-forecast.ts'
import type { QuotaReading } from '../../src/alert/quota-reading.ts'
import { QuotaTracks } from '../../src/alert/quota-tracks.ts'
import { dayMs, hourMs, minuteMs } from '../../src/time/duration.ts'
import { Chance, startMs } from './simulation.ts'

describe('runOutChance', () => {
  it('is the tail of a Poisson count where nothing else strays', () => {
    // P(Y ≥ 10) for a mean of 5, from the Poisson distribution.
    expect(runOutChance(10, { mean: 5, spread: 1e-12 }, 1)).toBeCloseTo(0.0318280573, 8)
    expect(runOutChance(0, { mean: 5, spread: 0.1 }, 1)).toBe(1)
    expect(runOutChance(10, { mean: 0, spread: 0.1 }, 1)).toBe(0)
  })

  it('is that of a gamma distribution for tokens by the million', () => {
    // Mean 50 million, standard deviation a tenth: the mean is passed half of the time.
    const rate = { mean: 50_000_000, spread: 0.01 }
    expect(runOutChance(50_000_000, rate, 1)).toBeGreaterThan(0.47)
    expect(runOutChance(50_000_000, rate, 1)).toBeLessThan(0.5)
    expect(runOutChance(56_700_000, rate, 1)).toBeCloseTo(0.1, 1)
  })

  it('grows with the span and falls with what is left', () => {
    const rate = { mean: 3, spread: 0.05 }
    const chances = [10, 20, 40, 80].map((minutes) => runOutChance(100, rate, minutes))
    expect([...chances].sort((a, b) => a - b)).toEqual(chances)
    const less = [50, 100, 200].map((left) => runOutChance(left, rate, 40))
    expect([...less].sort((a, b) => b - a)).toEqual(less)
  })
})

describe('runOutRange', () => {
  it('gives the times at which the chance is 10, 50 and 90 %', () => {
    const rate = { mean: 2, spread: 0.05 }
    const { early, middle, late } = runOutRange(600, rate)
    for (const [minutes, chance] of [
      [early, 0.1],
      [middle, 0.5],
      [late, 0.9],
    ] as const) {
      expect(Math.abs(runOutChance(600, rate, minutes ?? 0) - chance)).toBeLessThan(0.03)
    }
    expect(middle).toBeGreaterThan(280)
    expect(middle).toBeLessThan(320)
  })

  it('is never where nothing is used', () => {
    expect(runOutRange(600, { mean: 0, spread: 0.1 })).toEqual({ early: null, middle: null, late: null })
    expect(runOutRange(0, { mean: 0, spread: 0.1 })).toEqual({ early: 0, middle: 0, late: 0 })
  })
})

/** Usage of one minute, of several tempers. */
type Traffic = (chance: Chance, minute: number) => number

const steady: Traffic = (chance) => chance.poisson(2)
const batched: Traffic = (chance) => chance.batches(2, 20)
const daily: Traffic = (chance, minute) => chance.poisson(2 * (1 + 0.8 * Math.sin((2 * Math.PI * minute) / 1440)))

/** A rate that drifts over hours: a logarithm that forgets in three hours. */
function wandering(): Traffic {
  let log = 0
  return (chance) => {
    const normal = Math.sqrt(-2 * Math.log(chance.uniform())) * Math.cos(2 * Math.PI * chance.uniform())
    log = log * (1 - 1 / 180) + 0.4 * Math.sqrt(2 / 180) * normal
    return chance.poisson(2 * Math.exp(log))
  }
}

interface Tally {
  /** First forecasts of a period at 0.8 or more, and how many of them came true. */
  raised: number
  right: number
  /** Periods that ran out, and how many were foreseen half an hour before or earlier. */
  ranOut: number
  foreseen: number
  leadHours: number[]
}

/**
 * Lives through periods of quotas. Each tenant has a limit between 0.6 and 1.6 of what it uses on average; whether it
 * ran out is decided by the traffic that came, whatever the forecast.
 */
function simulate(
  traffic: () => Traffic,
  { periodMs, periods, tenants }: { periodMs: number; periods: number; tenants: number },
) {
  const tally: Tally = { raised: 0, right: 0, ranOut: 0, foreseen: 0, leadHours: [] }
  const chance = new Chance(402)
  const minutes = periodMs / minuteMs
  for (let tenant = 0; tenant < tenants; tenant++) {
    const tracks = new QuotaTracks({ shape: 't', seriesLimit: 1, rearmOn: ['period_reset', 'limit_change'] })
    const limit = Math.round(2 * minutes * (0.6 + chance.uniform()))
    const next = traffic()
    const beginMs = Math.ceil(startMs / periodMs) * periodMs
    for (let period = 0; period < periods; period++) {
      let used = 0
      let raisedAt: number | null = null
      let outAt: number | null = null
      for (let minute = 0; minute < minutes; minute++) {
        used += next(chance, period * minutes + minute)
        const atMs = beginMs + period * periodMs + minute * minuteMs + 30_000
        const resetAtMs = beginMs + (period + 1) * periodMs
        const reading: QuotaReading = {
          tenant: 't',
          api: 'x',
          quota: 'q',
          limit,
          remaining: limit - used,
          resetAtMs,
          atMs,
        }
        tracks.take('k', reading, false)
        if (used >= limit) outAt ??= minute
        if (outAt !== null || raisedAt !== null || period === 0 || minute % 5 !== 0) continue
        const stand = tracks.stand(0, atMs)
        if (stand === null || used < 0.2 * limit) continue
        const aheadMs = Math.min(dayMs, resetAtMs - atMs)
        if (runOutChance(limit - used, stand.rate, busyMinutes(stand.cycle, atMs, atMs + aheadMs)) >= 0.8)
          raisedAt = minute
      }
      // The first period is for learning.
      if (period === 0) continue
      const leadMinutes = raisedAt === null || outAt === null ? 0 : outAt - raisedAt
      if (raisedAt !== null) tally.raised++
      if (raisedAt !== null && outAt !== null) tally.right++
      if (outAt !== null) tally.ranOut++
      if (leadMinutes >= 30) {
        tally.foreseen++
        tally.leadHours.push((leadMinutes * minuteMs) / hourMs)
      }
    }
  }
  tally.leadHours.sort((a, b) => a - b)
  return tally
}

describe('forecasts of a quota', () => {
  it.each([
    ['steady traffic', () => steady],
    ['batches', () => batched],
    ['a daily cycle', () => daily],
    ['a rate that wanders', wandering],
  ] as const)('come true four times out of five with %s', (_name, traffic) => {
    const tally = simulate(traffic, { periodMs: dayMs, periods: 6, tenants: 60 })
    expect(tally.raised).toBeGreaterThan(50)
    expect(tally.right / tally.raised).toBeGreaterThanOrEqual(0.8)
    // And most of what ran out was foreseen in time.
    expect(tally.foreseen / tally.ranOut).toBeGreaterThan(0.75)
  })
})
