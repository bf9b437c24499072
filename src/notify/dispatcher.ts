import type { Alert, Transition } from '../alert/alert.ts'
import { Fault } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { StateStore } from '../history/state.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { Allowance } from './allowance.ts'
import { type Draft, Groups } from './groups.ts'
import { alertLimit, groupLimit, Intake } from './intake.ts'
import { Lane } from './lane.ts'
import type { MessageContext } from './message.ts'
import { mutingAt } from './muting.ts'
import { type DueGroup, dueGroup, makeNotices, type Rechecks } from './notices.ts'
import { Outbox, outboxRow, pendingLimit, type SettledEntry, settledEntry } from './outbox.ts'
import type { Receiver, SendAttempts } from './receiver.ts'
import { reconcile } from './reconcile.ts'
import { type Integration, type Route, type Routing, routesByKey } from './routing.ts'
import type { Silences } from './silence.ts'

/** What is done with is kept this long, so that an input that is repeated after a restart is recognised. */
const rememberMs = 15 * minuteMs
const sweepEveryMs = minuteMs

export interface DispatcherOptions {
  readonly routing: Routing
  /** By the key of the integration; see `openReceivers`. */
  readonly receivers: ReadonlyMap<string, Receiver>
  readonly store: StateStore
  readonly silences: Silences
  readonly clock: Clock
  readonly log: Log
  readonly attempts: SendAttempts
  /** In [0, 1); spreads retries. */
  readonly random: () => number
  readonly message: MessageContext
  readonly limits?: { readonly alerts: number; readonly groups: number }
}

/** How notifications stand. */
export interface DispatcherStatus {
  readonly groups: number
  readonly alerts: number
  readonly pending: number
  readonly dead: number
  /** When the oldest message that is not delivered yet was made; null when all are. */
  readonly oldestPendingMs: EpochMs | null
}

/**
 * From alerts to messages. Promises: at least one message for each (episode, change, receiver) that is not muted; no
 * second one unless the first was ambiguous (the connection broke after the other side may have taken it, or we died
 * between its delivery and our note of it); in order within a conversation; an end for every announced start.
 *
 * The order that keeps them, and what a crash between two steps costs:
 *   1. `accept` stores the changed groups. Died before: the caller repeats the call, which changes nothing twice.
 *   2. `tick` stores messages together with the groups that count them as told. Died before: the same message, with the
 *      same id, is made again. Died after: it is in the outbox.
 *   3. It is delivered. Died during or after: it is delivered again, with the same id.
 *   4. It is stored as sent. Only then may its groups speak again.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #groups: Groups
  readonly #outbox: Outbox
  readonly #routes: ReadonlyMap<string, Route>
  readonly #lanes = new Map<string, Lane>()
  readonly #allowances = new Map<string, Allowance>()
  readonly #integrations: ReadonlyMap<string, Integration>
  readonly #rechecks: Rechecks = new Map()
  /** Delivered, or dead, but not stored as that yet; must not be delivered again meanwhile. */
  readonly #unstored = new Map<string, { entry: SettledEntry; groups: readonly string[] }>()
  readonly #openedAtMs: EpochMs
  #sweptAtMs: EpochMs
  /** The tail of the queue of changes: one at a time, since each reads what the one before stored. */
  #queue: Promise<void> = Promise.resolve()
  #crash: { readonly error: unknown } | null = null

  private constructor(options: DispatcherOptions, groups: Groups, outbox: Outbox) {
    this.#options = options
    this.#groups = groups
    this.#outbox = outbox
    this.#routes = routesByKey(options.routing.root)
    this.#integrations = new Map([...options.routing.receivers.values()].flat().map((one) => [one.key, one]))
    this.#openedAtMs = options.clock.now()
    this.#sweptAtMs = this.#openedAtMs
    const settle = (entry: SettledEntry, held: readonly string[]) => this.#settle(entry, held)
    for (const [key, receiver] of options.receivers) this.#lanes.set(key, new Lane(receiver, { ...options, settle }))
    for (const one of this.#integrations.values()) this.#allowances.set(one.key, new Allowance(one.maxPerMinute))
  }

  /** Takes up where the last run stopped. @throws Fault while the store is away */
  static async open(options: DispatcherOptions): Promise<Dispatcher> {
    const [groups, outbox] = await Promise.all([Groups.load(options.store), Outbox.load(options.store)])
    const dispatcher = new Dispatcher(options, groups, outbox)
    await dispatcher.#exclusive(() => dispatcher.#settleIn())
    return dispatcher
  }

  /**
   * Takes changes of alerts; they are durable when this resolves. May be called again with the same changes.
   *
   * @throws Fault, retryable, while the store is away; nothing was taken then
   */
  accept(transitions: readonly Transition[]): Promise<void> {
    return this.#exclusive(async () => {
      const now = this.#options.clock.now()
      const draft = this.#groups.draft()
      const context = { routing: this.#options.routing, now, limits: this.#limits(), isMuted: this.#muting(now) }
      const intake = new Intake(draft, context)
      for (const transition of transitions) intake.take(transition)
      await this.#store(draft)
    })
  }

  /**
   * Makes the messages that are due and starts delivering; returns without waiting for the deliveries (`idle` does).
   * Call it about once a second. While the store is away it makes nothing and says so in the log.
   */
  async tick(now: EpochMs): Promise<void> {
    this.#rethrowCrash()
    try {
      await this.#exclusive(async () => {
        await this.#storeSettled()
        await this.#makeDue(now)
        if (now - this.#sweptAtMs >= sweepEveryMs) await this.#sweep(now)
      })
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#options.log.warn('notifications wait for the store', { code: error.code })
    }
    for (const [key, lane] of this.#lanes)
      lane.start(
        () => this.#deliverable(key),
        (error) => this.#crashed(error),
      )
  }

  /** Resolves when no delivery is under way. */
  async idle(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.idle()))
    await this.#queue
    this.#rethrowCrash()
  }

  /** Lets deliveries under way finish and closes the receivers; what is not delivered stays in the store. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()))
    await this.#queue
  }

  status(): DispatcherStatus {
    const pending = this.#outbox.pending()
    return {
      groups: this.#groups.size,
      alerts: this.#groups.memberCount,
      pending: pending.length,
      dead: this.#outbox.settled().filter((entry) => entry.state === 'dead').length,
      oldestPendingMs: pending.length === 0 ? null : Math.min(...pending.map((entry) => entry.createdAtMs)),
    }
  }

  async #makeDue(now: EpochMs): Promise<void> {
    const draft = this.#groups.draft()
    const isMuted = this.#muting(now)
    const due = new Map<string, DueGroup[]>()
    for (const state of this.#groups.values()) {
      const route = this.#routes.get(state.group.route) ?? this.#options.routing.root
      const found = dueGroup(state, route, { now, isMuted, draft, rechecks: this.#rechecks })
      if (found === null) continue
      const list = due.get(state.group.integration) ?? []
      due.set(state.group.integration, list)
      list.push(found)
    }
    const made = [...due].flatMap(([key, list]) => {
      const integration = this.#integrations.get(key)
      const allowance = this.#allowances.get(key)
      if (integration === undefined || allowance === undefined) return []
      const room = Math.max(0, pendingLimit - this.#outbox.pendingOf(key).length)
      const context = { now, allowance: Math.min(room, allowance.left(now)), draft, message: this.#options.message }
      return makeNotices(list, integration, context)
    })
    await this.#store(draft, made.map(outboxRow))
    for (const entry of made) {
      this.#outbox.add(entry)
      this.#allowances.get(entry.integration)?.take(1)
    }
  }

  #deliverable(integration: string) {
    return this.#outbox.pendingOf(integration).filter((entry) => !this.#unstored.has(entry.key))
  }

  async #settle(entry: SettledEntry, groups: readonly string[]): Promise<void> {
    this.#unstored.set(entry.key, { entry, groups })
    try {
      await this.#exclusive(() => this.#storeSettled())
    } catch (error) {
      // It stays in `#unstored` and is stored with the next tick.
      if (!(error instanceof Fault)) throw error
    }
  }

  async #storeSettled(): Promise<void> {
    const settled = [...this.#unstored.values()]
    if (settled.length === 0) return
    const draft = this.#groups.draft()
    for (const { entry, groups } of settled) {
      for (const id of groups) {
        const group = draft.get(id)
        if (group?.pending !== entry.key) continue
        // Reminders count from the send itself, which an outage may have put off for hours.
        const lastSentAtMs = entry.state === 'sent' ? entry.settledAtMs : group.lastSentAtMs
        draft.setGroup({ ...group, pending: null, lastSentAtMs })
      }
    }
    await this.#store(
      draft,
      settled.map(({ entry }) => outboxRow(entry)),
    )
    for (const { entry } of settled) {
      this.#outbox.settle(entry)
      this.#unstored.delete(entry.key)
    }
  }

  /** Fits what was stored to the routes and receivers there are now. */
  async #settleIn(): Promise<void> {
    const { clock, log, routing } = this.#options
    const now = clock.now()
    const draft = reconcile(this.#groups, routing, { now, limits: this.#limits(), log })
    const lost = this.#outbox.pending().filter((entry) => !this.#lanes.has(entry.integration))
    for (const { group } of this.#groups.values()) {
      const latest = draft.get(group.id)
      const carried = group.pending !== null && this.#outbox.isPending(group.pending)
      if (latest !== undefined && latest.pending !== null && !carried) draft.setGroup({ ...latest, pending: null })
    }
    const dead = lost.map((entry) => {
      log.error('notification is dead: its receiver is no longer configured', { subject: entry.message.subject })
      this.#options.attempts.failed(entry.receiver, 'gave-up')
      return settledEntry(entry, { settledAtMs: now, dead: 'gave-up' })
    })
    await this.#store(draft, dead.map(outboxRow))
    for (const entry of dead) this.#outbox.settle(entry)
  }

  async #sweep(now: EpochMs): Promise<void> {
    const draft = this.#groups.draft()
    const old = (since: EpochMs) => Math.max(since, this.#openedAtMs) + rememberMs <= now
    for (const { group, members } of this.#groups.values()) {
      let left = members.size
      for (const member of members.values()) {
        if (member.doneAtMs === null || !old(member.doneAtMs)) continue
        draft.removeMember(group.id, member.alert.episode)
        left--
      }
      const spoken =
        group.pending === null && group.folded === group.foldedTold && old(group.lastSentAtMs ?? group.startedAtMs)
      if (left === 0 && spoken) draft.removeGroup(group.id)
    }
    const outdated = this.#outbox.outdated(now)
    await this.#store(
      draft,
      outdated.map((key) => ({ kind: 'outbox', key, value: null })),
    )
    this.#outbox.forget(outdated)
    for (const id of draft.groups.keys()) this.#rechecks.delete(id)
    await this.#options.silences.sweep(now)
    this.#sweptAtMs = now
  }

  /** Stores a draft and then makes it true here. */
  async #store(draft: Draft, more: readonly ReturnType<typeof outboxRow>[] = []): Promise<void> {
    const entries = [...draft.entries(), ...more]
    if (entries.length > 0) await this.#options.store.put(entries)
    this.#groups.apply(draft)
  }

  #muting(now: EpochMs): (alert: Alert) => boolean {
    return mutingAt(now, this.#options.silences, this.#options.routing.inhibitRules, this.#groups)
  }

  #limits() {
    return this.#options.limits ?? { alerts: alertLimit, groups: groupLimit }
  }

  #exclusive<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(change)
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  #crashed(error: unknown): void {
    this.#crash = { error }
  }

  /** Deliveries run beside the ticks; what went wrong in one is our mistake and surfaces, once, in the next tick. */
  #rethrowCrash(): void {
    const crash = this.#crash
    this.#crash = null
    if (crash !== null) throw crash.error
  }
}
