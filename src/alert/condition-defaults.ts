import { minuteMs } from '../time/duration.ts'
import type { ConditionInput } from './condition-schema.ts'
import type { Condition, OwnLabel, SeriesLabel } from './rule.ts'

/** What series are grouped by where the rule does not say. */
export function usualGroupBy(inputs: readonly ConditionInput[]): readonly (SeriesLabel | OwnLabel)[] {
  const [first] = inputs
  switch (first?.type) {
    case 'quota_forecast':
      return ['tenant', 'quota']
    case 'stalled_input':
      return ['topic']
    case 'burn_rate':
      return ['api']
    case 'absence':
      return ['tenant']
    case 'expiry':
      return ['tenant', 'expires']
    case 'new_value':
      return [first.of]
    default:
      return ['tenant', 'api', 'cause']
  }
}

/** The label that only this condition knows; null for those that look at the windows alone. */
export function ownLabelOf(type: Condition['type']): OwnLabel | null {
  switch (type) {
    case 'quota_forecast':
      return 'quota'
    case 'stalled_input':
      return 'topic'
    case 'expiry':
      return 'expires'
    default:
      return null
  }
}

/** How long alerts are kept where the rule does not say: what counts staggers, the others have ends of their own. */
export function usualKeepMs(type: Condition['type']): number {
  return type === 'spike' || type === 'burn_rate' ? 15 * minuteMs : 0
}

/** Windows of a rule that says nothing else; also the first horizon of a spike. */
export const usualWindowMs: number = 5 * minuteMs
