import { type Cause, causes } from '../classify/cause.ts'
import type { Cells } from './columns.ts'
import type { Series } from './series.ts'

/** Cells that belong to series: given out with the lowest numbers first, taken back when the series is forgotten. */
export class OwnedCells implements Cells {
  readonly #owners: (Series | null)[] = []
  /** By cell the index of its cause; null where all of them count requests. */
  readonly #causes: number[] | null
  readonly #free: number[] = []
  /** The newest handovers; no more than there are cells. */
  #lost: number[] = []
  #handovers = 0

  constructor(options: { byCause: boolean }) {
    this.#causes = options.byCause ? [] : null
  }

  get size(): number {
    return this.#owners.length
  }

  seriesOf(cell: number): Series | null {
    return this.#owners[cell] ?? null
  }

  causeOf(cell: number): Cause | null {
    return this.#causes === null ? null : (causes[this.#causes[cell] ?? 0] ?? null)
  }

  get handovers(): number {
    return this.#handovers
  }

  handedOverSince(handovers: number): readonly number[] | null {
    const missed = this.#handovers - handovers
    return missed > this.#lost.length ? null : this.#lost.slice(this.#lost.length - missed)
  }

  /** @param cause index of the cause; not looked at where cells count requests */
  give(series: Series, cause = 0): number {
    const cell = this.#free.pop() ?? this.#owners.length
    this.#owners[cell] = series
    if (this.#causes !== null) this.#causes[cell] = cause
    return cell
  }

  take(cell: number): void {
    this.#owners[cell] = null
    this.#free.push(cell)
    this.#handovers++
    // Whoever has missed as many learns all cells anew, at much the same price.
    if (this.#lost.length >= this.#owners.length) this.#lost = []
    this.#lost.push(cell)
  }
}
