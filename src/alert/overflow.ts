import type { Severity } from './alert.ts'
import { compareContributors, topLength } from './contributors.ts'
import { noGroup } from './grouping.ts'
import { highest } from './levels.ts'
import { type Reading, uncounted } from './reading.ts'
import { type Extras, noExtras } from './reading-extras.ts'
import type { Rule } from './rule.ts'

/** The alert that stands for those beyond the limit. Keys of series are JSON, so none is like it. */
export const overflowKey = 'overflow'

/** What the alert for those beyond the limit reads: their sums, and the largest of their contributors. */
export function overflowOf(
  rule: Rule,
  folded: readonly Reading[],
  extras: ReadonlyMap<string, Extras>,
): { reading: Reading; extras: Extras } {
  const each = folded.map(({ key }) => extras.get(key) ?? noExtras)
  const top = each.flatMap(({ contributors }) => contributors.top).sort(compareContributors)
  const since = each.reduce((sum, one) => sum + one.since, 0)
  const leveled = folded.filter(({ levels }) => levels !== undefined)
  const worst: Severity | null = highest(leveled.map(({ levels }) => levels?.reached ?? null))
  const reading: Reading = {
    ...uncounted,
    key: overflowKey,
    labels: {},
    group: noGroup,
    met: folded.length > 0,
    calm: folded.length === 0,
    value: folded.length,
    windowMs: rule.windowMs,
    observed: folded.reduce((sum, one) => sum + one.observed, 0),
    ...(leveled.length === 0 ? {} : { levels: { reached: worst, kept: worst } }),
  }
  const contributors = { top: top.slice(0, topLength), tenants: countTenants(folded), most: 0, scope: null }
  return { reading, extras: { since, contributors } }
}

function countTenants(readings: readonly Reading[]): number {
  return new Set(readings.map(({ labels }) => labels.tenant ?? '')).size
}
