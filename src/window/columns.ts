import type { Cause } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import type { WindowView } from './view.ts'

export interface SeriesName {
  readonly tenant: string
  readonly api: string
}

/** What the numbers of a column are about: cell by cell the requests of a series, or its refusals of one cause. */
export interface Cells {
  /** How many cells there are; it only grows. */
  readonly size: number
  /** Whose count it is; null while it belongs to nobody, and then its count is zero. */
  seriesOf(cell: number): SeriesName | null
  /** Null for requests. */
  causeOf(cell: number): Cause | null
  /** How often a cell has lost its series. */
  readonly handovers: number
  /** The cells that did since there were so many handovers; null when that is no longer known. */
  handedOverSince(handovers: number): readonly number[] | null
}

/** The counts of one span: number `at` is about cell `at`, and beyond its end all are zero. */
export interface Column {
  readonly cells: Cells
  readonly counts: Uint32Array | Float64Array
}

/** Windows that lie in plain columns: rules add them up without an object for each series. */
export interface ColumnView extends WindowView {
  /**
   * What `totals` counts, in one or more columns. They are to be read at once, not kept. The same `cells` come back
   * every time, until cells are numbered anew.
   */
  columns(fromMs: EpochMs, toMs: EpochMs): readonly Column[]
}

export function hasColumns(view: WindowView): view is ColumnView {
  return 'columns' in view
}

/** Visits the refusals of a span by series and cause, in no certain order. */
export function forEachRefusal(
  view: WindowView,
  { fromMs, toMs }: { fromMs: EpochMs; toMs: EpochMs },
  visit: (series: SeriesName, cause: Cause, count: number) => void,
): void {
  if (!hasColumns(view)) {
    for (const row of view.totals(fromMs, toMs)) for (const { cause, count } of row.causes) visit(row, cause, count)
    return
  }
  for (const { cells, counts } of view.columns(fromMs, toMs)) {
    for (let cell = 0; cell < counts.length; cell++) {
      const count = counts[cell] ?? 0
      if (count === 0) continue
      const cause = cells.causeOf(cell)
      // A column that begins with requests has refusals all the same: only the windows keep the two apart.
      if (cause === null) continue
      const series = cells.seriesOf(cell)
      if (series !== null) visit(series, cause, count)
    }
  }
}
