import type { StateEntry, StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs, secondMs } from '../time/duration.ts'
import type { Message } from './message.ts'
import type { FailureReason } from './receiver.ts'

/** A message on its way. It is in the store before the first attempt and leaves this state once and for all. */
export interface PendingEntry {
  readonly key: string
  readonly state: 'pending'
  readonly integration: string
  readonly receiver: string
  /** The groups whose news it carries; they wait until it is settled. */
  readonly groups: readonly string[]
  readonly message: Message
  readonly createdAtMs: EpochMs
}

/** What became of a message; kept a while for people who ask. */
export interface SettledEntry {
  readonly key: string
  readonly state: 'sent' | 'dead'
  readonly integration: string
  readonly receiver: string
  readonly subject: string
  readonly createdAtMs: EpochMs
  readonly settledAtMs: EpochMs
  readonly reason: FailureReason | null
}

/** How long a message is tried before it is dead. */
export const giveUpMs = dayMs
/** Most messages under way for one integration; groups wait beyond it and become one digest. */
export const pendingLimit = 50
const settledLimit = 1_000
const settledForMs = 7 * dayMs

const firstDelayMs = 5 * secondMs
const longestDelayMs = 10 * minuteMs

/**
 * Time to the next attempt: doubling from 5 s to 10 min, spread over half to one and a half of it so that many senders
 * do not come back together.
 *
 * @param failures attempts that failed so far, from 1
 * @param random in [0, 1)
 */
export function retryDelayMs(failures: number, random: number): number {
  const base = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 20))
  return Math.round(base * (0.5 + random))
}

/** Messages under way and those settled lately (kind `outbox`). Like `Groups` it changes only after the store has. */
export class Outbox {
  readonly #pending = new Map<string, PendingEntry>()
  readonly #settled = new Map<string, SettledEntry>()

  static async load(store: StateStore): Promise<Outbox> {
    const outbox = new Outbox()
    for (const text of (await store.load('outbox')).values()) {
      const entry = JSON.parse(text) as PendingEntry | SettledEntry
      if (entry.state === 'pending') outbox.#pending.set(entry.key, entry)
      else outbox.#settled.set(entry.key, entry)
    }
    return outbox
  }

  pending(): readonly PendingEntry[] {
    return [...this.#pending.values()]
  }

  pendingOf(integration: string): readonly PendingEntry[] {
    return this.pending().filter((entry) => entry.integration === integration)
  }

  isPending(key: string): boolean {
    return this.#pending.has(key)
  }

  settled(): readonly SettledEntry[] {
    return [...this.#settled.values()]
  }

  add(entry: PendingEntry): void {
    this.#pending.set(entry.key, entry)
  }

  settle(entry: SettledEntry): void {
    this.#pending.delete(entry.key)
    this.#settled.set(entry.key, entry)
  }

  /** The settled entries that are too old or too many, oldest first. */
  outdated(now: EpochMs): readonly string[] {
    const oldestFirst = this.settled().toSorted((a, b) => a.settledAtMs - b.settledAtMs)
    const tooMany = oldestFirst.length - settledLimit
    return oldestFirst
      .filter((entry, place) => place < tooMany || entry.settledAtMs + settledForMs <= now)
      .map((entry) => entry.key)
  }

  forget(keys: readonly string[]): void {
    for (const key of keys) this.#settled.delete(key)
  }
}

/** What is left of an entry once it is sent or dead. */
export function settledEntry(
  { key, integration, receiver, message, createdAtMs }: PendingEntry,
  { settledAtMs, dead }: { settledAtMs: EpochMs; dead: FailureReason | null },
): SettledEntry {
  const state = dead === null ? 'sent' : 'dead'
  return { key, state, integration, receiver, subject: message.subject, createdAtMs, settledAtMs, reason: dead }
}

export function outboxRow(entry: PendingEntry | SettledEntry): StateEntry {
  return { kind: 'outbox', key: entry.key, value: JSON.stringify(entry) }
}
