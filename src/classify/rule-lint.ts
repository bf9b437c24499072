import type { CauseRule, ClassifyOptions } from './options.ts'
import { globMatches, phraseIn } from './rules.ts'
import { folded } from './signals.ts'

/** A rule that does not do what its writer thought; it is no error, and the others hold. */
export interface RuleWarning {
  /** Position in `classify.rules`, from 0. */
  readonly index: number
  readonly message: string
  readonly fix: string
}

/** Rules that can never decide: an earlier one fits whatever they fit, or nobody asks for their status. */
export function ruleWarnings({ rules, watch }: Pick<ClassifyOptions, 'rules' | 'watch'>): readonly RuleWarning[] {
  const warnings: RuleWarning[] = []
  const asked = new Set([402, ...watch.map(({ status }) => status)])
  for (const [index, rule] of rules.entries()) {
    const earlier = rules.slice(0, index)
    const covering = earlier.find((one) => covers(one, rule))
    if (covering !== undefined) {
      const message = `can never decide: the rule "${covering.name}" before it fits every call that this one fits`
      warnings.push({ index, message, fix: 'move it up, or make the earlier rule narrower' })
    }
    const { status } = rule.when
    if (status !== undefined && !asked.has(status)) {
      const message = `asks for status ${status}, which is looked at only where the upstream answered 402`
      warnings.push({
        index,
        message,
        fix: `name the status ${status} under classify.watch, or take it out of the rule`,
      })
    }
    if (earlier.some(({ name }) => name === rule.name)) {
      const message = `has the name "${rule.name}" of an earlier rule, so rule:${rule.name} in cause_source means both`
      warnings.push({ index, message, fix: 'give it a name of its own' })
    }
  }
  return warnings
}

/** Whether `wide` fits every record that `narrow` fits: each of its conditions follows from one of `narrow`'s. */
function covers({ when: wide }: CauseRule, { when: narrow }: CauseRule): boolean {
  const apis = [narrow.api, narrow.route]
  return (
    isCovered(wide.api, apis) &&
    isCovered(wide.route, apis) &&
    isCovered(wide.service, [narrow.service]) &&
    isCovered(wide.tenant, [narrow.tenant]) &&
    (wide.status === undefined || wide.status === narrow.status) &&
    isCovered(spelled(wide.code), [spelled(narrow.code)]) &&
    (wide.text === undefined || (narrow.text !== undefined && phraseIn(narrow.text, wide.text) !== null))
  )
}

/** A `*` of the wide pattern takes in the narrow pattern's `*` as any other character, and nothing else does. */
function isCovered(wide: string | undefined, narrow: readonly (string | undefined)[]): boolean {
  return wide === undefined || narrow.some((pattern) => pattern !== undefined && globMatches(wide, pattern))
}

function spelled(code: string | undefined): string | undefined {
  return code === undefined ? undefined : folded(code)
}

/** The conditions as a person reads them: `api billing-*, status 402`. */
export function conditionsOf({ when }: CauseRule): string {
  const parts = Object.entries(when).filter(([, value]) => value !== undefined)
  return parts.map(([key, value]) => `${key} ${value}`).join(', ')
}
