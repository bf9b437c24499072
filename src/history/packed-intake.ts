import { outcome } from '../core/engine.ts'
import type { Recogniser } from '../core/recogniser.ts'
import type { Recognisers } from '../core/recognisers.ts'
import type { Decoder } from '../decode/decode.ts'
import { isUnreadable, unpacked } from '../source/packed.ts'
import type { Packed, RawValue, Unreadable } from '../source/source.ts'
import type { EpochMs } from '../time/clock.ts'
import { isPlainStamp } from '../window/event-time.ts'
import type { Lifetime } from '../window/lifetime.ts'
import { sliceMs } from '../window/view.ts'
import type { Watermark } from '../window/watermark.ts'
import type { Windows } from '../window/windows.ts'
import {
  type Intake,
  type IntakeContext,
  type IntakeLane,
  type OpenWindows,
  type QuotaListener,
  type Reading,
  roomSlices,
  unknownLabel,
} from './intake.ts'
import { fact, KnownSeries } from './known-series.ts'

/** What packed values need of a lane. */
export interface PackedLane extends IntakeLane {
  /** The layout that the lane was given; null for the configured one. */
  readonly format: string | null
}

/** What holds for one packed chunk. */
export interface PackedContext extends IntakeContext {
  /** Values beyond this offset are not taken. */
  readonly last: number
  /** Called after each value that changed the builder: it may be sealed, and a new one begun. */
  taken(): void
}

/**
 * From packed values to counts. What the core recognises is counted without an object for it; everything else goes through
 * `Intake`, as each value once did, and is learnt from. Both give the same, in the order of the offsets.
 */
export class PackedIntake {
  readonly #intake: Intake
  readonly #recognisers: Recognisers | null
  readonly #reading: Reading
  readonly #lifetime: Lifetime
  readonly #watermark: Watermark
  readonly #windows: OpenWindows
  readonly #onQuotas: QuotaListener | null
  readonly #known = new WeakMap<Recogniser, KnownSeries>()

  constructor(options: {
    intake: Intake
    reading: Reading
    lifetime: Lifetime
    watermark: Watermark
    windows: OpenWindows
    onQuotas: QuotaListener | null
  }) {
    this.#intake = options.intake
    this.#recognisers = options.reading.recognisers ?? null
    this.#reading = options.reading
    this.#lifetime = options.lifetime
    this.#watermark = options.watermark
    this.#windows = options.windows
    this.#onQuotas = options.onQuotas
  }

  /**
   * Takes the values of a chunk from the builder's next offset on.
   *
   * @returns what cannot be read, when the chunk cannot be taken apart; null otherwise
   */
  take(lane: PackedLane, packed: Packed, context: PackedContext): Unreadable | null {
    // Another layout is another recogniser, which reads what is left of the chunk anew.
    for (;;) {
      const recogniser = this.#recognisers?.of(lane.decoder, lane.format) ?? null
      const count = recogniser?.engine.load(packed)
      const result =
        recogniser !== null && typeof count === 'number'
          ? this.#recognise(lane, recogniser, count, context)
          : this.#decode(lane, packed, context)
      if (result !== 'go on') return result
    }
  }

  /** Every value by the decoder, until it has come to know a layout. */
  #decode(lane: PackedLane, packed: Packed, context: PackedContext): Unreadable | 'go on' | null {
    const values = unpacked(packed)
    if (isUnreadable(values)) return values
    const { state } = lane.decoder
    for (const value of values) {
      if (value.offset < lane.builder.next) continue
      if (value.offset > context.last) return null
      this.#intake.take(lane, value, context)
      lane.builder.next = value.offset + 1
      context.taken()
      if (lane.decoder.state !== state) return 'go on'
    }
    return null
  }

  #recognise(lane: PackedLane, recogniser: Recogniser, count: number, context: PackedContext): 'go on' | null {
    const { engine } = recogniser
    const { state } = lane.decoder
    const counter = new Counter(this, lane, recogniser, context)
    engine.run(0, count)
    let hasLearnt = false
    for (let i = 0; i < count; i++) {
      const offset = engine.offsets[i] ?? 0
      if (offset < lane.builder.next) continue
      if (offset > context.last) break
      let found = engine.outcomes[i] ?? outcome.general
      if (found < 0 && hasLearnt && found !== outcome.general && found !== outcome.skipped) {
        engine.run(i, i + 1)
        found = engine.outcomes[i] ?? outcome.general
      }
      if (found === outcome.skipped) counter.skip(offset)
      else if (found < 0 || !counter.count(i, found, offset)) {
        counter.flush()
        const value = valueAt(recogniser, i)
        const entries = this.#intake.take(lane, value, context)
        counter.reset()
        if (value.bytes !== null && !isSettled(recogniser, found, lane.decoder)) {
          hasLearnt = recogniser.learn(i, { bytes: value.bytes, entries, decoder: lane.decoder, state }) || hasLearnt
        }
      }
      lane.builder.next = offset + 1
      context.taken()
      if (lane.decoder.state !== state) {
        counter.flush()
        return 'go on'
      }
    }
    counter.flush()
    return null
  }

  /** What the counter of one chunk works with. */
  get parts(): {
    readonly intake: Intake
    readonly lifetime: Lifetime
    readonly watermark: Watermark
    readonly windows: OpenWindows
    readonly asksForQuotas: boolean
  } {
    return {
      intake: this.#intake,
      lifetime: this.#lifetime,
      watermark: this.#watermark,
      windows: this.#windows,
      asksForQuotas: this.#onQuotas !== null,
    }
  }

  /** The series of a recogniser's pairs of names. */
  knownTo(recogniser: Recogniser): KnownSeries {
    const known = this.#known.get(recogniser) ?? new KnownSeries(recogniser)
    this.#known.set(recogniser, known)
    return known
  }

  /** Asks the decoder what a recognised record says of its caller's quotas. */
  askForQuotas(lane: PackedLane, bytes: Uint8Array, timeMs: EpochMs): void {
    for (const entry of lane.decoder.decode(bytes)) {
      if (entry.kind !== 'record') continue
      const { tenant, api } = entry.record
      const name = { tenant: tenant ?? unknownLabel, api: api ?? unknownLabel, atMs: timeMs }
      const quotas = this.#reading.quotas(entry.record, timeMs)
      if (quotas.length > 0) this.#onQuotas?.(quotas.map((quota) => ({ ...quota, ...name })))
    }
  }
}

/** Whether there is nothing to learn from a value that had to be decoded. */
function isSettled(recogniser: Recogniser, found: number, decoder: Decoder): boolean {
  return found < 0 ? found === outcome.general : recogniser.namesOf(found, decoder) !== undefined
}

function valueAt({ engine }: Recogniser, i: number): RawValue {
  const arrivedMs = engine.arrivals[i] ?? 0
  return { offset: engine.offsets[i] ?? 0, bytes: engine.value(i), arrivedMs: arrivedMs === 0 ? null : arrivedMs }
}

/** Counts the recognised records of one chunk. What need not be told record by record is told by `flush`. */
class Counter {
  readonly #owner: PackedIntake
  readonly #lane: PackedLane
  readonly #recogniser: Recogniser
  readonly #context: PackedContext
  readonly #lifetime: Lifetime
  readonly #intake: Intake
  readonly #watermark: Watermark
  readonly #open: OpenWindows
  readonly #known: KnownSeries
  readonly #asksForQuotas: boolean
  #windows: Windows | null = null
  #countedTo: number
  #ok = 0
  #skipped = 0
  #newestMs = 0
  #newestOffset = -1

  constructor(owner: PackedIntake, lane: PackedLane, recogniser: Recogniser, context: PackedContext) {
    const { intake, lifetime, watermark, windows, asksForQuotas } = owner.parts
    this.#owner = owner
    this.#lane = lane
    this.#recogniser = recogniser
    this.#context = context
    this.#lifetime = lifetime
    this.#intake = intake
    this.#watermark = watermark
    this.#open = windows
    this.#known = owner.knownTo(recogniser)
    this.#asksForQuotas = asksForQuotas && context.live
    this.#countedTo = intake.countedTo(lane.key)
  }

  skip(offset: number): void {
    this.#newestOffset = offset
    this.#lane.builder.skipped++
    this.#skipped++
  }

  /** @returns false for a record that the decoder must read after all: for its time, or its names */
  count(i: number, pair: number, offset: number): boolean {
    const { engine } = this.#recogniser
    const { live, now } = this.#context
    const stampedMs = engine.times[i] ?? 0
    const arrivedMs = engine.arrivals[i] ?? 0
    const trustedMs = arrivedMs === 0 ? now : arrivedMs
    const timeMs = stampedMs === 0 ? trustedMs : stampedMs
    if (stampedMs !== 0 && !isPlainStamp(stampedMs, arrivedMs, now)) return false
    const windows = this.#windows ?? this.#opened(timeMs)
    const slice = Math.floor(timeMs / sliceMs)
    if (live) {
      const seenMs = Math.min(timeMs, trustedMs)
      if (seenMs > this.#newestMs) this.#newestMs = seenMs
      // Moving on forgets idle series, so it comes before the series is looked up.
      if (windows.tooFarAhead(slice)) {
        this.flush()
        this.#open.makeRoom(slice - roomSlices)
        this.#known.renew(windows)
      }
    }
    const known = this.#known
    const at = known.placeOf(pair, windows, this.#lane.decoder)
    if (at < 0) return false
    const { facts } = known
    let isLate = slice * sliceMs < (windows.endMs ?? 0)
    if (live) {
      isLate = windows.countAt(facts[at + fact.id] ?? 0, slice) === 'late'
      if (offset > this.#countedTo) this.#lifetime.count(facts[at + fact.total] ?? 0, -1)
      if (facts[at + fact.slice] !== slice) {
        facts[at + fact.slice] = slice
        windows.touch(known.seriesAt(pair), slice)
        if (this.#asksForQuotas) this.#askForQuotas(i, timeMs)
      }
    }
    const { builder } = this.#lane
    if (facts[at + fact.cellSlice] !== slice || facts[at + fact.builder] !== builder.serial) {
      facts[at + fact.cellSlice] = slice
      facts[at + fact.builder] = builder.serial
      facts[at + fact.cell] = builder.cellOf(slice, known.seriesAt(pair))
    }
    builder.countAt(facts[at + fact.cell] ?? 0, timeMs, engine.statuses[i] ?? 0, isLate)
    if (facts[at + fact.isFolded] === 1) known.release(at)
    this.#newestOffset = offset
    this.#ok++
    return true
  }

  #opened(timeMs: EpochMs): Windows {
    const windows = this.#open.around(timeMs)
    this.#known.renew(windows)
    this.#windows = windows
    return windows
  }

  /** Tells what was counted since the last time. */
  flush(): void {
    const { live, now, tally } = this.#context
    if (this.#ok > 0) tally.set('ok', (tally.get('ok') ?? 0) + this.#ok)
    if (this.#skipped > 0) tally.set('skipped', (tally.get('skipped') ?? 0) + this.#skipped)
    if (live && this.#newestMs > 0) this.#watermark.seen(this.#lane.key, this.#newestMs, this.#newestMs, now)
    if (this.#newestOffset > this.#countedTo) this.#intake.countTo(this.#lane.key, this.#newestOffset)
    this.#ok = 0
    this.#skipped = 0
    this.#newestMs = 0
  }

  /** After the decoder's way was taken for a value. */
  reset(): void {
    // Moving on may have forgotten series.
    this.#windows = null
    this.#countedTo = this.#intake.countedTo(this.#lane.key)
  }

  #askForQuotas(i: number, timeMs: EpochMs): void {
    const bytes = this.#recogniser.engine.value(i)
    if (bytes !== null && this.#recogniser.engine.mentionsQuota(i)) this.#owner.askForQuotas(this.#lane, bytes, timeMs)
  }
}
