import type { StateEntry, StateStore } from './state.ts'

/** What stands between a kind and the name of its owner. */
export const scopeMark = '@'

/**
 * The state of one daemon among several that share a store: each kind of entry under the daemon's own name, so that nobody
 * overwrites what another one knows.
 */
export class ScopedState implements StateStore {
  readonly #state: StateStore
  readonly #owner: string

  constructor(state: StateStore, owner: string) {
    this.#state = state
    this.#owner = owner
  }

  put(entries: readonly StateEntry[]): Promise<void> {
    return this.#state.put(entries.map((entry) => ({ ...entry, kind: this.#kindOf(entry.kind) })))
  }

  load(kind: string): Promise<ReadonlyMap<string, string>> {
    return this.#state.load(this.#kindOf(kind))
  }

  #kindOf(kind: string): string {
    return `${kind}${scopeMark}${this.#owner}`
  }
}
