import type { LiveRow, PageAlert } from '../answers.ts'
import { causeName } from '../causes.ts'
import type { SortKey, View } from '../view.ts'

/** A row of the table with the alert that speaks of it, if one does. */
export interface TableRow {
  readonly row: LiveRow
  readonly alert: PageAlert | null
}

/** The rows that match the search, in the order asked for; rows without refusals apart. */
export function tableRows(
  rows: readonly LiveRow[],
  alerts: readonly PageAlert[],
  view: Pick<View, 'search' | 'sort' | 'ascending' | 'tenant' | 'api' | 'cause'>,
): { readonly refused: readonly TableRow[]; readonly clean: readonly TableRow[] } {
  const firing = alerts.filter(({ state }) => state === 'firing')
  const found = rows
    .filter((row) => isChosen(row, view) && matches(row, view.search))
    .map((row) => ({ row, alert: firing.find((alert) => concerns(alert, row)) ?? null }))
  const sign = view.ascending ? 1 : -1
  found.sort((a, b) => sign * compare(a, b, view.sort) || b.row.payment_required - a.row.payment_required)
  return {
    refused: found.filter(({ row }) => row.payment_required > 0),
    clean: found.filter(({ row }) => row.payment_required === 0),
  }
}

/** Names that more than one tenant goes by, so that their ids are needed to tell them apart. */
export function sharedNames(rows: readonly LiveRow[]): ReadonlySet<string> {
  const owners = new Map<string, string>()
  const shared = new Set<string>()
  for (const { tenant, tenant_name: name } of rows) {
    if (name === null) continue
    if ((owners.get(name) ?? tenant) !== tenant) shared.add(name)
    owners.set(name, tenant)
  }
  return shared
}

function isChosen(row: LiveRow, { tenant, api, cause }: Pick<View, 'tenant' | 'api' | 'cause'>): boolean {
  return (
    (tenant ?? row.tenant) === row.tenant &&
    (api ?? row.api) === row.api &&
    (cause === undefined || row.causes[cause] !== undefined)
  )
}

function matches(row: LiveRow, search: string): boolean {
  const causes = Object.keys(row.causes).flatMap((cause) => [cause, causeName(cause)])
  const text = [row.tenant, row.tenant_name ?? '', row.api, ...causes].join('\n')
  const words = search.toLowerCase().split(/\s+/)
  return words.every((word) => text.toLowerCase().includes(word))
}

/** An alert over several APIs of a tenant is about those that make up at least so much of it. */
const materialShare = 0.05

/** An alert speaks of a row when it names the row's tenant, no other API, and refusals that the row has its part in. */
function concerns({ labels, numbers }: PageAlert, row: LiveRow): boolean {
  const { tenant, api, cause } = labels
  if (tenant !== row.tenant || (api ?? row.api) !== row.api) return false
  const counted = cause === undefined ? row.payment_required : (row.causes[cause] ?? 0)
  return counted > 0 && (api !== undefined || counted >= materialShare * numbers.observed)
}

function compare(a: TableRow, b: TableRow, key: SortKey): number {
  switch (key) {
    case 'tenant':
      return shownName(a.row).localeCompare(shownName(b.row)) || a.row.tenant.localeCompare(b.row.tenant)
    case 'api':
      return a.row.api.localeCompare(b.row.api)
    case 'refused':
      return a.row.payment_required - b.row.payment_required
    case 'share':
      return (a.row.ratio ?? -1) - (b.row.ratio ?? -1)
    case 'since':
      return sinceOf(a) - sinceOf(b)
    default:
      return key satisfies never
  }
}

function shownName({ tenant, tenant_name }: LiveRow): string {
  return tenant_name ?? tenant
}

/** Since when an alert about the row fires, epoch milliseconds; 0 without one. */
export function sinceOf({ alert }: TableRow): number {
  return alert === null ? 0 : Date.parse(alert.since)
}
