import type { ApartKind } from '../classify/watch.ts'
import type { RereadableLane } from '../source/kafka-range.ts'
import type { EpochMs } from '../time/clock.ts'
import { Lifetime } from '../window/lifetime.ts'
import { Watermark } from '../window/watermark.ts'
import { Windows } from '../window/windows.ts'
import type { Span } from './backfill-cover.ts'
import { type BatchPart, firstOffset, isUnreadable, lastOffset, letterOf, partsOf } from './batch-parts.ts'
import { Intake, type IntakeLane, type Reading } from './intake.ts'
import { type Range, RangeBuilder } from './range.ts'

/** Where ranges are cut, and from when on series are folded. */
export interface CutLimits {
  /** Rows of a range. */
  readonly flushRows: number
  readonly seriesLimit: number
  readonly seriesLimitPerTenant: number
}

/** A range as it was read again, with what its entries were by result: `ok`, `skipped`, or why they are unreadable. */
export interface Reread {
  readonly range: Range
  readonly tally: ReadonlyMap<string, number>
  /** Offsets of the full range that was cut off just below it; null when it begins where it should. */
  readonly below: number | null
}

/** A range in the making. */
interface Piece extends IntakeLane {
  readonly builder: RangeBuilder
  readonly tally: Map<string, number>
}

/** One INSERT must not touch more day partitions than the engine takes. */
const longestRangeDays = 40

/**
 * Makes ranges of a lane's old offsets through the daemon's own intake: the same decoder, judgement and counts, but
 * beside its windows. Every range begins afresh, with no memory of layouts or series, so that the same offsets give the
 * same range in whatever process and after whatever other range.
 */
export class RangeReader {
  readonly #lane: RereadableLane
  readonly #reading: Reading
  readonly #limits: CutLimits
  readonly #intake: Intake
  #windows: Windows

  constructor(lane: RereadableLane, reading: Reading, limits: CutLimits) {
    this.#lane = lane
    this.#reading = reading
    this.#limits = limits
    this.#windows = this.#noWindows()
    this.#intake = new Intake({
      ...{ reading, onQuotas: null, lifetime: new Lifetime(0) },
      watermark: new Watermark({ latenessMs: 0, idleAfterMs: 0 }),
      windows: { around: () => this.#windows, makeRoom: () => {} },
    })
  }

  /** Exactly these offsets, as one range. @param now stands in for the arrival of a record that has none */
  whole(span: Span, now: EpochMs): Promise<Reread> {
    return this.#read(span, now, Number.POSITIVE_INFINITY)
  }

  /** The last of the ranges into which these offsets are cut by size. */
  topmost(span: Span, now: EpochMs): Promise<Reread> {
    return this.#read(span, now, this.#limits.flushRows)
  }

  async #read({ lo, hi }: Span, now: EpochMs, rows: number): Promise<Reread> {
    let piece = this.#begin(lo, now)
    let below: number | null = null
    for await (const batch of this.#lane.read(lo, hi)) {
      for (const part of partsOf(batch)) {
        const { builder } = piece
        if (builder.size >= rows || (rows < Number.POSITIVE_INFINITY && builder.days > longestRangeDays)) {
          below = firstOffset(part) - builder.lo
          piece = this.#begin(firstOffset(part), now)
        }
        this.#take(piece, part, now)
      }
      piece.builder.next = Math.max(piece.builder.next, batch.hi + 1)
    }
    const { source, partition } = this.#lane
    const range = piece.builder.seal({ source, lane: partition, configHash: this.#reading.configHash })
    return { range, tally: piece.tally, below }
  }

  #take(piece: Piece, part: BatchPart, now: EpochMs): void {
    const { builder, tally } = piece
    if (!isUnreadable(part)) {
      this.#intake.take(piece, part, { live: false, now, tally, apart: new Map<ApartKind, number>() })
    } else {
      const letter = letterOf(part, now, this.#reading.sketch(null))
      builder.deadLetters.push(letter)
      tally.set(letter.reason, (tally.get(letter.reason) ?? 0) + 1)
    }
    builder.next = lastOffset(part) + 1
  }

  #begin(lo: number, now: EpochMs): Piece {
    this.#windows = this.#noWindows()
    const key = `${this.#lane.source}/${this.#lane.partition}`
    return { key, decoder: this.#reading.decoder(null), builder: new RangeBuilder(lo, now), tally: new Map() }
  }

  /** Only the folding of series is used of them: nothing is counted, and so no record is late. */
  #noWindows(): Windows {
    const { seriesLimit, seriesLimitPerTenant } = this.#limits
    return new Windows({ seriesLimit, seriesLimitPerTenant, lifetime: new Lifetime(0) })
  }
}
