import type { PageAlert } from './answers.ts'

const severities = ['info', 'ticket', 'page'] as const

/** What narrows an alert down; family only says again what the cause says. */
const seriesLabels = ['tenant', 'api', 'cause'] as const

/**
 * What a reader should see first: the most severe, of those the ones that concern most (an alert with fewer labels
 * stands for more tenants and APIs), of those the ones that refuse most.
 */
export function broadestFirst(alerts: readonly PageAlert[]): readonly PageAlert[] {
  return [...alerts].sort(
    (a, b) =>
      severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
      narrowness(a) - narrowness(b) ||
      b.numbers.observed - a.numbers.observed ||
      // A fixed order, so that equal alerts do not change places with every poll.
      (a.fingerprint < b.fingerprint ? -1 : a.fingerprint > b.fingerprint ? 1 : 0),
  )
}

function narrowness({ labels }: PageAlert): number {
  // "12 more alerts of a rule" has no labels of a series, but tells less than any alert that has.
  if (labels['overflow'] !== undefined) return seriesLabels.length + 1
  const own = seriesLabels.filter((label) => labels[label] !== undefined).length
  return labels['cause'] === undefined && labels['family'] !== undefined ? own + 1 : own
}

/** Newest end first. */
export function lastEndedFirst(alerts: readonly PageAlert[]): readonly PageAlert[] {
  const endOf = ({ resolved_at }: PageAlert) => (resolved_at === null ? 0 : Date.parse(resolved_at))
  return [...alerts].sort((a, b) => endOf(b) - endOf(a))
}
