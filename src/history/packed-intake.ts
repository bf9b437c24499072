import { type Engine, outcome, stop } from '../core/engine.ts'
import type { Recogniser } from '../core/recogniser.ts'
import type { Recognisers } from '../core/recognisers.ts'
import type { Decoder } from '../decode/decode.ts'
import { isUnreadable, unpacked } from '../source/packed.ts'
import type { Packed, Unreadable } from '../source/source.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Lifetime } from '../window/lifetime.ts'
import type { Watermark } from '../window/watermark.ts'
import { Gathered } from './gathered.ts'
import {
  type Intake,
  type IntakeLane,
  type OpenWindows,
  type QuotaListener,
  type Reading,
  unknownLabel,
} from './intake.ts'
import { type PackedContext, PackedCounter, type Stages } from './packed-counter.ts'

/** What packed values need of a lane. */
export interface PackedLane extends IntakeLane {
  /** The layout that the lane was given; null for the configured one. */
  readonly format: string | null
}

/**
 * From packed values to counts. What the core recognises is counted without an object for it; everything else goes through
 * `Intake`, as each value once did, and is learnt from. Both give the same, in the order of the offsets.
 */
export class PackedIntake {
  readonly #recognisers: Recognisers | null
  readonly #reading: Reading
  readonly #lifetime: Lifetime
  readonly #stages: Stages
  readonly #onQuotas: QuotaListener | null
  #gathered = new Map<Recogniser, Gathered>()

  constructor(options: {
    intake: Intake
    reading: Reading
    lifetime: Lifetime
    watermark: Watermark
    windows: OpenWindows
    onQuotas: QuotaListener | null
  }) {
    const { intake, watermark, windows } = options
    this.#stages = { intake, watermark, windows, asksForQuotas: options.onQuotas !== null }
    this.#recognisers = options.reading.recognisers ?? null
    this.#reading = options.reading
    this.#lifetime = options.lifetime
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
      const isLoaded = recogniser !== null && typeof count === 'number'
      const result = isLoaded ? this.#recognise(lane, recogniser, count, context) : this.#decode(lane, packed, context)
      if (result !== 'go on') return result
      // How full a range is, is only known with all that waits in one place.
      this.drain()
    }
  }

  /** Every value by the decoder, until it has come to know a layout. */
  #decode(lane: PackedLane, packed: Packed, context: PackedContext): Unreadable | 'go on' | null {
    const values = unpacked(packed)
    if (isUnreadable(values)) return values
    this.drain()
    const { state } = lane.decoder
    for (const value of values) {
      if (value.offset < lane.builder.next) continue
      if (value.offset > context.last) return null
      this.#stages.intake.take(lane, value, context)
      lane.builder.next = value.offset + 1
      context.taken()
      if (lane.decoder.state !== state) return 'go on'
    }
    return null
  }

  #recognise(lane: PackedLane, recogniser: Recogniser, count: number, context: PackedContext): 'go on' | null {
    const { engine } = recogniser
    const { state } = lane.decoder
    const { first, end } = boundsOf(engine, { count, next: lane.builder.next, last: context.last })
    const gathered = this.#gatheredBy(recogniser)
    const counter = new PackedCounter(this.#stages, { lane, recogniser, context, gathered, first })
    for (let at = first; at < end; ) {
      at = counter.count(at, end)
      const why = engine.stopped
      if (why === stop.end) continue
      if (why === stop.ahead) {
        counter.makeRoom(at)
        continue
      }
      // What is looked at by the decoder anyway is looked up by it.
      if (why === stop.pair && !recogniser.isWatched(engine.statuses[at] ?? null) && counter.comesToKnow(at)) continue
      if (why === stop.taken) {
        counter.flush(at + 1)
        if (counter.mentioned) this.#askForQuotas(lane, engine.value(at), counter.timeOf(at))
      } else {
        counter.flush(at)
        this.#learnFrom({ lane, recogniser, counter, at, state })
        counter.renew()
      }
      lane.builder.next = (engine.offsets[at] ?? 0) + 1
      counter.taken()
      if (lane.decoder.state !== state) return 'go on'
      at++
    }
    counter.flush(end)
    return null
  }

  /** Has a value decoded that was not recognised, so that others like it will be. */
  #learnFrom(of: {
    lane: PackedLane
    recogniser: Recogniser
    counter: PackedCounter
    at: number
    state: string
  }): void {
    const { lane, recogniser, counter, at, state } = of
    const { bytes } = counter.valueAt(at)
    const found = recogniser.engine.outcomes[at] ?? outcome.general
    const entries = counter.take(at)
    if (bytes === null || recogniser.engine.stopped === stop.refused || isSettled(recogniser, found, lane.decoder))
      return
    recogniser.learn(at, { bytes, entries, decoder: lane.decoder, state })
  }

  #gatheredBy(recogniser: Recogniser): Gathered {
    const known = this.#gathered.get(recogniser)
    if (known !== undefined) return known
    // Recognisers that were replaced are not asked again.
    this.#gathered = new Map([...this.#gathered].filter(([one, { isEmpty }]) => !one.isFull || !isEmpty))
    const made = new Gathered(recogniser, this.#lifetime)
    this.#gathered.set(recogniser, made)
    return made
  }

  /** Hands what was counted and is not there yet to windows, totals and ranges: to be called before these are read. */
  drain(): void {
    for (const gathered of this.#gathered.values()) gathered.drain()
  }

  /** Asks the decoder what a recognised record says of its caller's quotas. */
  #askForQuotas(lane: PackedLane, bytes: Uint8Array | null, timeMs: EpochMs): void {
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

/** The values of a loaded chunk from an offset on, up to a last one. */
function boundsOf(
  { offsets }: Engine,
  { count, next, last }: { count: number; next: number; last: number },
): { first: number; end: number } {
  let first = 0
  while (first < count && (offsets[first] ?? 0) < next) first++
  let end = count
  while (end > first && (offsets[end - 1] ?? 0) > last) end--
  return { first, end }
}
