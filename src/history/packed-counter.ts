import { type Engine, outcome, stop } from '../core/engine.ts'
import type { Recogniser } from '../core/recogniser.ts'
import type { Decoded } from '../decode/decode.ts'
import type { RawValue } from '../source/source.ts'
import type { EpochMs } from '../time/clock.ts'
import { sliceMs } from '../window/view.ts'
import type { Watermark } from '../window/watermark.ts'
import type { Windows } from '../window/windows.ts'
import type { Gathered } from './gathered.ts'
import { type Intake, type IntakeContext, type IntakeLane, type OpenWindows, roomSlices } from './intake.ts'

/** What holds for one packed chunk. */
export interface PackedContext extends IntakeContext {
  /** Values beyond this offset are not taken. */
  readonly last: number
  /** How many rows the range may still get before it is sealed. */
  rowsLeft(): number
  /** Called after each value that may have filled the range: it may be sealed, and a new one begun. */
  taken(): void
}

/** The stages behind the counting. */
export interface Stages {
  readonly intake: Intake
  readonly watermark: Watermark
  readonly windows: OpenWindows
  /** Whether anybody wants to know what is said of quotas. */
  readonly asksForQuotas: boolean
}

/** Has the recognised records of one chunk counted, and tells of them what need not be told record by record. */
export class PackedCounter {
  readonly #stages: Stages
  readonly #lane: IntakeLane
  readonly #engine: Engine
  readonly #context: PackedContext
  readonly #gathered: Gathered
  #windows: Windows | null = null
  /** The time around which the windows were opened. */
  #aroundMs = 0
  readonly #countedTo: number
  /** The value up to which all was told. */
  #told: number

  /** @param first the value with which it begins */
  constructor(
    stages: Stages,
    of: { lane: IntakeLane; recogniser: Recogniser; context: PackedContext; gathered: Gathered; first: number },
  ) {
    this.#stages = stages
    this.#lane = of.lane
    this.#engine = of.recogniser.engine
    this.#context = of.context
    this.#gathered = of.gathered
    this.#told = of.first
    this.#countedTo = stages.intake.countedTo(of.lane.key)
  }

  /** Counts values from one number up to another. @returns where it stopped; the engine says why */
  count(from: number, to: number): number {
    const { offsets } = this.#engine
    const repeated = (offsets[from] ?? 0) <= this.#countedTo
    let end = to
    // What was counted before a rebalance is an account of its own.
    if (repeated) for (end = from; end < to && (offsets[end] ?? 0) <= this.#countedTo; ) end++
    const account = this.#gathered.accountOf(this.#lane.builder, this.#context.live, repeated)
    this.#agree(account)
    const before = this.#engine.cellCount
    const at = this.#engine.count(from, end)
    this.#gathered.made(account, this.#engine.cellCount - before)
    return at
  }

  #agree(account: number): void {
    const { live, now } = this.#context
    const { builder } = this.#lane
    const bounds = this.#windows?.bounds ?? null
    const beyond = live ? (bounds?.aheadFrom ?? 0) : Number.POSITIVE_INFINITY
    this.#engine.agree({
      account,
      now,
      // The first record opens the windows.
      aheadFrom: this.#windows === null ? Number.NEGATIVE_INFINITY : beyond,
      lateFrom: live ? (bounds?.oldest ?? 0) : 0,
      lateTo: bounds?.end ?? 0,
      spanFromMs: builder.firstDayMs,
      spanToMs: builder.lastDayMs,
      cellsLeft: this.#context.rowsLeft() - this.#gathered.waitingFor(builder),
      asks: live && this.#stages.asksForQuotas,
    })
  }

  /** Opens the windows around a value, or moves them on so that they hold it. */
  makeRoom(at: number): void {
    const { windows } = this.#stages
    const timeMs = this.timeOf(at)
    const slice = Math.floor(timeMs / sliceMs)
    if (this.#windows === null) {
      this.#aroundMs = timeMs
      this.#windows = windows.around(timeMs)
      if (this.#context.live && this.#windows.bounds === null) this.#windows.openAt(slice * sliceMs)
    } else {
      this.flush(at)
      // Moving on forgets idle series, so it comes before the series is looked up.
      windows.makeRoom(slice - roomSlices)
    }
    this.renew()
  }

  /** After something else may have moved the windows on. */
  renew(): void {
    if (this.#windows === null) return
    this.#windows = this.#stages.windows.around(this.#aroundMs)
    this.#gathered.renew(this.#windows)
  }

  /** @returns false where the decoder must read the value at which it stopped for its names */
  comesToKnow(at: number): boolean {
    return this.#gathered.comesToKnow(this.#engine.outcomes[at] ?? outcome.general, this.#lane.decoder)
  }

  /** The values that were put aside, by the decoder. */
  #takeRefused(): void {
    const values = this.#engine.refused()
    if (values.length === 0) return
    for (const at of values) this.take(at)
    this.#engine.clearRefused()
  }

  /** Takes a value by the decoder. */
  take(at: number): readonly Decoded[] {
    return this.#stages.intake.take(this.#lane, this.valueAt(at), this.#context)
  }

  valueAt(at: number): RawValue {
    const engine = this.#engine
    const arrivedMs = engine.arrivals[at] ?? 0
    return { offset: engine.offsets[at] ?? 0, bytes: engine.value(at), arrivedMs: arrivedMs === 0 ? null : arrivedMs }
  }

  /** Tells what was counted since the last time, up to a value. */
  flush(to: number): void {
    this.#takeRefused()
    const { intake, watermark } = this.#stages
    const { live, now, tally } = this.#context
    const { builder, key } = this.#lane
    const { ok, skipped, newestMs, leastMs, greatestMs } = this.#engine.tallies()
    this.#engine.clearTallies()
    if (ok > 0) tally.set('ok', (tally.get('ok') ?? 0) + ok)
    if (skipped > 0) tally.set('skipped', (tally.get('skipped') ?? 0) + skipped)
    builder.skipped += skipped
    builder.reach(leastMs, greatestMs)
    if (live && newestMs > 0) watermark.seen(key, newestMs, newestMs, now)
    if (to <= this.#told) return
    this.#told = to
    const newest = this.#engine.offsets[to - 1] ?? 0
    builder.next = newest + 1
    if (newest > this.#countedTo) intake.countTo(key, newest)
  }

  /** After a value that may have filled the range. */
  taken(): void {
    const { builder } = this.#lane
    // How many rows there will be is only known once all is there.
    if (this.#gathered.isFull || this.#gathered.waitingFor(builder) >= this.#context.rowsLeft()) this.#gathered.drain()
    this.#context.taken()
  }

  /** Event time of a recognised value. */
  timeOf(at: number): EpochMs {
    const stampedMs = this.#engine.times[at] ?? 0
    const arrivedMs = this.#engine.arrivals[at] ?? 0
    if (stampedMs !== 0) return stampedMs
    return arrivedMs === 0 ? this.#context.now : arrivedMs
  }

  /** Whether the value at which it stopped may tell of a quota. */
  get mentioned(): boolean {
    return this.#engine.stopped === stop.taken && this.#engine.mentioned
  }
}
