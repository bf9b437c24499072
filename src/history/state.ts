/**
 * Small durable state beside the ledger: alert states, baselines, silences, the notification outbox. Last write wins
 * per (kind, key). `put` is durable when it resolves and throws a retryable Fault while the store is away.
 */
export interface StateStore {
  /** A null value deletes. All entries of one call become visible together. */
  put(entries: readonly StateEntry[]): Promise<void>
  load(kind: string): Promise<ReadonlyMap<string, string>>
}

export interface StateEntry {
  readonly kind: string
  readonly key: string
  /** JSON text. */
  readonly value: string | null
}

/** Keeps state in memory: for backtests and tests. */
export class MemoryState implements StateStore {
  readonly #kinds = new Map<string, Map<string, string>>()

  async put(entries: readonly StateEntry[]): Promise<void> {
    for (const { kind, key, value } of entries) {
      const keys = this.#kinds.get(kind) ?? new Map<string, string>()
      this.#kinds.set(kind, keys)
      if (value === null) keys.delete(key)
      else keys.set(key, value)
    }
  }

  async load(kind: string): Promise<ReadonlyMap<string, string>> {
    return new Map(this.#kinds.get(kind))
  }
}
