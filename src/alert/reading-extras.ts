import { hourMs } from '../time/duration.ts'
import { type Contributors, contributorsOf } from './contributors.ts'
import { type Grouping, noGroup } from './grouping.ts'
import { groupCounts, type Reading } from './reading.ts'
import type { StepSums } from './step-sums.ts'

/** What a reading leaves out because it costs a pass over the rows. */
export interface Extras {
  /** Refusals since the last evaluation. */
  readonly since: number
  readonly contributors: Contributors
}

const nobody: Contributors = { top: [], tenants: 0, most: 0, scope: null }
export const noExtras: Extras = { since: 0, contributors: nobody }

/** @param passedMs since the last evaluation; 0 where nobody needs to know what is new since then */
export function extrasOf(
  sums: StepSums,
  grouping: Grouping,
  readings: readonly Reading[],
  passedMs: number,
): ReadonlyMap<string, Extras> {
  const extras = new Map<string, Extras>()
  if (readings.length === 0) return extras
  const passed = passedMs > 0 ? sums.sums(grouping, passedMs) : null
  // The windows hold an hour: of a longer look back its end says who it is.
  const spanOf = ({ windowMs }: Reading) => Math.min(windowMs, hourMs)
  for (const spanMs of new Set(readings.map(spanOf))) {
    if (spanMs === 0) continue
    const here = readings.filter((reading) => spanOf(reading) === spanMs)
    const wanted = new Set(here.map(({ group }) => group).filter((group) => group !== noGroup))
    const contributors = contributorsOf(sums.rows(spanMs), grouping, wanted)
    for (const { key, group } of here) {
      const since = passed === null || group === noGroup ? 0 : groupCounts(passed, grouping, group).refusals
      extras.set(key, { since, contributors: contributors.get(group) ?? nobody })
    }
  }
  return extras
}
