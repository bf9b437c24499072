import type { Cause } from '../classify/cause.ts'
import { cell } from '../core/engine.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'
import type { Series } from '../window/series.ts'
import { RangeCells } from './range-cells.ts'

/** Everything one lane brought between two offsets: the unit that is written to history as one. */
export interface Range {
  readonly source: string
  readonly lane: number
  readonly lo: number
  readonly hi: number
  readonly configHash: string
  readonly rollups: readonly RollupRow[]
  readonly events: readonly RefusedCall[]
  readonly deadLetters: readonly DeadLetter[]
  readonly requests: number
  readonly paymentRequired: number
  readonly late: number
  readonly skipped: number
  /** The range could not be read any more; it is in the ledger as a gap. */
  readonly gap: boolean
  readonly minMs: EpochMs
  readonly maxMs: EpochMs
}

export interface RollupRow {
  readonly slice: number
  readonly tenant: string
  readonly api: string
  readonly cause: Cause | ''
  readonly requests: number
  readonly paymentRequired: number
  readonly n2xx: number
  readonly n4xx: number
  readonly n5xx: number
  readonly late: number
}

export interface RefusedCall {
  readonly timeMs: EpochMs
  readonly tenant: string
  readonly api: string
  readonly cause: Cause
  readonly causeCode: string
  readonly causeSource: string
  readonly kind: 'payment_required' | 'equivalent' | 'upstream_402' | 'challenge'
  readonly status: number
  readonly upstreamStatus: number
  readonly method: string
  readonly consumer: string
  readonly plan: string
  readonly requestId: string
  readonly latencyMs: number | null
  readonly format: string
  readonly offset: number
  readonly index: number
}

export interface DeadLetter {
  readonly atMs: EpochMs
  readonly reason: string
  readonly offset: number
  readonly index: number
  readonly bytes: number
  readonly message: string
  readonly sketch: string
  readonly raw: string
}

/** Tells the builders of a process apart. */
let builders = 0

/** Gathers a lane's records, offset after offset, until the range is sealed. */
export class RangeBuilder {
  readonly serial: number = ++builders
  readonly lo: number
  /** Next offset: the range so far is `[lo, next - 1]`. */
  next: number
  readonly openedMs: EpochMs
  requests = 0
  paymentRequired = 0
  late = 0
  skipped = 0
  readonly events: RefusedCall[] = []
  readonly deadLetters: DeadLetter[] = []
  readonly #cells = new RangeCells()
  #minMs = Number.POSITIVE_INFINITY
  #maxMs = Number.NEGATIVE_INFINITY

  constructor(lo: number, openedMs: EpochMs) {
    this.lo = lo
    this.next = lo
    this.openedMs = openedMs
  }

  get empty(): boolean {
    return this.next === this.lo
  }

  /** Rows it would write: what `flush_rows` and the memory mark are measured in. */
  get size(): number {
    return this.#cells.size + this.events.length + this.deadLetters.length
  }

  /** Days of event time touched: one insert must not touch too many partitions. */
  get days(): number {
    return this.#minMs > this.#maxMs ? 0 : (this.lastDayMs - this.firstDayMs) / dayMs
  }

  /** Where the days of event time begin that were touched; infinite before the first. */
  get firstDayMs(): EpochMs {
    return Math.floor(this.#minMs / dayMs) * dayMs
  }

  /** Where they end. */
  get lastDayMs(): EpochMs {
    return (Math.floor(this.#maxMs / dayMs) + 1) * dayMs
  }

  /** Notes that records from one time up to another were, or will be, added. */
  reach(leastMs: EpochMs, greatestMs: EpochMs): void {
    if (leastMs < this.#minMs) this.#minMs = leastMs
    if (greatestMs > this.#maxMs) this.#maxMs = greatestMs
  }

  /** Counts one request; `cause` is the index of its cause when it was refused with a counted 402, else -1. */
  count(timeMs: EpochMs, slice: number, series: Series, status: number | null, cause: number, late: boolean): void {
    this.#cells.count(slice, series, status, cause, late)
    this.requests++
    if (late) this.late++
    if (cause >= 0) this.paymentRequired++
    this.reach(timeMs, timeMs)
  }

  /** Adds the counts of an engine's cell, which stand at `at`. Their times are told by `reach`. */
  add(slice: number, series: Series, id: number, counts: Int32Array, at: number): void {
    this.#cells.add(this.#cells.cellOf(slice, series, id), counts, at)
    this.requests += counts[at + cell.requests] ?? 0
    this.late += counts[at + cell.late] ?? 0
  }

  seal(identity: { source: string; lane: number; configHash: string }): Range {
    return {
      ...identity,
      lo: this.lo,
      hi: this.next - 1,
      rollups: this.#cells.rows(),
      events: this.events,
      deadLetters: this.deadLetters,
      requests: this.requests,
      paymentRequired: this.paymentRequired,
      late: this.late,
      skipped: this.skipped,
      gap: false,
      minMs: this.requests === 0 ? 0 : this.#minMs,
      maxMs: this.requests === 0 ? 0 : this.#maxMs,
    }
  }
}

/** A range that was lost before it could be read: nothing but its ledger entry. */
export function gapRange(identity: {
  source: string
  lane: number
  configHash: string
  lo: number
  hi: number
}): Range {
  return {
    ...identity,
    rollups: [],
    events: [],
    deadLetters: [],
    requests: 0,
    paymentRequired: 0,
    late: 0,
    skipped: 0,
    gap: true,
    minMs: 0,
    maxMs: 0,
  }
}
