import { causes } from '../classify/cause.ts'
import { grown } from './growing.ts'
import { OwnedCells } from './owned-cells.ts'
import type { Series } from './series.ts'

const none = -1

/** The cell in which each series counts its refusals of each cause; most series have no refusals and cost nothing. */
export class CauseCells {
  readonly cells: OwnedCells = new OwnedCells({ byCause: true })
  /** As many places as there are causes for each series that has had a refusal. */
  #cellAt = new Int32Array(0)
  #used = 0
  readonly #free: number[] = []

  /** The cell of a series and cause, made with the first refusal. */
  of(series: Series, cause: number): number {
    const known = series.refusedAt < 0 ? none : (this.#cellAt[series.refusedAt + cause] ?? none)
    return known < 0 ? this.#make(series, cause) : known
  }

  /** The cell of a series and cause; -1 before its first refusal. */
  find(series: Series, cause: number): number {
    return series.refusedAt < 0 ? none : (this.#cellAt[series.refusedAt + cause] ?? none)
  }

  /** Takes back the cells of a series that is forgotten. */
  take(series: Series): void {
    if (series.refusedAt < 0) return
    for (let cause = 0; cause < causes.length; cause++) {
      const cell = this.#cellAt[series.refusedAt + cause] ?? none
      if (cell >= 0) this.cells.take(cell)
    }
    this.#cellAt.fill(none, series.refusedAt, series.refusedAt + causes.length)
    this.#free.push(series.refusedAt)
    series.refusedAt = none
  }

  #make(series: Series, cause: number): number {
    if (series.refusedAt < 0) {
      series.refusedAt = this.#free.pop() ?? this.#used
      if (series.refusedAt === this.#used) this.#used += causes.length
      this.#cellAt = grown(this.#cellAt, this.#used, none)
    }
    const cell = this.cells.give(series, cause)
    this.#cellAt[series.refusedAt + cause] = cell
    return cell
  }
}
