import { formatDuration } from '../time/duration.ts'
import type { Report } from './read-condition.ts'
import { isCombined, type Rule, type SimpleCondition } from './rule.ts'
import type { RuleInput } from './rule-schema.ts'

/** Reports what a rule may say but can hardly mean. `input` tells what was written from what is a default. */
export function warnAbout(rule: Rule, input: RuleInput, report: Report): void {
  const { condition } = rule
  const all: readonly SimpleCondition[] = isCombined(condition) ? condition.conditions : [condition]
  for (const [number, one] of all.entries()) {
    const at = isCombined(condition) ? ['condition', condition.type, number] : ['condition']
    warnOfCondition(one, (where, message, fix) => report([...at, ...where], message, fix))
  }
  const ownWindows = all.every(({ type }) => type !== 'threshold' && type !== 'spike')
  if (input.window !== undefined && ownWindows) {
    report(['window'], `has no meaning for ${condition.type}`, 'leave window out')
  }
  if (hasLevels(condition)) {
    if (input.severity !== undefined && condition.type !== 'quota_forecast') {
      const source = condition.type === 'burn_rate' ? 'windows' : 'levels'
      report(['severity'], `is decided by the ${source} of the condition`, 'leave severity out')
    }
    if (rule.forMs > rule.keepFiringForMs && rule.forMs > 0) {
      const message = `is ${formatDuration(rule.forMs)}, longer than keep_firing_for with ${formatDuration(rule.keepFiringForMs)}: a level falls sooner than it is confirmed`
      report(['for'], message, 'write a keep_firing_for that is at least as long')
    }
  }
  // Alerts about refusals show the runbook of their most frequent cause.
  const silent = all.every(({ type }) => type === 'absence' || type === 'stalled_input')
  if (silent && rule.severity === 'page' && !('runbook' in rule.annotations)) {
    report(['annotations'], 'wakes people and names no runbook', 'add annotations: {runbook: runbooks/….md}')
  }
  if (condition.type === 'expiry' && rule.noData === 'ok') {
    const message = 'ends a reminder whenever the log stands still, and tells it again afterwards'
    report(['no_data'], message, 'leave no_data out')
  }
  if (condition.type === 'stalled_input' && rule.noData !== 'pause') {
    report(['no_data'], 'has no meaning for stalled_input, which is there for that', 'leave no_data out')
  }
}

function warnOfCondition(condition: SimpleCondition, report: Report): void {
  if (condition.type === 'threshold') {
    const { measure, minTotal, recover, bound, minCount, side } = condition
    if (measure === 'ratio' && minTotal <= 1) {
      const message = `is ${minTotal}: a single refused request is then a ratio of 100 %`
      report(['min_total'], message, 'write 50, or what makes a ratio mean something')
    }
    if (recover === bound && bound > 0) {
      report(['recover'], 'is the bound itself: the alert will flap', 'write a number on the healthy side of the bound')
    }
    if (measure === 'count' && side === 'above' && minCount > bound + 1) {
      const message = `is ${minCount}, so the bound of ${bound} has no effect`
      report(['min_count'], message, 'leave min_count out, or raise the bound')
    }
  }
  if (condition.type === 'absence' && condition.longerThanMs !== null && condition.atLeastMs > condition.longerThanMs) {
    const message = `is ${formatDuration(condition.atLeastMs)}, longer than longer_than`
    report(['at_least'], message, 'leave at_least out: it goes with longer_than: learned')
  }
  if (condition.type === 'quota_forecast' && condition.rearmOn.length === 0) {
    report(['rearm_on'], 'is empty: a quota is told once and never again', 'write [period_reset, limit_change]')
  }
  if (condition.type === 'burn_rate') {
    for (const { shortMs, longMs } of condition.windows) {
      if (shortMs * 4 < longMs || shortMs === 0) continue
      const message = `the short window of ${formatDuration(shortMs)} is close to its long one of ${formatDuration(longMs)}`
      report(['windows'], message, 'write a twelfth of the long one, so that an alert ends soon after its cause')
    }
  }
}

function hasLevels(condition: Rule['condition']): boolean {
  switch (condition.type) {
    case 'burn_rate':
    case 'expiry':
      return true
    case 'threshold':
    case 'quota_forecast':
      return condition.levels.length > 0
    default:
      return false
  }
}
