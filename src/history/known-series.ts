import type { Recogniser } from '../core/recogniser.ts'
import type { Decoder } from '../decode/decode.ts'
import type { Series } from '../window/series.ts'
import type { Windows } from '../window/windows.ts'
import { unknownLabel } from './intake.ts'

/** The series of each pair of names that a recogniser has met, looked up once. */
export class KnownSeries {
  readonly #recogniser: Recogniser
  #windows: Windows | null = null
  #series: (Series | undefined)[] = []
  /** By pair the slice in which it was last asked for its quotas. */
  #askedIn = new Int32Array(0)

  constructor(recogniser: Recogniser) {
    this.#recogniser = recogniser
  }

  /** Null when the decoder must read records of this pair. */
  of(pair: number, windows: Windows, decoder: Decoder): Series | null {
    if (windows !== this.#windows) {
      this.#windows = windows
      this.#series = []
    }
    const known = this.#series[pair]
    // A series that was idle for long is forgotten, and its cell is another's.
    return known !== undefined && known.id >= 0 ? known : this.#lookUp(pair, windows, decoder)
  }

  /** Whether a pair was not asked for in this slice; the next time it was. */
  isNewIn(pair: number, slice: number): boolean {
    if (pair >= this.#askedIn.length) {
      const grown = new Int32Array(Math.max(1024, pair * 2))
      grown.set(this.#askedIn)
      this.#askedIn = grown
    }
    if (this.#askedIn[pair] === slice) return false
    this.#askedIn[pair] = slice
    return true
  }

  #lookUp(pair: number, windows: Windows, decoder: Decoder): Series | null {
    const names = this.#recogniser.namesOf(pair, decoder) ?? null
    if (names === null) return null
    const tenant = names.tenant ?? unknownLabel
    const api = names.api ?? unknownLabel
    const series = windows.series(tenant, api)
    // A folded one is looked up each time: there may be room for it by then, and folded records are counted.
    if (series.tenant === tenant && series.api === api) this.#series[pair] = series
    return series
  }
}
