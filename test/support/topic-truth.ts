import { randomUUID } from 'node:crypto'
import { Kafka as Client, type EachBatchPayload, logLevel } from 'kafkajs'
import { waitFor } from './process.ts'
import { type Said, saidHeader } from './steady-traffic.ts'

const sliceMs = 10_000

/** Counts by `tenant api cause`; cause '' stands for all requests of the series. */
export type Counts = Map<string, number>

/**
 * What a topic of `SteadyTraffic` really holds, counted naively from the headers and without Tollwatch's code. Reading
 * goes on where the last one ended.
 */
export class TopicTruth {
  readonly #client: Client
  readonly #brokers: string
  readonly #topic: string
  readonly #next = new Map<number, number>()
  readonly #slices = new Map<number, Counts>()
  readonly total: Counts = new Map()
  records = 0
  refused = 0
  unreadable = 0
  offsets = 0

  constructor(brokers: string, topic: string) {
    this.#brokers = brokers
    this.#topic = topic
    this.#client = new Client({
      clientId: 'topic-truth',
      brokers: [brokers],
      logLevel: logLevel.NOTHING,
      retry: { retries: 10, initialRetryTime: 50, maxRetryTime: 500 },
    })
  }

  /** Reads at least everything that is in the topic now. */
  async read(): Promise<void> {
    const ends = await this.#ends()
    const behind = () => [...ends].some(([partition, end]) => (this.#next.get(partition) ?? 0) < end)
    if (!behind()) return
    const consumer = this.#client.consumer({ groupId: `truth-${randomUUID()}`, maxWaitTimeInMs: 50 })
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: [this.#topic], fromBeginning: true })
      await consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => this.#take(batch) })
      for (const [partition, next] of this.#next) consumer.seek({ topic: this.#topic, partition, offset: String(next) })
      await waitFor(`${this.#topic} at ${this.#brokers} to be read`, () => !behind(), { timeoutMs: 60_000 })
    } finally {
      await consumer.disconnect()
    }
  }

  /** Counts of the records with event time in `[fromMs, toMs)`; both are slice boundaries. */
  between(fromMs: number, toMs: number): Counts {
    const sum: Counts = new Map()
    for (const [slice, counts] of this.#slices) {
      if (slice * sliceMs < fromMs || slice * sliceMs >= toMs) continue
      for (const [key, count] of counts) sum.set(key, (sum.get(key) ?? 0) + count)
    }
    return sum
  }

  async #ends(): Promise<Map<number, number>> {
    const admin = this.#client.admin()
    await admin.connect()
    try {
      const offsets = await admin.fetchTopicOffsets(this.#topic)
      return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]))
    } finally {
      await admin.disconnect()
    }
  }

  #take({ partition, messages }: EachBatchPayload['batch']): void {
    for (const { offset, headers } of messages) {
      // A group that meets again begins at the front; what was counted is passed over.
      if (Number(offset) < (this.#next.get(partition) ?? 0)) continue
      this.#next.set(partition, Number(offset) + 1)
      this.offsets++
      const said = JSON.parse(String(headers?.[saidHeader] ?? '[]')) as Said[]
      if (said.length === 0) this.unreadable++
      for (const one of said) this.#count(one)
    }
  }

  #count([tenant, api, cause, timeMs]: Said): void {
    const slice = Math.floor(timeMs / sliceMs)
    const counts = this.#slices.get(slice) ?? new Map<string, number>()
    this.#slices.set(slice, counts)
    this.records++
    if (cause !== '') this.refused++
    for (const key of cause === '' ? [`${tenant} ${api} `] : [`${tenant} ${api} `, `${tenant} ${api} ${cause}`]) {
      counts.set(key, (counts.get(key) ?? 0) + 1)
      this.total.set(key, (this.total.get(key) ?? 0) + 1)
    }
  }
}
