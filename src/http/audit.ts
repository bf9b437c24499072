import { randomUUID } from 'node:crypto'
import type { StateStore } from '../history/state.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { dayMs } from '../time/duration.ts'

/** One thing that a caller did, or tried to. */
export interface AuditEntry {
  readonly atMs: EpochMs
  readonly id: string
  /** The name of the token, or `loopback`. */
  readonly who: string
  /** Such as `silence added`. */
  readonly what: string
  /** What it was done to, as words. */
  readonly target: string
  /** `done`, or the status it was refused with. */
  readonly result: string
}

/** What was done over the API. */
export interface AuditBook {
  /** Durable when it resolves. */
  add(entry: Omit<AuditEntry, 'atMs' | 'id'>): Promise<void>
  /** The newest first. */
  list(): readonly AuditEntry[]
}

const kind = 'audit'
const entryLimit = 5_000
const keptMs = 365 * dayMs
const longestTarget = 500

/**
 * The audit log, in memory and in the state of the store (kind `audit`): the newest 5,000 operations of a year. There
 * `history forget` finds the tenants that it names.
 */
export class AuditLog implements AuditBook {
  readonly #store: StateStore
  readonly #clock: Clock
  /** The oldest first. */
  #entries: AuditEntry[]

  private constructor(store: StateStore, clock: Clock, entries: AuditEntry[]) {
    this.#store = store
    this.#clock = clock
    this.#entries = entries
  }

  static async open(store: StateStore, clock: Clock): Promise<AuditLog> {
    const entries = [...(await store.load(kind)).values()].map((text) => JSON.parse(text) as AuditEntry)
    return new AuditLog(
      store,
      clock,
      entries.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1)),
    )
  }

  async add({ who, what, target, result }: Omit<AuditEntry, 'atMs' | 'id'>): Promise<void> {
    const atMs = Math.max(this.#clock.now(), this.#entries.at(-1)?.atMs ?? 0)
    const entry: AuditEntry = { atMs, id: randomUUID(), who, what, target: target.slice(0, longestTarget), result }
    const all = [...this.#entries, entry]
    const kept = all.slice(-entryLimit).filter((one) => one.atMs >= atMs - keptMs)
    const gone = all.slice(0, all.length - kept.length)
    this.#entries = kept
    await this.#store.put([
      { kind, key: entry.id, value: JSON.stringify(entry) },
      ...gone.map(({ id }) => ({ kind, key: id, value: null })),
    ])
  }

  list(): readonly AuditEntry[] {
    return this.#entries.toReversed()
  }
}
