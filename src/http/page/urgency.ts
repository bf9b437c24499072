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

/** Whether what it is about has stopped and it waits to be resolved; its sentence says so. */
export function isCalm({ annotations }: Pick<PageAlert, 'annotations'>): boolean {
  return /calm again/.test(annotations['summary'] ?? '')
}

/** An alert with those that are a part of it: the same cause, one tenant or API of many. */
export interface AlertWithParts {
  readonly alert: PageAlert
  readonly parts: readonly PageAlert[]
}

/**
 * Puts alerts under the broadest one that says the same, so that one incident of many tenants reads as one; what goes
 * on comes before what is calm again.
 *
 * @param alerts broadest first
 */
export function incidentsOf(alerts: readonly PageAlert[]): readonly AlertWithParts[] {
  const heads: { alert: PageAlert; parts: PageAlert[] }[] = []
  for (const alert of [...alerts].sort((a, b) => narrowness(a) - narrowness(b))) {
    const head = heads.find((one) => isPartOf(alert, one.alert))
    if (head === undefined) heads.push({ alert, parts: [] })
    else head.parts.push(alert)
  }
  const place = new Map(alerts.map(({ fingerprint }, i) => [fingerprint, i]))
  const placeOf = ({ alert }: AlertWithParts) =>
    (place.get(alert.fingerprint) ?? 0) + (isCalm(alert) ? alerts.length : 0)
  return heads.sort((a, b) => placeOf(a) - placeOf(b))
}

/** Only an alert over all tenants with a cause of its own has parts; one that goes on is no part of one that is over. */
function isPartOf(part: PageAlert, whole: PageAlert): boolean {
  const { tenant, api, cause } = whole.labels
  if (tenant !== undefined || cause === undefined || part.labels['tenant'] === undefined) return false
  if (isCalm(whole) && !isCalm(part)) return false
  return part.labels['cause'] === cause && (api ?? part.labels['api']) === part.labels['api']
}

/** Newest end first. */
export function lastEndedFirst(alerts: readonly PageAlert[]): readonly PageAlert[] {
  const endOf = ({ resolved_at }: PageAlert) => (resolved_at === null ? 0 : Date.parse(resolved_at))
  return [...alerts].sort((a, b) => endOf(b) - endOf(a))
}
