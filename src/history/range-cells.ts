import { causes } from '../classify/cause.ts'
import { cell as counted } from '../core/engine.ts'
import { grown } from '../window/growing.ts'
import type { Series } from '../window/series.ts'
import type { RollupRow } from './range.ts'

/** The numbers of a cell, one beside the other: a count touches one line of memory. */
const field = { slice: 0, requests: 1, n2xx: 2, n4xx: 3, n5xx: 4, late: 5, refusedAt: 6 } as const
const width = 8
const fewestPlaces = 256
const none = -1

/**
 * The counts of a range by slice and series, in plain arrays: a record that finds its cell makes no object.
 *
 * Cells are found by open addressing. A series' id goes to another series once it is forgotten, also while the range is
 * open, so a place is only right when the series is the very same one.
 */
export class RangeCells {
  /** Cell by place; -1 where there is none. A power of two, at most half full. */
  #places = new Int32Array(fewestPlaces).fill(none)
  #numbers = new Int32Array(0)
  readonly #series: Series[] = []
  /** As many numbers as there are causes for each cell with a refusal. */
  #refusals = new Int32Array(0)
  #refused = 0

  get size(): number {
    return this.#series.length
  }

  /** Counts one request; `cause` is the index of its cause, -1 when it was not refused. */
  count(slice: number, series: Series, status: number | null, cause: number, late: boolean): void {
    const at = this.cellOf(slice, series) * width
    this.#add(at + field.requests, 1)
    if (status !== null && status < 300) this.#add(at + field.n2xx, 1)
    else if (status !== null && status >= 500) this.#add(at + field.n5xx, 1)
    else if (status !== null && status >= 400) this.#add(at + field.n4xx, 1)
    if (late) this.#add(at + field.late, 1)
    if (cause >= 0) this.#refuse(at, cause)
  }

  /** Adds the counts of an engine's cell, which stand at `from`, to a cell that `cellOf` gave. */
  add(to: number, counts: Int32Array, from: number): void {
    const at = to * width
    this.#add(at + field.requests, counts[from + counted.requests] ?? 0)
    this.#add(at + field.n2xx, counts[from + counted.n2xx] ?? 0)
    this.#add(at + field.n4xx, counts[from + counted.n4xx] ?? 0)
    this.#add(at + field.n5xx, counts[from + counted.n5xx] ?? 0)
    this.#add(at + field.late, counts[from + counted.late] ?? 0)
  }

  #add(at: number, count: number): void {
    this.#numbers[at] = (this.#numbers[at] ?? 0) + count
  }

  /** Slice by slice, in the order in which slices and then series were first seen; behind each cell its refusals. */
  rows(): RollupRow[] {
    const bySlice = new Map<number, number[]>()
    for (let cell = 0; cell < this.#series.length; cell++) {
      const slice = this.#numbers[cell * width] ?? 0
      const cells = bySlice.get(slice)
      if (cells === undefined) bySlice.set(slice, [cell])
      else cells.push(cell)
    }
    const rows: RollupRow[] = []
    for (const cells of bySlice.values()) for (const cell of cells) this.#addRows(rows, cell)
    return rows
  }

  #addRows(rows: RollupRow[], cell: number): void {
    const series = this.#series[cell]
    if (series === undefined) return
    const numbers = this.#numbers
    const at = cell * width
    const slice = numbers[at + field.slice] ?? 0
    const { tenant, api } = series
    rows.push({
      slice,
      tenant,
      api,
      cause: '',
      requests: numbers[at + field.requests] ?? 0,
      paymentRequired: 0,
      n2xx: numbers[at + field.n2xx] ?? 0,
      n4xx: numbers[at + field.n4xx] ?? 0,
      n5xx: numbers[at + field.n5xx] ?? 0,
      late: numbers[at + field.late] ?? 0,
    })
    const from = numbers[at + field.refusedAt] ?? none
    if (from < 0) return
    for (const [index, cause] of causes.entries()) {
      const paymentRequired = this.#refusals[from + index] ?? 0
      if (paymentRequired === 0) continue
      rows.push({ slice, tenant, api, cause, requests: 0, paymentRequired, n2xx: 0, n4xx: 0, n5xx: 0, late: 0 })
    }
  }

  /** The cell of a series in a slice, made if there is none; it stays the same. */
  cellOf(slice: number, series: Series, id: number = series.id): number {
    const places = this.#places
    const mask = places.length - 1
    for (let place = spread(slice, id) & mask; ; place = (place + 1) & mask) {
      const found = places[place] ?? none
      if (found < 0) return this.#make(place, slice, series)
      if (this.#series[found] === series && this.#numbers[found * width] === slice) return found
    }
  }

  #make(place: number, slice: number, series: Series): number {
    const cell = this.#series.length
    this.#series.push(series)
    if (this.#numbers.length < (cell + 1) * width) this.#numbers = grown(this.#numbers, 2 * (cell + 1) * width)
    this.#numbers[cell * width + field.slice] = slice
    this.#numbers[cell * width + field.refusedAt] = none
    this.#places[place] = cell
    if (2 * this.#series.length > this.#places.length) this.#spreadAnew()
    return cell
  }

  #spreadAnew(): void {
    const places = new Int32Array(2 * this.#places.length).fill(none)
    const mask = places.length - 1
    for (let cell = 0; cell < this.#series.length; cell++) {
      // A series that was forgotten since is not found here again, and nobody looks for it: its handle is dead.
      let place = spread(this.#numbers[cell * width] ?? 0, this.#series[cell]?.id ?? none) & mask
      while ((places[place] ?? none) >= 0) place = (place + 1) & mask
      places[place] = cell
    }
    this.#places = places
  }

  #refuse(at: number, cause: number): void {
    let from = this.#numbers[at + field.refusedAt] ?? none
    if (from < 0) {
      from = this.#refused
      this.#refused += causes.length
      if (this.#refused > this.#refusals.length) this.#refusals = grown(this.#refusals, 2 * this.#refused)
      this.#numbers[at + field.refusedAt] = from
    }
    this.#refusals[from + cause] = (this.#refusals[from + cause] ?? 0) + 1
  }
}

/** Spreads neighbouring slices and ids over the places. */
function spread(slice: number, id: number): number {
  const mixed = Math.imul(id, 0x9e37_79b1) ^ Math.imul(slice, 0x85eb_ca6b)
  return mixed ^ (mixed >>> 15)
}
