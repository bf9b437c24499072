import type { Clock, EpochMs } from '../time/clock.ts'

/** So many callers are told apart; beyond, whoever has been quiet longest is forgotten. */
const callerLimit = 10_000

/** A bucket of tokens for each caller: it holds a burst, and fills up again at a steady rate. */
export class RateLimit {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #burst: number
  /** In the order of their last use. */
  readonly #buckets = new Map<string, { left: number; atMs: EpochMs }>()

  constructor(clock: Clock, options: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock
    this.#perSecond = options.perSecond
    this.#burst = options.burst
  }

  /** Takes one for a caller; says how many seconds to wait when none is left, else null. */
  take(caller: string): number | null {
    const now = this.#clock.now()
    const known = this.#buckets.get(caller) ?? { left: this.#burst, atMs: now }
    const passed = Math.max(0, now - known.atMs) / 1000
    const left = Math.min(this.#burst, known.left + passed * this.#perSecond)
    const isFree = left >= 1
    this.#buckets.delete(caller)
    this.#buckets.set(caller, { left: isFree ? left - 1 : left, atMs: now })
    if (this.#buckets.size > callerLimit) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return isFree ? null : Math.max(1, Math.ceil((1 - left) / this.#perSecond))
  }
}
