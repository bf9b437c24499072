import { isPlainStamp } from '../time/event-time.ts'
import { cell, cellWidth, mostCells, outcome, stop, type Tallies, type Terms } from './engine.ts'

const sliceMs = 10_000
const mostRefused = 256
const refusedRows = 2
const noTerms: Terms = {
  ...{
    account: 0,
    now: 0,
    aheadFrom: 0,
    lateFrom: 0,
    lateTo: 0,
    spanFromMs: 0,
    spanToMs: 0,
    cellsLeft: 0,
    asks: false,
  },
}
const noTallies: Tallies = {
  ...{ ok: 0, skipped: 0, newestMs: 0, leastMs: Number.POSITIVE_INFINITY, greatestMs: Number.NEGATIVE_INFINITY },
}

/** The specification of how the core counts; see `engine.ts`. How it reads is said in `plain-engine.ts`. */
export abstract class PlainCounting {
  abstract readonly outcomes: Int32Array
  abstract readonly statuses: Uint16Array
  abstract readonly times: Float64Array
  abstract readonly arrivals: Float64Array
  cells = new Int32Array(mostCells * cellWidth)
  stopped: number = stop.end
  mentioned = false
  #terms = noTerms
  #cellLimit = 0
  #tallies: { -readonly [name in keyof Tallies]: Tallies[name] } = { ...noTallies }
  /** By pair the cell in which it was counted last; it may be another's by now. */
  readonly #lastCell = new Map<number, number>()
  #cellCount = 0
  #known = new Set<number>()
  /** The slice in which a pair was last asked for quotas. */
  readonly #askedIn = new Map<number, number>()
  #allowed = false
  #refused: number[] = []

  abstract value(i: number): Uint8Array | null
  /** Notes what a value is, with its status and its time. */
  protected abstract read(i: number): void
  protected abstract isWatched(status: number): boolean

  agree(terms: Terms): void {
    this.#terms = terms
    const room = Math.max(0, terms.cellsLeft - this.#refused.length * refusedRows)
    this.#cellLimit = Math.min(this.cellCount + room, mostCells - 1)
  }

  count(from: number, to: number): number {
    this.mentioned = false
    for (let i = from; i < to; i++) {
      this.read(i)
      this.stopped = this.#countOne(i, this.outcomes[i] ?? outcome.general)
      if (this.stopped !== stop.end) return i
    }
    this.stopped = stop.end
    return to
  }

  #countOne(i: number, pair: number): number {
    const { now, aheadFrom, account, lateFrom, lateTo, spanFromMs, spanToMs } = this.#terms
    const tallies = this.#tallies
    if (pair === outcome.skipped) {
      tallies.skipped++
      return stop.end
    }
    if (pair < 0) return stop.decode
    const stampedMs = this.times[i] ?? 0
    const arrivedMs = this.arrivals[i] ?? 0
    const trustedMs = arrivedMs === 0 ? now : arrivedMs
    if (stampedMs !== 0 && !isPlainStamp(stampedMs, arrivedMs, now)) return stop.decode
    const timeMs = stampedMs === 0 ? trustedMs : stampedMs
    const slice = Math.floor(timeMs / sliceMs)
    if (slice >= aheadFrom) {
      tallies.newestMs = Math.max(tallies.newestMs, Math.min(timeMs, trustedMs))
      return stop.ahead
    }
    const isKnown = this.#known.has(pair)
    if (!isKnown && !this.#allowed) return stop.pair
    this.#allowed = false
    const isBeyond = timeMs < spanFromMs || timeMs >= spanToMs
    if (this.isWatched(this.statuses[i] ?? 0)) {
      return isKnown && !isBeyond && this.#refused.length < mostRefused ? this.#putAside(i) : stop.refused
    }
    tallies.newestMs = Math.max(tallies.newestMs, Math.min(timeMs, trustedMs))
    tallies.leastMs = Math.min(tallies.leastMs, timeMs)
    tallies.greatestMs = Math.max(tallies.greatestMs, timeMs)
    tallies.ok++
    this.#add([account, slice, pair], this.statuses[i] ?? 0, slice >= lateFrom && slice < lateTo)
    this.mentioned = this.#isToBeAsked(pair, slice) && this.#mentionsQuota(i)
    return this.mentioned || isBeyond || this.cellCount >= this.#cellLimit ? stop.taken : stop.end
  }

  #putAside(i: number): number {
    this.#refused.push(i)
    this.#cellLimit = Math.max(0, this.#cellLimit - refusedRows)
    return this.cellCount < this.#cellLimit ? stop.end : stop.taken
  }

  #add(key: readonly [account: number, slice: number, pair: number], status: number, isLate: boolean): void {
    const at = this.#cellOf(key) * cellWidth
    const add = (field: number): void => {
      this.cells[at + field] = (this.cells[at + field] ?? 0) + 1
    }
    add(cell.requests)
    if (status < 300) add(cell.n2xx)
    else if (status >= 500) add(cell.n5xx)
    else if (status >= 400) add(cell.n4xx)
    if (isLate) add(cell.late)
  }

  #cellOf(key: readonly [account: number, slice: number, pair: number]): number {
    const last = this.#lastCell.get(key[2]) ?? 0
    const isIt = (value: number, field: number): boolean => this.cells[last * cellWidth + field] === value
    if (last < this.#cellCount && key.every(isIt)) return last
    const made = this.#cellCount++
    this.cells.fill(0, made * cellWidth, (made + 1) * cellWidth)
    this.cells.set(key, made * cellWidth)
    this.#lastCell.set(key[2], made)
    return made
  }

  #isToBeAsked(pair: number, slice: number): boolean {
    if (!this.#terms.asks || (this.#known.has(pair) && this.#askedIn.get(pair) === slice)) return false
    this.#askedIn.set(pair, slice)
    return true
  }

  #mentionsQuota(i: number): boolean {
    return Buffer.from(this.value(i) ?? [])
      .toString('latin1')
      .toLowerCase()
      .includes('ratelimit')
  }

  know(pair: number): void {
    this.#known.add(pair)
    this.#askedIn.delete(pair)
  }

  allowPair(): void {
    this.#allowed = true
  }

  forgetKnown(): void {
    this.#known = new Set()
  }

  tallies(): Tallies {
    return { ...this.#tallies }
  }

  clearTallies(): void {
    this.#tallies = { ...noTallies }
  }

  refused(): Int32Array {
    return Int32Array.from(this.#refused)
  }

  clearRefused(): void {
    this.#refused = []
  }

  get cellCount(): number {
    return this.#cellCount
  }

  clearCells(): void {
    this.#cellCount = 0
  }

  /** To be called for each chunk. */
  protected begin(): void {
    this.#allowed = false
    this.#refused = []
  }
}
