import type { AlertNumbers, AlertScope } from './alert.ts'
import { type Grouping, type GroupLabels, noGroup } from './grouping.ts'
import type { RefusalRows } from './refusal-rows.ts'

type Contributor = AlertNumbers['top'][number]

export interface Contributors {
  /** The largest first; equal ones in the order of their names. */
  readonly top: readonly Contributor[]
  /** How many tenants have a refusal. */
  readonly tenants: number
  /** Refusals of the one tenant that has most. */
  readonly most: number
  readonly scope: AlertScope | null
}

export const topLength = 3

/** What holds this share of the refusals explains them. */
const scopeShare = 0.8

const dimensions = ['tenant', 'api', 'cause'] as const
type Dimension = (typeof dimensions)[number]

/** What one group's refusals are made of. */
interface Tally {
  readonly top: Contributor[]
  readonly by: Readonly<Record<Dimension, Map<string, number>>>
  total: number
}

/** Who makes up the refusals of the wanted groups: one or two passes over the rows, whatever the number of groups. */
export function contributorsOf(
  rows: RefusalRows,
  grouping: Grouping,
  wanted: ReadonlySet<number>,
): ReadonlyMap<number, Contributors> {
  const tallies = new Map<number, Tally>()
  forEachRefusal(rows, grouping, wanted, (group, one) => {
    let tally = tallies.get(group)
    if (tally === undefined) {
      tally = { top: [], by: { tenant: new Map(), api: new Map(), cause: new Map() }, total: 0 }
      tallies.set(group, tally)
    }
    tally.total += one.count
    for (const dimension of dimensions) {
      const counts = tally.by[dimension]
      counts.set(one[dimension], (counts.get(one[dimension]) ?? 0) + one.count)
    }
    insert(tally.top, one)
  })
  const scopes = scopesOf(rows, grouping, tallies)
  const contributors = new Map<number, Contributors>()
  for (const [group, { top, by }] of tallies) {
    let most = 0
    for (const count of by.tenant.values()) most = Math.max(most, count)
    contributors.set(group, { top, tenants: by.tenant.size, most, scope: scopes.get(group) ?? null })
  }
  return contributors
}

function forEachRefusal(
  { rows }: RefusalRows,
  grouping: Grouping,
  wanted: { has(group: number): boolean },
  visit: (group: number, one: Contributor) => void,
): void {
  for (const { pair, tenant, api, cause, count } of rows) {
    if (grouping.exposureOfPair(pair) === noGroup) continue
    const group = grouping.groupOf(pair, cause)
    if (wanted.has(group)) visit(group, { tenant, api, cause, count })
  }
}

/**
 * The narrowest scope of each group. Whatever holds four fifths together holds them in each dimension, and only one
 * value of a dimension can: so what is left to count is the few combinations of these.
 */
function scopesOf(
  rows: RefusalRows,
  grouping: Grouping,
  tallies: ReadonlyMap<number, Tally>,
): ReadonlyMap<number, AlertScope> {
  const wide = new Map<number, { labels: GroupLabels; counts: number[] }>()
  const scopes = new Map<number, AlertScope>()
  const varied = variedDimensions(rows)
  for (const [group, { by, total }] of tallies) {
    const labels = leadersOf(by, total, { own: grouping.labels[group] ?? {}, varied })
    const names = dimensions.filter((dimension) => labels[dimension] !== undefined)
    const [only] = names
    if (names.length > 1) wide.set(group, { labels, counts: subsets.map(() => 0) })
    else if (only !== undefined)
      scopes.set(group, scopeOf(labels, [only], by[only].get(labels[only] ?? '') ?? 0, total))
  }
  if (wide.size === 0) return scopes
  forEachRefusal(rows, grouping, wide, (group, one) => {
    const { labels, counts } = wide.get(group) ?? { labels: {}, counts: [] }
    for (const [at, subset] of subsets.entries()) {
      if (subset.every((name) => labels[name] === one[name])) counts[at] = (counts[at] ?? 0) + one.count
    }
  })
  for (const [group, { labels, counts }] of wide) {
    const total = tallies.get(group)?.total ?? 0
    const best = subsets.findIndex((_, at) => (counts[at] ?? 0) >= scopeShare * total)
    const subset = subsets[best]
    if (subset !== undefined) scopes.set(group, scopeOf(labels, subset, counts[best] ?? 0, total))
  }
  return scopes
}

/** Combinations of dimensions, the narrowest first; what comes first at one length is what people ask for first. */
const subsets: readonly (readonly Dimension[])[] = [
  ['tenant', 'api', 'cause'],
  ['tenant', 'api'],
  ['tenant', 'cause'],
  ['api', 'cause'],
  ['tenant'],
  ['api'],
  ['cause'],
]

function scopeOf(labels: GroupLabels, names: readonly Dimension[], count: number, total: number): AlertScope {
  return { labels: Object.fromEntries(names.map((name) => [name, labels[name]])), share: count / total }
}

/** The value of each dimension that holds enough by itself; what the alert names already is no news. */
function leadersOf(
  by: Tally['by'],
  total: number,
  { own, varied }: { own: GroupLabels; varied: readonly Dimension[] },
): GroupLabels {
  const labels: Partial<Record<Dimension, string>> = {}
  for (const dimension of varied) {
    if (own[dimension] !== undefined) continue
    for (const [value, count] of by[dimension]) if (count >= scopeShare * total) labels[dimension] = value
  }
  return labels
}

/** Where all traffic is of one tenant or one API, its name explains nothing. */
function variedDimensions({ varied }: RefusalRows): readonly Dimension[] {
  return dimensions.filter((dimension) => dimension === 'cause' || varied[dimension])
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
