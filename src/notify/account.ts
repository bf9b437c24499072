import type { Alert, Severity } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Member, newsDueAt, reminderDueAt } from './group.ts'
import type { Groups } from './groups.ts'
import { type Place, placesOf } from './intake.ts'
import type { Labels } from './labels.ts'
import type { MessageContext } from './message.ts'
import type { Muted, Muting } from './muting.ts'
import type { Outbox, PendingEntry, SettledEntry } from './outbox.ts'
import type { FailureReason } from './receiver.ts'
import type { Route, Routing } from './routing.ts'

/** What became of an alert on its way to people. */
export interface Account {
  /** Each integration that it is for, by each route. */
  readonly ways: readonly Way[]
  /** Messages that told of it, the oldest first. */
  readonly messages: readonly MessageAccount[]
}

/** One route to one integration. */
export interface Way {
  readonly receiver: string
  readonly integration: string
  /** The route as people write it; empty for the first one. */
  readonly route: string
  /** What the group has in common. */
  readonly group: Labels
  readonly state: Alert['state']
  /** The severity that was told last; null before anything was told, or where the alert is no longer held. */
  readonly told: Severity | null
  /** Why nothing new is said of it now; null where nothing is in the way. */
  readonly muted: Muted | null
  /** What the group waits for next; null where there is nothing left to say. */
  readonly next: NextStep | null
}

/** `delivery`: a message is under way, and the next one waits for it. */
export interface NextStep {
  readonly kind: 'news' | 'reminder' | 'delivery'
  /** When it is due; a past time is due at once. Null where that depends on the other side. */
  readonly atMs: EpochMs | null
}

export interface MessageAccount {
  readonly id: string
  readonly receiver: string
  readonly integration: string
  readonly subject: string
  readonly state: 'pending' | 'sent' | 'dead'
  readonly madeAtMs: EpochMs
  /** When it was delivered or given up; null while it is under way. */
  readonly settledAtMs: EpochMs | null
  /** Attempts since the start of the daemon; null where an older version did not count them. */
  readonly attempts: number | null
  readonly reason: FailureReason | null
  /** When it is tried again; null when it is settled or due now. */
  readonly retryAtMs: EpochMs | null
}

/** Where an account is taken from. */
export interface Books {
  readonly groups: Groups
  readonly outbox: Outbox
  readonly routing: Routing
  readonly tenants: MessageContext['tenants']
  readonly muting: Muting
  readonly routeOf: (key: string) => Route
  /** How often a message under way has failed, and why last. */
  readonly trialsOf: (entry: PendingEntry) => {
    readonly failed: number
    readonly nextAtMs: EpochMs
    readonly reason: FailureReason | null
  } | null
}

/**
 * Tells who is told of an alert, who was, and what comes next.
 *
 * @param alert as the rules have it now; null when they no longer know it
 * @returns null when nobody was told, and the alert is not there either
 */
export function accountOf(fingerprint: string, alert: Alert | null, books: Books): Account | null {
  const messages = messagesAbout(fingerprint, books)
  const held = [...books.groups.places.groups(fingerprint)].flatMap((id) => heldWay(id, fingerprint, books) ?? [])
  const ways = held.length > 0 || alert === null ? held : wouldBe(alert, books)
  return ways.length === 0 && messages.length === 0 && alert === null ? null : { ways, messages }
}

/** The newest episode decides: the others are over. */
function heldWay(id: string, fingerprint: string, books: Books): Way | null {
  const state = books.groups.get(id)
  const members = [...(state?.members.values() ?? [])].filter(({ alert }) => alert.fingerprint === fingerprint)
  const [member] = members.toSorted((a, b) => b.alert.activeAtMs - a.alert.activeAtMs)
  if (state === undefined || member === undefined) return null
  const { group } = state
  const route = books.routeOf(group.route)
  const receiver = group.integration.split('/')[0] ?? group.integration
  return {
    ...{ receiver, integration: group.integration, route: route.text, group: group.labels, told: member.told },
    state: member.alert.state,
    muted: member.alert.state === 'firing' ? books.muting(member.alert, route) : null,
    next: nextOf(member, group, route),
  }
}

function nextOf({ doneAtMs }: Member, group: Parameters<typeof newsDueAt>[0], route: Route): NextStep | null {
  if (group.pending !== null) return { kind: 'delivery', atMs: null }
  const newsAtMs = newsDueAt(group, route)
  if (newsAtMs !== null) return { kind: 'news', atMs: newsAtMs }
  const reminderAtMs = doneAtMs === null ? reminderDueAt(group, route) : null
  return reminderAtMs === null ? null : { kind: 'reminder', atMs: reminderAtMs }
}

/** Where an alert leads that no group holds: it is pending, on trial, or only asked about. */
function wouldBe(alert: Alert, { routing, tenants, muting }: Books): readonly Way[] {
  return placesOf(alert, routing, tenants).map(({ integration, route, labels }: Place) => ({
    ...{ receiver: integration.receiver, integration: integration.key, route: route.text, group: labels, told: null },
    state: alert.state,
    muted: muting(alert, route),
    next: null,
  }))
}

function messagesAbout(fingerprint: string, { outbox, trialsOf }: Books): readonly MessageAccount[] {
  const isAbout = ({ about }: PendingEntry | SettledEntry) =>
    (about ?? []).some((one) => one.fingerprint === fingerprint)
  const settled = outbox.settled().filter(isAbout).map(settledMessage)
  const pending = outbox
    .pending()
    .filter(isAbout)
    .map((entry): MessageAccount => {
      const trials = trialsOf(entry)
      return {
        ...{ id: entry.key, receiver: entry.receiver, integration: entry.integration, subject: entry.message.subject },
        ...{ state: 'pending', madeAtMs: entry.createdAtMs, settledAtMs: null },
        ...{ attempts: trials?.failed ?? 0, reason: trials?.reason ?? null, retryAtMs: trials?.nextAtMs ?? null },
      }
    })
  return [...settled, ...pending].sort((a, b) => a.madeAtMs - b.madeAtMs || (a.integration < b.integration ? -1 : 1))
}

function settledMessage(entry: SettledEntry): MessageAccount {
  const { key: id, receiver, integration, subject, state, settledAtMs, reason } = entry
  return {
    ...{ id, receiver, integration, subject, state, madeAtMs: entry.createdAtMs, settledAtMs, reason },
    attempts: entry.attempts ?? null,
    retryAtMs: null,
  }
}
