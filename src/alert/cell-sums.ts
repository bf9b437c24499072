import type { Cause } from '../classify/cause.ts'
import type { EpochMs } from '../time/clock.ts'
import type { WindowView } from '../window/view.ts'
import { type Grouping, noGroup, type PairIndex } from './grouping.ts'
import type { GroupSums } from './step-sums.ts'

/** What one number of a column counts: the requests of a series (null), or its refusals of one cause. */
export interface Cell {
  readonly tenant: string
  readonly api: string
  readonly cause: Cause | null
}

/** Windows that lie in plain columns, one number for each cell: months of history are summed ten times as fast. */
export interface ColumnView extends WindowView {
  /** It only grows; when cells are numbered anew it is another array. */
  readonly cells: readonly Cell[]
  /** What `totals` counts, by cell; empty where nothing is held of the span. It holds until the next minute. */
  column(fromMs: EpochMs, toMs: EpochMs): Float64Array
}

export function hasColumns(view: WindowView): view is ColumnView {
  return 'column' in view
}

/** Where a cell is added that counts for no group, or has counted nothing so far. */
const nowhere = 0

/**
 * Adds up columns by the groups of one grouping, and remembers which cell belongs to which. All sums of a span lie in
 * one array, so that the hot loop has no branch: first a place that nobody reads, then requests by exposure group, then
 * refusals by group.
 */
export class CellSums {
  readonly #grouping: Grouping
  readonly #pairs: PairIndex
  /** What the numbers below are for. */
  #cells: readonly Cell[] = []
  /** Where in the array of sums each cell is added. */
  #places: Int32Array = new Int32Array(0)
  /** Cells that have counted nothing so far; all before `#known` are there or have their place. */
  #silent: number[] = []
  #known = 0
  /** Where refusals begin; before them is room for as many exposure groups. */
  #refusalsFrom = 1_024
  /** Arrays of the present step, and those that may be filled anew. */
  #lent: Float64Array[] = []
  #spare: Float64Array[] = []

  constructor(grouping: Grouping, pairs: PairIndex) {
    this.#grouping = grouping
    this.#pairs = pairs
  }

  /** Takes back what was answered in the step before. */
  nextStep(): void {
    this.#spare = this.#lent
    this.#lent = []
  }

  /** @returns sums that hold until `nextStep` */
  addUp(cells: readonly Cell[], column: Float64Array): GroupSums {
    this.#know(cells, column)
    const { exposureCount, size } = this.#grouping
    if (exposureCount >= this.#refusalsFrom) this.#moveRefusals(2 * exposureCount)
    const from = this.#refusalsFrom
    const sums = this.#zeros(from + size)
    addByPlace(sums, { column, places: this.#places, length: Math.min(column.length, cells.length) })
    return { requests: sums.subarray(1, 1 + exposureCount), refusals: sums.subarray(from, from + size) }
  }

  /** Learns the cells that count something for the first time: a group is known once it has done something. */
  #know(cells: readonly Cell[], column: Float64Array): void {
    if (this.#cells !== cells) {
      this.#cells = cells
      this.#places = new Int32Array(0)
      this.#silent = []
      this.#known = 0
    }
    if (this.#places.length < cells.length) {
      const places = new Int32Array(2 * cells.length)
      places.set(this.#places)
      this.#places = places
    }
    while (this.#known < cells.length) this.#silent.push(this.#known++)
    let silent = 0
    for (const cell of this.#silent) {
      if ((column[cell] ?? 0) === 0) this.#silent[silent++] = cell
      else this.#places[cell] = this.#placeOf(cell)
    }
    this.#silent.length = silent
  }

  #placeOf(number: number): number {
    const cell = this.#cells[number]
    if (cell === undefined) return nowhere
    const pair = this.#pairs.numberOf(cell.tenant, cell.api, noGroup)
    const exposure = this.#grouping.exposureOfPair(pair)
    if (exposure === noGroup) return nowhere
    if (exposure + 1 >= this.#refusalsFrom) this.#moveRefusals(2 * exposure)
    if (cell.cause === null) return 1 + exposure
    const group = this.#grouping.groupOf(pair, cell.cause)
    return group === noGroup ? nowhere : this.#refusalsFrom + group
  }

  /** Makes room for more exposure groups. */
  #moveRefusals(from: number): void {
    const by = from - this.#refusalsFrom
    for (let cell = 0; cell < this.#places.length; cell++) {
      const place = this.#places[cell] ?? nowhere
      if (place >= this.#refusalsFrom) this.#places[cell] = place + by
    }
    this.#refusalsFrom = from
  }

  /** New arrays for each span would be megabytes a minute. */
  #zeros(length: number): Float64Array {
    const spare = this.#spare.pop()
    const sums = spare !== undefined && spare.length >= length ? spare.fill(0) : new Float64Array(length + 256)
    this.#lent.push(sums)
    return sums
  }
}

function addByPlace(
  sums: Float64Array,
  { column, places, length }: { column: Float64Array; places: Int32Array; length: number },
): void {
  for (let cell = 0; cell < length; cell++) {
    const place = places[cell] ?? nowhere
    sums[place] = (sums[place] ?? 0) + (column[cell] ?? 0)
  }
}
