import type { Coordinator, Lane } from './source.ts'

/** How the client is told what to fetch. */
interface Fetching {
  seek(at: { topic: string; partition: number; offset: string }): void
  pause(what: { topic: string; partitions: number[] }[]): void
  resume(what: { topic: string; partitions: number[] }[]): void
}

/** One partition while it is assigned to us. */
export class KafkaLane implements Lane {
  readonly topic: string
  readonly partition: number
  readonly source: string
  readonly earliest: number
  readonly latest: number
  readonly initial: number
  readonly format = null
  readonly coordinator: Coordinator
  readonly #fetching: Fetching
  /** Next offset to hand over. */
  next: number
  /** One past the newest record known. */
  high: number
  jumpedTo = -1
  #begun = false
  #halted = false
  #paused = false

  constructor(options: {
    topic: string
    partition: number
    source: string
    earliest: number
    latest: number
    initial: number
    fetching: Fetching
    read: Coordinator['read']
    commit: Coordinator['commit']
  }) {
    this.topic = options.topic
    this.partition = options.partition
    this.source = options.source
    this.earliest = options.earliest
    this.latest = options.latest
    this.initial = options.initial
    this.coordinator = { read: options.read, commit: options.commit }
    this.#fetching = options.fetching
    this.next = options.initial
    this.high = options.latest
  }

  get label(): string {
    return `${this.topic}/${this.partition}`
  }

  get delivering(): boolean {
    return this.#begun && !this.#halted
  }

  begin(offset: number): void {
    this.#begun = true
    this.next = offset
    this.seek(offset)
    if (!this.#paused) this.resume()
  }

  seek(offset: number): void {
    this.#fetching.seek({ topic: this.topic, partition: this.partition, offset: String(offset) })
  }

  pause(): void {
    this.#paused = true
    if (!this.#halted) this.#fetching.pause([{ topic: this.topic, partitions: [this.partition] }])
  }

  resume(): void {
    this.#paused = false
    if (this.delivering) this.#fetching.resume([{ topic: this.topic, partitions: [this.partition] }])
  }

  /** Delivers nothing more, for good. */
  halt(): void {
    if (!this.#halted) this.#fetching.pause([{ topic: this.topic, partitions: [this.partition] }])
    this.#halted = true
  }

  lag(): number {
    return Math.max(0, this.high - this.next)
  }
}
