import type { AlertNumbers } from './alert.ts'
import { type Grouping, noGroup } from './grouping.ts'
import type { Rows } from './step-sums.ts'

type Contributor = AlertNumbers['top'][number]

export interface Contributors {
  /** The largest first; equal ones in the order of their names. */
  readonly top: readonly Contributor[]
  /** How many tenants have a refusal. */
  readonly tenants: number
  /** Refusals of the one tenant that has most. */
  readonly most: number
}

export const topLength = 3

/** Who makes up the refusals of the wanted groups: one pass over the rows, whatever the number of groups. */
export function contributorsOf(
  { totals, pairs }: Rows,
  grouping: Grouping,
  wanted: ReadonlySet<number>,
): ReadonlyMap<number, Contributors> {
  const found = new Map<number, { top: Contributor[]; tenants: Map<string, number> }>()
  for (const [at, row] of totals.entries()) {
    if (row.paymentRequired === 0) continue
    const pair = pairs[at] ?? 0
    if (grouping.exposureOfPair(pair) === noGroup) continue
    for (const { cause, count } of row.causes) {
      const group = grouping.groupOf(pair, cause)
      if (!wanted.has(group)) continue
      let entry = found.get(group)
      if (entry === undefined) {
        entry = { top: [], tenants: new Map() }
        found.set(group, entry)
      }
      entry.tenants.set(row.tenant, (entry.tenants.get(row.tenant) ?? 0) + count)
      insert(entry.top, { tenant: row.tenant, api: row.api, cause, count })
    }
  }
  const contributors = new Map<number, Contributors>()
  for (const [group, { top, tenants }] of found) {
    let most = 0
    for (const count of tenants.values()) most = Math.max(most, count)
    contributors.set(group, { top, tenants: tenants.size, most })
  }
  return contributors
}

function insert(top: Contributor[], one: Contributor): void {
  const last = top[topLength - 1]
  if (last !== undefined && compareContributors(last, one) <= 0) return
  top.push(one)
  top.sort(compareContributors)
  top.length = Math.min(top.length, topLength)
}

/** The largest first, then by name. */
export function compareContributors(a: Contributor, b: Contributor): number {
  if (a.count !== b.count) return b.count - a.count
  return nameOf(a) < nameOf(b) ? -1 : 1
}

function nameOf({ tenant, api, cause }: Contributor): string {
  return JSON.stringify([tenant, api, cause])
}
