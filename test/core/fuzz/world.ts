import { causeOf } from '../../../src/classify/classify.ts'
import { quotasIn } from '../../../src/classify/quota.ts'
import { type ApartKind, kindOf } from '../../../src/classify/watch.ts'
import type { EngineOptions } from '../../../src/core/engine.ts'
import type { Recognisers } from '../../../src/core/recognisers.ts'
import { createDecoder } from '../../../src/decode/create.ts'
import type { Decoded, Decoder, FormatName } from '../../../src/decode/decode.ts'
import { Intake, type Reading } from '../../../src/history/intake.ts'
import type { PackedContext } from '../../../src/history/packed-counter.ts'
import { PackedIntake, type PackedLane } from '../../../src/history/packed-intake.ts'
import { type Range, RangeBuilder } from '../../../src/history/range.ts'
import type { EpochMs } from '../../../src/time/clock.ts'
import { Lifetime } from '../../../src/window/lifetime.ts'
import { sliceMs } from '../../../src/window/view.ts'
import { Watermark } from '../../../src/window/watermark.ts'
import { Windows } from '../../../src/window/windows.ts'
import type { FuzzCase } from './cases.ts'
import { type Snapshot, textOf } from './snapshot.ts'

/** What a round is run with, the same in both worlds. */
export interface WorldOptions {
  readonly seriesLimit: number
  readonly live: boolean
  readonly asksForQuotas: boolean
  /** Rows after which a range is sealed. */
  readonly flushRows: number
  readonly now: EpochMs
}

/** What the core is told of the settings, as config/reading.ts tells it. */
export function engineOptionsOf({ decode, classify }: FuzzCase): EngineOptions {
  return {
    longestValue: decode.max_value_bytes,
    templates: decode.paths.template && !decode.paths.rules.some((rule) => /\/[^/]*\d/.test(rule)),
    watched: [402, ...classify.watch.map(({ status }) => status)],
  }
}

/** The stages that values go through, from the decoder to the windows, with one lane. */
export class World {
  readonly reading: Reading
  readonly lane: PackedLane
  readonly intake: Intake
  readonly packed: PackedIntake
  readonly tally = new Map<string, number>()
  readonly apart = new Map<ApartKind, number>()
  /** Calls of the decoder. */
  decoded = 0
  /** Answers for the decoder where it need not be asked again. */
  known: (bytes: Uint8Array | null, state: string) => readonly Decoded[] | null = () => null
  /** What was told of quotas, by series. */
  readonly quotas = new Set<string>()
  readonly #options: WorldOptions
  readonly #lifetime: Lifetime
  readonly #watermark = new Watermark({ latenessMs: 30_000, idleAfterMs: 30_000 })
  readonly #windows: Windows
  readonly #ranges: Range[] = []
  #builder: RangeBuilder

  constructor(one: FuzzCase, options: WorldOptions, recognisers: Recognisers | null) {
    const { seriesLimit, now, asksForQuotas } = options
    this.#options = options
    this.reading = this.#readingOf(one, recognisers)
    this.#lifetime = new Lifetime(seriesLimit)
    this.#windows = new Windows({ seriesLimit, seriesLimitPerTenant: seriesLimit / 2, lifetime: this.#lifetime })
    this.#builder = new RangeBuilder(0, now)
    this.#watermark.open('lane', now, false)
    const world = this
    this.lane = {
      ...{ key: 'lane', decoder: this.reading.decoder(one.format), format: one.format },
      get builder() {
        return world.#builder
      },
    }
    const stages = {
      ...{ reading: this.reading, lifetime: this.#lifetime, watermark: this.#watermark },
      windows: { around: () => this.#windows, makeRoom: (slice: number) => this.#advanceTo(slice * sliceMs) },
      onQuotas: asksForQuotas
        ? (told: readonly { tenant: string; api: string }[]) => {
            for (const { tenant, api } of told) this.quotas.add(JSON.stringify([tenant, api]))
          }
        : null,
    }
    this.intake = new Intake(stages)
    this.packed = new PackedIntake({ ...stages, intake: this.intake })
  }

  /** @param last values beyond this offset are not taken */
  context(last: number): PackedContext {
    const { live, now, flushRows } = this.#options
    const rowsLeft = () => flushRows - this.#builder.size
    const taken = (): void => {
      if (rowsLeft() <= 0) this.#seal()
    }
    return { live, now, last, rowsLeft, taken, tally: this.tally, apart: this.apart }
  }

  /** After a chunk, as the pipeline does. */
  advance(): void {
    const at = this.#watermark.value()
    if (at !== null) this.#advanceTo(at)
  }

  /** What a chunk may change at once; what was sealed is told once. */
  snapshot(): Snapshot {
    this.packed.drain()
    const ranges = this.#ranges.splice(0)
    const { requests, paymentRequired, late, skipped, next, size } = this.#builder
    return {
      ranges,
      rows: { tally: [...this.tally], apart: [...this.apart] },
      rest: {
        ...{ open: { requests, paymentRequired, late, skipped, next, size } },
        ...{ watermark: this.#watermark.value(), endMs: this.#windows.endMs, headMs: this.#windows.headMs },
        ...{ counted: this.#options.live ? null : this.intake.countedTo('lane') },
      },
    }
  }

  /** Everything, at the end of a round. */
  lastSnapshot(): Snapshot {
    this.#seal()
    const { oldestMs, headMs, seriesCount, foldedCount } = this.#windows
    const totals = oldestMs === null || headMs === null ? [] : this.#windows.totals(oldestMs, headMs)
    const { ranges, rows, rest } = this.snapshot()
    return {
      ranges,
      rows: { ...rows, totals, lifetime: this.#lifetime.totals() },
      rest: { ...rest, seriesCount, foldedCount, oldestMs },
    }
  }

  /** What a chunk may change, as text to compare. */
  state(): string {
    return textOf(this.snapshot())
  }

  /** Everything, as text to compare. */
  end(): string {
    return textOf(this.lastSnapshot())
  }

  #readingOf({ decode, classify }: FuzzCase, recognisers: Recognisers | null): Reading {
    return {
      decoder: (format) =>
        this.#counted(createDecoder(format === null ? decode : { ...decode, format: format as FormatName })),
      judge: (record) => {
        const kind = kindOf(record, classify)
        if (kind === null) return null
        const { cause, code, source } = causeOf(record, classify.rules)
        return { kind, cause, causeCode: code ?? '', causeSource: source ?? '' }
      },
      quotas: (record, timeMs) => quotasIn(record.evidence().headers, timeMs),
      // The true one costs more than all the rest, and both worlds would make it of the same bytes.
      sketch: (bytes) => String(bytes === null ? null : Buffer.from(bytes.subarray(0, 100))),
      ...(recognisers === null ? {} : { recognisers }),
      ...{ configHash: 'fuzz', keepRaw: false },
    }
  }

  #counted(decoder: Decoder): Decoder {
    const world = this
    return {
      get layout() {
        return decoder.layout
      },
      get state() {
        return decoder.state
      },
      get plain() {
        return decoder.plain
      },
      get names() {
        return decoder.names
      },
      labelAt: (kind, place, text) => decoder.labelAt(kind, place, text),
      readObject: (entry) => decoder.readObject(entry),
      decode(value) {
        world.decoded++
        return world.known(value, decoder.state) ?? decoder.decode(value)
      },
    }
  }

  #seal(): void {
    this.packed.drain()
    this.#ranges.push(this.#builder.seal({ source: 'fuzz', lane: 0, configHash: 'fuzz' }))
    this.#builder = new RangeBuilder(this.#builder.next, this.#options.now)
  }

  #advanceTo(endMs: EpochMs): void {
    this.packed.drain()
    for (const _ of this.#windows.advanceTo(endMs)) {
      // Each slice is closed by the step itself.
    }
  }
}
