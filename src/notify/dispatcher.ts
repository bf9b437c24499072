import type { Alert, Transition } from '../alert/alert.ts'
import { Fault } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { StateEntry, StateStore } from '../history/state.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { type Account, accountOf } from './account.ts'
import { AlertmanagerFeed } from './alertmanager-feed.ts'
import { endingAlerts, failingAlert, failingRoute } from './built-in.ts'
import { DailyCaps } from './daily-caps.ts'
import { drillEnds, drillRoute } from './drill-alert.ts'
import { newsDueAt, reminderDueAt } from './group.ts'
import { type Draft, Groups, removeDone } from './groups.ts'
import { Heartbeat } from './heartbeat.ts'
import { stillInhibits } from './inhibit.ts'
import { alertLimit, groupLimit, Intake } from './intake.ts'
import { labelsOf } from './labels.ts'
import { Lane, type LaneDeps } from './lane.ts'
import { Maker } from './maker.ts'
import type { MessageContext } from './message.ts'
import { firingIn, type Muting, mutingAt } from './muting.ts'
import { type AboutAlert, Outbox, outboxRow, settledEntry } from './outbox.ts'
import type { Receiver, SendAttempts } from './receiver.ts'
import { reconcile } from './reconcile.ts'
import { type Integration, type Route, type Routing, routesByKey } from './routing.ts'
import { Settling } from './settling.ts'
import type { Silences } from './silence.ts'
import { builtInChanges, troublesOf } from './watch.ts'

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
  /** How often a rule is evaluated, for Alertmanager's ends; a minute unless given. */
  readonly ruleIntervalMs?: (rule: string) => number
  /** Why rules are not evaluated now, for the heartbeat; null when they are. */
  readonly evaluation?: () => string | null
  /** Further built-in alerts that are to fire now; those that are not among them any more end. */
  readonly conditions?: () => readonly Alert[]
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
  /** The integrations that do not deliver. */
  readonly failing: readonly string[]
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
 *   4. It is stored as sent, with what the receiver left of its thread. Only then may its groups speak again.
 *
 * One process owns all of it. Leases for several daemons over one store would need a store that can compare and set,
 * which ours cannot, and would protect alerts that each of those daemons works out from a part of the traffic only.
 * Within the process each integration has one lane, which is the only one to deliver its messages.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #groups: Groups
  readonly #outbox: Outbox
  readonly #caps: DailyCaps
  readonly #maker: Maker
  readonly #routes: ReadonlyMap<string, Route>
  readonly #integrations: ReadonlyMap<string, Integration>
  readonly #lanes = new Map<string, Lane>()
  readonly #feeds = new Map<string, AlertmanagerFeed>()
  readonly #heartbeat: Heartbeat | null
  readonly #settling: Settling
  readonly #openedAtMs: EpochMs
  #sweptAtMs: EpochMs
  #storeProblem: string | null = null
  /** The tail of the queue of changes: one at a time, since each reads what the one before stored. */
  #queue: Promise<void> = Promise.resolve()
  #crash: { readonly error: unknown } | null = null

  private constructor(options: DispatcherOptions, groups: Groups, outbox: Outbox, caps: DailyCaps) {
    const { routing, receivers, message, log, clock } = options
    this.#options = options
    this.#groups = groups
    this.#outbox = outbox
    this.#caps = caps
    this.#routes = new Map([
      ...routesByKey(routing.root),
      [failingRoute.key, failingRoute],
      [drillRoute.key, drillRoute],
    ])
    this.#integrations = new Map([...routing.receivers.values()].flat().map((one) => [one.key, one]))
    const routeOf = (key: string) => this.#routeOf(key)
    this.#maker = new Maker({ integrations: this.#integrations, routeOf, outbox, caps, message, log })
    this.#openedAtMs = clock.now()
    this.#sweptAtMs = this.#openedAtMs
    this.#settling = new Settling({
      ...{ groups, outbox },
      exclusive: (change) => this.#exclusive(change),
      store: (draft, rows) => this.#store(draft, rows),
    })
    const settle: LaneDeps['settle'] = (entry, outcome) => this.#settling.settle(entry, outcome)
    const receiptOf: LaneDeps['receiptOf'] = (entry) => outbox.receiptOf(entry)
    for (const [key, receiver] of receivers) {
      const integration = this.#integrations.get(key)
      if (integration?.kind === 'alertmanager' && receiver.targets !== undefined) {
        const deps = { ...options, bases: message, ruleIntervalMs: options.ruleIntervalMs ?? (() => minuteMs) }
        this.#feeds.set(key, new AlertmanagerFeed(integration, receiver.targets, deps))
      } else this.#lanes.set(key, new Lane(receiver, { ...options, settle, receiptOf }))
    }
    this.#heartbeat = this.#heartbeatOf(options)
  }

  /** Takes up where the last run stopped. @throws Fault while the store is away */
  static async open(options: DispatcherOptions): Promise<Dispatcher> {
    const { store } = options
    const [groups, outbox, caps] = await Promise.all([Groups.load(store), Outbox.load(store), DailyCaps.load(store)])
    const dispatcher = new Dispatcher(options, groups, outbox, caps)
    await dispatcher.#exclusive(() => dispatcher.#settleIn())
    return dispatcher
  }

  /**
   * Takes changes of alerts; they are durable when this resolves. May be called again with the same changes.
   *
   * @throws Fault, retryable, while the store is away; nothing was taken then
   */
  accept(transitions: readonly Transition[]): Promise<void> {
    return this.#exclusive(() => this.#take(transitions))
  }

  /**
   * Makes the messages that are due and starts delivering; returns without waiting for the deliveries (`idle` does).
   * Call it about once a second. While the store is away it makes nothing and says so in the log.
   */
  async tick(now: EpochMs): Promise<void> {
    this.#rethrowCrash()
    try {
      await this.#exclusive(async () => {
        await this.#settling.store()
        await this.#makeDue(now)
        if (now - this.#sweptAtMs >= sweepEveryMs) await this.#sweep(now)
      })
      this.#storeProblem = null
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#storeProblem = error.code
      this.#options.log.warn('notifications wait for the store', { code: error.code })
    }
    const onCrash = (error: unknown) => this.#crashed(error)
    for (const [key, lane] of this.#lanes) lane.start(() => this.#settling.deliverable(key), onCrash)
    for (const feed of this.#feeds.values()) feed.start(this.#groups.values(), now, onCrash)
    this.#heartbeat?.start(now, onCrash)
  }

  /** Resolves when no delivery is under way. */
  async idle(): Promise<void> {
    const ways = [
      ...this.#lanes.values(),
      ...this.#feeds.values(),
      ...(this.#heartbeat === null ? [] : [this.#heartbeat]),
    ]
    await Promise.all(ways.map((way) => way.idle()))
    await this.#queue
    this.#rethrowCrash()
  }

  /** Lets deliveries under way finish and closes the receivers; what is not delivered stays in the store. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()))
    await Promise.all([...this.#feeds.values()].map((feed) => feed.idle()))
    await this.#heartbeat?.idle()
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
      failing: this.#troubles(this.#options.clock.now()).map(({ integration }) => integration.key),
    }
  }

  /** Messages that wait for their delivery, by receiver; every receiver is named. */
  waiting(): ReadonlyMap<string, number> {
    const counts = new Map([...this.#options.routing.receivers.keys()].map((name) => [name, 0]))
    for (const { receiver } of this.#outbox.pending()) counts.set(receiver, (counts.get(receiver) ?? 0) + 1)
    return counts
  }

  /** Silences, inhibitions and time intervals as they stand; for whoever asks why somebody was not told. */
  muting(now: EpochMs): Muting {
    const { silences, routing, message } = this.#options
    return mutingAt(now, { silences, routing, tenants: message.tenants }, this.#groups)
  }

  /**
   * Who is told of an alert, who was, and what comes next.
   *
   * @param alert as the rules have it now, which also shows where a pending one would go; null when they have none
   * @returns null when there is nothing to tell
   */
  account(fingerprint: string, alert: Alert | null): Account | null {
    const { routing, message, clock } = this.#options
    return accountOf(fingerprint, alert, {
      groups: this.#groups,
      outbox: this.#outbox,
      routing,
      tenants: message.tenants,
      muting: this.muting(clock.now()),
      routeOf: (key) => this.#routeOf(key),
      trialsOf: ({ key, integration }) => {
        const lane = this.#lanes.get(integration)
        const trials = lane?.trialsOf(key) ?? null
        return trials === null ? null : { ...trials, reason: lane?.lastFailure ?? null }
      },
    })
  }

  /** When some group may have something to say next; in the past while it is held back, null while none waits. */
  nextDueAt(): EpochMs | null {
    const times = [...this.#groups.values()].flatMap(({ group }) => {
      const route = this.#routeOf(group.route)
      return [newsDueAt(group, route) ?? [], reminderDueAt(group, route) ?? []].flat()
    })
    return times.length === 0 ? null : Math.min(...times)
  }

  /** The alerts that a message told of, as far as they are remembered; empty when the message is not. */
  about(id: string): readonly AboutAlert[] {
    return this.#outbox.find(id)?.about ?? []
  }

  async #take(transitions: readonly Transition[]): Promise<void> {
    const now = this.#options.clock.now()
    const draft = this.#groups.draft()
    const muting = this.muting(now)
    const isMuted = (alert: Alert, route: string) => muting(alert, this.#routeOf(route)) !== null
    const intake = new Intake(draft, { ...this.#placing(), now, isMuted })
    for (const transition of transitions) intake.take(transition)
    await this.#store(draft)
  }

  async #makeDue(now: EpochMs): Promise<void> {
    const draft = this.#groups.draft()
    const muting = this.muting(now)
    for (const state of this.#groups.values()) {
      const route = this.#routeOf(state.group.route)
      const isMuted = (alert: Alert) => muting(alert, route) !== null
      this.#feeds.get(state.group.integration)?.review(state, { now, isMuted, draft })
    }
    const made = this.#maker.make(this.#groups, { now, muting, draft })
    await this.#store(draft, [...made.entries.map(outboxRow), ...made.counted])
    this.#maker.stored(made)
  }

  /** Fits what was stored to the routes and receivers there are now. */
  async #settleIn(): Promise<void> {
    const { clock, log } = this.#options
    const now = clock.now()
    const isPending = (entry: string) => this.#outbox.isPending(entry)
    const draft = reconcile(this.#groups, { ...this.#placing(), now, isPending, log })
    const lost = this.#outbox.pending().filter((entry) => !this.#lanes.has(entry.integration))
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
    removeDone(this.#groups, draft, {
      isOld: (sinceMs) => Math.max(sinceMs, this.#openedAtMs) + rememberMs <= now,
      isNeeded: (alert) => stillInhibits(this.#options.routing.inhibitRules, alert, now),
    })
    const outdated = [...this.#outbox.outdated(now), ...this.#caps.outdated(now)]
    await this.#store(draft, outdated)
    this.#outbox.forget(outdated)
    this.#caps.apply(outdated)
    this.#maker.forget(draft.groups.keys())
    const { silences } = this.#options
    const firing = [...new Map([...firingIn(this.#groups)].map((alert) => [alert.fingerprint, alert])).values()]
    await silences.sweep(now, firing.map(labelsOf))
    const failing = this.#troubles(now).map((trouble) => failingAlert(trouble, now))
    await this.#take([
      ...builtInChanges(
        this.#groups,
        [...failing, ...endingAlerts(silences, firing, now), ...(this.#options.conditions?.() ?? [])],
        now,
      ),
      ...drillEnds(firing, now),
    ])
    this.#sweptAtMs = now
  }

  #troubles(now: EpochMs) {
    return troublesOf(
      {
        integrations: this.#integrations.values(),
        outbox: this.#outbox,
        lastFailure: (key) => this.#lanes.get(key)?.lastFailure ?? null,
        failingSince: (key) => this.#feeds.get(key)?.failingSinceMs ?? null,
      },
      now,
    )
  }

  #heartbeatOf({ routing, receivers, store, log, attempts, message, clock, evaluation }: DispatcherOptions) {
    const settings = routing.heartbeat
    if (settings === null) return null
    const ways = routing.receivers.get(settings.receiver) ?? []
    const problem = () => {
      const [failing] = this.#troubles(clock.now())
      if (failing !== undefined) return `${failing.integration.key} does not deliver`
      if (this.#storeProblem !== null) return `the store is away (${this.#storeProblem})`
      return evaluation?.() ?? null
    }
    const opened = ways.flatMap(({ key }) => receivers.get(key) ?? [])
    return new Heartbeat(settings, opened, { store, log, attempts, message, problem, now: clock.now() })
  }

  #routeOf(key: string): Route {
    return this.#routes.get(key) ?? this.#options.routing.root
  }

  #placing() {
    const { routing, message, limits = { alerts: alertLimit, groups: groupLimit } } = this.#options
    return { routing, tenants: message.tenants, limits }
  }

  /** Stores a draft and then makes it true here. */
  async #store(draft: Draft, more: readonly StateEntry[] = []): Promise<void> {
    const entries = [...draft.entries(), ...more]
    if (entries.length > 0) await this.#options.store.put(entries)
    this.#groups.apply(draft)
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
