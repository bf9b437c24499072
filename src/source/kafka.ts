import kafkajs, {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type Batch as KafkaBatch,
  type KafkaConfig,
} from 'kafkajs'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { decodeLz4, decodeSnappy, decodeZstd } from './kafka-codecs.ts'
import { KafkaLane } from './kafka-lane.ts'
import { securityOf } from './kafka-security.ts'
import type { KafkaOptions } from './options.ts'
import type { Batch, BatchConsumer, RawValue, Source } from './source.ts'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

// Without these the client dies of the first batch in such a codec.
const readOnly = async (): Promise<Buffer> => {
  throw new Error('Tollwatch only reads from Kafka')
}
CompressionCodecs[CompressionTypes.Snappy] = () => ({ compress: readOnly, decompress: decodeSnappy })
CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress: readOnly, decompress: decodeLz4 })
CompressionCodecs[CompressionTypes.ZSTD] = () => ({ compress: readOnly, decompress: decodeZstd })

/** Errors of a commit that mean: another generation of the group owns the partition now. */
const fencedTypes = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'])
const lagRefreshMs = 10_000
const longestPauseMs = 15_000

type CommitOffsets = EachBatchPayload['commitOffsetsIfNecessary']

/**
 * Reads topics as a member of a consumer group. Positions are ours: the client neither commits nor chooses an offset by
 * itself. At each assignment all partitions are paused before the first fetch, the pipeline says where each begins, and
 * only then is a partition sought there and resumed.
 */
export class KafkaSource implements Source {
  readonly #options: KafkaOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #epoch: number
  readonly #kafka: InstanceType<typeof Kafka>
  readonly #admin: Admin
  readonly #stop = new AbortController()
  #consumer: Consumer | null = null
  #lanes = new Map<string, KafkaLane>()
  /** Rises with every assignment; what an older one still does is void. */
  #assignment = 0
  /** Commits in the member's generation, without the retries that would carry a commit into a later generation. */
  #commit: CommitOffsets | null = null
  #problem: string | null = 'connecting to Kafka'
  #lagLoop: Promise<void> = Promise.resolve()

  constructor(options: KafkaOptions, { clock, log, epoch }: { clock: Clock; log: Log; epoch: number }) {
    this.#epoch = epoch
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#kafka = new Kafka({
      clientId: options.client_id,
      brokers: options.brokers,
      logLevel: logLevel.WARN,
      logCreator: () => (entry) => log.debug(`kafka client: ${entry.log.message}`),
      retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 5 },
      connectionTimeout: 5_000,
      ...(securityOf(options) as Pick<KafkaConfig, 'ssl' | 'sasl'>),
    })
    this.#admin = this.#kafka.admin()
  }

  problems(): readonly string[] {
    return this.#problem === null ? [] : [this.#problem]
  }

  /** Begins to connect; while Kafka is away it tries again with growing pauses and says why in `problems`. */
  async start(open: () => BatchConsumer): Promise<void> {
    void this.#run(open())
    this.#lagLoop = this.#refreshLag()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    // Partitions stay assigned and the group alive, so that what was taken can still be committed.
    for (const lane of this.#lanes.values()) lane.halt()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#assignment++
    await this.#consumer?.disconnect().catch(() => undefined)
    await this.#admin.disconnect().catch(() => undefined)
    await this.#lagLoop
  }

  async #run(consumer: BatchConsumer): Promise<void> {
    for (let pauseMs = 500; !this.#stop.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.#admin.connect()
        await this.#requireTopics()
        const { clusterId } = await this.#admin.describeCluster()
        await this.#consume(consumer, clusterId)
        return
      } catch (error) {
        const text = `Kafka at ${this.#options.brokers.join(', ')} is not ready: ${messageOf(error)}`
        this.#log.warn(`${text}; trying again in ${pauseMs / 1000} s`)
        this.#problem = text
        await this.#consumer?.disconnect().catch(() => undefined)
        await this.#clock.sleep(pauseMs, this.#stop.signal)
      }
    }
  }

  async #requireTopics(): Promise<void> {
    const known = new Set(await this.#admin.listTopics())
    const missing = this.#options.topic.filter((topic) => !known.has(topic))
    if (missing.length > 0) {
      throw new Fault(
        'kafka-refused',
        `there is no topic ${missing.join(', ')}; create it, or mend source.kafka.topic`,
        {
          retryable: true,
        },
      )
    }
  }

  async #consume(consumer: BatchConsumer, clusterId: string): Promise<void> {
    const kafka = this.#kafka.consumer({
      groupId: this.#options.group,
      allowAutoTopicCreation: false,
      sessionTimeout: this.#options.session_timeout,
      rebalanceTimeout: 60_000,
      heartbeatInterval: Math.min(3_000, this.#options.session_timeout / 3),
      maxWaitTimeInMs: 250,
      maxBytesPerPartition: 2 * 1024 * 1024,
      metadataMaxAge: 60_000,
    })
    this.#consumer = kafka
    await kafka.connect()
    await kafka.subscribe({ topics: this.#options.topic, fromBeginning: this.#options.start === 'earliest' })
    kafka.on(kafka.events.GROUP_JOIN, ({ payload }) => {
      // Everything up to the first await happens before the client can fetch for the new assignment.
      void this.#assigned(consumer, clusterId, payload.memberAssignment)
    })
    kafka.on(kafka.events.CRASH, ({ payload }) => {
      this.#problem = `the Kafka client stopped: ${messageOf(payload.error)}`
      this.#log.error(`${this.#problem}; ${payload.restart ? 'it starts again' : 'a new one is made'}`)
      if (!payload.restart && !this.#stop.signal.aborted) void this.#run(consumer)
    })
    await kafka.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 64,
      eachBatch: (payload) => this.#eachBatch(consumer, payload),
    })
  }

  async #assigned(consumer: BatchConsumer, clusterId: string, topics: Record<string, number[]>): Promise<void> {
    const assignment = ++this.#assignment
    const kafka = this.#consumer
    if (kafka === null) return
    this.#commit = null
    for (const lane of this.#lanes.values()) lane.halt()
    this.#lanes = new Map()
    kafka.pause(Object.entries(topics).map(([topic, partitions]) => ({ topic, partitions })))
    for (
      let pauseMs = 200;
      assignment === this.#assignment && !this.#stop.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    ) {
      try {
        const lanes = await this.#open(clusterId, topics, assignment)
        const starts = await consumer.assigned(lanes)
        if (assignment !== this.#assignment) return
        lanes.forEach((lane, index) => {
          this.#lanes.set(keyOf(lane.topic, lane.partition), lane)
          lane.begin(starts[index] ?? lane.initial)
        })
        this.#problem = null
        this.#log.info(`reading ${lanes.length} partitions`, { lanes: lanes.map((lane) => lane.label) })
        return
      } catch (error) {
        if (assignment !== this.#assignment) return
        this.#problem = `partitions cannot be opened: ${messageOf(error)}`
        this.#log.warn(`${this.#problem}; trying again`)
        await this.#clock.sleep(pauseMs, this.#stop.signal)
      }
    }
  }

  async #open(clusterId: string, topics: Record<string, number[]>, assignment: number): Promise<KafkaLane[]> {
    const lanes: KafkaLane[] = []
    for (const [topic, partitions] of Object.entries(topics)) {
      const bounds = new Map((await this.#admin.fetchTopicOffsets(topic)).map((one) => [one.partition, one]))
      for (const partition of partitions) {
        const bound = bounds.get(partition)
        if (bound === undefined)
          throw new Fault('kafka-refused', `${topic}/${partition} has no leader`, { retryable: true })
        const earliest = Number(bound.low)
        const latest = Number(bound.high)
        lanes.push(
          new KafkaLane({
            ...{ topic, partition, earliest, latest },
            source: `kafka:${clusterId}:${topic}${this.#epoch === 0 ? '' : `#${this.#epoch}`}`,
            initial: this.#options.start === 'earliest' ? earliest : latest,
            fetching: this.#consumer as Consumer,
            read: () => this.#committed(topic, partition),
            commit: (offset, metadata) => this.#commitLane({ topic, partition, offset, metadata, assignment }),
          }),
        )
      }
    }
    return lanes
  }

  async #committed(topic: string, partition: number): Promise<{ offset: number; metadata: string } | null> {
    const answer = await this.#admin.fetchOffsets({ groupId: this.#options.group, topics: [topic] })
    const found = answer[0]?.partitions.find((one) => one.partition === partition)
    const offset = Number(found?.offset ?? -1)
    return offset < 0 ? null : { offset, metadata: found?.metadata ?? '' }
  }

  async #commitLane(one: {
    topic: string
    partition: number
    offset: number
    metadata: string
    assignment: number
  }): Promise<'committed' | 'fenced'> {
    const { topic, partition, offset, metadata, assignment } = one
    if (assignment !== this.#assignment) return 'fenced'
    try {
      const partitions = [{ partition, offset: String(offset), metadata }]
      if (this.#commit === null)
        await this.#commitBeforeFirstBatch({ topic, ...(partitions[0] as (typeof partitions)[number]) })
      else await this.#commit({ topics: [{ topic, partitions }] })
      return 'committed'
    } catch (error) {
      if (fencedTypes.has((error as { type?: string }).type ?? '')) return 'fenced'
      throw new Fault('kafka-unreachable', `the offset commit has no answer: ${messageOf(error)}`, {
        retryable: true,
        cause: error,
      })
    }
  }

  /**
   * Until a batch has come, the client offers only a commit that does nothing, without a word, while it is starting; its
   * event tells whether the broker has answered.
   */
  async #commitBeforeFirstBatch(one: {
    topic: string
    partition: number
    offset: string
    metadata: string
  }): Promise<void> {
    const kafka = this.#consumer
    if (kafka === null) throw new Fault('kafka-unreachable', 'the group is not joined yet', { retryable: true })
    let answered = false
    const forget = kafka.on(kafka.events.COMMIT_OFFSETS, () => {
      answered = true
    })
    try {
      await kafka.commitOffsets([one])
    } finally {
      forget()
    }
    if (!answered) throw new Fault('kafka-unreachable', 'the group is not joined yet', { retryable: true })
  }

  async #eachBatch(consumer: BatchConsumer, payload: EachBatchPayload): Promise<void> {
    const { batch, resolveOffset, heartbeat, commitOffsetsIfNecessary, isStale } = payload
    this.#commit = commitOffsetsIfNecessary
    const lane = this.#lanes.get(keyOf(batch.topic, batch.partition))
    const first = batch.firstOffset()
    if (lane === undefined || first === null || isStale() || !lane.delivering) return
    lane.high = Number(batch.highWatermark)
    if (Number(first) > lane.next && !(await this.#explained(consumer, lane, Number(first)))) return
    await consumer.take(lane, batchOf(batch, lane.next))
    lane.next = Number(batch.lastOffset()) + 1
    resolveOffset(batch.lastOffset())
    await heartbeat()
  }

  /**
   * Offsets were jumped over. A fetch that was under way when the lane was sought elsewhere explains it: seek again. If
   * the same jump comes back, the offsets hold no records (compaction, transaction markers) or were deleted; the latter
   * is declared lost.
   */
  async #explained(consumer: BatchConsumer, lane: KafkaLane, first: number): Promise<boolean> {
    if (lane.jumpedTo !== first) {
      lane.jumpedTo = first
      lane.seek(lane.next)
      return false
    }
    const bounds = await this.#admin.fetchTopicOffsets(lane.topic)
    const earliest = Number(bounds.find((one) => one.partition === lane.partition)?.low ?? 0)
    if (earliest > lane.next) await consumer.lost(lane, lane.next, Math.min(earliest, first) - 1)
    lane.next = first
    return true
  }

  async #refreshLag(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#clock.sleep(lagRefreshMs, this.#stop.signal)
      const topics = new Set([...this.#lanes.values()].map((lane) => lane.topic))
      for (const topic of topics) {
        const bounds = await this.#admin.fetchTopicOffsets(topic).catch(() => [])
        for (const { partition, high } of bounds) {
          const lane = this.#lanes.get(keyOf(topic, partition))
          if (lane !== undefined) lane.high = Number(high)
        }
      }
    }
  }
}

function batchOf(batch: KafkaBatch, next: number): Batch {
  const values: RawValue[] = []
  for (const message of batch.messages) {
    const offset = Number(message.offset)
    if (offset < next) continue
    const arrived = Number(message.timestamp)
    values.push({ offset, bytes: message.value, arrivedMs: arrived > 0 ? arrived : null })
  }
  return { lo: next, hi: Number(batch.lastOffset()), values }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
