import type { StateEntry, StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'

/** How many messages were made for one recipient on one of its days. */
interface Spent {
  readonly day: string
  readonly count: number
  readonly atMs: EpochMs
}

const kind = 'daily-cap'

/**
 * Messages made for each recipient today (kind `daily-cap`). It is stored together with the messages it counts, so a
 * crash neither forgets one nor counts one twice.
 */
export class DailyCaps {
  readonly #spent = new Map<string, Spent>()

  static async load(store: StateStore): Promise<DailyCaps> {
    const caps = new DailyCaps()
    for (const [key, text] of await store.load(kind)) caps.#spent.set(key, JSON.parse(text) as Spent)
    return caps
  }

  /** Messages that may still be made for the recipient on this day. */
  left(recipient: string, cap: number, day: string): number {
    return Math.max(0, cap - this.#countOn(recipient, day))
  }

  /** The row that says so many more were made; it counts once it was handed to `apply`. */
  spending(recipient: string, messages: number, { day, now }: { day: string; now: EpochMs }): StateEntry {
    const spent: Spent = { day, count: this.#countOn(recipient, day) + messages, atMs: now }
    return { kind, key: recipient, value: JSON.stringify(spent) }
  }

  /** The rows that delete what no day that is still going on anywhere needs. */
  outdated(now: EpochMs): readonly StateEntry[] {
    return [...this.#spent]
      .filter(([, { atMs }]) => atMs + 2 * dayMs <= now)
      .map(([key]) => ({ kind, key, value: null }))
  }

  /** Takes over rows that are stored; those of other kinds are none of ours. */
  apply(rows: readonly StateEntry[]): void {
    for (const row of rows) {
      if (row.kind !== kind) continue
      if (row.value === null) this.#spent.delete(row.key)
      else this.#spent.set(row.key, JSON.parse(row.value) as Spent)
    }
  }

  #countOn(recipient: string, day: string): number {
    const spent = this.#spent.get(recipient)
    return spent?.day === day ? spent.count : 0
  }
}
