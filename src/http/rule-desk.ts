import type { RuleEngine } from '../alert/engine.ts'
import { bandOf, usualRefusals } from '../alert/normal.ts'
import { quotaStates } from '../alert/quota-state.ts'
import type { RuleDesk } from './deps.ts'

/**
 * What the rules of an engine know.
 *
 * @param engine null while there is none yet
 */
export function ruleDesk(engine: () => RuleEngine | null, seriesLimit: number): RuleDesk {
  return {
    seriesLimit,
    list: () => {
      const own = engine()
      if (own === null) return []
      const stats = new Map(own.stats().map((one) => [one.rule, one]))
      return own.rules.map((rule) => ({
        rule,
        firing: stats.get(rule.name)?.firing ?? 0,
        pending: stats.get(rule.name)?.pending ?? 0,
        status: own.status(rule.name) ?? [],
      }))
    },
    find: (name) => engine()?.rules.find((rule) => rule.name === name) ?? null,
    usual: (series, traffic) => {
      const own = engine()
      return own === null ? null : usualRefusals(own, series, traffic)
    },
    band: (fingerprint) => {
      const own = engine()
      return own === null ? null : bandOf(own, fingerprint)
    },
    quotas: (tenant) => {
      const own = engine()
      return own === null ? [] : quotaStates(own, tenant)
    },
  }
}
