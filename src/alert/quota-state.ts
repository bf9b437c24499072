import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { CombinedEvaluator } from './combined-rule.ts'
import { untilBusy } from './day-cycle.ts'
import type { RuleEngine } from './engine.ts'
import { runOutRange } from './quota-forecast.ts'
import { type KnownQuota, QuotaEvaluator } from './quota-rule.ts'

/** A quota of a tenant, for those who look. */
export interface QuotaState {
  /** Null where the rule that follows it does not tell APIs apart. */
  readonly api: string | null
  readonly quota: string
  readonly limit: number
  readonly used: number
  readonly resetAtMs: EpochMs | null
  /** Whether a gateway tells of it, or it was learnt from where refusals began. */
  readonly source: 'header' | 'learned'
  /** When it runs out if usage goes on like this, as likely sooner as later; null for not before the reset. */
  readonly runsOutAtMs: EpochMs | null
  /** Chance of running out before the reset, as far as the rule looks ahead; null where it is not known yet. */
  readonly chance: number | null
}

/** Quotas of a tenant that any rule follows, each once. */
export function quotaStates(engine: RuleEngine, tenant: string): readonly QuotaState[] {
  const states = new Map<string, QuotaState>()
  for (const { evaluator } of engine.runners) {
    const parts = evaluator instanceof CombinedEvaluator ? evaluator.evaluators : [evaluator]
    for (const part of parts) {
      if (!(part instanceof QuotaEvaluator)) continue
      for (const known of part.quotasOf(tenant)) {
        const state = stateOf(known)
        const key = JSON.stringify([state.api, state.quota])
        if (!states.has(key)) states.set(key, state)
      }
    }
  }
  return [...states.values()]
}

function stateOf({ labels, stand, chance, nowMs }: KnownQuota): QuotaState {
  const { limit, used, resetAtMs, learned, rate, cycle } = stand
  const busy = used < limit ? runOutRange(limit - used, rate).middle : 0
  const atMs = busy === null ? null : nowMs + untilBusy(cycle, nowMs, busy) * minuteMs
  return {
    api: labels['api'] ?? null,
    quota: labels['quota'] ?? '',
    ...{ limit, used, resetAtMs, chance },
    source: learned ? 'learned' : 'header',
    runsOutAtMs: atMs === null || (resetAtMs !== null && atMs >= resetAtMs) ? null : atMs,
  }
}
