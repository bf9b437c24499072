import type { EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'

/** What a gateway said of a quota beside one request: `RateLimit`, `x-ratelimit-*` and the like. */
export interface QuotaReading {
  readonly tenant: string
  readonly api: string
  /** Which of a tenant's quotas it is, such as `month`, `tokens` or the name of a policy. */
  readonly quota: string
  /** Above 0, in units of the quota: calls, tokens, money. */
  readonly limit: number
  /** Below 0 where the gateway lets the limit be exceeded. */
  readonly remaining: number
  /** When the quota is full again; null where that was not said. */
  readonly resetAtMs: EpochMs | null
  /** Event time of the request. */
  readonly atMs: EpochMs
}

/** Readings further ahead of the rules than this are not waited for; lanes run ahead by 12 minutes at most. */
const aheadMs = hourMs
const longestName = 200

/**
 * Holds readings until event time has passed their minute, so that rules see them in event time whatever the order in
 * which they arrive; of one quota the last of each minute is enough, for usage is a running total. A reading that
 * comes late is seen at the next minute. Bounded; what finds no room is counted.
 */
export class QuotaBoard {
  /** The readings of the minutes that ended with the present step, the oldest first. */
  due: readonly QuotaReading[] = []
  /** Readings that made no sense, or found no room, since the start. */
  turnedAway = 0
  readonly #limit: number
  readonly #minutes = new Map<EpochMs, Map<string, QuotaReading>>()
  #size = 0
  #openedToMs: EpochMs | null = null

  constructor(limit: number) {
    this.#limit = limit
  }

  observe(readings: Iterable<QuotaReading>): void {
    for (const reading of readings) if (!this.#put(reading)) this.turnedAway++
  }

  /** Moves on to a step: `due` are then the readings whose minute it has passed. */
  open(atMs: EpochMs): void {
    const toMs = Math.floor(atMs / minuteMs) * minuteMs
    this.#openedToMs = toMs
    if (this.due.length > 0) this.due = []
    if (this.#size === 0) return
    const ended = [...this.#minutes.keys()].filter((endMs) => endMs <= toMs).sort((a, b) => a - b)
    const due: QuotaReading[] = []
    for (const endMs of ended) {
      const minute = this.#minutes.get(endMs) ?? new Map<string, QuotaReading>()
      due.push(...[...minute].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reading]) => reading))
      this.#minutes.delete(endMs)
      this.#size -= minute.size
    }
    this.due = due
  }

  /** Those that still wait, in a fixed order. */
  get waiting(): QuotaReading[] {
    const minutes = [...this.#minutes].sort(([a], [b]) => a - b)
    return minutes.flatMap(([, minute]) => [...minute].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one))
  }

  #put(reading: QuotaReading): boolean {
    const { tenant, api, quota, limit, remaining, resetAtMs, atMs } = reading
    if (!Number.isFinite(limit) || limit <= 0 || !Number.isFinite(remaining) || !Number.isFinite(atMs)) return false
    if (resetAtMs !== null && !Number.isFinite(resetAtMs)) return false
    if (quota === '' || quota.length > longestName) return false
    const next = this.#openedToMs === null ? 0 : this.#openedToMs + minuteMs
    if (this.#openedToMs !== null && atMs > this.#openedToMs + aheadMs) return false
    const endMs = Math.max(next, Math.floor(atMs / minuteMs) * minuteMs + minuteMs)
    const key = JSON.stringify([tenant, api, quota])
    const minute = this.#minutes.get(endMs) ?? new Map<string, QuotaReading>()
    const known = minute.get(key)
    if (known === undefined) {
      if (this.#size >= this.#limit) return false
      this.#size++
      this.#minutes.set(endMs, minute)
    } else if (known.atMs > atMs || (known.atMs === atMs && known.remaining <= remaining)) {
      return true
    }
    minute.set(key, reading)
    return true
  }
}
