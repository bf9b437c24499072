import { cell, cellWidth, mostCells } from '../core/engine.ts'
import type { Recogniser } from '../core/recogniser.ts'
import type { Decoder } from '../decode/decode.ts'
import type { Lifetime } from '../window/lifetime.ts'
import type { Series } from '../window/series.ts'
import type { Windows } from '../window/windows.ts'
import { unknownLabel } from './intake.ts'
import type { RangeBuilder } from './range.ts'

/** In whose name requests are counted. */
interface Account {
  readonly builder: RangeBuilder
  /** Whether they count in the windows. */
  readonly live: boolean
  /** Whether they were counted in the lifetime totals before. */
  readonly repeated: boolean
  /** Cells that were made for it. */
  cells: number
}

const fewestPairs = 1024

/**
 * What the engine of one recogniser has counted, on its way to windows, lifetime totals and ranges. A request touches one
 * cell in the engine; these three are told once for all the requests of a cell.
 */
export class Gathered {
  readonly #recogniser: Recogniser
  readonly #lifetime: Lifetime
  #accounts: Account[] = []
  #windows: Windows | null = null
  #forgotten = 0
  /** By pair of names the series it counts for, and beside each other the ids of the series and of its totals. */
  #series: (Series | undefined)[] = []
  #ids = new Int32Array(2 * fewestPairs)

  constructor(recogniser: Recogniser, lifetime: Lifetime) {
    this.#recogniser = recogniser
    this.#lifetime = lifetime
  }

  get isEmpty(): boolean {
    return this.#recogniser.engine.cellCount === 0
  }

  get isFull(): boolean {
    return this.#recogniser.engine.cellCount >= mostCells - 1
  }

  /** To be called whenever the windows may be others, or may have forgotten series. */
  renew(windows: Windows): void {
    if (windows === this.#windows && windows.forgotten === this.#forgotten) return
    this.drain()
    if (windows !== this.#windows) this.#series = []
    this.#windows = windows
    this.#forgotten = windows.forgotten
    this.#recogniser.engine.forgetKnown()
  }

  /** The number under which the engine counts for a range. */
  accountOf(builder: RangeBuilder, live: boolean, repeated: boolean): number {
    const known = this.#accounts.findIndex(
      (one) => one.builder === builder && one.live === live && one.repeated === repeated,
    )
    return known >= 0 ? known : this.#accounts.push({ builder, live, repeated, cells: 0 }) - 1
  }

  /** Notes that cells were made for an account. */
  made(account: number, cells: number): void {
    const one = this.#accounts[account]
    if (one !== undefined) one.cells += cells
  }

  /** Cells of a range that it does not know of yet. */
  waitingFor(builder: RangeBuilder): number {
    let cells = 0
    for (const one of this.#accounts) if (one.builder === builder) cells += one.cells
    return cells
  }

  /**
   * Has the next record of a pair counted, and those that follow, unless they are to be looked up again.
   *
   * @returns false when the decoder must read them
   */
  comesToKnow(pair: number, decoder: Decoder): boolean {
    const { engine } = this.#recogniser
    const names = this.#recogniser.namesOf(pair, decoder) ?? null
    if (names === null || this.#windows === null) return false
    const tenant = names.tenant ?? unknownLabel
    const api = names.api ?? unknownLabel
    const series = this.#windows.series(tenant, api)
    const before = this.#series[pair]
    if (before !== undefined && before !== series) this.drain()
    this.#note(pair, series)
    // There may be room for a folded one the next time, and folded records are counted.
    if (series.tenant === tenant && series.api === api) engine.know(pair)
    engine.allowPair()
    return true
  }

  #note(pair: number, series: Series): void {
    if (2 * pair >= this.#ids.length) {
      const grown = new Int32Array(4 * pair)
      grown.set(this.#ids)
      this.#ids = grown
    }
    this.#series[pair] = series
    this.#ids[2 * pair] = series.id
    this.#ids[2 * pair + 1] = series.total
  }

  /** Hands on all that was counted. */
  drain(): void {
    const { engine } = this.#recogniser
    const count = engine.cellCount
    if (count === 0) return
    const { cells } = engine
    for (let at = 0; at < count * cellWidth; at += cellWidth) this.#handOn(cells, at)
    engine.clearCells()
    this.#accounts = []
  }

  #handOn(cells: Int32Array, at: number): void {
    const account = this.#accounts[cells[at + cell.account] ?? 0]
    const pair = cells[at + cell.pair] ?? 0
    const series = this.#series[pair]
    if (account === undefined || series === undefined) return
    const slice = cells[at + cell.slice] ?? 0
    const requests = cells[at + cell.requests] ?? 0
    const id = this.#ids[2 * pair] ?? 0
    if (account.live) {
      this.#windows?.countAt(id, slice, requests)
      if (!account.repeated) this.#lifetime.add(this.#ids[2 * pair + 1] ?? 0, requests)
    }
    account.builder.add(slice, series, id, cells, at)
  }
}
