import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { hourMs, secondMs } from '../time/duration.ts'
import {
  giveUpMs,
  type PendingEntry,
  type Receipt,
  receiptLength,
  retryDelayMs,
  type SettledEntry,
  settledEntry,
} from './outbox.ts'
import { type Delivery, type FailureReason, failed, type Receiver, type SendAttempts } from './receiver.ts'

/** How long a lane rests after its server failed it, at most, so that one bad message does not hold up the others. */
const longestRestMs = 30 * secondMs
/** A server that asks for more than this is asked again all the same. */
const longestAskedRestMs = hourMs

export interface LaneDeps {
  readonly clock: Clock
  readonly log: Log
  readonly attempts: SendAttempts
  /** In [0, 1); spreads retries. */
  readonly random: () => number
  /** What the receiver left of the thread that the entry belongs to. */
  readonly receiptOf: (entry: PendingEntry) => string | null
  /** Stores what became of the entry. */
  readonly settle: (entry: SettledEntry, outcome: Outcome) => Promise<void>
}

/** What settling an entry brings with it. */
export interface Outcome {
  readonly groups: readonly string[]
  /** Null keeps what there was. */
  readonly receipt: Receipt | null
}

/**
 * The deliveries of one integration, one after another and apart from all other integrations, so that a receiver that
 * fails or dawdles delays nobody else.
 */
export class Lane {
  readonly #receiver: Receiver
  readonly #deps: LaneDeps
  readonly #failures = new Map<string, { count: number; nextAtMs: EpochMs }>()
  #restUntilMs: EpochMs = 0
  #lastFailure: FailureReason | null = null
  #running: Promise<void> | null = null
  #closing = false

  constructor(receiver: Receiver, deps: LaneDeps) {
    this.#receiver = receiver
    this.#deps = deps
  }

  /** Why the last attempt failed; null when it did not, or none was made. */
  get lastFailure(): FailureReason | null {
    return this.#lastFailure
  }

  /** How often an entry has failed since the start, and when it is tried next; null before its first failure. */
  trialsOf(entry: string): { readonly failed: number; readonly nextAtMs: EpochMs } | null {
    const trials = this.#failures.get(entry)
    if (trials === undefined) return null
    return { failed: trials.count, nextAtMs: Math.max(trials.nextAtMs, this.#restUntilMs) }
  }

  /** Resolves when nothing is being delivered; rejects with what went wrong while storing. */
  idle(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  /** Starts delivering what is due, unless it is at it already. `entries` is asked anew before each delivery. */
  start(entries: () => readonly PendingEntry[], onCrash: (error: unknown) => void): void {
    if (this.#running !== null || this.#next(entries()) === null) return
    this.#running = this.#run(entries).then(
      () => {
        this.#running = null
      },
      (error: unknown) => {
        this.#running = null
        onCrash(error)
      },
    )
  }

  /** Lets the delivery under way finish; what is left stays in the store. */
  async close(): Promise<void> {
    this.#closing = true
    await this.idle()
    await this.#receiver.close()
  }

  async #run(entries: () => readonly PendingEntry[]): Promise<void> {
    while (!this.#closing) {
      const entry = this.#next(entries())
      if (entry === null) return
      const delivery = await this.#deliver(entry)
      if (delivery.kind === 'sent') await this.#sent(entry, delivery)
      else await this.#failed(entry, delivery)
    }
  }

  /** The due entry with the fewest failures, then the oldest: a message that always fails comes last. */
  #next(entries: readonly PendingEntry[]): PendingEntry | null {
    const now = this.#deps.clock.now()
    if (now < this.#restUntilMs) return null
    let best: PendingEntry | null = null
    for (const entry of entries) {
      if ((this.#failures.get(entry.key)?.nextAtMs ?? 0) > now) continue
      if (best === null || this.#isBefore(entry, best)) best = entry
    }
    return best
  }

  #isBefore(a: PendingEntry, b: PendingEntry): boolean {
    const difference = (this.#failures.get(a.key)?.count ?? 0) - (this.#failures.get(b.key)?.count ?? 0)
    return difference !== 0 ? difference < 0 : a.createdAtMs < b.createdAtMs
  }

  async #deliver(entry: PendingEntry): Promise<Delivery> {
    try {
      return await this.#receiver.deliver(entry.message, { receipt: this.#deps.receiptOf(entry) }, entry.told)
    } catch (error) {
      // A receiver reports failures as values, so this is a mistake of ours. The message is in the store: to die of it
      // would be to die of it again after every start, and nobody would be told of anything.
      this.#deps.log.error('a receiver broke down', {
        receiver: entry.receiver,
        error: error instanceof Error ? error.name : messageOf(error),
      })
      return failed('internal', 'a mistake in Tollwatch')
    }
  }

  async #sent(entry: PendingEntry, delivery: Extract<Delivery, { kind: 'sent' }>): Promise<void> {
    const attempts = (this.#failures.get(entry.key)?.count ?? 0) + 1
    this.#failures.delete(entry.key)
    this.#lastFailure = null
    const now = this.#deps.clock.now()
    const { integration, groups } = entry
    const text = delivery.receipt ?? ''
    const isReceipt = text !== '' && text.length <= receiptLength
    const receipt = isReceipt ? { integration, thread: entry.message.thread, text, atMs: now } : null
    this.#deps.attempts.sent(entry.receiver)
    this.#deps.log.debug('notification sent', { receiver: entry.receiver, id: entry.key })
    await this.#deps.settle(settledEntry(entry, { settledAtMs: now, dead: null, attempts }), { groups, receipt })
  }

  async #failed(entry: PendingEntry, delivery: Extract<Delivery, { kind: 'failed' }>): Promise<void> {
    const { attempts, clock, log, random, settle } = this.#deps
    const now = clock.now()
    const count = (this.#failures.get(entry.key)?.count ?? 0) + 1
    const endsAtMs = entry.createdAtMs + giveUpMs
    const fields = {
      receiver: entry.receiver,
      id: entry.key,
      reason: delivery.reason,
      detail: delivery.detail,
      attempt: count,
    }
    attempts.failed(entry.receiver, delivery.reason)
    this.#lastFailure = delivery.reason
    if (delivery.final || now >= endsAtMs) {
      this.#failures.delete(entry.key)
      if (!delivery.final) attempts.failed(entry.receiver, 'gave-up')
      log.error('notification is dead: nobody will be told', { ...fields, subject: entry.message.subject })
      const dead = delivery.final ? delivery.reason : 'gave-up'
      const settled = settledEntry(entry, { settledAtMs: now, dead, attempts: count })
      await settle(settled, { groups: entry.groups, receipt: null })
      return
    }
    const delayMs = Math.max(retryDelayMs(count, random()), delivery.retryAfterMs ?? 0)
    // The last attempt falls on the end itself, whatever the delays add up to.
    this.#failures.set(entry.key, { count, nextAtMs: Math.min(now + delayMs, endsAtMs) })
    if (delivery.reason === 'rate-limited' && delivery.retryAfterMs !== null)
      this.#restUntilMs = now + Math.min(delivery.retryAfterMs, longestAskedRestMs)
    else this.#restUntilMs = now + Math.min(delayMs, longestRestMs)
    log.warn('notification failed, will be tried again', { ...fields, retry_in_ms: delayMs })
  }
}
