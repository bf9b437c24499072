import type { ManualClock } from '../../src/time/clock.ts'
import type { Trace } from './network.ts'
import { sessionMs } from './plan.ts'

export interface Assignment {
  readonly member: string
  readonly generation: number
  readonly partitions: readonly number[]
}

/** How long a rebalance waits for members that do not come back. */
const rebalanceMs = 8_000

/**
 * A consumer group of Kafka's classic protocol, and the offsets it keeps: members with sessions, rebalances that wait
 * for all of them, generations that fence commits.
 */
export class Group {
  readonly committed = new Map<number, { offset: number; metadata: string }>()
  readonly #time: ManualClock
  readonly #trace: Trace
  readonly #fences: boolean
  readonly #partitions: number
  readonly #seen = new Map<string, number>()
  readonly #joining = new Map<string, (assignment: Assignment) => void>()
  #generation = 0
  #deadlineMs: number | null = null

  constructor(options: { time: ManualClock; trace: Trace; fences: boolean; partitions: number }) {
    this.#time = options.time
    this.#trace = options.trace
    this.#fences = options.fences
    this.#partitions = options.partitions
  }

  /** The generation that lasts; null while a rebalance is under way. */
  get settled(): number | null {
    return this.#deadlineMs === null && this.#joining.size === 0 ? this.#generation : null
  }

  /** Asks for an assignment, which begins a rebalance. @param answer called when all members have joined, or the wait is over */
  join(member: string, answer: (assignment: Assignment) => void): void {
    this.#seen.set(member, this.#time.now())
    this.#joining.set(member, answer)
    this.#begin()
    this.#completeIfAll()
  }

  leave(member: string): void {
    this.#joining.delete(member)
    if (!this.#seen.delete(member) || this.#seen.size === 0) return
    this.#begin()
    this.#completeIfAll()
  }

  heartbeat(member: string, generation: number): 'well' | 'rebalance' | 'unknown' {
    if (!this.#seen.has(member)) return 'unknown'
    this.#seen.set(member, this.#time.now())
    return this.#deadlineMs === null && generation === this.#generation ? 'well' : 'rebalance'
  }

  /** Stores an offset. While a rebalance waits for members the old generation may still commit, as in Kafka. */
  commit(one: { member: string; generation: number; partition: number; offset: number; metadata: string }): boolean {
    const { member, generation, partition, offset, metadata } = one
    if (this.#fences && (generation !== this.#generation || !this.#seen.has(member))) return false
    this.committed.set(partition, { offset, metadata })
    return true
  }

  /** Once a second: lets members go that were silent for a session, and ends a rebalance that has waited long enough. */
  watch(): void {
    const now = this.#time.now()
    for (const [member, seenMs] of this.#seen) {
      if (now - seenMs < sessionMs || this.#joining.has(member)) continue
      this.#trace('group', () => `${member} is silent and leaves`)
      this.#seen.delete(member)
      if (this.#seen.size > 0) this.#begin()
    }
    if (this.#deadlineMs !== null && now >= this.#deadlineMs) this.#complete()
    else this.#completeIfAll()
  }

  #begin(): void {
    this.#deadlineMs ??= this.#time.now() + rebalanceMs
  }

  #completeIfAll(): void {
    if (this.#deadlineMs !== null && [...this.#seen.keys()].every((member) => this.#joining.has(member))) {
      this.#complete()
    }
  }

  #complete(): void {
    this.#deadlineMs = null
    for (const member of this.#seen.keys()) if (!this.#joining.has(member)) this.#seen.delete(member)
    const members = [...this.#joining]
    this.#joining.clear()
    if (members.length === 0) return
    this.#generation++
    const generation = this.#generation
    members.forEach(([member, answer], index) => {
      const partitions: number[] = []
      // Another start in each generation, so that lanes move.
      for (let p = 0; p < this.#partitions; p++) {
        if ((p + generation) % members.length === index) partitions.push(p)
      }
      this.#seen.set(member, this.#time.now())
      this.#trace('group', () => `generation ${generation}: ${member} owns [${partitions}]`)
      answer({ member, generation, partitions })
    })
  }
}
