import type { PageAlert, SummaryRow } from '../answers.ts'

/** Causes of firing alerts first, then those with the most refusals. */
export function worstCauses(
  alerts: readonly Pick<PageAlert, 'state' | 'labels'>[],
  rows: readonly Pick<SummaryRow, 'cause' | 'payment_required'>[],
): readonly string[] {
  const firing = alerts.flatMap(({ state, labels }) => (state === 'firing' ? (labels['cause'] ?? []) : []))
  const counts = new Map<string, number>()
  for (const { cause = '', payment_required } of rows) {
    if (cause !== '') counts.set(cause, (counts.get(cause) ?? 0) + payment_required)
  }
  const refused = [...counts].sort((a, b) => b[1] - a[1]).map(([cause]) => cause)
  return [...new Set([...firing, ...refused])]
}
