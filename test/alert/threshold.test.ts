import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ThresholdCondition } from '../../src/alert/rule.ts'
import { judgeThreshold, normalQuantile, wilsonBound } from '../../src/alert/threshold.ts'

const ratio: ThresholdCondition = {
  type: 'threshold',
  measure: 'ratio',
  side: 'above',
  bound: 0.05,
  recover: 0.02,
  levels: [],
  over: 'requests',
  minTotal: 50,
  minCount: 5,
  minShare: 0,
  confidence: 0.99,
}

function judge(condition: Partial<ThresholdCondition>, hits: number, total: number) {
  return judgeThreshold({ ...ratio, ...condition }, { hits, total, windowMs: 300_000 })
}

describe('normalQuantile', () => {
  it.each([
    [0.5, 0],
    [0.95, 1.6448536269514722],
    [0.99, 2.3263478740408408],
    [0.9999, 3.719016485455709],
  ])('gives the quantile of %f', (chance, z) => {
    expect(normalQuantile(chance)).toBeCloseTo(z, 9)
  })
})

describe('wilsonBound', () => {
  it('gives the published interval for 10 of 100 at 95 % two-sided', () => {
    expect(wilsonBound(10, 100, 0.975, 'lower')).toBeCloseTo(0.0552, 4)
    expect(wilsonBound(10, 100, 0.975, 'upper')).toBeCloseTo(0.1744, 4)
  })

  it('encloses the ratio and stays within 0 and 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (total, share) => {
        const hits = Math.round(share * total)
        const low = wilsonBound(hits, total, 0.99, 'lower')
        const high = wilsonBound(hits, total, 0.99, 'upper')
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(1)
        expect(low).toBeLessThanOrEqual(hits / total + 1e-12)
        expect(high).toBeGreaterThanOrEqual(hits / total - 1e-12)
      }),
    )
  })
})

describe('judgeThreshold', () => {
  it('waits for enough requests', () => {
    expect(judge({}, 30, 49).met).toBe(false)
    expect(judge({}, 30, 50).met).toBe(true)
  })

  it('waits for enough refusals', () => {
    expect(judge({ minCount: 31 }, 30, 60).met).toBe(false)
  })

  it('wants to be sure: 8 % of 100 may be chance, 8 % of 2000 is not', () => {
    expect(judge({}, 8, 100).met).toBe(false)
    expect(judge({ confidence: 0.5 }, 8, 100).met).toBe(true)
    expect(judge({}, 160, 2000).met).toBe(true)
  })

  it('is calm only at the recovery bound', () => {
    expect(judge({}, 60, 2000)).toMatchObject({ met: false, calm: false })
    expect(judge({}, 40, 2000)).toMatchObject({ met: false, calm: true })
  })

  it('is calm without any requests', () => {
    expect(judge({}, 0, 0)).toMatchObject({ met: false, calm: true, value: 0 })
  })

  it('measures a rate a second and a count a window', () => {
    expect(judge({ measure: 'rate', bound: 0.1, recover: 0.05 }, 60, 0)).toMatchObject({ value: 0.2, met: true })
    expect(judge({ measure: 'count', bound: 59, recover: 50 }, 60, 0)).toMatchObject({ value: 60, met: true })
  })

  it('fires below a bound when that is asked for, as surely as above', () => {
    const below = { side: 'below', bound: 0.05, recover: 0.06 } as const
    expect(judge(below, 3, 100).met).toBe(false)
    expect(judge(below, 30, 2000)).toMatchObject({ met: true, calm: false })
    expect(judge(below, 130, 2000)).toMatchObject({ met: false, calm: true })
  })
})
