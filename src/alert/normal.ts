import { causes } from '../classify/cause.ts'
import { minuteMs } from '../time/duration.ts'
import type { RuleEngine } from './engine.ts'
import { smallestAlarm } from './negative-binomial.ts'
import { isCombined, type Rule, type SpikeCondition, type ThresholdCondition } from './rule.ts'
import type { RuleRunner } from './rule-runner.ts'
import { SpikeEvaluator } from './spike-rule.ts'

/** Requests of a series over a span of time. */
export interface Traffic {
  readonly requests: number
  readonly spanMs: number
}

/**
 * How many refusals so many requests of a series usually bring, over all causes that a spike rule knows of it.
 *
 * @returns null where no rule keeps a baseline for it
 */
export function usualRefusals(
  engine: RuleEngine,
  series: { readonly tenant: string; readonly api: string },
  traffic: Traffic,
): number | null {
  let expected: number | null = null
  const known = new Set<string>()
  // The keys of such rules are tenant, API and cause as JSON; there may be thousands of rows to look up.
  const head = JSON.stringify([series.tenant, series.api]).slice(0, -1)
  for (const { rule, evaluator } of engine.runners) {
    if (!(evaluator instanceof SpikeEvaluator) || !tellsApart(rule)) continue
    for (const cause of causes) {
      const place = evaluator.series.placeOfKey(`${head},"${cause}"]`)
      // Two rules may look at the same refusals.
      if (place === undefined || known.has(cause)) continue
      known.add(cause)
      const { mean } = evaluator.series.baselines.predict(place, 0, exposureOf(rule, traffic))
      expected = (expected ?? 0) + mean
    }
  }
  return expected
}

/** Whether the series of a rule are those of one tenant, API and cause. */
function tellsApart({ groupBy }: Rule): boolean {
  return groupBy.length === 3 && groupBy.includes('tenant') && groupBy.includes('api') && groupBy.includes('cause')
}

function exposureOf({ condition }: Rule, { requests, spanMs }: Traffic): number {
  return condition.type === 'spike' && condition.exposure === 'time' ? spanMs / minuteMs : requests
}

/** What is normal in a span, and from how many refusals on its rule finds them too many. */
export interface Band {
  readonly expected: number | null
  readonly upper: number | null
}

/**
 * What the rule of an alert would have made of so much traffic, as it judges now: a baseline that learns has forgotten
 * what it thought then, but while its alert is on it stands still.
 *
 * @returns a function of the traffic; null where the rule has no such line, or is gone
 */
export function bandOf(engine: RuleEngine, fingerprint: string): ((traffic: Traffic) => Band) | null {
  for (const runner of engine.runners) {
    for (const { key, alert } of runner.instances.values()) {
      if (alert.fingerprint === fingerprint) return bandAt(runner, key)
    }
  }
  return null
}

function bandAt({ rule, evaluator }: RuleRunner, key: string): ((traffic: Traffic) => Band) | null {
  const { condition } = rule
  if (isCombined(condition)) return null
  if (condition.type === 'threshold') return thresholdBand(rule, condition)
  if (condition.type !== 'spike' || !(evaluator instanceof SpikeEvaluator)) return null
  const place = evaluator.series.placeOfKey(key)
  return place === undefined ? null : spikeBand(rule, condition, { evaluator, place })
}

function spikeBand(
  rule: Rule,
  { minCount, minRatio, direction }: SpikeCondition,
  { evaluator, place }: { evaluator: SpikeEvaluator; place: number },
): (traffic: Traffic) => Band {
  // Shared out over two horizons and the sides, as `judgeSpike` does.
  const logAlpha = Math.log(evaluator.stats().alpha / (direction === 'both' ? 4 : 2))
  return (traffic) => {
    const { mean, spread } = evaluator.series.baselines.predict(place, 0, exposureOf(rule, traffic))
    if (direction === 'down' || mean <= 0) return { expected: mean, upper: null }
    // The least count is meant for a window of the rule; a shorter span has its part of it.
    const least = Math.ceil(minCount * Math.min(1, traffic.spanMs / rule.windowMs))
    return { expected: mean, upper: smallestAlarm(mean, 1 / spread, logAlpha, { minCount: least, minRatio }) }
  }
}

function thresholdBand(
  rule: Rule,
  { measure, side, bound, over }: ThresholdCondition,
): ((traffic: Traffic) => Band) | null {
  if (side === 'below' || over === 'refusals') return null
  switch (measure) {
    case 'ratio':
      return ({ requests }) => ({ expected: null, upper: bound * requests })
    case 'rate':
      return ({ spanMs }) => ({ expected: null, upper: (bound * spanMs) / 1000 })
    case 'count':
      return ({ spanMs }) => ({ expected: null, upper: (bound * spanMs) / rule.windowMs })
    case 'distinct(tenant)':
      return null
    default:
      return measure satisfies never
  }
}
