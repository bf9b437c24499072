import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import type { KafkaCluster, PartitionAnswer } from './kafka-cluster.ts'
import type { KafkaLane } from './kafka-lane.ts'
import type { Node } from './kafka-requests.ts'
import type { Batch } from './source.ts'

/** One answer of a broker is at most so large, but for a single batch that is larger by itself. */
const maxBytes = 8 * 1024 * 1024
const maxBytesEach = 1024 * 1024
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

/**
 * Fetches lanes from the brokers that lead them: one request at a time per broker, for all of its lanes that want more, so
 * that a lane is never fetched twice and its batches come in order. A fetch covers offsets without a gap.
 */
export class KafkaReader {
  readonly #cluster: KafkaCluster
  readonly #events: ReaderEvents
  readonly #clock: Clock
  readonly #log: Log
  readonly #stop = new AbortController()
  readonly #serving = new Map<number, Promise<void>>()
  /** Ends the pauses of loops whose lanes have changed. */
  #nudge = new AbortController()
  #lanes: readonly KafkaLane[] = []
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
    this.#lanes = lanes
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
      if (!lane.isWanted) continue
      const leader = this.#cluster.leader(lane.topic, lane.partition)
      if (leader === null) isLost = true
      else if (!this.#serving.has(leader.id)) this.#serve(leader)
    }
    if (isLost) this.#look()
  }

  /** Resolves when nothing that was fetched is being handed over any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#serving.values())
  }

  /** Lanes that should get on and do not. A lane that waits for us is not stuck. */
  stuck(): readonly KafkaLane[] {
    const now = this.#clock.now()
    return this.#lanes.filter((lane) => {
      if (!lane.isWanted || lane.lag() === 0) lane.movedMs = now
      return now - lane.movedMs >= stuckAfterMs
    })
  }

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
    for (let turn = 0; !this.#stop.signal.aborted; turn++) {
      const own = this.#lanes.filter(
        (lane) => lane.isWanted && this.#cluster.leader(lane.topic, lane.partition)?.id === leader.id,
      )
      if (own.length === 0) return
      try {
        // A broker fills its answer in the order that we ask, so each lane is first at times.
        const places = own.map((_, i) => own[(i + turn) % own.length] as KafkaLane).map(placeOf)
        const answers = await this.#cluster.fetchFrom(leader, places, { maxBytes, maxBytesEach })
        const hadTrouble = await Promise.all(answers.map((answer) => this.#deliver(own, answer)))
        if (!hadTrouble.includes(true)) {
          this.#problem = null
          pauseMs = firstPauseMs
          continue
        }
      } catch (error) {
        this.#explain(`records cannot be fetched: ${messageOf(error)}`)
      }
      // Spread out, so that daemons that lost the same broker do not all come back at once.
      await this.#clock.sleep(pauseMs * (0.75 + Math.random() / 2), this.#nudge.signal)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      await this.#refresh()
    }
  }

  /** Hands over what a partition answered; tells whether something is wrong with it. */
  async #deliver(own: readonly KafkaLane[], answer: PartitionAnswer): Promise<boolean> {
    const { topic, partition, offset } = answer.place
    const lane = own.find((one) => one.topic === topic && one.partition === partition)
    // The lane was sought elsewhere, taken away or stopped while the fetch was under way.
    if (lane === undefined || lane.next !== offset || !lane.isWanted || !this.#lanes.includes(lane)) return false
    if ('error' in answer) {
      if (answer.error === 'OFFSET_OUT_OF_RANGE' || answer.error.startsWith('UNKNOWN_TOPIC')) {
        await this.#events.astray(lane, answer.error)
      }
      this.#explain(`${lane.label} cannot be fetched: ${answer.error.toLowerCase().replaceAll('_', ' ')}`)
      return true
    }
    const { values, next, unreadable } = answer.records
    lane.high = Math.max(answer.high, next)
    if (next === offset) return false
    await this.#events.take(lane, { lo: offset, hi: next - 1, values, unreadable })
    lane.next = next
    lane.movedMs = this.#clock.now()
    return false
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
    const topics = [...new Set(this.#lanes.map((lane) => lane.topic))]
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

function placeOf(lane: KafkaLane): { topic: string; partition: number; offset: number } {
  return { topic: lane.topic, partition: lane.partition, offset: lane.next }
}
