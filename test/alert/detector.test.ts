import { describe, expect, it } from 'vitest'
import { Dice, day, processes } from './processes.ts'
import { type StepOptions, stepDelays, summary } from './steps.ts'
import { batchTail, expectedAlarms, poissonTail } from './tails.ts'
import { Fleet, type FleetOptions, minutesPerYear } from './trial.ts'

// Small and seeded; the long runs behind docs/detector.md are scripts/detector-tables.ts.

describe('the true laws that alarms are computed from', () => {
  it.each([
    ['Poisson', poissonTail, (dice: Dice) => dice.poisson(4)],
    ['batches', batchTail, (dice: Dice) => dice.batches(4, 3)],
  ] as const)('are those of the simulated counts: %s', (_, tail, draw) => {
    const dice = new Dice(3)
    const draws = Array.from({ length: 40_000 }, () => draw(dice))
    for (const count of [1, 4, 7, 10]) {
      const share = draws.filter((drawn) => drawn >= count).length / draws.length
      expect(Math.exp(tail(count, 4))).toBeCloseTo(share, 2)
    }
  })
})

describe('false alarms', () => {
  // The chance a rule may take with 5,000 series and one false alert a week.
  it.each([
    ['poisson', 0.02],
    ['poisson', 0.5],
    ['poisson', 10],
    ['daily', 0.5],
  ] as const)('keep to the bound of a fleet of thousands: %s, %f a minute', (process, perMinute) => {
    const { perYear, error, bound } = expectedAlarms({ process, perMinute, alpha: 2e-8, size: 80, seed: 1 })
    expect(error).toBeLessThan(bound / 4)
    expect(perYear + 3 * error).toBeLessThan(bound)
  })

  function episodes(options: Pick<FleetOptions, 'size' | 'process' | 'trueRate' | 'pooled' | 'calibrate'>): number {
    const fleet = new Fleet({ ...options, logAlpha: Math.log(1e-6) })
    fleet.run(3 * day)
    fleet.startCounting()
    fleet.run(4 * day)
    return fleet.episodes.reduce((total, one) => total + one, 0)
  }

  it('become few on rare batches because series share what they know of clumps', () => {
    const [alone, shared] = [false, true].map((pooled) => {
      const dice = new Dice(7)
      return episodes({ size: 150, trueRate: 0.02, pooled, process: () => processes.batches(dice, () => 0.02) })
    })
    const years = (150 * 4 * day) / minutesPerYear
    expect((shared ?? 99) / years).toBeLessThan(1)
    expect(alone).toBeGreaterThan(5 + 5 * (shared ?? 99))
  })

  it('become few where rates wander because the rule checks its own chances', () => {
    const [trusting, checking] = [false, true].map((calibrate) => {
      const dice = new Dice(8)
      return episodes({ size: 110, trueRate: 10, calibrate, process: () => processes.wandering(dice, () => 10) })
    })
    expect(trusting).toBeGreaterThan(3)
    expect(checking).toBeLessThan((trusting ?? 0) / 3)
  })
})

describe('a step', () => {
  // Median minutes, as in the design's table, with one or two to spare.
  it.each([
    ['poisson', 0.5, 10, 5],
    ['poisson', 2, 3, 7],
    ['poisson', 10, 5, 3],
    ['daily', 2, 3, 7],
    ['batches', 10, 5, 4],
  ] as const)('is found: %s of %f a minute, times %d, within %d minutes', (process, perMinute, factor, within) => {
    const options: StepOptions = { process, perMinute, factor, alpha: 1e-6, size: 40, seed: 2 }
    const { share, median } = summary(stepDelays(options))
    expect(share).toBe(1)
    expect(median).toBeLessThanOrEqual(within)
  })
})
