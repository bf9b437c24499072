import { formatDuration } from '../time/duration.ts'
import { type Severity, severities } from './alert.ts'
import { googleWindows, highestFactor } from './burn-rate.ts'
import { ownLabelOf } from './condition-defaults.ts'
import type { ConditionInput, LevelsInput } from './condition-schema.ts'
import type {
  BurnCondition,
  ExpiryCondition,
  Level,
  NewValueCondition,
  OwnLabel,
  QuotaCondition,
  SeriesLabel,
  SimpleCondition,
  SpikeCondition,
  StalledCondition,
  ThresholdCondition,
} from './rule.ts'
import { fixes } from './rule-schema.ts'

export type Path = readonly PropertyKey[]
/** Notes a problem at a path inside the rule. */
export type Report = (at: Path, message: string, fix: string) => void

/** What a condition must fit: the rule around it. */
export interface RuleFrame {
  readonly groupBy: readonly (SeriesLabel | OwnLabel)[]
  readonly windowMs: number
  readonly forMs: number
  /** What the alerts get where a condition does not decide. */
  readonly severity: Severity
}

type Input<Type extends ConditionInput['type']> = Extract<ConditionInput, { type: Type }>

/** Fills in defaults and checks what the schema cannot: whether values make sense together. */
export function buildCondition(input: ConditionInput, frame: RuleFrame, report: Report): SimpleCondition {
  checkGroups(input, frame, report)
  switch (input.type) {
    case 'threshold':
      return buildThreshold(input, frame, report)
    case 'spike':
      return buildSpike(input, frame, report)
    case 'quota_forecast':
      return buildQuota(input, frame, report)
    case 'burn_rate':
      return buildBurn(input, frame, report)
    case 'absence': {
      const longerThanMs = input.longer_than === 'learned' ? null : input.longer_than
      return {
        type: 'absence',
        longerThanMs,
        atLeastMs: input.at_least,
        top: input.among,
        learnMs: longerThanMs === null ? input.learn_for : 0,
      }
    }
    case 'stalled_input':
      return buildStalled(input, report)
    case 'new_value':
      return buildNewValue(input, frame, report)
    case 'expiry':
      return buildExpiry(input, frame, report)
    default:
      return input satisfies never
  }
}

function checkGroups({ type }: ConditionInput, { groupBy }: RuleFrame, report: Report): void {
  const own = ownLabelOf(type)
  for (const label of groupBy) {
    const windowless = label === 'quota' || label === 'topic' || label === 'expires'
    if (windowless && label !== own) {
      report(['group_by'], `${label} is no label of ${type}`, `take ${label} out of group_by`)
    }
    if (type === 'stalled_input' && !windowless) {
      report(['group_by'], `an input has no ${label}`, 'write group_by: [topic]')
    }
    if (type === 'expiry' && !windowless && label !== 'tenant') {
      report(['group_by'], `a subscription has no ${label}`, 'write group_by: [tenant, expires]')
    }
    if (!['quota_forecast', 'burn_rate', 'absence'].includes(type) || (label !== 'cause' && label !== 'family'))
      continue
    const fix = type === 'burn_rate' ? 'use matchers on cause instead' : `take ${label} out of group_by`
    report(['group_by'], `${type} looks at requests, which have no ${label}`, fix)
  }
  if (own !== null && !groupBy.includes(own)) {
    report(['group_by'], `lacks ${own}, by which ${type} tells its alerts apart`, `add ${own} to group_by`)
  }
}

function buildThreshold(input: Input<'threshold'>, frame: RuleFrame, report: Report): ThresholdCondition {
  const { side, bound, levels } = readBounds(input, report)
  const recover = input.recover ?? Number(((side === 'above' ? 0.8 : 1.25) * bound).toPrecision(12))
  if (side === 'above' ? recover > bound : recover < bound) {
    report(['condition', 'recover'], `lies on the wrong side of ${side}: ${bound}`, fixes['recover'] ?? '')
  }
  const largest = Math.max(bound, ...levels.map((level) => level.bound))
  if (input.measure === 'ratio' && largest > 1) {
    report(['condition', levels.length > 0 ? 'levels' : side], 'a ratio is never above 1', 'write 0.05 for 5 %')
  }
  if (input.measure === 'distinct(tenant)' && frame.groupBy.includes('tenant')) {
    report(['group_by'], 'counts tenants in groups of one tenant', 'take tenant out of group_by')
  }
  const byCause = frame.groupBy.includes('cause') || frame.groupBy.includes('family')
  if (input.over === 'refusals' && (byCause || input.measure !== 'ratio')) {
    const fix = 'use over: refusals with measure: ratio, matchers on cause, and group_by without cause and family'
    report(['condition', 'over'], 'does not go with this measure and group_by', fix)
  }
  return {
    type: 'threshold',
    measure: input.measure,
    side,
    bound,
    recover,
    levels,
    over: input.over,
    minTotal: input.min_total,
    minCount: input.min_count,
    minShare: input.min_share,
    confidence: input.confidence,
  }
}

/** One bound, or one for each severity: rising numbers are bounds from above, falling ones from below. */
function readBounds(
  { above, below, levels: written }: Input<'threshold'>,
  report: Report,
): { side: 'above' | 'below'; bound: number; levels: readonly Level[] } {
  const given = [above, below, written].filter((one) => one !== undefined).length
  if (given !== 1) {
    const both = above !== undefined && below !== undefined && written === undefined
    const message =
      given === 0 ? 'has neither above nor below' : both ? 'has both above and below' : 'has levels and a bound'
    report(['condition'], message, 'write exactly one of above, below and levels; use two rules for two bounds')
  }
  if (written === undefined) {
    return { side: above === undefined ? 'below' : 'above', bound: above ?? below ?? 0, levels: [] }
  }
  const levels = levelsOf(written)
  const [mildest, next] = levels
  if (mildest === undefined) report(['condition', 'levels'], 'is empty', fixes['levels'] ?? '')
  const side = next !== undefined && mildest !== undefined && next.bound < mildest.bound ? 'below' : 'above'
  checkOrder(levels, side, report)
  return { side, bound: mildest?.bound ?? 0, levels }
}

function levelsOf(written: LevelsInput): Level[] {
  return severities.flatMap((severity) => {
    const bound = written[severity]
    return bound === undefined ? [] : [{ severity, bound }]
  })
}

function checkOrder(levels: readonly Level[], side: 'above' | 'below', report: Report): void {
  for (const [at, level] of levels.entries()) {
    const before = levels[at - 1]
    if (before === undefined) continue
    if (side === 'above' ? level.bound > before.bound : level.bound < before.bound) continue
    const message = `${level.severity}: ${level.bound} is not beyond ${before.severity}: ${before.bound}`
    report(['condition', 'levels', level.severity], message, 'order the numbers from info over ticket to page')
  }
}

function buildSpike(input: Input<'spike'>, frame: RuleFrame, report: Report): SpikeCondition {
  if (input.also_window <= frame.windowMs) {
    report(['condition', 'also_window'], 'is not longer than window', fixes['also_window'] ?? '')
  }
  if (input.max_tenant_share < 1 && frame.groupBy.includes('tenant')) {
    report(['condition', 'max_tenant_share'], 'goes with groups of several tenants', 'take tenant out of group_by')
  }
  return {
    type: 'spike',
    exposure: input.exposure,
    alsoWindowMs: input.also_window,
    halfLifeMs: input.baseline.half_life,
    falseAlertsPerWeek: input.false_alerts_per_week,
    minCount: input.min_count,
    minRatio: input.min_ratio,
    direction: input.direction,
    maxTenantShare: input.max_tenant_share,
  }
}

function buildQuota(input: Input<'quota_forecast'>, frame: RuleFrame, report: Report): QuotaCondition {
  const levels = levelsOf(input.levels ?? {})
  if (levels.length === 0 && input.forecast === undefined) {
    const fix = 'write levels: {info: 0.75, ticket: 0.9, page: 1.0}, forecast: {within: 24h}, or both'
    report(['condition'], 'has neither levels nor forecast', fix)
  }
  checkOrder(levels, 'above', report)
  for (const { severity, bound } of levels) {
    if (bound <= 10) continue
    report(['condition', 'levels', severity], `${bound} is more than ten times the limit`, 'write 0.9 for 90 %')
  }
  if (frame.forMs > 0) {
    const message = 'makes a level wait that is only crossed once'
    report(['for'], message, 'leave for out: quota_forecast needs no confirmation')
  }
  const forecast = input.forecast
  return {
    type: 'quota_forecast',
    levels,
    forecast:
      forecast === undefined
        ? null
        : { withinMs: forecast.within, probability: forecast.probability, minUsed: forecast.min_used },
    rearmOn: input.rearm_on,
  }
}

function buildBurn(input: Input<'burn_rate'>, frame: RuleFrame, report: Report): BurnCondition {
  const objective = input.objective / 100
  const google = input.windows === 'google'
  const windows =
    input.windows === 'google'
      ? googleWindows(input.period)
      : input.windows.map(({ long, short, factor, severity }) => {
          return { longMs: long, shortMs: short, factor, severity: severity ?? frame.severity }
        })
  for (const [number, { longMs, shortMs, factor }] of windows.entries()) {
    const at = google ? ['condition', 'windows'] : ['condition', 'windows', number]
    const name = `the window of ${formatDuration(longMs)}`
    if (shortMs >= longMs) report([...at, 'short'], 'is not shorter than long', fixes['short'] ?? '')
    if (longMs >= input.period) {
      report(at, `${name} is not shorter than the period`, 'write a longer period, or a list of shorter windows')
    }
    // The share of refused requests that would be needed is the factor times the budget, and none is above 1.
    if (factor < highestFactor(objective)) continue
    const most = Number((100 * (1 - 1 / factor)).toPrecision(4))
    const message = `${name} can never fire: ${Number(factor.toPrecision(4))} times the budget of ${input.objective} % is more than all requests`
    const fix =
      factor <= 1
        ? 'write a factor above 1'
        : `write an objective above ${most}, or a list of windows with factors below ${Number(highestFactor(objective).toPrecision(4))}`
    report(google ? ['condition', 'objective'] : [...at, 'factor'], message, fix)
  }
  return { type: 'burn_rate', objective, periodMs: input.period, windows, minBad: input.min_bad }
}

function buildStalled(input: Input<'stalled_input'>, report: Report): StalledCondition {
  const { watermark_age: watermarkAgeMs = null, or_lag_seconds: lagSeconds = null } = input
  if (watermarkAgeMs === null && lagSeconds === null) {
    report(['condition'], 'has neither watermark_age nor or_lag_seconds', 'write watermark_age: 3m')
  }
  return { type: 'stalled_input', watermarkAgeMs, lagSeconds }
}

function buildNewValue(input: Input<'new_value'>, frame: RuleFrame, report: Report): NewValueCondition {
  if (!frame.groupBy.includes(input.of)) {
    report(['condition', 'of'], `${input.of} is not in group_by`, `add ${input.of} to group_by`)
  }
  return { type: 'new_value', of: input.of, memoryMs: input.memory, minCount: input.min_count }
}

function buildExpiry({ levels: written }: Input<'expiry'>, frame: RuleFrame, report: Report): ExpiryCondition {
  if (!frame.groupBy.includes('tenant')) {
    report(['group_by'], 'lacks tenant, whose subscription it is', 'write group_by: [tenant, expires]')
  }
  if (frame.forMs > 0) {
    report(['for'], 'makes a reminder wait that only the calendar decides', 'leave for out')
  }
  const [first, ...rest] = levelsOf(written)
  if (first === undefined) {
    report(['condition', 'levels'], 'is empty', fixes['levels'] ?? '')
    return { type: 'expiry', levels: [{ severity: frame.severity, bound: 0 }] }
  }
  for (const [at, level] of rest.entries()) {
    const before = rest[at - 1] ?? first
    if (level.bound < before.bound) continue
    const message = `${level.severity}: ${formatDuration(level.bound)} is not nearer to the end than ${before.severity}: ${formatDuration(before.bound)}`
    report(['condition', 'levels', level.severity], message, 'order them as in {info: 30d, ticket: 7d, page: 1d}')
  }
  return { type: 'expiry', levels: [first, ...rest] }
}

const combinable: readonly ConditionInput['type'][] = ['threshold', 'spike', 'burn_rate', 'absence', 'new_value']

/** What cannot stand under `all` or `any`. */
export function checkCombined(inputs: readonly ConditionInput[], kind: 'all' | 'any', report: Report): void {
  if (inputs.length < 2) report(['condition', kind], 'combines fewer than two conditions', fixes[kind] ?? '')
  for (const [number, input] of inputs.entries()) {
    const at = ['condition', kind, number]
    if (!combinable.includes(input.type)) {
      report(
        [...at, 'type'],
        `${input.type} cannot be combined`,
        `write a rule of its own; ${combinable.join(', ')} can`,
      )
    }
    if (input.type === 'threshold' && input.levels !== undefined) {
      report([...at, 'levels'], 'does not go with combined conditions', 'write above or below, and one rule a severity')
    }
    if (input.type === 'spike' && input.max_tenant_share < 1) {
      report([...at, 'max_tenant_share'], 'does not go with combined conditions', 'write a rule of its own')
    }
  }
}
