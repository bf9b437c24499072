import type { Clock, EpochMs } from '../time/clock.ts'
import { secondMs } from '../time/duration.ts'
import type { Database } from './database.ts'

/** ClickHouse slows inserts down from 1,000 active parts in a partition and refuses them from 3,000. */
const manyParts = 300
const fewParts = 100
const firstPauseMs = secondMs
/** Short enough that a daemon that is stopped meanwhile still writes what it holds. */
const longestPauseMs = 16 * secondMs
const lookEveryMs = 10 * secondMs

/**
 * How long to wait before the next insert, from the pause so far and the parts of the fullest partition: doubled above
 * 300 parts, halved below 100, kept in between so that it does not swing. Ranges grow meanwhile, so that the same
 * records make fewer parts.
 */
export function nextPause(pauseMs: number, activeParts: number): number {
  if (activeParts > manyParts) return Math.min(longestPauseMs, Math.max(firstPauseMs, pauseMs * 2))
  if (activeParts < fewParts) return pauseMs <= firstPauseMs ? 0 : pauseMs / 2
  return pauseMs
}

/** Holds inserts back while merges cannot keep up. */
export class InsertGovernor {
  readonly #database: Database
  readonly #clock: Clock
  readonly #stop = new AbortController()
  #lookedMs: EpochMs = Number.NEGATIVE_INFINITY
  #pauseMs = 0

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /** To be awaited before an insert. It never fails: an insert finds out by itself that the store is away. */
  async wait(): Promise<void> {
    const now = this.#clock.now()
    if (now - this.#lookedMs >= lookEveryMs) {
      this.#lookedMs = now
      const parts = await activeParts(this.#database).catch(() => 0)
      this.#pauseMs = nextPause(this.#pauseMs, parts)
    }
    if (this.#pauseMs > 0) await this.#clock.sleep(this.#pauseMs, this.#stop.signal)
  }

  /** Ends all waiting, for good. */
  close(): void {
    this.#stop.abort()
  }
}

/** Parts of the partition that has most of them. */
async function activeParts(database: Database): Promise<number> {
  const [row] = await database.query<{ most: number }>(
    `SELECT max(parts) AS most FROM (
       SELECT count() AS parts FROM system.parts WHERE active AND database = {database:String} GROUP BY table, partition_id
     )`,
    { database: database.place.tables },
  )
  return row?.most ?? 0
}
