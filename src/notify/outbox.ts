import type { StateEntry, StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs, secondMs } from '../time/duration.ts'
import type { Message } from './message.ts'
import type { FailureReason } from './receiver.ts'
import type { ToldAlerts } from './told.ts'

/** A message on its way. It is in the store before the first attempt and leaves this state once and for all. */
export interface PendingEntry {
  readonly key: string
  readonly state: 'pending'
  readonly integration: string
  readonly receiver: string
  /** The groups whose news it carries; they wait until it is settled. */
  readonly groups: readonly string[]
  readonly message: Message
  /** The alerts behind the message, for receivers that are programs. */
  readonly told?: ToldAlerts
  /** Whom it tells of, for people who ask; absent in entries of older versions. */
  readonly about?: readonly AboutAlert[]
  readonly createdAtMs: EpochMs
}

/** An alert that a message tells of. */
export interface AboutAlert {
  readonly fingerprint: string
  readonly rule: string
}

/** So many alerts of a message are remembered; the settled entries of a week are kept in memory. */
export const aboutLimit = 50

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
  readonly about?: readonly AboutAlert[]
  /** How often it was tried since the start of the daemon that settled it; absent in entries of older versions. */
  readonly attempts?: number
}

/** What a receiver wants to be given back with the next message of the same thread. */
export interface Receipt {
  readonly integration: string
  readonly thread: string
  readonly text: string
  readonly atMs: EpochMs
}

/** How long a message is tried before it is dead. */
export const giveUpMs = dayMs
/** Most messages under way for one integration; groups wait beyond it and become one digest. */
export const pendingLimit = 50
const settledLimit = 1_000
const settledForMs = 7 * dayMs
/** Threads that are remembered; the oldest are forgotten first, and go on as new ones. */
const receiptLimit = 10_000
const receiptForMs = 30 * dayMs
/** A longer receipt is no receipt; a Slack one has some hundred characters. */
export const receiptLength = 4_000

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

/**
 * Messages under way and those settled lately (kind `outbox`), and the receipts of threads (kind `receipt`). Like
 * `Groups` it changes only after the store has.
 */
export class Outbox {
  readonly #pending = new Map<string, PendingEntry>()
  readonly #settled = new Map<string, SettledEntry>()
  readonly #receipts = new Map<string, Receipt>()

  static async load(store: StateStore): Promise<Outbox> {
    const outbox = new Outbox()
    for (const text of (await store.load('outbox')).values()) {
      const entry = JSON.parse(text) as PendingEntry | SettledEntry
      if (entry.state === 'pending') outbox.#pending.set(entry.key, entry)
      else outbox.#settled.set(entry.key, entry)
    }
    for (const text of (await store.load('receipt')).values()) outbox.keep(JSON.parse(text) as Receipt)
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

  /** An entry by its key, which is the id of its message. */
  find(key: string): PendingEntry | SettledEntry | null {
    return this.#pending.get(key) ?? this.#settled.get(key) ?? null
  }

  add(entry: PendingEntry): void {
    this.#pending.set(entry.key, entry)
  }

  settle(entry: SettledEntry): void {
    this.#pending.delete(entry.key)
    this.#settled.set(entry.key, entry)
  }

  /** What the receiver left of a thread. */
  receiptOf({ integration, message: { thread } }: Pick<PendingEntry, 'integration' | 'message'>): string | null {
    return this.#receipts.get(receiptKey(integration, thread))?.text ?? null
  }

  keep(receipt: Receipt): void {
    this.#receipts.set(receiptKey(receipt.integration, receipt.thread), receipt)
  }

  /** The settled entries and receipts that are too old or too many, as rows that delete them. */
  outdated(now: EpochMs): readonly StateEntry[] {
    const entries = [...this.#settled].map(([key, { settledAtMs }]) => ({ key, atMs: settledAtMs }))
    const receipts = [...this.#receipts].map(([key, { atMs }]) => ({ key, atMs }))
    return [
      ...tooOld(entries, { now, limit: settledLimit, forMs: settledForMs }).map((key) => deletion('outbox', key)),
      ...tooOld(receipts, { now, limit: receiptLimit, forMs: receiptForMs }).map((key) => deletion('receipt', key)),
    ]
  }

  forget(deleted: readonly StateEntry[]): void {
    for (const { kind, key } of deleted) {
      if (kind === 'outbox') this.#settled.delete(key)
      else if (kind === 'receipt') this.#receipts.delete(key)
    }
  }
}

/** What is left of an entry once it is sent or dead. */
export function settledEntry(
  { key, integration, receiver, message, about, createdAtMs }: PendingEntry,
  { settledAtMs, dead, attempts }: { settledAtMs: EpochMs; dead: FailureReason | null; attempts?: number },
): SettledEntry {
  const state = dead === null ? 'sent' : 'dead'
  return {
    ...{ key, integration, receiver, subject: message.subject, createdAtMs, settledAtMs, reason: dead },
    state,
    ...(about === undefined ? {} : { about }),
    ...(attempts === undefined ? {} : { attempts }),
  }
}

export function outboxRow(entry: PendingEntry | SettledEntry): StateEntry {
  return { kind: 'outbox', key: entry.key, value: JSON.stringify(entry) }
}

export function receiptRow(receipt: Receipt): StateEntry {
  return { kind: 'receipt', key: receiptKey(receipt.integration, receipt.thread), value: JSON.stringify(receipt) }
}

function receiptKey(integration: string, thread: string): string {
  return `${integration} ${thread}`
}

function deletion(kind: string, key: string): StateEntry {
  return { kind, key, value: null }
}

function tooOld(
  items: readonly { key: string; atMs: EpochMs }[],
  { now, limit, forMs }: { now: EpochMs; limit: number; forMs: number },
): readonly string[] {
  const oldestFirst = items.toSorted((a, b) => a.atMs - b.atMs)
  const tooMany = oldestFirst.length - limit
  return oldestFirst.filter(({ atMs }, place) => place < tooMany || atMs + forMs <= now).map(({ key }) => key)
}
