import { hostname } from 'node:os'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { KafkaCluster, type TopicIdentity } from './kafka-cluster.ts'
import { type Generation, KafkaMember } from './kafka-group.ts'
import { type FindStray, TenantHomes } from './kafka-homes.ts'
import { KafkaLane } from './kafka-lane.ts'
import { KafkaReader } from './kafka-reader.ts'
import { Turn } from './kafka-turn.ts'
import { errorType } from './kafka-wire.ts'
import type { KafkaOptions } from './options.ts'
import type { BatchConsumer, InputListener, Source } from './source.ts'

const longestPauseMs = 15_000
/** How long the group waits for us to write what was read before others get our partitions. */
const farewellMs = 10_000
/** So many new generations in five minutes are a storm. */
const stormOf = 10
/** Tenants in several partitions are looked for once a minute. */
const looksPerStrayCheck = 6

/** What a Kafka source is made with. */
export interface KafkaContext {
  readonly clock: Clock
  readonly log: Log
  readonly epoch: number
  /** Hears when an input is not read until a person has done something. */
  readonly inputs?: InputListener
  readonly strays?: FindStray
  readonly lookEveryMs?: number
}

/**
 * Reads topics as a member of a consumer group. Positions are ours: nothing chooses an offset but the pipeline, which says
 * where each partition begins at every assignment.
 */
export class KafkaSource implements Source {
  readonly #options: KafkaOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #epoch: number
  readonly #inputs: InputListener | undefined
  readonly #turn = new Turn()
  /** Null in mode single, where one daemon has every tenant. */
  readonly #homes: TenantHomes | null
  readonly #lookEveryMs: number
  readonly #cluster: KafkaCluster
  readonly #reader: KafkaReader
  readonly #member: KafkaMember
  readonly #stop = new AbortController()
  #consumer: BatchConsumer | null = null
  #lanes: readonly KafkaLane[] = []
  #generation: Generation | null = null
  /** Whether the last generation gave us something to read. */
  #reads = false
  /** Rises with every assignment; what an older one still does is void. */
  #assignment = 0
  /** The assignment whose lanes are being read, or that has none. */
  #opened = 0
  /** The topics as they were when the lanes were opened. */
  #topics: ReadonlyMap<string, TopicIdentity> = new Map()
  #problem: string | null = 'connecting to Kafka'
  #isStopping = false
  #isStorm = false
  /** Why reading was ended until a restart; null while it was not. */
  #ended: string | null = null
  #looks = 0
  #isWarned = false
  #working: Promise<void> | null = null

  constructor(options: KafkaOptions, { clock, log, epoch, inputs, strays, lookEveryMs = 10_000 }: KafkaContext) {
    this.#options = options
    this.#inputs = inputs
    this.#homes = options.mode === 'keyed' && strays !== undefined ? new TenantHomes(strays, clock) : null
    this.#lookEveryMs = lookEveryMs
    this.#clock = clock
    this.#log = log
    this.#epoch = epoch
    this.#cluster = new KafkaCluster(options, log)
    this.#reader = new KafkaReader(this.#cluster, {
      events: {
        take: async (lane, batch) => this.#consumer?.take(lane, batch),
        astray: (lane, error) => this.#astray(lane, error),
      },
      ...{ clock, log },
    })
    this.#member = new KafkaMember(options, {
      listener: {
        facts: () => {
          const { mode, instance } = options
          return { mode, instance, host: hostname(), reads: this.#reads }
        },
        partitions: (topics) => this.#partitions(topics),
        assigned: (generation) => this.#assigned(generation),
        revoking: () => this.#revoking(),
        expelled: () => this.#expelled(),
        refused: (reason, byOurs) => this.#refused(reason, byOurs),
      },
      ...{ clock, log },
    })
  }

  problems(): readonly string[] {
    const storm = this.#isStorm ? `the group ${this.#options.group} is shared anew all the time` : null
    return [this.#ended, this.#problem, this.#member.problem, this.#reader.problem, storm].filter((one) => one !== null)
  }

  /**
   * Resolves once this daemon may read: what it keeps in the store must be loaded after that, for another one may have
   * changed it up to then. It also resolves when Kafka cannot be reached, since then nobody can tell.
   *
   * @param onChange called once, when this has changed: everything must be loaded anew
   */
  claim(onChange: () => void): Promise<void> {
    const claimed = this.#turn.claim(onChange)
    this.#begin()
    return claimed
  }

  /** Begins to connect; while Kafka is away it tries again with growing pauses and says why in `problems`. */
  async start(open: () => BatchConsumer): Promise<void> {
    this.#consumer = open()
    this.#begin()
    if (this.#generation !== null) this.#assigned(this.#generation)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    // Partitions stay assigned and the group alive, so that what was taken can still be committed.
    this.#halt()
    await this.#reader.stop()
  }

  async close(): Promise<void> {
    this.#isStopping = true
    this.#stop.abort()
    this.#assignment++
    const read = this.#reader.stop()
    await this.#member.leave()
    await this.#cluster.close()
    await read
    await this.#working
  }

  #begin(): void {
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    for (let pauseMs = 500; !this.#stop.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.#requireTopics()
        break
      } catch (error) {
        const text = `Kafka is not ready: ${messageOf(error)}`
        if (text !== this.#problem) this.#log.warn(`${text}; trying again`)
        this.#problem = text
        this.#turn.proceed()
        await this.#clock.sleep(pauseMs * (0.75 + Math.random() / 2), this.#stop.signal)
      }
    }
    if (this.#stop.signal.aborted) return
    this.#problem = null
    this.#member.start()
    while (!this.#stop.signal.aborted) {
      await this.#clock.sleep(this.#lookEveryMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      await this.#look().catch((error: unknown) => this.#log.debug(`looking at the topics: ${messageOf(error)}`))
    }
  }

  async #requireTopics(): Promise<void> {
    const { topics } = await this.#cluster.topics(this.#options.topic)
    this.#topics = topics
    const missing = this.#options.topic.filter((topic) => !topics.has(topic))
    if (missing.length > 0) {
      const message = `there is no topic ${missing.join(', ')}; create it, or mend source.kafka.topic`
      throw new Fault('kafka-refused', message, { retryable: true })
    }
  }

  async #partitions(names: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>> {
    const { topics } = await this.#cluster.topics(names)
    return new Map([...topics].map(([topic, { partitions }]) => [topic, partitions]))
  }

  #assigned(generation: Generation): void {
    this.#generation = generation
    this.#reads = generation.partitions.size > 0
    this.#assignment++
    this.#inputs?.running(this.#name)
    const { group, mode } = this.#options
    const { partitions, readers, refused, members } = generation
    const isIdle = refused !== null || (mode === 'single' && partitions.size === 0 && readers.length > 0)
    if (refused !== null) this.#say(`the group ${group} gives this daemon nothing to read: ${refused}`)
    else if (isIdle) {
      const reader = readers[0] ?? 'another member'
      const hint = 'it takes over when that one ends; source.kafka.mode keyed shares topics that are keyed by tenant'
      this.#say(`standing by: the group ${group} is read by ${reader}; ${hint}`)
    } else this.#problem = partitions.size > 0 ? 'opening the partitions' : nothingToRead(readers)
    if (isIdle) this.#turn.lose()
    else this.#turn.win()
    if (this.#consumer === null) this.#opened = this.#assignment
    if (this.#isStopping || this.#consumer === null || this.#ended !== null) return
    if (mode === 'keyed' && members > 1) this.#log.info(`${members} members share the group ${group}`, { readers })
    void this.#open(this.#consumer, this.#assignment, partitions)
  }

  /** Opens the lanes of an assignment; tries until it succeeds or another assignment has come. */
  async #open(
    consumer: BatchConsumer,
    assignment: number,
    partitions: ReadonlyMap<string, readonly number[]>,
  ): Promise<void> {
    for (
      let pauseMs = 200;
      assignment === this.#assignment && !this.#stop.signal.aborted;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    ) {
      try {
        const lanes = await this.#lanesOf(partitions, assignment)
        if (assignment !== this.#assignment) return
        const starts = await consumer.assigned(lanes)
        if (assignment !== this.#assignment || this.#isStopping) return
        this.#lanes = lanes
        for (const [index, lane] of lanes.entries()) lane.begin(starts[index] ?? lane.initial)
        this.#reader.read(lanes)
        this.#opened = assignment
        if (partitions.size > 0) {
          this.#problem = null
          this.#log.info(`reading ${lanes.length} partitions`, { lanes: lanes.map((lane) => lane.label).slice(0, 100) })
        }
        return
      } catch (error) {
        if (assignment !== this.#assignment) return
        this.#say(`partitions cannot be opened: ${messageOf(error)}`)
        await this.#clock.sleep(pauseMs, this.#stop.signal)
      }
    }
  }

  async #lanesOf(partitions: ReadonlyMap<string, readonly number[]>, assignment: number): Promise<KafkaLane[]> {
    const { clusterId, topics } = await this.#cluster.topics(this.#options.topic)
    const hasChanged = [...topics].some(([topic, now]) => isOther(this.#topics.get(topic), now))
    if (this.#topics.size > 0 && hasChanged) this.#homes?.moved()
    this.#topics = topics
    const lanes: KafkaLane[] = []
    for (const [topic, own] of partitions) {
      const identity = topics.get(topic)
      if (identity === undefined) throw new Fault('kafka-refused', `the topic ${topic} is gone`, { retryable: true })
      const bounds = await this.#cluster.bounds(topic)
      const isNew = await this.#isNewToUs(topic, identity)
      for (const partition of own) {
        const bound = bounds.get(partition)
        if (bound === undefined)
          throw new Fault('kafka-refused', `${topic}/${partition} has no leader`, { retryable: true })
        const lane: KafkaLane = new KafkaLane({
          ...{ clusterId, topic, topicId: identity.id, epoch: this.#epoch, partition, ...bound },
          initial: isNew ? bound.latest : bound.earliest,
          onResume: () => this.#reader.wake(),
          read: () => this.#member.committed(topic, partition),
          commit: (offset, metadata) => this.#commit(lane, { offset, metadata, assignment }),
        })
        lanes.push(lane)
      }
    }
    return lanes
  }

  /**
   * Whether partitions without a position begin at their end. Those of a topic that the group reads already came after us
   * and are read from their beginning, whatever `start` says.
   */
  async #isNewToUs(topic: string, { partitions }: TopicIdentity): Promise<boolean> {
    return this.#options.start === 'latest' && !(await this.#member.hasRead(topic, partitions))
  }

  async #commit(
    lane: KafkaLane,
    { offset, metadata, assignment }: { offset: number; metadata: string; assignment: number },
  ): Promise<'committed' | 'fenced'> {
    const generation = this.#generation
    if (generation === null || assignment !== this.#assignment) return 'fenced'
    const { topic, partition } = lane
    try {
      return await this.#member.commit(generation, { topic, partition, offset, metadata })
    } catch (error) {
      // The topic is gone with all that could be read twice, so there is nothing to remember and nobody to be told apart.
      const isGone = errorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION' && (await this.#isGone(lane))
      if (isGone && assignment === this.#assignment) return 'committed'
      throw error
    }
  }

  /** Whether the topic that a lane reads was deleted, be there another one of its name or not. */
  async #isGone({ topic, incarnation }: KafkaLane): Promise<boolean> {
    const known = (await this.#cluster.topics([topic])).topics.get(topic)
    return known === undefined || known.id !== incarnation.id
  }

  async #revoking(): Promise<void> {
    this.#halt()
    const written = this.#reader.settled().then(() => this.#consumer?.revoking?.())
    await Promise.race([written, this.#clock.sleep(farewellMs, this.#stop.signal)])
    this.#assignment++
    this.#generation = null
  }

  #expelled(): void {
    this.#log.warn(`the group ${this.#options.group} took this daemon for dead; joining again`)
    this.#halt()
    this.#assignment++
    this.#generation = null
    this.#reads = false
    void this.#consumer?.assigned([]).catch(() => undefined)
    // In mode keyed everyone keeps a state of its own, which nobody else has changed meanwhile.
    if (this.#options.mode === 'single') this.#turn.lose()
  }

  /** The group takes nobody who shares as we do. Beside another Tollwatch that reads, this one must keep quiet. */
  #refused(reason: string, byOurs: boolean): void {
    if (byOurs) {
      this.#turn.lose()
      return
    }
    this.#turn.proceed()
    this.#inputs?.stopped(this.#name, reason)
  }

  /** What the group reads, for people. */
  get #name(): string {
    return this.#options.topic.join(', ')
  }

  /** Delivers nothing more of the lanes there are; what was taken of them can still be committed. */
  #halt(): void {
    for (const lane of this.#lanes) lane.halt()
    this.#reader.read([])
  }

  /** A lane's offset is not there. Who deleted what decides what it means. */
  async #astray(lane: KafkaLane, error: string): Promise<void> {
    const known = (await this.#cluster.topics([lane.topic])).topics.get(lane.topic)
    if (known === undefined) {
      this.#problem = `the topic ${lane.topic} is gone; it is read again when there is one of that name`
      return
    }
    if (known.id !== lane.incarnation.id) {
      this.#reshare()
      return
    }
    if (error !== 'OFFSET_OUT_OF_RANGE') return
    const bound = (await this.#cluster.bounds(lane.topic)).get(lane.partition)
    if (bound === undefined) return
    if (lane.next < bound.earliest) {
      await this.#consumer?.lost(lane, lane.next, bound.earliest - 1)
      lane.next = bound.earliest
    } else if (lane.next > bound.latest) {
      lane.halt()
      this.#consumer?.beyond?.(lane, bound.latest)
    }
  }

  /** Every few seconds: how far topics reach, whether they are still the same, and whether reading gets on. */
  async #look(): Promise<void> {
    const { topics } = await this.#cluster.topics(this.#options.topic)
    const changed = [...topics].filter(([topic, now]) => isOther(this.#topics.get(topic), now))
    // An assignment that is being opened looks for itself. One that stands by looks too, for it may be who deals out.
    if (changed.length > 0 && this.#generation !== null && this.#opened === this.#assignment) {
      for (const [topic, now] of changed) this.#tellOfChange(topic, now)
      this.#topics = topics
      this.#reshare()
    }
    for (const topic of new Set(this.#lanes.map((lane) => lane.topic))) {
      if (!topics.has(topic)) continue
      const bounds = await this.#cluster.bounds(topic)
      for (const lane of this.#lanes) {
        if (lane.topic === topic) lane.high = Math.max(lane.next, bounds.get(lane.partition)?.latest ?? lane.high)
      }
    }
    await this.#watch()
    if (this.#looks++ % looksPerStrayCheck === 0) await this.#checkHomes()
  }

  async #checkHomes(): Promise<void> {
    const generation = this.#generation
    if (this.#homes === null || generation === null || this.#lanes.length === 0 || this.#ended !== null) return
    const found = await this.#homes.stray(this.#lanes)
    if (found === null) return
    if (generation.members === 1) {
      if (!this.#isWarned) this.#log.warn(`${found}; a second daemon in mode keyed would be refused`)
      this.#isWarned = true
      return
    }
    this.#ended = `${found}. Daemons cannot share it: set source.kafka.mode to single everywhere, or have it keyed by tenant, and restart`
    this.#log.error(this.#ended)
    this.#inputs?.stopped(this.#name, this.#ended)
    this.#halt()
  }

  async #watch(): Promise<void> {
    const stuck = this.#reader.stuck()
    if (stuck.length > 0) {
      const names = stuck.slice(0, 5).map((lane) => lane.label)
      this.#log.error('records wait and none come; the connections to Kafka are made anew', { lanes: names })
      for (const lane of stuck) lane.movedMs = this.#clock.now()
      await this.#cluster.reset()
      this.#reader.wake()
    }
    const { rebalances } = this.#member
    const isStorm = rebalances >= stormOf
    if (isStorm && !this.#isStorm) {
      this.#log.warn(`the group ${this.#options.group} was shared anew ${rebalances} times in five minutes`, {
        members: this.#generation?.members ?? 0,
        readers: this.#generation?.readers ?? [],
      })
    }
    this.#isStorm = isStorm
  }

  #tellOfChange(topic: string, now: TopicIdentity): void {
    const before = this.#topics.get(topic)
    if (before === undefined || before.id !== now.id) return
    const counts = `from ${before.partitions.length} to ${now.partitions.length}`
    const keyed = 'tenants have moved between daemons, whose windows are in part until the longest has passed'
    const what = `${topic} went ${counts} partitions`
    if (this.#options.mode === 'keyed') this.#log.warn(`${what}: ${keyed}`)
    else this.#log.info(what)
  }

  /** Lets the group share anew, and opens our lanes anew with it. */
  #reshare(): void {
    this.#halt()
    this.#member.rejoin()
  }

  #say(problem: string): void {
    if (problem !== this.#problem) this.#log.warn(problem)
    this.#problem = problem
  }
}

/** With fewer partitions than daemons some have none; while a topic is gone nobody has. */
function nothingToRead(readers: readonly string[]): string | null {
  return readers.length === 0 ? 'there is nothing to read: no topic of source.kafka.topic has partitions' : null
}

function isOther(before: TopicIdentity | undefined, now: TopicIdentity): boolean {
  return before === undefined || before.id !== now.id || before.partitions.length !== now.partitions.length
}
