import type { TenantDirectory } from '../tenants/directory.ts'
import { AbsenceEvaluator } from './absence-rule.ts'
import { BurnEvaluator } from './burn-rule.ts'
import { CombinedEvaluator } from './combined-rule.ts'
import { ExpiryEvaluator } from './expiry-rule.ts'
import { NewValueEvaluator } from './new-value-rule.ts'
import type { QuotaBoard } from './quota-reading.ts'
import { QuotaEvaluator } from './quota-rule.ts'
import type { Evaluator } from './reading.ts'
import { isCombined, type Rule, type SimpleCondition } from './rule.ts'
import { SpikeEvaluator } from './spike-rule.ts'
import { StalledEvaluator } from './stalled-rule.ts'
import type { Groupings } from './step-sums.ts'
import { ThresholdEvaluator } from './threshold-rule.ts'

/** What all rules of an engine share. */
export interface Shared {
  readonly groupings: Groupings
  readonly board: QuotaBoard
  /** The most series one condition remembers something of. */
  readonly seriesLimit: number
  readonly tenants: TenantDirectory
}

/** What judges a rule. */
export function createEvaluator(rule: Rule, shared: Shared): Evaluator {
  const { condition } = rule
  if (!isCombined(condition)) return evaluatorOf(rule, condition, shared)
  const parts = condition.conditions.map((one) => ({ condition: one, evaluator: evaluatorOf(rule, one, shared) }))
  return new CombinedEvaluator(condition.type, parts)
}

function evaluatorOf(rule: Rule, condition: SimpleCondition, shared: Shared): Evaluator {
  const { groupings, seriesLimit } = shared
  switch (condition.type) {
    case 'threshold':
      return new ThresholdEvaluator(rule, condition, groupings)
    case 'spike':
      return new SpikeEvaluator(rule, condition, groupings, seriesLimit)
    case 'quota_forecast':
      return new QuotaEvaluator(rule, condition, shared)
    case 'burn_rate':
      return new BurnEvaluator(rule, condition, shared)
    case 'absence':
      return new AbsenceEvaluator(rule, condition, shared)
    case 'stalled_input':
      return new StalledEvaluator(rule, condition, groupings)
    case 'new_value':
      return new NewValueEvaluator(rule, condition, shared)
    case 'expiry':
      return new ExpiryEvaluator(rule, condition, shared)
    default:
      return condition satisfies never
  }
}
