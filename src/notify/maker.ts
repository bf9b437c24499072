import type { Log } from '../fault/log.ts'
import type { StateEntry } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import { dayOf, isTimezone } from '../time/local-time.ts'
import { Allowance } from './allowance.ts'
import type { DailyCaps } from './daily-caps.ts'
import type { Draft, GroupState, Groups } from './groups.ts'
import type { MessageContext } from './message.ts'
import type { Muting } from './muting.ts'
import { type DueGroup, dueGroup, makeNotices, type Rechecks } from './notices.ts'
import { type Outbox, type PendingEntry, pendingLimit } from './outbox.ts'
import { type Integration, isForTenants, type Route } from './routing.ts'

export interface MakerOptions {
  readonly integrations: ReadonlyMap<string, Integration>
  /** By a key that today's routes may no longer have. */
  readonly routeOf: (key: string) => Route
  readonly outbox: Outbox
  readonly caps: DailyCaps
  readonly message: MessageContext
  readonly log: Log
}

/** Messages that are to be stored together with the draft, and the rows that count them. */
export interface Made {
  readonly entries: readonly PendingEntry[]
  readonly counted: readonly StateEntry[]
}

/** Groups of one integration that may be put together into one message: those of one recipient. */
interface Bucket {
  readonly integration: Integration
  /** Names the recipient for its daily cap. */
  readonly recipient: string
  readonly day: string
  /** Infinite where there is no cap. */
  readonly capLeft: number
  readonly due: DueGroup[]
}

/**
 * Makes the messages that are due, within what receivers take a minute, what recipients take a day, and what may wait
 * in the outbox. What finds no room stays due: nothing is lost, it is told together later.
 */
export class Maker {
  readonly #options: MakerOptions
  readonly #allowances = new Map<string, Allowance>()
  readonly #rechecks: Rechecks = new Map()
  /** The day on which it was said that a recipient has reached its cap. */
  readonly #said = new Map<string, string>()

  constructor(options: MakerOptions) {
    this.#options = options
    for (const one of options.integrations.values()) this.#allowances.set(one.key, new Allowance(one.maxPerMinute))
  }

  make(groups: Groups, { now, muting, draft }: { now: EpochMs; muting: Muting; draft: Draft }): Made {
    const entries: PendingEntry[] = []
    const counted: StateEntry[] = []
    const made = new Map<string, number>()
    for (const bucket of this.#buckets(groups, { now, muting, draft })) {
      const { integration, recipient, day } = bucket
      const before = made.get(integration.key) ?? 0
      const allowance = Math.min(bucket.capLeft, this.#room(integration, now) - before)
      if (allowance < 1) continue
      const notices = makeNotices(bucket.due, integration, { now, allowance, draft, message: this.#options.message })
      entries.push(...notices)
      made.set(integration.key, before + notices.length)
      if (Number.isFinite(bucket.capLeft))
        counted.push(this.#options.caps.spending(recipient, notices.length, { day, now }))
    }
    return { entries, counted }
  }

  /** Takes note that the messages are stored. */
  stored({ entries, counted }: Made): void {
    for (const entry of entries) {
      this.#options.outbox.add(entry)
      this.#allowances.get(entry.integration)?.take(1)
    }
    this.#options.caps.apply(counted)
  }

  forget(groups: Iterable<string>): void {
    for (const id of groups) this.#rechecks.delete(id)
  }

  #buckets(groups: Groups, { now, muting, draft }: { now: EpochMs; muting: Muting; draft: Draft }): Iterable<Bucket> {
    const buckets = new Map<string, Bucket>()
    for (const state of groups.values()) {
      const integration = this.#options.integrations.get(state.group.integration)
      if (integration === undefined || integration.kind === 'alertmanager') continue
      const route = this.#options.routeOf(state.group.route)
      const bucket = this.#bucketFor(integration, state, now)
      // What begins and ends while the recipient may not be written to is not told afterwards.
      const isFull = bucket.capLeft === 0
      const isMuted = isFull ? () => true : (alert: Parameters<Muting>[0]) => muting(alert, route) !== null
      const found = dueGroup(state, route, { now, isMuted, draft, rechecks: this.#rechecks })
      if (found === null) continue
      if (isFull) this.#sayFull(bucket)
      const known = buckets.get(bucket.recipient)
      if (known === undefined) buckets.set(bucket.recipient, { ...bucket, due: [found] })
      else known.due.push(found)
    }
    return buckets.values()
  }

  #bucketFor(integration: Integration, { group }: GroupState, now: EpochMs): Bucket {
    const tenant = isForTenants(integration) ? (group.labels['tenant'] ?? '') : null
    const recipient = tenant === null ? integration.key : `${integration.key} ${tenant}`
    const cap = integration.kind === 'email' ? integration.email.dailyCap : null
    if (cap === null) return { integration, recipient, day: '', capLeft: Number.POSITIVE_INFINITY, due: [] }
    const { tenants, timezone } = this.#options.message
    const own = tenant === null ? null : (tenants.find(tenant)?.timezone ?? null)
    const day = dayOf(now, own !== null && isTimezone(own) ? own : timezone)
    return { integration, recipient, day, capLeft: this.#options.caps.left(recipient, cap, day), due: [] }
  }

  #room({ key }: Integration, now: EpochMs): number {
    const waiting = this.#options.outbox.pendingOf(key).length
    return Math.min(pendingLimit - waiting, this.#allowances.get(key)?.left(now) ?? 0)
  }

  #sayFull({ recipient, day, integration }: Bucket): void {
    if (this.#said.get(recipient) === day) return
    this.#said.set(recipient, day)
    const { receiver } = integration
    this.#options.log.warn('a recipient has had its messages for today; the rest waits for tomorrow', {
      receiver,
      recipient,
    })
  }
}
