import type { Cells, Column } from '../window/columns.ts'
import { type Grouping, noGroup, type PairIndex } from './grouping.ts'
import type { GroupSums } from './step-sums.ts'

/** Where a cell is added that has counted nothing so far. */
const silentPlace = 0
/** Where a cell is added that counts for no group. */
const nowhere = 1
const requestsFrom = 2

/** What is known of the cells of one column. */
interface Known {
  readonly cells: Cells
  /** Where in the array of sums each cell is added. */
  places: Int32Array
  /** Cells that have counted nothing so far; all before `size` are there or have their place. */
  silent: number[]
  size: number
  /** So many handovers of cells were seen. */
  handovers: number
}

/**
 * Adds up columns by the groups of one grouping, and remembers which cell belongs to which. All sums of a span lie in
 * one array, so that the hot loop has no branch: first two places that nobody reads, then requests by exposure group,
 * then refusals by group.
 */
export class CellSums {
  readonly #grouping: Grouping
  readonly #pairs: PairIndex
  /** By the column's place among those of a span. */
  #known: Known[] = []
  /** Where refusals begin; before them is room for more exposure groups than there are. */
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
  addUp(columns: readonly Column[]): GroupSums {
    this.#known = columns.map(({ cells }, at) => {
      const known = this.#known[at]
      return known?.cells === cells ? known : { cells, places: noPlaces, silent: [], size: 0, handovers: 0 }
    })
    for (const [at, { counts }] of columns.entries()) this.#learn(this.#known[at], counts)
    const { exposureCount, size } = this.#grouping
    if (requestsFrom + exposureCount > this.#refusalsFrom) this.#moveRefusals(2 * exposureCount)
    const from = this.#refusalsFrom
    const sums = this.#zeros(from + size)
    for (const [at, { cells, counts }] of columns.entries()) {
      addByPlace(sums, {
        counts,
        places: this.#known[at]?.places ?? noPlaces,
        length: Math.min(counts.length, cells.size),
      })
    }
    return {
      requests: sums.subarray(requestsFrom, requestsFrom + exposureCount),
      refusals: sums.subarray(from, from + size),
    }
  }

  /** Learns the cells that count something for the first time: a group is known once it has done something. */
  #learn(known: Known | undefined, counts: Column['counts']): void {
    if (known === undefined) return
    const { cells } = known
    if (known.handovers !== cells.handovers) this.#unlearn(known)
    if (known.places.length < cells.size) {
      const places = new Int32Array(Math.ceil(1.5 * cells.size))
      places.set(known.places)
      known.places = places
    }
    while (known.size < cells.size) known.silent.push(known.size++)
    let silent = 0
    for (const cell of known.silent) {
      if ((counts[cell] ?? 0) === 0) known.silent[silent++] = cell
      else known.places[cell] = this.#placeOf(cells, cell)
    }
    known.silent.length = silent
  }

  /** Cells of series that were forgotten belong to others by now, or will. */
  #unlearn(known: Known): void {
    const { cells } = known
    const changed = cells.handedOverSince(known.handovers)
    known.handovers = cells.handovers
    if (changed === null) {
      known.places.fill(silentPlace)
      known.silent = []
      known.size = 0
      return
    }
    for (const cell of changed) {
      // What has no place yet is among the silent ones, or not known at all.
      if ((known.places[cell] ?? silentPlace) === silentPlace) continue
      known.places[cell] = silentPlace
      known.silent.push(cell)
    }
  }

  #placeOf(cells: Cells, number: number): number {
    const series = cells.seriesOf(number)
    if (series === null) return nowhere
    const pair = this.#pairs.numberOf(series.tenant, series.api, noGroup)
    const exposure = this.#grouping.exposureOfPair(pair)
    if (exposure === noGroup) return nowhere
    if (requestsFrom + exposure >= this.#refusalsFrom) this.#moveRefusals(2 * exposure)
    const cause = cells.causeOf(number)
    if (cause === null) return requestsFrom + exposure
    const group = this.#grouping.groupOf(pair, cause)
    return group === noGroup ? nowhere : this.#refusalsFrom + group
  }

  /** Makes room for more exposure groups. */
  #moveRefusals(from: number): void {
    const by = from - this.#refusalsFrom
    for (const { places } of this.#known) {
      for (let cell = 0; cell < places.length; cell++) {
        const place = places[cell] ?? nowhere
        if (place >= this.#refusalsFrom) places[cell] = place + by
      }
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

const noPlaces = new Int32Array(0)

function addByPlace(
  sums: Float64Array,
  { counts, places, length }: { counts: Column['counts']; places: Int32Array; length: number },
): void {
  for (let cell = 0; cell < length; cell++) {
    const place = places[cell] ?? nowhere
    sums[place] = (sums[place] ?? 0) + (counts[cell] ?? 0)
  }
}
