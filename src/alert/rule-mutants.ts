import { type Condition, isCombined, type Level, type Rule, type SimpleCondition } from './rule.ts'

/** A rule with one value changed, as in `MyRule: bound 0.2 -> 0.4`. */
export interface Mutant {
  readonly name: string
  readonly rule: Rule
}

/** One value of a condition changed. */
interface Change<C> {
  readonly what: string
  readonly condition: C
}

/**
 * Changes every bound and comparison of a rule in turn: numbers are doubled and halved, sides are flipped. Left out is
 * what cannot matter (a share where counts are measured), and what no test of some hours can pin down (how fast a
 * baseline forgets, how many false alerts a week are acceptable).
 */
export function mutantsOf(rule: Rule): readonly Mutant[] {
  const mutants: Mutant[] = []
  const add = (what: string, change: Partial<Rule>) => {
    mutants.push({ name: `${rule.name}: ${what}`, rule: { ...rule, ...change } })
  }
  for (const forMs of changed(rule.forMs, 60_000)) add(`for ${rule.forMs} ms -> ${forMs} ms`, { forMs })
  for (const keepFiringForMs of changed(rule.keepFiringForMs, 60_000)) {
    add(`keep_firing_for ${rule.keepFiringForMs} ms -> ${keepFiringForMs} ms`, { keepFiringForMs })
  }
  for (const { what, condition } of changesOf(rule.condition)) add(what, { condition })
  return mutants
}

function changesOf(condition: Condition): readonly Change<Condition>[] {
  if (!isCombined(condition)) return simpleChanges(condition)
  const other = condition.type === 'all' ? 'any' : 'all'
  return [
    { what: `${condition.type} -> ${other}`, condition: { ...condition, type: other } },
    ...condition.conditions.flatMap((one, at) =>
      simpleChanges(one).map(({ what, condition: mutant }) => ({
        what: `${condition.type}[${at}].${what}`,
        condition: { ...condition, conditions: condition.conditions.with(at, mutant) },
      })),
    ),
  ]
}

function simpleChanges(condition: SimpleCondition): readonly Change<SimpleCondition>[] {
  switch (condition.type) {
    case 'threshold':
      return thresholdChanges(condition)
    case 'spike':
      return [
        ...numbers(condition, ['minCount', 'minRatio', ...(condition.maxTenantShare < 1 ? ['maxTenantShare'] : [])]),
        ...flips(condition.direction).map((direction) => ({
          what: `direction ${condition.direction} -> ${direction}`,
          condition: { ...condition, direction },
        })),
      ]
    case 'quota_forecast': {
      const { forecast } = condition
      const forecasts = forecast === null ? [] : numbers(forecast, ['withinMs', 'probability', 'minUsed'])
      return [
        ...levelChanges(condition.levels).map(({ what, levels }) => ({ what, condition: { ...condition, levels } })),
        ...forecasts.map(({ what, condition: mutant }) => ({
          what: `forecast.${what}`,
          condition: { ...condition, forecast: mutant },
        })),
      ]
    }
    case 'burn_rate': {
      const budget = 1 - condition.objective
      return [
        // Of an objective the budget is what a bound is made of.
        ...changed(budget, budget).map((other) => ({
          what: `objective ${condition.objective} -> ${Number((1 - other).toPrecision(6))}`,
          condition: { ...condition, objective: 1 - other },
        })),
        ...condition.windows.flatMap((window, at) =>
          numbers(window, ['factor']).map(({ what, condition: mutant }) => ({
            what: `windows[${at}].${what}`,
            condition: { ...condition, windows: condition.windows.with(at, mutant) },
          })),
        ),
        ...numbers(condition, ['minBad']),
      ]
    }
    case 'absence':
      return numbers(condition, [condition.longerThanMs === null ? 'atLeastMs' : 'longerThanMs'])
    case 'stalled_input':
      return numbers(condition, ['watermarkAgeMs', 'lagSeconds'])
    case 'new_value':
      return numbers(condition, ['memoryMs', 'minCount'])
    case 'expiry':
      return levelChanges(condition.levels).flatMap(({ what, levels: [first, ...rest] }) => {
        return first === undefined ? [] : [{ what, condition: { ...condition, levels: [first, ...rest] } }]
      })
    default:
      return condition satisfies never
  }
}

type Threshold = Extract<SimpleCondition, { type: 'threshold' }>

function thresholdChanges(condition: Threshold): readonly Change<Threshold>[] {
  const { measure, side, bound, recover, levels, minCount } = condition
  const other = side === 'above' ? ('below' as const) : ('above' as const)
  const fields: string[] = []
  if (measure === 'ratio') fields.push('minTotal')
  if (measure === 'distinct(tenant)') fields.push('minShare')
  // Beyond a bound of 20 there are 21, so that a least count of 5 says nothing.
  const countMatters = measure !== 'count' || minCount > bound
  if (side === 'above' && countMatters) fields.push('minCount')
  const bounds =
    levels.length === 0
      ? numbers(condition, ['bound'])
      : levelChanges(levels).map(({ what, levels: changedLevels }) => ({
          what,
          condition: { ...condition, levels: changedLevels, bound: changedLevels[0]?.bound ?? bound },
        }))
  // A recovery beyond the bound is no rule that could be written.
  const healthy = (value: number) => (side === 'above' ? value <= bound : value >= bound)
  return [
    { what: `side ${side} -> ${other}`, condition: { ...condition, side: other } },
    ...bounds,
    ...changed(recover, 1)
      .filter(healthy)
      .map((value) => ({ what: `recover ${recover} -> ${value}`, condition: { ...condition, recover: value } })),
    ...numbers(condition, fields),
    ...(measure === 'ratio' && condition.confidence > 0.5
      ? [{ what: `confidence ${condition.confidence} -> 0.5`, condition: { ...condition, confidence: 0.5 } }]
      : []),
  ]
}

function levelChanges(levels: readonly Level[]): readonly { what: string; levels: readonly Level[] }[] {
  return levels.flatMap((level, at) =>
    changed(level.bound, 1).map((bound) => ({
      what: `levels.${level.severity} ${level.bound} -> ${bound}`,
      levels: levels.with(at, { ...level, bound }),
    })),
  )
}

/** The same with each of these fields doubled and halved, where it is a number. */
function numbers<C extends object>(whole: C, fields: readonly string[]): readonly Change<C>[] {
  return Object.entries(whole).flatMap(([field, value]: [string, unknown]) => {
    if (!fields.includes(field) || typeof value !== 'number') return []
    return changed(value, 1).map((other) => ({
      what: `${field} ${value} -> ${other}`,
      condition: { ...whole, [field]: other },
    }))
  })
}

function flips(direction: 'up' | 'down' | 'both'): readonly ('up' | 'down')[] {
  if (direction === 'both') return ['up', 'down']
  return [direction === 'up' ? 'down' : 'up']
}

/** @param first what nothing becomes when there is something */
function changed(value: number, first: number): readonly number[] {
  if (value === 0) return [first]
  const double = Number((value * 2).toPrecision(12))
  if (Number.isInteger(value) && value < 2) return [double]
  return [double, Number.isInteger(value) ? Math.floor(value / 2) : Number((value / 2).toPrecision(12))]
}
