import type { Cause } from '../classify/cause.ts'
import type { Cells, SeriesName } from '../window/columns.ts'

/** What one number of a column counts: the requests of a series (null), or its refusals of one cause. */
export interface Cell extends SeriesName {
  readonly cause: Cause | null
}

/** Cells that stay with their series for good: when some are to go, all others move to a new list. */
export class CellList implements Cells {
  readonly handovers = 0
  readonly #cells: Cell[]

  constructor(cells: readonly Cell[] = []) {
    this.#cells = [...cells]
  }

  get size(): number {
    return this.#cells.length
  }

  /** @returns the number of the new cell */
  push(cell: Cell): number {
    return this.#cells.push(cell) - 1
  }

  seriesOf(cell: number): Cell | null {
    return this.#cells[cell] ?? null
  }

  causeOf(cell: number): Cause | null {
    return this.#cells[cell]?.cause ?? null
  }

  handedOverSince(): readonly number[] {
    return []
  }
}
