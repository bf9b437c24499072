import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logGamma, logLowerTail, logUpperTail, smallestAlarm } from '../../src/alert/negative-binomial.ts'

/** Sums the probabilities one by one, from the textbook's recurrence. */
function sumUpper(count: number, mean: number, size: number): number {
  const x = mean / (mean + size)
  let term = Math.exp(-size * Math.log1p(mean / size))
  for (let k = 0; k < count; k++) term *= ((k + size) / (k + 1)) * x
  let sum = 0
  for (let k = count; k < count + 400_000; k++) {
    sum += term
    term *= ((k + size) / (k + 1)) * x
    if (term < sum * 1e-18) break
  }
  return sum
}

describe('logGamma', () => {
  it.each([
    [1, 0],
    [2, 0],
    [0.5, 0.5723649429247001],
    [5, Math.log(24)],
    [11, Math.log(3_628_800)],
    [171, 706.573062245787],
    [1e6, 12815504.569147611],
  ])('gives ln Γ(%f)', (x, expected) => {
    expect(logGamma(x)).toBeCloseTo(expected, 8 - Math.max(0, Math.round(Math.log10(Math.abs(expected) + 1))))
  })

  it('keeps Γ(x + 1) = x Γ(x)', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e6, noNaN: true }), (x) => {
        const right = logGamma(x) + Math.log(x)
        expect(Math.abs(logGamma(x + 1) - right)).toBeLessThan(1e-12 * (1 + Math.abs(right)) + 1e-11)
      }),
    )
  })
})

describe('logUpperTail', () => {
  it('agrees with the exact sum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.double({ min: 0.01, max: 200, noNaN: true }),
        fc.double({ min: 0.05, max: 500, noNaN: true }),
        (count, mean, size) => {
          const exact = sumUpper(count, mean, size)
          fc.pre(exact > 1e-280 && exact < 0.999)
          expect(logUpperTail(count, mean, size)).toBeCloseTo(Math.log(exact), 8)
        },
      ),
    )
  })

  it('knows the geometric distribution, far beyond the smallest double', () => {
    expect(logUpperTail(50_000, 1, 1)).toBeCloseTo(50_000 * Math.log(0.5), 6)
    expect(logUpperTail(3, 4, 1)).toBeCloseTo(3 * Math.log(0.8), 12)
  })

  it('becomes the Poisson tail for a huge size', () => {
    // P(Y ≥ 10 | mean 1) by the Poisson series.
    let term = Math.exp(-1)
    for (let k = 1; k <= 10; k++) term /= k
    let sum = 0
    for (let k = 10; k < 40; k++) {
      sum += term
      term /= k + 1
    }
    expect(logUpperTail(10, 1, Number.POSITIVE_INFINITY)).toBeCloseTo(Math.log(sum), 7)
  })

  it('says 27 of 3.1 at extra variance 0.2 is one in 37 million', () => {
    expect(1 / Math.exp(logUpperTail(27, 3.1, 5)) / 1e6).toBeCloseTo(36.6, 1)
  })

  it('is certain of nothing at all', () => {
    expect(logUpperTail(0, 5, 2)).toBe(0)
    expect(logUpperTail(1, 0, 2)).toBe(Number.NEGATIVE_INFINITY)
  })

  it('adds up to one with the lower tail', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 300 }),
        fc.double({ min: 0.1, max: 200, noNaN: true }),
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        (count, mean, size) => {
          const sum = Math.exp(logLowerTail(count, mean, size)) + Math.exp(logUpperTail(count + 1, mean, size))
          expect(sum).toBeCloseTo(1, 9)
        },
      ),
    )
  })

  it('falls with the count and rises with the mean', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.double({ min: 0.1, max: 100, noNaN: true }), (count, mean) => {
        expect(logUpperTail(count + 1, mean, 3)).toBeLessThan(logUpperTail(count, mean, 3))
        expect(logUpperTail(count, mean * 1.1, 3)).toBeGreaterThan(logUpperTail(count, mean, 3))
      }),
    )
  })
})

describe('smallestAlarm', () => {
  // The table of the design: smallest count that can alarm in 5 minutes, with min_count 5 and min_ratio 2.
  it.each([
    [0.1, [5, 6, 5, 6, 6, 7]],
    [0.5, [8, 9, 8, 10, 10, 13]],
    [1, [10, 12, 11, 13, 15, 20]],
    [2, [13, 16, 15, 18, 24, 31]],
    [5, [21, 25, 26, 32, 50, 64]],
    [10, [32, 37, 44, 52, 92, 118]],
    [50, [110, 123, 176, 209, 426, 549]],
  ])('needs, for %f expected, %j', (mean, counts) => {
    const found = [0.02, 0.1, 0.5].flatMap((spread) =>
      [1e-6, 1e-8].map((alpha) => smallestAlarm(mean, 1 / spread, Math.log(alpha), { minCount: 5, minRatio: 2 })),
    )
    expect(found).toEqual(counts)
  })
})
