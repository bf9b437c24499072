import { Fault } from '../fault/fault.ts'
import type { StateEntry } from '../history/state.ts'
import type { Draft, Groups } from './groups.ts'
import type { Outcome } from './lane.ts'
import { type Outbox, outboxRow, type PendingEntry, receiptRow, type SettledEntry } from './outbox.ts'

export interface SettlingDeps {
  readonly groups: Groups
  readonly outbox: Outbox
  /** Runs one change of the state after another. */
  readonly exclusive: (change: () => Promise<void>) => Promise<void>
  /** Stores a draft with more rows, and then makes it true. @throws Fault while the store is away */
  readonly store: (draft: Draft, rows: readonly StateEntry[]) => Promise<void>
}

/** Messages that are delivered, or dead, up to the moment at which the store knows it. */
export class Settling {
  readonly #deps: SettlingDeps
  /** They must not be delivered again while the store is away. */
  readonly #unstored = new Map<string, { readonly entry: SettledEntry; readonly outcome: Outcome }>()

  constructor(deps: SettlingDeps) {
    this.#deps = deps
  }

  deliverable(integration: string): readonly PendingEntry[] {
    return this.#deps.outbox.pendingOf(integration).filter((entry) => !this.#unstored.has(entry.key))
  }

  async settle(entry: SettledEntry, outcome: Outcome): Promise<void> {
    this.#unstored.set(entry.key, { entry, outcome })
    // The next message of the thread may go out before the store is back.
    if (outcome.receipt !== null) this.#deps.outbox.keep(outcome.receipt)
    try {
      await this.#deps.exclusive(() => this.store())
    } catch (error) {
      // It stays in `#unstored` and is stored with the next tick.
      if (!(error instanceof Fault)) throw error
    }
  }

  /** To be called where nothing else changes the state. @throws Fault while the store is away */
  async store(): Promise<void> {
    const settled = [...this.#unstored.values()]
    if (settled.length === 0) return
    const { groups, outbox, store } = this.#deps
    const draft = groups.draft()
    for (const { entry, outcome } of settled) {
      for (const id of outcome.groups) {
        const group = draft.get(id)
        if (group?.pending !== entry.key) continue
        // Reminders count from the send itself, which an outage may have put off for hours.
        const lastSentAtMs = entry.state === 'sent' ? entry.settledAtMs : group.lastSentAtMs
        draft.setGroup({ ...group, pending: null, lastSentAtMs })
      }
    }
    const receipts = settled.flatMap(({ outcome }) => (outcome.receipt === null ? [] : [receiptRow(outcome.receipt)]))
    await store(draft, [...settled.map(({ entry }) => outboxRow(entry)), ...receipts])
    for (const { entry } of settled) {
      outbox.settle(entry)
      this.#unstored.delete(entry.key)
    }
  }
}
