import type { Coordinator, Incarnation, Lane } from '../../src/source/source.ts'

/** One partition while it is assigned to a simulated daemon. It also keeps book of what waits for history. */
export class SimulatedLane implements Lane {
  readonly source: string
  readonly partition: number
  readonly incarnation: Incarnation
  readonly format = null
  readonly earliest: number
  readonly latest: number
  readonly initial: number
  readonly coordinator: Coordinator
  /** Next offset to hand over. */
  next: number
  /** One past the newest value known. */
  high: number
  /** One past the last offset that this owner knows to be in history. */
  landedNext = 0
  #begun = false
  #halted = false
  #paused = false
  #batches: number[] = []

  constructor(options: {
    source: string
    incarnation: Incarnation
    partition: number
    earliest: number
    latest: number
    coordinator: Coordinator
  }) {
    this.source = options.source
    this.incarnation = options.incarnation
    this.partition = options.partition
    this.earliest = options.earliest
    this.latest = options.latest
    this.initial = options.earliest
    this.coordinator = options.coordinator
    this.next = options.earliest
    this.high = options.latest
  }

  get label(): string {
    return `logs/${this.partition}`
  }

  get isWanted(): boolean {
    return this.#begun && !this.#halted && !this.#paused
  }

  /** Where the newest two batches begin: what lies before them counts against the memory mark. */
  get olderEnd(): number {
    return this.#batches.length < 2 ? 0 : (this.#batches[0] ?? 0)
  }

  begin(offset: number): void {
    this.#begun = true
    this.next = offset
    this.landedNext = offset
  }

  /** A batch that begins here is handed over. */
  delivers(lo: number): void {
    this.#batches = [...this.#batches.slice(-1), lo]
  }

  landed(next: number): void {
    this.landedNext = Math.max(this.landedNext, next)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  /** Delivers nothing more, for good. */
  halt(): void {
    this.#halted = true
  }

  lag(): number {
    return Math.max(0, this.high - this.next)
  }
}
