import { Fault } from '../../src/fault/fault.ts'
import { type CutLimits, RangeReader } from '../../src/history/backfill-reading.ts'
import type { RereadableLane } from '../../src/source/kafka-range.ts'
import type { Batch, RawValue, Unreadable } from '../../src/source/source.ts'
import { encode, type PlainRecord, plainReading } from '../pipeline/fake-world.ts'
import { lastHour } from './store.ts'

export const limits: CutLimits = { flushRows: 5_000, seriesLimit: 10_000, seriesLimitPerTenant: 1_000 }

/** What a lane has at one offset: records, bytes that nobody can read, a batch that cannot be unpacked, or nothing. */
export type Slot = PlainRecord | readonly PlainRecord[] | 'rubbish' | 'sealed' | 'marker'

/** A partition in memory: offset after offset, one a second from `startMs` on. */
export class FakePartition implements RereadableLane {
  readonly source = 'kafka:fake:logs:id'
  readonly formerSources: readonly string[] = ['kafka:fake:logs']
  readonly partition: number
  readonly label: string
  earliest = 0
  /** Offsets that were handed out, as often as they were. */
  read0 = 0
  readonly slots: readonly Slot[]
  readonly #startMs: number

  constructor(slots: readonly Slot[], { partition = 0, startMs = lastHour } = {}) {
    this.slots = slots
    this.partition = partition
    this.label = `logs/${partition}`
    this.#startMs = startMs
  }

  get latest(): number {
    return this.slots.length
  }

  async offsetAt(timeMs: number): Promise<number> {
    const offset = Math.max(this.earliest, Math.ceil((timeMs - this.#startMs) / 1_000))
    return Math.min(offset, this.latest)
  }

  arrivedMs(offset: number): number {
    return this.#startMs + offset * 1_000
  }

  async *read(lo: number, hi: number): AsyncGenerator<Batch> {
    if (lo < this.earliest) {
      throw new Fault('offset-out-of-range', `offsets below ${this.earliest} were deleted`, { retryable: false })
    }
    for (let at = lo; at <= hi; at += 7) {
      const last = Math.min(hi, at + 6)
      const values: RawValue[] = []
      const unreadable: Unreadable[] = []
      for (let offset = at; offset <= last; offset++) {
        const slot = this.slots[offset] ?? 'marker'
        if (slot === 'marker') continue
        if (slot === 'sealed') {
          unreadable.push({ lo: offset, hi: offset, bytes: 9, reason: 'a codec that nobody knows' })
          continue
        }
        const bytes = slot === 'rubbish' ? Buffer.from('{"half') : encode(slot)
        values.push({ offset, bytes, arrivedMs: this.arrivedMs(offset) })
      }
      this.read0 += last - at + 1
      yield { lo: at, hi: last, values, unreadable }
    }
  }

  /** The range of these offsets as the daemon would have landed it. */
  async range(lo: number, hi: number) {
    return (await new RangeReader(this, plainReading, limits).whole({ lo, hi }, lastHour)).range
  }
}
