import type { LiveRow, PageAlert } from './answers.ts'
import { causeName } from './causes.ts'
import type { SortKey, View } from './view.ts'

/** A row of the table with the alert that speaks of it, if one does. */
export interface TableRow {
  readonly row: LiveRow
  readonly alert: PageAlert | null
}

/** The rows that match the search, in the order asked for; rows without refusals apart. */
export function tableRows(
  rows: readonly LiveRow[],
  alerts: readonly PageAlert[],
  view: Pick<View, 'search' | 'sort' | 'ascending' | 'tenant' | 'api'>,
): { readonly refused: readonly TableRow[]; readonly clean: readonly TableRow[] } {
  const firing = alerts.filter(({ state }) => state === 'firing')
  const found = rows
    .filter((row) => matches(row, view.search))
    .map((row) => ({ row, alert: firing.find((alert) => concerns(alert, row)) ?? null }))
  const sign = view.ascending ? 1 : -1
  found.sort((a, b) => sign * compare(a, b, view.sort) || b.row.payment_required - a.row.payment_required)
  return {
    refused: found.filter(({ row }) => row.payment_required > 0),
    clean: found.filter(({ row }) => row.payment_required === 0),
  }
}

function matches(row: LiveRow, search: string): boolean {
  const text = [row.tenant, row.api, ...Object.keys(row.causes).flatMap((cause) => [cause, causeName(cause)])].join(
    '\n',
  )
  const words = search.toLowerCase().split(/\s+/)
  return words.every((word) => text.toLowerCase().includes(word))
}

/** An alert speaks of a row when it names the row's tenant, and no other API and no cause the row lacks. */
function concerns({ labels }: PageAlert, row: LiveRow): boolean {
  const { tenant, api, cause } = labels
  return (
    tenant === row.tenant &&
    (api === undefined || api === row.api) &&
    (cause === undefined || row.causes[cause] !== undefined)
  )
}

function compare(a: TableRow, b: TableRow, key: SortKey): number {
  switch (key) {
    case 'tenant':
      return a.row.tenant.localeCompare(b.row.tenant)
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

function sinceOf({ alert }: TableRow): number {
  return alert === null ? 0 : Date.parse(alert.since)
}
