import { readingOf } from '../src/config/reading.ts'
import { type Config, configSchema } from '../src/config/schema.ts'
import { silentLog } from '../src/fault/log.ts'
import type { RangeStore } from '../src/history/history.ts'
import type { Range } from '../src/history/range.ts'
import { MemoryState } from '../src/history/state.ts'
import { Pipeline, type PipelineEvents } from '../src/pipeline.ts'
import type { Batch, BatchConsumer, Coordinator, Lane } from '../src/source/source.ts'
import { systemClock } from '../src/time/clock.ts'
import { Lifetime } from '../src/window/lifetime.ts'
import type { Tally } from './naive.ts'
import type { Records } from './records.ts'

/** The settings of a daemon that nobody has configured: what is measured is what users get. */
export const config: Config = configSchema.parse({})

/** A history that takes everything and keeps nothing but sums. */
export class NoHistory implements RangeStore {
  readonly state = new MemoryState()
  requests = 0
  refused = 0
  rows = 0

  async land(range: Range): Promise<void> {
    this.requests += range.requests
    this.refused += range.paymentRequired
    this.rows += range.rollups.length + range.events.length
  }

  async position(): Promise<null> {
    return null
  }

  async holds(): Promise<boolean> {
    return false
  }

  async windowRows(): Promise<readonly never[]> {
    return []
  }
}

/** Counts the records that reached the windows and tells when a number of them has. */
export class Arrivals implements PipelineEvents {
  counted = 0
  other = 0
  #waiting: { count: number; done: () => void } | null = null

  records(result: string, count: number): void {
    if (result === 'ok') this.counted += count
    else this.other += count
    if (this.#waiting !== null && this.counted + this.other >= this.#waiting.count) this.#waiting.done()
  }

  flushed(): void {}

  refusalsApart(): void {}

  /** Resolves once that many records have come, whatever became of them. */
  reached(count: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { count, done }
    })
  }
}

/** The pipeline as `app.ts` builds it, without rules to evaluate. */
export function buildPipeline(history: RangeStore, events: PipelineEvents, epoch = 0): Pipeline {
  const { window, history: store } = config
  return new Pipeline({
    onQuotas: null,
    ...{ history, events, epoch, clock: systemClock, log: silentLog, reading: readingOf(config) },
    ...{ lifetime: new Lifetime(window.series_limit), onSlice: () => {}, resumeAtMs: null },
    ...{ latenessMs: window.lateness, idleAfterMs: window.idle_after },
    ...{ seriesLimit: window.series_limit, seriesLimitPerTenant: window.series_limit_per_tenant },
    ...{ flushIntervalMs: store.flush_interval, flushRows: store.flush_rows },
    memoryLimitBytes: store.memory_limit_mib * 1024 * 1024,
  })
}

/** What a Kafka client hands over at a time, about. */
const batchRecords = 1_000

/** A pipeline fed from memory: everything behind the source, history but for the database. */
export class Feed {
  readonly history = new NoHistory()
  readonly arrivals = new Arrivals()
  readonly pipeline: Pipeline
  readonly #lane = new MemoryLane()
  readonly #consumer: BatchConsumer
  #offset = 0

  private constructor() {
    this.pipeline = buildPipeline(this.history, this.arrivals)
    this.#consumer = this.pipeline.consumer()
  }

  static async open(): Promise<Feed> {
    const feed = new Feed()
    await feed.#consumer.assigned([feed.#lane])
    return feed
  }

  /** The next batches of the lane; each record arrived as it happened. */
  batches({ values, timesMs }: Records): readonly Batch[] {
    const batches: Batch[] = []
    for (let from = 0; from < values.length; from += batchRecords) {
      const lo = this.#offset
      const batch = values.slice(from, from + batchRecords).map((bytes, i) => {
        return { offset: this.#offset++, bytes, arrivedMs: timesMs[from + i] ?? null }
      })
      batches.push({ lo, hi: this.#offset - 1, values: batch })
    }
    return batches
  }

  /** Decodes, classifies and counts the batches, moves event time on, and seals the range for history. */
  async take(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) await this.#consumer.take(this.#lane, batch)
    this.pipeline.tick()
    await this.pipeline.drain()
  }

  tally(): Tally {
    return { requests: this.history.requests, refused: this.history.refused }
  }
}

class MemoryLane implements Lane {
  readonly source = 'bench'
  readonly partition = 0
  readonly label = 'bench/0'
  readonly format = null
  readonly earliest = 0
  readonly initial = 0
  readonly latest = null
  readonly coordinator: Coordinator = { read: async () => null, commit: async () => 'committed' }

  pause(): void {}

  resume(): void {}

  lag(): number {
    return 1
  }
}
