import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Aborted, type Records, readRecords } from './kafka-records.ts'
import { kafkaError, type Node, type TopicMetadata } from './kafka-requests.ts'
import { errorType, KafkaWire } from './kafka-wire.ts'
import type { KafkaOptions } from './options.ts'

/**
 * What a topic's records are known by in history and in every insert token: a topic that was deleted and made again is
 * another one. Topics without an id, of brokers older than 2.8, go by their name alone.
 */
export function kafkaSourceName(of: {
  clusterId: string
  topic: string
  topicId: string | null
  epoch: number
}): string {
  const identity = of.topicId === null ? '' : `:${of.topicId}`
  return `kafka:${of.clusterId}:${of.topic}${identity}${of.epoch === 0 ? '' : `#${of.epoch}`}`
}

/** What is known of a topic. */
export interface TopicIdentity {
  /** Null when the broker is older than 2.8: then a topic that was deleted and made again looks the same. */
  readonly id: string | null
  readonly partitions: readonly number[]
}

/** Where to read from. */
export interface FetchPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** What one partition answered: record batches for `readRecords`, or Kafka's name for why there are none. */
export type PartitionAnswer = FetchedBatches | { readonly place: FetchPlace; readonly error: string }

export interface FetchedBatches {
  readonly place: FetchPlace
  /** One past the newest record. */
  readonly high: number
  readonly bytes: Buffer
  readonly aborted: Aborted
}

/** `latest` and `earliest` as Kafka writes them where a time is expected. */
const latestTime = -1
const earliestTime = -2
const maxWaitMs = 250
/** Kafka's code for a topic that is not there. */
const unknownTopic = 3
/** Nobody may make us look for a leader more often than this in one call. */
const leaderTries = 3

/** Errors after which the same call may succeed once the leader has been looked up again. */
const passing = new Set([
  ...['LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH'],
  ...['REPLICA_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'OFFSET_NOT_AVAILABLE', 'REQUEST_TIMED_OUT'],
  // A broker that has just come up, or was just given the partition, does not know it for a moment.
  'UNKNOWN_TOPIC_OR_PARTITION',
])
const refused = /AUTHORIZATION_FAILED|SASL|UNSUPPORTED|INVALID_TOPIC/

/**
 * A Kafka cluster as a reader outside of any group sees it: what topics are there, how far they reach, and their records.
 * Methods throw Faults: `kafka-unreachable` (retryable) while something is away, `kafka-refused` when a person must act,
 * `offset-out-of-range` where a fetch asks for offsets that are not there.
 */
export class KafkaCluster {
  readonly #wire: KafkaWire
  readonly #brokers: string
  #leaders = new Map<string, ReadonlyMap<number, number>>()

  constructor(options: KafkaOptions, log: Log) {
    this.#wire = new KafkaWire(options, log)
    this.#brokers = options.brokers.join(', ')
  }

  /** Resolves once a broker answers. */
  async connect(): Promise<void> {
    await this.topics([])
  }

  /**
   * Cluster id, and per known topic its id (null when the broker is older than 2.8) and its partition numbers; topics that
   * are not there are missing from the map.
   */
  async topics(names: readonly string[]): Promise<{ clusterId: string; topics: ReadonlyMap<string, TopicIdentity> }> {
    const { clusterId, topics } = await this.#asking('the topics', () => this.#wire.metadata(names))
    const wanted = new Set(names)
    const found = new Map<string, TopicIdentity>()
    for (const topic of topics) {
      if (!wanted.has(topic.name) || topic.error === unknownTopic) continue
      if (topic.error !== 0) throw this.#fault(`topic ${topic.name}`, kafkaError(topic.error))
      this.#leaders.set(topic.name, leadersOf(topic))
      const partitions = topic.partitions.map(({ partition }) => partition).sort((a, b) => a - b)
      found.set(topic.name, { id: topic.id, partitions })
    }
    return { clusterId, topics: found }
  }

  /** Per partition the lowest offset that can be read and one past the newest that is committed. */
  async bounds(topic: string): Promise<ReadonlyMap<number, { earliest: number; latest: number }>> {
    const earliest = await this.#listOffsets(topic, earliestTime)
    const latest = await this.#listOffsets(topic, latestTime)
    return new Map(
      [...earliest].map(([partition, at]) => [partition, { earliest: at, latest: latest.get(partition) ?? at }]),
    )
  }

  /** Per partition the first offset whose record timestamp is at or after `timeMs`; the latest where there is none. */
  async offsetsAt(topic: string, timeMs: EpochMs): Promise<ReadonlyMap<number, number>> {
    const found = await this.#listOffsets(topic, timeMs)
    const latest = await this.#listOffsets(topic, latestTime)
    return new Map([...found].map(([partition, at]) => [partition, at < 0 ? (latest.get(partition) ?? 0) : at]))
  }

  /**
   * One fetch of one partition, all codecs, committed records only. `next` is where to go on, past markers and offsets that
   * compaction took; `high` is one past the newest record. A batch larger than `maxBytes` comes whole, so that every fetch
   * below `high` gets further.
   */
  async fetch(at: FetchPlace & { maxBytes: number }): Promise<Records & { high: number }> {
    const what = `${at.topic}/${at.partition}`
    let doubted: number | null = null
    for (let tries = 1; ; tries++) {
      const leader = await this.#leaderOf(at)
      const answers = await this.fetchFrom(leader, [at], { maxBytes: at.maxBytes, maxBytesEach: at.maxBytes })
      const answer = answers[0]
      if (answer === undefined) throw this.#fault(what, new Error('the broker left the partition out of its answer'))
      if ('bytes' in answer) {
        const records: Records = await readRecords(answer.bytes, at.offset, { aborted: answer.aborted, doubted })
        if (records.doubted === null || records.next > at.offset) return { ...records, high: answer.high }
        doubted = records.doubted
        continue
      }
      if (answer.error === 'OFFSET_OUT_OF_RANGE') {
        const message = `${what}: offset ${at.offset} is not there (any more); ask for the bounds`
        throw new Fault('offset-out-of-range', message, { retryable: false })
      }
      if (!passing.has(answer.error) || tries === leaderTries) throw this.#fault(what, named(answer.error))
      await this.topics([at.topic])
    }
  }

  /** One fetch of several partitions from the broker that leads them, which fills its answer in their order. */
  async fetchFrom(
    leader: Node,
    places: readonly FetchPlace[],
    { maxBytes, maxBytesEach }: { maxBytes: number; maxBytesEach: number },
  ): Promise<readonly PartitionAnswer[]> {
    const partitions = places.map((place) => ({ ...place, maxBytes: maxBytesEach }))
    const fetched = await this.#asking(`broker ${leader.host}:${leader.port}`, () =>
      this.#wire.fetch(leader, { maxWaitMs, maxBytes, partitions }),
    )
    const asked = new Map(places.map((place) => [`${place.topic}/${place.partition}`, place]))
    const answers: PartitionAnswer[] = []
    for (const { topic, partition, error, high, aborted, records } of fetched) {
      const place = asked.get(`${topic}/${partition}`)
      if (place === undefined) continue
      if (error !== 0) answers.push({ place, error: kafkaError(error).type })
      else answers.push({ place, high, bytes: records, aborted })
    }
    return answers
  }

  /** The broker that leads a partition, as it was last heard; null when there is none or it is not known. */
  leader(topic: string, partition: number): Node | null {
    const id = this.#leaders.get(topic)?.get(partition)
    return id === undefined ? null : this.#wire.node(id)
  }

  /** Breaks the connections; the next call makes new ones. */
  async reset(): Promise<void> {
    await this.#wire.reset()
  }

  async close(): Promise<void> {
    await this.#wire.close()
  }

  async #leaderOf({ topic, partition }: FetchPlace): Promise<Node> {
    if (this.leader(topic, partition) === null) await this.topics([topic])
    const leader = this.leader(topic, partition)
    if (leader === null) throw this.#fault(`${topic}/${partition}`, named('LEADER_NOT_AVAILABLE'))
    return leader
  }

  /** Asks each leader for the offsets of its partitions at a time; -1 where no record is that new. */
  async #listOffsets(topic: string, time: number): Promise<ReadonlyMap<number, number>> {
    for (let tries = 1; ; tries++) {
      const known = (await this.topics([topic])).topics.get(topic)
      if (known === undefined) throw this.#fault(`topic ${topic}`, kafkaError(unknownTopic))
      const byLeader = new Map<Node, number[]>()
      for (const partition of known.partitions) {
        const leader = await this.#leaderOf({ topic, partition, offset: 0 })
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition])
      }
      try {
        const found = await Promise.all(
          [...byLeader].map(([leader, own]) => this.#askOffsets(leader, topic, own, time)),
        )
        return new Map(found.flat())
      } catch (error) {
        if (!passing.has(errorType(error)) || tries === leaderTries) throw this.#fault(`topic ${topic}`, error)
      }
    }
  }

  async #askOffsets(leader: Node, topic: string, own: readonly number[], time: number): Promise<[number, number][]> {
    type Answer = { responses: { partitions: { partition: number; offset?: string; offsets?: string[] }[] }[] }
    const partitions = own.map((partition) => ({ partition, timestamp: time }))
    const fields = { replicaId: -1, isolationLevel: 1, topics: [{ topic, partitions }] }
    const { responses } = await this.#wire.ask<Answer>(leader, 'questions', 'ListOffsets', fields)
    return responses.flatMap((response) =>
      response.partitions.map(({ partition, offset }): [number, number] => [partition, Number(offset ?? -1)]),
    )
  }

  async #asking<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask()
    } catch (error) {
      throw this.#fault(what, error)
    }
  }

  #fault(what: string, error: unknown): Fault {
    if (error instanceof Fault) return error
    const type = errorType(error)
    const isRefused = refused.test(type)
    const message = `Kafka at ${this.#brokers}, ${what}: ${messageOf(error)}`
    return new Fault(isRefused ? 'kafka-refused' : 'kafka-unreachable', message, {
      retryable: !isRefused,
      cause: error,
    })
  }
}

function leadersOf({ partitions }: TopicMetadata): ReadonlyMap<number, number> {
  return new Map(partitions.filter(({ leader }) => leader >= 0).map(({ partition, leader }) => [partition, leader]))
}

function named(type: string): Error {
  return Object.assign(new Error(type.toLowerCase().replaceAll('_', ' ')), { type })
}
