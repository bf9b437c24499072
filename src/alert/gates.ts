import { CombinedEvaluator } from './combined-rule.ts'
import { contributorsOf } from './contributors.ts'
import { noGroup } from './grouping.ts'
import type { Evaluator, Reading } from './reading.ts'
import { isCombined, type Rule, type SimpleCondition, type SpikeCondition, type ThresholdCondition } from './rule.ts'
import { spanText } from './span.ts'
import { type HorizonReading, isCalm, logChance, type Side } from './spike.ts'
import { SpikeEvaluator } from './spike-rule.ts'
import type { StepSums } from './step-sums.ts'
import { formatCount, formatPercent } from './summary.ts'
import { wilsonBound } from './threshold.ts'

/** One thing that must be so before a rule fires. */
export interface Gate {
  readonly passed: boolean
  /** What is asked and what was found: `at least 5 refusals: 3`. */
  readonly text: string
}

export interface Seen {
  readonly rule: Rule
  readonly evaluator: Evaluator
  readonly sums: StepSums
  /** What the evaluator read of the series. */
  readonly reading: Reading
}

/** Everything a condition asks of a series, and what it found. */
export function conditionGates(seen: Seen): readonly Gate[] {
  const { rule, evaluator } = seen
  const { condition } = rule
  if (!isCombined(condition)) return gatesOf(condition, seen)
  const evaluators = evaluator instanceof CombinedEvaluator ? evaluator.evaluators : []
  const parts = condition.conditions.map((one, at) => {
    const part = evaluators[at]
    const own = part?.evaluate(seen.sums, new Map([[seen.reading.key, null]])) ?? []
    const reading = own.find(({ key }) => key === seen.reading.key)
    const gates = part === undefined || reading === undefined ? [] : gatesOf(one, { ...seen, evaluator: part, reading })
    return { gates: gates.map(({ passed, text }) => ({ passed, text: `${one.type}: ${text}` })), type: one.type }
  })
  if (condition.type === 'all') return parts.flatMap(({ gates }) => gates)
  // Of `any` one part is enough; the others' gates are no reason for silence.
  const holds = parts.find(({ gates }) => gates.length > 0 && gates.every(({ passed }) => passed))
  return holds?.gates ?? parts.flatMap(({ gates }) => gates)
}

function gatesOf(condition: SimpleCondition, seen: Seen): readonly Gate[] {
  switch (condition.type) {
    case 'threshold':
      return thresholdGates(condition, seen.reading)
    case 'spike':
      return spikeGates(condition, seen)
    case 'quota_forecast':
    case 'burn_rate':
    case 'absence':
    case 'stalled_input':
    case 'expiry':
    case 'new_value': {
      const { met, words } = seen.reading
      return [
        {
          passed: met,
          text: `its condition holds: ${words?.[met ? 'now' : 'calm'] ?? (met ? 'it does' : 'it does not')}`,
        },
      ]
    }
    default:
      return condition satisfies never
  }
}

function thresholdGates(condition: ThresholdCondition, { value, observed, expected }: Reading): readonly Gate[] {
  const { measure, side, bound, minTotal, minCount, minShare, confidence, over } = condition
  const isAbove = side === 'above'
  const beyond = isAbove ? value > bound : value < bound
  const share = measure === 'ratio'
  const shown = (number: number) => (share ? formatPercent(number) : String(Number(number.toPrecision(6))))
  const gates: Gate[] = [{ passed: beyond, text: `${measure} ${side} ${shown(bound)}: ${shown(value)}` }]
  if (measure === 'distinct(tenant)') {
    const each = minShare > 0 ? ` and ${formatPercent(minShare)} of its requests` : ''
    return [{ passed: beyond, text: `${gates[0]?.text ?? ''} (a tenant counts from ${minCount} refusals${each} on)` }]
  }
  if (isAbove) {
    gates.push({ passed: observed >= minCount, text: `at least ${minCount} refusals: ${formatCount(observed)}` })
  }
  if (!share) return gates
  // What the ratio is taken of: the reading holds it as the number that would be refused right at the bound.
  const total = bound > 0 && expected !== null ? expected / bound : 0
  gates.push({ passed: total >= minTotal, text: `at least ${minTotal} ${over}: ${formatCount(total)}` })
  const sure = wilsonBound(value * total, total, confidence, isAbove ? 'lower' : 'upper')
  gates.push({
    passed: isAbove ? sure > bound : sure < bound,
    text: `with ${confidence * 100} % confidence ${side} ${shown(bound)}: ${isAbove ? 'at least' : 'at most'} ${shown(sure)}`,
  })
  return gates
}

function spikeGates(condition: SpikeCondition, { rule, evaluator, sums, reading }: Seen): readonly Gate[] {
  if (!(evaluator instanceof SpikeEvaluator)) return []
  const { series } = evaluator
  const place = series.placeOfKey(reading.key)
  if (place === undefined) {
    return [{ passed: false, text: 'it has a baseline: no, for it has had no refusal within the longer window' }]
  }
  const { baselines } = series
  if (baselines.isFresh(place)) {
    return [{ passed: false, text: 'its first minute is over: no, there is nothing yet to compare it with' }]
  }
  const windows = [rule.windowMs, condition.alsoWindowMs] as const
  const [short, long] = ([0, 1] as const).map((horizon) =>
    series.reading(place, horizon, series.gather(sums, windows[horizon], sums.atMs)),
  )
  if (short === undefined || long === undefined) return []
  const sides: readonly Side[] = condition.direction === 'both' ? ['up', 'down'] : [condition.direction]
  const bound = evaluator.stats().alpha / (2 * sides.length)
  const longMuted = baselines.isLongMuted(place, sums.atMs)
  const looks = sides.flatMap((side) => [
    horizonGates(condition, { side, reading: short, windowMs: windows[0], bound }),
    [
      { passed: !longMuted, text: `in ${spanText(windows[1])}: an episode is not just over` },
      {
        passed: !isCalm(short, side),
        text: `in ${spanText(windows[1])}: the last ${spanText(windows[0])} still show it`,
      },
      ...horizonGates(condition, { side, reading: long, windowMs: windows[1], bound }),
    ],
  ])
  // One look is enough; when none passes, the one that came closest says why.
  const failures = (gates: readonly Gate[]) => gates.filter(({ passed }) => !passed).length
  const best = looks.toSorted((a, b) => failures(a) - failures(b))[0] ?? []
  return [...best, ...fleetGate(condition, { rule, evaluator, sums, reading })]
}

function horizonGates(
  { minCount, minRatio }: SpikeCondition,
  { side, reading, windowMs, bound }: { side: Side; reading: HorizonReading; windowMs: number; bound: number },
): readonly Gate[] {
  const { count, mean } = reading
  const span = `in ${spanText(windowMs)}`
  const chance = mean > 0 ? Math.exp(logChance(reading, side)) : 1
  const unlikely = {
    passed: chance < bound,
    text: `${span}: a chance below ${bound.toExponential(1)}: ${chance.toExponential(1)}`,
  }
  if (side === 'down') {
    return [
      { passed: mean >= minCount, text: `${span}: usually at least ${minCount} refusals: ${formatCount(mean)}` },
      {
        passed: count * minRatio <= mean,
        text: `${span}: at most a ${minRatio}th of the usual ${formatCount(mean)}: ${formatCount(count)}`,
      },
      unlikely,
    ]
  }
  return [
    { passed: count >= minCount, text: `${span}: at least ${minCount} refusals: ${formatCount(count)}` },
    {
      passed: mean > 0 && count >= minRatio * mean,
      text: `${span}: at least ${minRatio} times the usual ${formatCount(mean)}: ${formatCount(count)}`,
    },
    unlikely,
  ]
}

/** A rise that one tenant makes up alone is no rise of the fleet. */
function fleetGate({ maxTenantShare }: SpikeCondition, { evaluator, sums, reading }: Seen): readonly Gate[] {
  if (maxTenantShare >= 1 || reading.group === noGroup || reading.observed === 0) return []
  const rows = sums.rows(reading.windowMs)
  const most = contributorsOf(rows, evaluator.grouping, new Set([reading.group])).get(reading.group)?.most ?? 0
  const share = most / reading.observed
  return [
    {
      passed: share <= maxTenantShare,
      text: `no tenant makes up more than ${formatPercent(maxTenantShare)}: ${formatPercent(share)}`,
    },
  ]
}
