import { setImmediate as turn } from 'node:timers/promises'
import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import type { FetchedBatches, FetchPlace, KafkaCluster, PartitionAnswer } from './kafka-cluster.ts'
import { Unpacker } from './kafka-codecs.ts'
import type { KafkaLane } from './kafka-lane.ts'
import { piecesOf } from './kafka-pieces.ts'
import { FetchedRecords, offsetAfter } from './kafka-records.ts'
import type { Node } from './kafka-requests.ts'
import { answerSlabs } from './kafka-slabs.ts'
import type { Batch } from './source.ts'

/** One answer of a broker is at most so large, but for a single batch that is larger by itself. */
const maxBytes = 8 * 1024 * 1024
const maxBytesEach = 1024 * 1024
/** What the answers of all brokers may take; each has two, one being handed over and one that waits. */
const maxBytesOfAll = 64 * 1024 * 1024
/** After so much was handed over, whatever else waits for the process has its turn. */
const turnBytes = 1024 * 1024
const firstPauseMs = 200
const longestPauseMs = 5_000
const lookPauseMs = 500
/** A lane with records to read that gets none for so long is stuck. */
const stuckAfterMs = 60_000

export interface ReaderEvents {
  take(lane: KafkaLane, batch: Batch): Promise<void>
  /** The lane's offset is not there: below the oldest, beyond the newest, or of a topic that is gone. */
  astray(lane: KafkaLane, error: string): Promise<void>
}

/** A fetch that is under way. */
interface Fetch {
  readonly lanes: ReadonlyMap<FetchPlace, KafkaLane>
  readonly answers: Promise<readonly PartitionAnswer[]>
}

/** What a lane was answered. */
interface LaneAnswer<Answer extends PartitionAnswer> {
  readonly lane: KafkaLane
  readonly answer: Answer
}

/**
 * Fetches lanes from the brokers that lead them, all lanes of a broker that want more with one request. While an answer is
 * handed over the next one is on its way, and no more than that one waits.
 *
 * The next request goes on where the answer in hand will have ended, if all goes well. So that a lane's batches come in
 * order and without a gap even where it does not, an answer is handed over only if it begins where its lane stands at
 * that moment: what was fetched of a lane that was meanwhile sought, stopped, paused or taken away is dropped.
 *
 * A broker fills its answer in the order in which we ask. The lane that had records longest ago is first, so none has
 * records twice before all others that have some had theirs.
 */
export class KafkaReader {
  readonly #cluster: KafkaCluster
  readonly #events: ReaderEvents
  readonly #clock: Clock
  readonly #log: Log
  readonly #stop = new AbortController()
  readonly #serving = new Map<number, Promise<void>>()
  /** What the consumer is taking at the moment. */
  readonly #handing = new Set<Promise<void>>()
  /** Rises with every answer that had records of a lane. */
  readonly #served = new WeakMap<KafkaLane, number>()
  #answered = 0
  /** Ends the pauses of loops whose lanes have changed. */
  #nudge = new AbortController()
  #lanes: ReadonlySet<KafkaLane> = new Set()
  #looking: Promise<void> | null = null
  #problem: string | null = null

  constructor(cluster: KafkaCluster, parts: { events: ReaderEvents; clock: Clock; log: Log }) {
    this.#cluster = cluster
    this.#events = parts.events
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** Why records do not come; null while they do. */
  get problem(): string | null {
    return this.#problem
  }

  /** The lanes to read from now on. A fetch of others that is under way is not handed over. */
  read(lanes: readonly KafkaLane[]): void {
    this.#lanes = new Set(lanes)
    for (const lane of lanes) lane.movedMs = this.#clock.now()
    this.#nudge.abort()
    this.#nudge = new AbortController()
    this.wake()
  }

  /** Looks again which lanes want something. */
  wake(): void {
    if (this.#stop.signal.aborted) return
    let isLost = false
    for (const lane of this.#lanes) {
      // What its last leader answered is still being taken; it is looked at again after that.
      if (!lane.isWanted || lane.isTaken) continue
      const leader = this.#cluster.leader(lane.topic, lane.partition)
      if (leader === null) isLost = true
      else if (!this.#serving.has(leader.id)) this.#serve(leader)
    }
    if (isLost) this.#look()
  }

  /** Resolves when nothing that was fetched is being handed over any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#handing)
  }

  /** Lanes that should get on and do not. A lane that waits for us is not stuck. */
  stuck(): readonly KafkaLane[] {
    const now = this.#clock.now()
    return [...this.#lanes].filter((lane) => {
      if (!lane.isWanted || lane.lag() === 0) lane.movedMs = now
      return now - lane.movedMs >= stuckAfterMs
    })
  }

  /** Hands over nothing more. A fetch that is under way ends by itself, or with its connection. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.read([])
    await this.settled()
  }

  #serve(leader: Node): void {
    const serving = this.#serveUntilDone(leader).finally(() => {
      this.#serving.delete(leader.id)
      // In between, a lane may have come to this broker.
      this.wake()
    })
    this.#serving.set(leader.id, serving)
  }

  async #serveUntilDone(leader: Node): Promise<void> {
    let pauseMs = firstPauseMs
    let ahead: Fetch | null = null
    const unpacker = new Unpacker()
    while (!this.#stop.signal.aborted) {
      const fetch: Fetch | null = ahead ?? this.#fetch(leader, [])
      ahead = null
      if (fetch === null) return
      try {
        const answers = await fetch.answers
        const { brought, failed } = this.#wantedOf(fetch, answers)
        // Where a lane went wrong nothing is known of what comes next.
        if (failed.length === 0) ahead = this.#fetch(leader, brought)
        await this.#handOver(brought, unpacker)
        // All was taken, or is not wanted.
        for (const answer of answers) if ('bytes' in answer) answerSlabs.takeBack(answer.bytes)
        for (const { lane, answer } of failed) await this.#complain(lane, answer)
        // A lane may have gone to a broker that is not asked yet.
        this.wake()
        if (failed.length === 0) {
          this.#problem = null
          pauseMs = firstPauseMs
          continue
        }
      } catch (error) {
        this.#explain(`records cannot be fetched: ${messageOf(error)}`)
      }
      if (this.#stop.signal.aborted) return
      // Spread out, so that daemons that lost the same broker do not all come back at once.
      await this.#clock.sleep(pauseMs * (0.75 + Math.random() / 2), this.#nudge.signal)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      await this.#refresh()
      this.wake()
    }
  }

  /**
   * Asks for what the broker's lanes want next; null when they want nothing.
   *
   * @param inHand what is going to be handed over before the answer to this
   */
  #fetch(leader: Node, inHand: readonly LaneAnswer<FetchedBatches>[]): Fetch | null {
    const after = new Map(inHand.map(({ lane, answer }) => [lane, offsetAfter(answer.bytes, answer.place.offset)]))
    const lanes = new Map<FetchPlace, KafkaLane>()
    const own = [...this.#lanes].filter(
      (lane) => lane.isWanted && this.#cluster.leader(lane.topic, lane.partition)?.id === leader.id,
    )
    for (const lane of own.sort((a, b) => this.#lastServed(a) - this.#lastServed(b))) {
      const { topic, partition, next, isTaken } = lane
      if (after.has(lane) || !isTaken) lanes.set({ topic, partition, offset: after.get(lane) ?? next }, lane)
    }
    if (lanes.size === 0) return null
    const share = Math.floor(maxBytesOfAll / Math.max(1, this.#serving.size))
    const limits = { maxBytes: Math.max(maxBytesEach, Math.min(maxBytes, share)), maxBytesEach }
    const answers = this.#cluster.fetchFrom(leader, [...lanes.keys()], limits)
    // Whoever waits for it hears of it, which may be later.
    answers.catch(() => undefined)
    return { lanes, answers }
  }

  #lastServed(lane: KafkaLane): number {
    return this.#served.get(lane) ?? 0
  }

  /** The answers that are still wanted, with the lanes they are for and in their order. */
  #wantedOf({ lanes }: Fetch, answers: readonly PartitionAnswer[]) {
    const brought: LaneAnswer<FetchedBatches>[] = []
    const failed: LaneAnswer<Exclude<PartitionAnswer, FetchedBatches>>[] = []
    for (const answer of answers) {
      const lane = lanes.get(answer.place)
      if (lane === undefined || !this.#isAt(lane, answer.place.offset)) continue
      if ('error' in answer) {
        failed.push({ lane, answer })
      } else {
        brought.push({ lane, answer })
        if (answer.bytes.length > 0) this.#served.set(lane, ++this.#answered)
      }
    }
    return { brought, failed }
  }

  /** Hands over what the lanes were answered, one after another. */
  async #handOver(brought: readonly LaneAnswer<FetchedBatches>[], unpacker: Unpacker): Promise<void> {
    let bytes = 0
    for (const { lane, answer } of brought) {
      const { offset } = answer.place
      if (!this.#isAt(lane, offset)) continue
      const records = new FetchedRecords(answer.bytes, offset, { aborted: answer.aborted, doubted: lane.doubted })
      lane.high = answer.high
      let isWhole = true
      for await (const piece of piecesOf(records, { unpacker, bytesEach: turnBytes })) {
        if (bytes >= turnBytes) {
          await turn()
          bytes = 0
        }
        // The rest of what was fetched of a lane that is paused is fetched again.
        isWhole = this.#isAt(lane, piece.lo)
        if (!isWhole) break
        for (const one of piece.packed ?? []) bytes += one.bytes.length
        await this.#take(lane, piece)
      }
      lane.high = Math.max(lane.high, records.next)
      if (isWhole) this.#doubt(lane, records.doubted)
    }
  }

  /** Where a batch with a wrong checksum was found, which is asked for once more; null where all was well. */
  #doubt(lane: KafkaLane, doubted: number | null): void {
    if (doubted !== null) {
      this.#log.warn(`${lane.label}: the checksum of the batch at offset ${doubted} is wrong; fetching it once more`)
    }
    lane.doubted = doubted
  }

  async #take(lane: KafkaLane, batch: Batch): Promise<void> {
    lane.isTaken = true
    try {
      await this.#handed(this.#events.take(lane, batch))
      lane.next = batch.hi + 1
      lane.movedMs = this.#clock.now()
    } finally {
      lane.isTaken = false
    }
  }

  /** What came with an error instead of records. */
  async #complain(lane: KafkaLane, { place, error }: Exclude<PartitionAnswer, FetchedBatches>): Promise<void> {
    if (!this.#isAt(lane, place.offset)) return
    if (error === 'OFFSET_OUT_OF_RANGE' || error.startsWith('UNKNOWN_TOPIC')) {
      await this.#handed(this.#events.astray(lane, error))
    }
    this.#explain(`${lane.label} cannot be fetched: ${error.toLowerCase().replaceAll('_', ' ')}`)
  }

  async #handed(handing: Promise<void>): Promise<void> {
    this.#handing.add(handing)
    try {
      await handing
    } finally {
      this.#handing.delete(handing)
    }
  }

  /** Whether the lane still wants what begins at an offset. */
  #isAt(lane: KafkaLane, offset: number): boolean {
    return lane.isWanted && !lane.isTaken && lane.next === offset && this.#lanes.has(lane)
  }

  /** Asks for the leaders until every lane has one; one look at a time. */
  #look(): void {
    this.#looking ??= (async () => {
      await this.#refresh()
      await this.#clock.sleep(lookPauseMs, this.#nudge.signal)
    })().finally(() => {
      this.#looking = null
      this.wake()
    })
  }

  async #refresh(): Promise<void> {
    const topics = [...new Set([...this.#lanes].map((lane) => lane.topic))]
    if (topics.length === 0 || this.#stop.signal.aborted) return
    try {
      await this.#cluster.topics(topics)
    } catch (error) {
      if (this.#problem === null) this.#explain(messageOf(error))
      await this.#clock.sleep(lookPauseMs, this.#nudge.signal)
    }
  }

  #explain(problem: string): void {
    if (this.#stop.signal.aborted) return
    if (this.#problem === null) this.#log.warn(`${problem}; trying again`)
    this.#problem = problem
  }
}
