import type { Pipeline } from '../src/pipeline.ts'
import { Unpacker } from '../src/source/kafka-codecs.ts'
import { piecesOf } from '../src/source/kafka-pieces.ts'
import { FetchedRecords } from '../src/source/kafka-records.ts'
import type { Batch, BatchConsumer, Coordinator, Lane, RawValue } from '../src/source/source.ts'
import { Arrivals, buildPipeline, NoHistory } from './daemon.ts'
import type { Tally } from './naive.ts'
import { type Codec, recordBatch } from './record-batch.ts'
import type { Records } from './records.ts'

/** What producers put into a batch under load, about. */
const batchRecords = 1_000
/** What the Kafka source hands over at a time. */
const pieceBytes = 1024 * 1024

/** Record batches of a partition, as they follow one another in the answer of a broker. */
export interface Fetched {
  readonly bytes: Buffer
  readonly lo: number
}

/** Records that are ready to be encoded. */
export type Timed = Pick<Records, 'values' | 'timesMs'>

/** Encodes the records from an offset on; each arrived as it happened. */
export function batchesOf(
  { values, timesMs }: Timed,
  { codec, base }: { codec: Codec; base: number },
): readonly Fetched[] {
  const batches: Fetched[] = []
  for (let from = 0; from < values.length; from += batchRecords) {
    const to = from + batchRecords
    const part = { values: values.slice(from, to), timesMs: timesMs.slice(from, to) }
    batches.push({ bytes: recordBatch({ ...part, base: base + from, codec }), lo: base + from })
  }
  return batches
}

/** A pipeline fed from memory with what a broker answers: everything of the daemon but the network and the database. */
export class Feed {
  readonly history = new NoHistory()
  readonly arrivals = new Arrivals()
  readonly pipeline: Pipeline
  readonly #lane = new MemoryLane()
  readonly #consumer: BatchConsumer
  readonly #unpacker = new Unpacker()
  #offset = 0

  private constructor(limits: { seriesLimit?: number; seriesLimitPerTenant?: number }) {
    this.pipeline = buildPipeline({ history: this.history, events: this.arrivals, ...limits })
    this.#consumer = this.pipeline.consumer()
  }

  static async open(limits: { seriesLimit?: number; seriesLimitPerTenant?: number } = {}): Promise<Feed> {
    const feed = new Feed(limits)
    await feed.#consumer.assigned([feed.#lane])
    return feed
  }

  /** The next batches of the lane, encoded. */
  batches(records: Timed, codec: Codec = 'none'): readonly Fetched[] {
    const batches = batchesOf(records, { codec, base: this.#offset })
    this.#offset += records.values.length
    return batches
  }

  /** The same records as values that were taken apart already, as sources give them that have nothing packed. */
  values({ values, timesMs }: Timed): readonly Batch[] {
    const batches: Batch[] = []
    for (let from = 0; from < values.length; from += batchRecords) {
      const lo = this.#offset
      const part: RawValue[] = values.slice(from, from + batchRecords).map((bytes, i) => {
        return { offset: this.#offset++, bytes, arrivedMs: timesMs[from + i] ?? null }
      })
      batches.push({ lo, hi: this.#offset - 1, values: part })
    }
    return batches
  }

  /** Reads the batches as the Kafka source does, counts them, moves event time on, and seals the range for history. */
  async take(batches: readonly Fetched[]): Promise<void> {
    for (const { bytes, lo } of batches) {
      const pieces = piecesOf(new FetchedRecords(bytes, lo), { unpacker: this.#unpacker, bytesEach: pieceBytes })
      for await (const piece of pieces) await this.#consumer.take(this.#lane, piece)
    }
    await this.settle()
  }

  /** The same for values. */
  async takeValues(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) await this.#consumer.take(this.#lane, batch)
    await this.settle()
  }

  async settle(): Promise<void> {
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
