import assert from 'node:assert/strict'
import type { Recogniser } from '../core/recogniser.ts'
import type { Decoder } from '../decode/decode.ts'
import type { Series } from '../window/series.ts'
import type { Windows } from '../window/windows.ts'
import { unknownLabel } from './intake.ts'

/**
 * What is known of a pair of names, as numbers side by side, so that counting a record touches one line of memory for
 * them: id of the series in the windows (-1 while it is not looked up), number of its lifetime totals, the slice that was
 * counted last, of the range that was counted in last its builder, slice and cell, and whether its name was folded.
 */
export const fact = { id: 0, total: 1, slice: 2, builder: 3, cellSlice: 4, cell: 5, isFolded: 6 } as const
const width = 8
const fewestPairs = 1024

/** The series of each pair of names that a recogniser has met, looked up once. */
export class KnownSeries {
  facts: Int32Array = new Int32Array(0)
  readonly #recogniser: Recogniser
  #windows: Windows | null = null
  #forgotten = 0
  #series: (Series | undefined)[] = []

  constructor(recogniser: Recogniser) {
    this.#recogniser = recogniser
  }

  /** To be called whenever the windows may be others, or may have forgotten series. */
  renew(windows: Windows): void {
    if (windows === this.#windows && windows.forgotten === this.#forgotten) return
    if (windows !== this.#windows) this.#series = []
    this.#windows = windows
    this.#forgotten = windows.forgotten
    for (let at = 0; at < this.facts.length; at += width) this.facts[at + fact.id] = -1
  }

  /** Where the facts of a pair begin; -1 when the decoder must read its records. */
  placeOf(pair: number, windows: Windows, decoder: Decoder): number {
    const at = pair * width
    return (this.facts[at + fact.id] ?? -1) >= 0 ? at : this.#lookUp(pair, windows, decoder)
  }

  /** The series of a pair that `placeOf` has found. */
  seriesAt(pair: number): Series {
    const series = this.#series[pair]
    assert(series !== undefined, 'a pair with facts has a series')
    return series
  }

  /** After a record was counted: a folded series is looked up anew for the next one. */
  release(at: number): void {
    this.facts[at + fact.id] = -1
  }

  #lookUp(pair: number, windows: Windows, decoder: Decoder): number {
    const names = this.#recogniser.namesOf(pair, decoder) ?? null
    if (names === null) return -1
    const tenant = names.tenant ?? unknownLabel
    const api = names.api ?? unknownLabel
    const series = windows.series(tenant, api)
    const at = pair * width
    if (at >= this.facts.length) this.#grow(pair)
    this.#series[pair] = series
    this.facts[at + fact.id] = series.id
    this.facts[at + fact.total] = series.total
    this.facts[at + fact.slice] = -1
    this.facts[at + fact.builder] = -1
    // There may be room for it the next time, and folded records are counted.
    this.facts[at + fact.isFolded] = series.tenant === tenant && series.api === api ? 0 : 1
    return at
  }

  #grow(pair: number): void {
    const grown = new Int32Array(Math.max(fewestPairs, pair * 2) * width)
    grown.set(this.facts)
    for (let at = this.facts.length; at < grown.length; at += width) grown[at + fact.id] = -1
    this.facts = grown
  }
}
