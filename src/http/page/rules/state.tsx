import type { RuleRow } from '../answers.ts'

/** How a rule stands at the moment, in words. */
export function State({ rule }: { readonly rule: RuleRow }) {
  const words = [
    rule.firing > 0 ? `${rule.firing} firing` : '',
    rule.pending > 0 ? `${rule.pending} pending` : '',
    rule.mode === 'shadow' ? 'on trial, tells nobody' : '',
  ].filter((word) => word !== '')
  if (words.length === 0) return <span class="muted">calm</span>
  return <span class={rule.firing > 0 ? `severity ${rule.severity}` : ''}>{words.join(', ')}</span>
}
