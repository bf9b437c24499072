import type { ThresholdCondition } from './rule.ts'

/**
 * One bound of the Wilson score interval for a share (Wilson, JASA 22, 1927): with the given confidence the true share
 * lies beyond it, also for small totals and for shares near 0 or 1.
 *
 * @param confidence one-sided, in [0.5, 1)
 * @returns a share in [0, 1]; the plain ratio at confidence 0.5
 */
export function wilsonBound(hits: number, total: number, confidence: number, side: 'lower' | 'upper'): number {
  if (total <= 0) return side === 'lower' ? 0 : 1
  const z = normalQuantile(confidence)
  const ratio = hits / total
  const square = (z * z) / total
  const centre = ratio + square / 2
  const reach = z * Math.sqrt((ratio * (1 - ratio)) / total + square / (4 * total))
  const bound = (side === 'lower' ? centre - reach : centre + reach) / (1 + square)
  return Math.min(1, Math.max(0, bound))
}

/** The value a standard normal variable stays below with this chance; for chances in [0.5, 0.99999]. */
export function normalQuantile(chance: number): number {
  let low = 0
  let high = 5
  for (let k = 0; k < 60; k++) {
    const middle = (low + high) / 2
    if (normalChance(middle) < chance) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Φ(z) for z ≥ 0 by its power series with positive terms only (Abramowitz and Stegun 26.2.11). */
function normalChance(z: number): number {
  let term = z
  let sum = z
  for (let k = 1; k < 200; k++) {
    term *= (z * z) / (2 * k + 1)
    sum += term
    if (term < 1e-17 * sum) break
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
}

/** What a threshold looks at. */
export interface ThresholdInput {
  /** Refusals in the window, or affected tenants for `distinct(tenant)`. */
  readonly hits: number
  /** Requests, or refusals of any cause, see `over`. */
  readonly total: number
  readonly windowMs: number
}

export interface ThresholdVerdict {
  readonly value: number
  readonly met: boolean
  readonly calm: boolean
}

/** Measures and compares: `met` is what it takes to become active, `calm` what it takes to end. */
export function judgeThreshold(condition: ThresholdCondition, input: ThresholdInput): ThresholdVerdict {
  const { hits, total, windowMs } = input
  const value = measured(condition, input)
  const above = condition.side === 'above'
  const calm = value === null || (above ? value <= condition.recover : value >= condition.recover)
  if (value === null) return { value: 0, met: false, calm }
  const beyond = above ? value > condition.bound : value < condition.bound
  if (!beyond) return { value, met: false, calm }
  if (condition.measure === 'distinct(tenant)') return { value, met: true, calm }
  if (above && hits < condition.minCount) return { value, met: false, calm }
  if (condition.measure !== 'ratio') return { value, met: windowMs > 0, calm }
  if (total < condition.minTotal) return { value, met: false, calm }
  const sure = wilsonBound(hits, total, condition.confidence, above ? 'lower' : 'upper')
  return { value, met: above ? sure > condition.bound : sure < condition.bound, calm }
}

/** One condition for each level, from the mildest; each ends where the rule's own bound would, in proportion. */
export function perLevel(condition: ThresholdCondition): readonly ThresholdCondition[] {
  const { levels, bound, recover } = condition
  return levels.map((level) => ({
    ...condition,
    bound: level.bound,
    recover: bound === 0 ? level.bound : Number(((recover / bound) * level.bound).toPrecision(12)),
  }))
}

function measured({ measure }: ThresholdCondition, { hits, total, windowMs }: ThresholdInput): number | null {
  switch (measure) {
    case 'ratio':
      return total > 0 ? hits / total : null
    case 'rate':
      return hits / (windowMs / 1000)
    case 'count':
    case 'distinct(tenant)':
      return hits
    default:
      return measure satisfies never
  }
}

/** How many refusals a window right at the bound would have; null where the measure does not count refusals. */
export function expectedAtBound(condition: ThresholdCondition, total: number, windowMs: number): number | null {
  switch (condition.measure) {
    case 'ratio':
      return condition.bound * total
    case 'rate':
      return (condition.bound * windowMs) / 1000
    case 'count':
      return condition.bound
    case 'distinct(tenant)':
      return null
    default:
      return condition.measure satisfies never
  }
}
