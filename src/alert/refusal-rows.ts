import type { Cause } from '../classify/cause.ts'
import type { Column } from '../window/columns.ts'
import type { SeriesTotals } from '../window/view.ts'
import { noGroup, type PairIndex } from './grouping.ts'

/** The refusals of one series by one cause. */
interface RefusalRow {
  readonly tenant: string
  readonly api: string
  readonly cause: Cause
  readonly count: number
  /** Number of its pair of tenant and API. */
  readonly pair: number
}

/** The refusals of a span one by one: for what needs names, and so only for alerts that are there already. */
export interface RefusalRows {
  readonly rows: readonly RefusalRow[]
  /** Whether there is traffic, refused or not, of more than one tenant or API. */
  readonly varied: { readonly tenant: boolean; readonly api: boolean }
}

export function rowsOfTotals(totals: readonly SeriesTotals[], pairs: Int32Array): RefusalRows {
  const rows: RefusalRow[] = []
  for (const [at, { tenant, api, causes }] of totals.entries()) {
    for (const { cause, count } of causes) rows.push({ tenant, api, cause, count, pair: pairs[at] ?? noGroup })
  }
  const [first] = totals
  const varied = {
    tenant: totals.some(({ tenant }) => tenant !== first?.tenant),
    api: totals.some(({ api }) => api !== first?.api),
  }
  return { rows, varied }
}

export function rowsOfColumns(columns: readonly Column[], pairs: PairIndex): RefusalRows {
  const rows: RefusalRow[] = []
  for (const { cells, counts } of columns) {
    const length = Math.min(cells.size, counts.length)
    for (let cell = 0; cell < length; cell++) {
      const count = counts[cell] ?? 0
      if (count === 0) continue
      const cause = cells.causeOf(cell)
      const series = cause === null ? null : cells.seriesOf(cell)
      if (cause === null || series === null) continue
      const { tenant, api } = series
      rows.push({ tenant, api, cause, count, pair: pairs.numberOf(tenant, api, noGroup) })
    }
  }
  return { rows, varied: variedIn(columns) }
}

/** Nearly always two series are enough to tell. */
function variedIn(columns: readonly Column[]): RefusalRows['varied'] {
  const varied = { tenant: false, api: false }
  let first: { readonly tenant: string; readonly api: string } | null = null
  for (const { cells, counts } of columns) {
    const length = Math.min(cells.size, counts.length)
    for (let cell = 0; cell < length && !(varied.tenant && varied.api); cell++) {
      if ((counts[cell] ?? 0) === 0) continue
      const series = cells.seriesOf(cell)
      first ??= series
      if (first === null || series === null) continue
      varied.tenant ||= series.tenant !== first.tenant
      varied.api ||= series.api !== first.api
    }
  }
  return varied
}
