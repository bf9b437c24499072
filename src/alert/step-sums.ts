import type { EpochMs } from '../time/clock.ts'
import { hourMs } from '../time/duration.ts'
import { type Column, type ColumnView, hasColumns } from '../window/columns.ts'
import type { SeriesTotals, WindowView } from '../window/view.ts'
import { CellSums } from './cell-sums.ts'
import { Grouping, type GroupingPlan, noGroup, PairIndex } from './grouping.ts'
import { type RefusalRows, rowsOfColumns, rowsOfTotals } from './refusal-rows.ts'

/** Sums over one span: refusals by group, requests by exposure group. */
export interface GroupSums {
  readonly refusals: Float64Array
  readonly requests: Float64Array
}

interface Totals {
  readonly totals: readonly SeriesTotals[]
  readonly pairs: Int32Array
}

/** Everything the rules of one step ask of the windows; each span is read once, each sum is made once. */
export class StepSums {
  readonly view: WindowView
  readonly atMs: EpochMs
  readonly #pairs: PairIndex
  readonly #columnView: ColumnView | null
  readonly #cellSums: Map<Grouping, CellSums>
  readonly #totals = new Map<number, Totals>()
  readonly #columns = new Map<number, readonly Column[]>()
  readonly #rows = new Map<number, RefusalRows>()
  readonly #sums = new Map<Grouping, Map<number, GroupSums>>()

  /** @param cellSums what was learnt of the cells of columns in earlier steps */
  constructor(view: WindowView, atMs: EpochMs, known: { pairs: PairIndex; cellSums: Map<Grouping, CellSums> }) {
    this.view = view
    this.atMs = atMs
    this.#columnView = hasColumns(view) ? view : null
    this.#pairs = known.pairs
    this.#cellSums = known.cellSums
  }

  /** The refusals of the last `spanMs` one by one. */
  rows(spanMs: number): RefusalRows {
    let rows = this.#rows.get(spanMs)
    if (rows === undefined) {
      const columns = this.#columnsOf(spanMs, this.atMs)
      if (columns !== null) {
        rows = rowsOfColumns(columns, this.#pairs)
      } else {
        const { totals, pairs } = this.#totalsOf(spanMs, this.atMs)
        rows = rowsOfTotals(totals, pairs)
      }
      this.#rows.set(spanMs, rows)
    }
    return rows
  }

  /** Sums of the last `spanMs`, or of the span that ended at `endMs`. */
  sums(grouping: Grouping, spanMs: number, endMs: EpochMs = this.atMs): GroupSums {
    let bySpan = this.#sums.get(grouping)
    if (bySpan === undefined) {
      bySpan = new Map()
      this.#sums.set(grouping, bySpan)
    }
    const id = spanId(spanMs, this.atMs - endMs)
    let sums = bySpan.get(id)
    if (sums === undefined) {
      const columns = this.#columnsOf(spanMs, endMs)
      sums =
        columns === null ? addUp(this.#totalsOf(spanMs, endMs), grouping) : this.#cellSumsOf(grouping).addUp(columns)
      bySpan.set(id, sums)
    }
    return sums
  }

  /** The columns of a span; null where the view has none. */
  #columnsOf(spanMs: number, endMs: EpochMs): readonly Column[] | null {
    if (this.#columnView === null) return null
    const id = spanId(spanMs, this.atMs - endMs)
    const columns = this.#columns.get(id) ?? this.#columnView.columns(endMs - spanMs, endMs)
    this.#columns.set(id, columns)
    return columns
  }

  #totalsOf(spanMs: number, endMs: EpochMs): Totals {
    const id = spanId(spanMs, this.atMs - endMs)
    let found = this.#totals.get(id)
    if (found === undefined) {
      const totals = this.view.totals(endMs - spanMs, endMs)
      const pairs = new Int32Array(totals.length)
      let guess = 0
      for (let at = 0; at < totals.length; at++) {
        const row = totals[at]
        if (row === undefined) continue
        guess = this.#pairs.numberOf(row.tenant, row.api, guess)
        pairs[at] = guess
        guess++
      }
      found = { totals, pairs }
      this.#totals.set(id, found)
    }
    return found
  }

  #cellSumsOf(grouping: Grouping): CellSums {
    let cellSums = this.#cellSums.get(grouping)
    if (cellSums === undefined) {
      cellSums = new CellSums(grouping, this.#pairs)
      this.#cellSums.set(grouping, cellSums)
    }
    return cellSums
  }
}

/** Spans are at most an hour: one number can name the span and how long ago it ended. */
export function spanId(spanMs: number, agoMs: number): number {
  return spanMs + agoMs * 10 * hourMs
}

function addUp({ totals, pairs }: Totals, grouping: Grouping): GroupSums {
  // Two passes: the first learns new groups, so that the arrays can be made in their final size. Plain loops over
  // indexes: this is run for every row, span and grouping, and iterators cost more than the sums.
  for (let at = 0; at < totals.length; at++) {
    const pair = pairs[at] ?? 0
    if (grouping.exposureOfPair(pair) === noGroup) continue
    const row = totals[at]
    if (row === undefined || row.paymentRequired === 0) continue
    for (const { cause } of row.causes) grouping.groupOf(pair, cause)
  }
  const refusals = new Float64Array(grouping.size)
  const requests = new Float64Array(grouping.exposureCount)
  for (let at = 0; at < totals.length; at++) {
    const row = totals[at]
    const pair = pairs[at] ?? 0
    const exposure = grouping.exposureOfPair(pair)
    if (row === undefined || exposure === noGroup) continue
    requests[exposure] = (requests[exposure] ?? 0) + row.requests
    if (row.paymentRequired === 0) continue
    for (const { cause, count } of row.causes) {
      const group = grouping.groupOf(pair, cause)
      if (group !== noGroup) refusals[group] = (refusals[group] ?? 0) + count
    }
  }
  return { refusals, requests }
}

/** The groupings in use, and the numbers they work with. */
export class Groupings {
  #pairs = new PairIndex()
  #groupings = new Map<string, Grouping>()
  #cellSums = new Map<Grouping, CellSums>()
  #hour = Number.NEGATIVE_INFINITY

  get(plan: GroupingPlan): Grouping {
    let grouping = this.#groupings.get(plan.id)
    if (grouping === undefined) {
      grouping = new Grouping(this.#pairs, plan)
      this.#groupings.set(plan.id, grouping)
    }
    return grouping
  }

  /**
   * Opens a step. Tenants come and go: once most of the known pairs are gone, all numbers are given out anew, so that
   * memory follows the traffic. Whoever keeps something by number sees it by the new `Grouping` object.
   */
  step(view: WindowView, atMs: EpochMs): StepSums {
    const hour = Math.floor(atMs / hourMs)
    // Whoever was there in the last hour counts as present, so looking more often than that would show little.
    if (hour !== this.#hour && this.#pairs.tenants.length > 4096) {
      const present = seriesIn(view, atMs)
      if (this.#pairs.tenants.length > 2 * present + 4096) {
        this.#pairs = new PairIndex()
        this.#groupings = new Map()
        this.#cellSums = new Map()
      }
    }
    this.#hour = hour
    for (const cellSums of this.#cellSums.values()) cellSums.nextStep()
    return new StepSums(view, atMs, { pairs: this.#pairs, cellSums: this.#cellSums })
  }
}

/** How many series have done something in the last hour. */
function seriesIn(view: WindowView, atMs: EpochMs): number {
  if (!hasColumns(view)) return view.totals(atMs - hourMs, atMs).length
  let present = 0
  for (const { cells, counts } of view.columns(atMs - hourMs, atMs)) {
    for (let cell = 0; cell < counts.length; cell++) {
      if (counts[cell] !== 0 && cells.causeOf(cell) === null) present++
    }
  }
  return present
}
