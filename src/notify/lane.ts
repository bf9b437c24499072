import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { secondMs } from '../time/duration.ts'
import { giveUpMs, type PendingEntry, retryDelayMs, type SettledEntry, settledEntry } from './outbox.ts'
import { type Delivery, failed, type Receiver, type SendAttempts } from './receiver.ts'

/** How long a lane rests after its server failed it, at most, so that one bad message does not hold up the others. */
const longestRestMs = 30 * secondMs

export interface LaneDeps {
  readonly clock: Clock
  readonly log: Log
  readonly attempts: SendAttempts
  /** In [0, 1); spreads retries. */
  readonly random: () => number
  /** Stores what became of the entry. */
  readonly settle: (entry: SettledEntry, groups: readonly string[]) => Promise<void>
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
  #running: Promise<void> | null = null
  #closing = false

  constructor(receiver: Receiver, deps: LaneDeps) {
    this.#receiver = receiver
    this.#deps = deps
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
      if (delivery.kind === 'sent') await this.#sent(entry)
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
      return await this.#receiver.deliver(entry.message, { receipt: null })
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

  async #sent(entry: PendingEntry): Promise<void> {
    this.#failures.delete(entry.key)
    this.#deps.attempts.sent(entry.receiver)
    this.#deps.log.debug('notification sent', { receiver: entry.receiver, id: entry.key })
    await this.#deps.settle(settledEntry(entry, { settledAtMs: this.#deps.clock.now(), dead: null }), entry.groups)
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
    if (delivery.final || now >= endsAtMs) {
      this.#failures.delete(entry.key)
      if (!delivery.final) attempts.failed(entry.receiver, 'gave-up')
      log.error('notification is dead: nobody will be told', { ...fields, subject: entry.message.subject })
      await settle(
        settledEntry(entry, { settledAtMs: now, dead: delivery.final ? delivery.reason : 'gave-up' }),
        entry.groups,
      )
      return
    }
    const delayMs = Math.max(retryDelayMs(count, random()), delivery.retryAfterMs ?? 0)
    // The last attempt falls on the end itself, whatever the delays add up to.
    this.#failures.set(entry.key, { count, nextAtMs: Math.min(now + delayMs, endsAtMs) })
    if (delivery.reason === 'rate-limited' && delivery.retryAfterMs !== null)
      this.#restUntilMs = now + delivery.retryAfterMs
    else this.#restUntilMs = now + Math.min(delayMs, longestRestMs)
    log.warn('notification failed, will be tried again', { ...fields, retry_in_ms: delayMs })
  }
}
