import { readingOf } from '../src/config/reading.ts'
import { type Config, configSchema } from '../src/config/schema.ts'
import { silentLog } from '../src/fault/log.ts'
import type { RangeStore } from '../src/history/history.ts'
import type { Range } from '../src/history/range.ts'
import { MemoryState } from '../src/history/state.ts'
import { Pipeline, type PipelineEvents, type PipelineOptions } from '../src/pipeline.ts'
import { systemClock } from '../src/time/clock.ts'
import { Lifetime } from '../src/window/lifetime.ts'

/** The settings of a daemon that nobody has configured: what is measured is what users get. */
export const config: Config = configSchema.parse({})

/** A history that takes everything and keeps nothing but sums. */
export class NoHistory implements RangeStore {
  readonly state = new MemoryState()
  requests = 0
  refused = 0

  async land(range: Range): Promise<void> {
    this.requests += range.requests
    this.refused += range.paymentRequired
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
  readonly #waiting: { readonly count: number; readonly done: () => void }[] = []

  get all(): number {
    return this.counted + this.other
  }

  records(result: string, count: number): void {
    if (result === 'ok') this.counted += count
    else this.other += count
    for (let next = this.#waiting[0]; next !== undefined && this.all >= next.count; next = this.#waiting[0]) {
      this.#waiting.shift()
      next.done()
    }
  }

  flushed(): void {}

  refusalsApart(): void {}

  /** Calls back as soon as that many records have come, whatever became of them. Ask for smaller numbers first. */
  when(count: number, done: () => void): void {
    this.#waiting.push({ count, done })
  }

  /** Resolves once that many records have come. */
  reached(count: number): Promise<void> {
    return new Promise((done) => this.when(count, done))
  }
}

/** What sets a pipeline of the bench apart from that of a daemon nobody has configured. */
type Own = Pick<PipelineOptions, 'history' | 'events'> &
  Partial<Pick<PipelineOptions, 'epoch' | 'onSlice' | 'onQuotas' | 'seriesLimit' | 'seriesLimitPerTenant' | 'lifetime'>>

/** The pipeline as `app.ts` builds it; without rules to evaluate unless they are given. */
export function buildPipeline(own: Own): Pipeline {
  const { window, history: store } = config
  return new Pipeline({
    ...{ epoch: 0, onQuotas: null, onSlice: () => {}, resumeAtMs: null },
    ...{ clock: systemClock, log: silentLog, reading: readingOf(config) },
    ...{ latenessMs: window.lateness, idleAfterMs: window.idle_after },
    ...{ seriesLimit: window.series_limit, seriesLimitPerTenant: window.series_limit_per_tenant },
    ...{ flushIntervalMs: store.flush_interval, flushRows: store.flush_rows },
    memoryLimitBytes: store.memory_limit_mib * 1024 * 1024,
    lifetime: new Lifetime(own.seriesLimit ?? window.series_limit),
    ...own,
  })
}
