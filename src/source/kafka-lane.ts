import { kafkaSourceName } from './kafka-cluster.ts'
import type { Coordinator, Incarnation, Lane } from './source.ts'

/** One partition while it is assigned to us. */
export class KafkaLane implements Lane {
  readonly topic: string
  readonly partition: number
  readonly source: string
  readonly incarnation: Incarnation
  readonly earliest: number
  readonly latest: number
  readonly initial: number
  readonly format = null
  readonly coordinator: Coordinator
  readonly #onResume: () => void
  /** Next offset to hand over. */
  next: number
  /** One past the newest record known. */
  high: number
  /** Offset of a batch that came damaged and is asked for once more. */
  doubted: number | null = null
  /** Whether a batch of it is being handed over: what is `next` is known after that. */
  isTaken = false
  /** When `next` last moved, or the lane last had a reason to wait. */
  movedMs = 0
  #begun = false
  #halted = false
  #paused = false

  constructor(options: {
    clusterId: string
    topic: string
    topicId: string | null
    epoch: number
    partition: number
    earliest: number
    latest: number
    initial: number
    /** The lane can be fetched again. */
    onResume: () => void
    read: Coordinator['read']
    commit: Coordinator['commit']
  }) {
    const { clusterId, topic, topicId, epoch } = options
    this.topic = topic
    this.partition = options.partition
    this.source = kafkaSourceName({ clusterId, topic, topicId, epoch })
    this.incarnation = {
      id: topicId,
      sourceOf: (id) => kafkaSourceName({ clusterId, topic, topicId: id, epoch }),
    }
    this.earliest = options.earliest
    this.latest = options.latest
    this.initial = options.initial
    this.coordinator = { read: options.read, commit: options.commit }
    this.#onResume = options.onResume
    this.next = options.initial
    this.high = options.latest
  }

  get label(): string {
    return `${this.topic}/${this.partition}`
  }

  /** Whether it may be fetched now. */
  get isWanted(): boolean {
    return this.#begun && !this.#halted && !this.#paused
  }

  begin(offset: number): void {
    this.#begun = true
    this.next = offset
    this.#onResume()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.isWanted) this.#onResume()
  }

  /** Delivers nothing more, for good. */
  halt(): void {
    this.#halted = true
  }

  lag(): number {
    return Math.max(0, this.high - this.next)
  }
}
