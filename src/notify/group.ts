import { createHash } from 'node:crypto'
import { type Alert, type Severity, severities } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import { type Labels, labelOf } from './labels.ts'
import type { Integration, Route } from './routing.ts'

/**
 * A group is what one integration is told about in one conversation: the alerts of one route with equal `group_by`
 * labels. Its life:
 *
 *   new ──group_wait──▶ told ──change, group_interval──▶ told again ──all resolved──▶ quiet ──new alert──▶ new
 *                        └───────repeat_interval───────▶ reminded
 *
 * While a message of the group is on its way (`pending`) no further one is made: what changes meanwhile is told
 * together afterwards. That keeps messages in order and an outage from filling the outbox.
 */
export interface Group {
  readonly id: string
  readonly integration: string
  readonly route: string
  readonly labels: Labels
  /** When this conversation began; names its thread. */
  readonly startedAtMs: EpochMs
  /** Messages made in this conversation. */
  readonly revision: number
  /** The subject told last, kept while the same alerts fire so that mail programs see one thread. */
  readonly subject: { readonly text: string; readonly of: string } | null
  /** When the last message was sent, or made if it is still under way. */
  readonly lastSentAtMs: EpochMs | null
  /** When the oldest change nobody was told of came in. */
  readonly changedAtMs: EpochMs | null
  /** A change that does not wait for group_interval: an alert that was told of became more severe. */
  readonly urgent: boolean
  /** The outbox entry that carries this group's latest news. */
  readonly pending: string | null
  /** Alerts that came when the memory for alerts was full: only counted. */
  readonly folded: number
  /** How many of those people were told of. */
  readonly foldedTold: number
}

/** One episode of one alert within a group. */
export interface Member {
  readonly alert: Alert
  readonly noticedAtMs: EpochMs
  /** The severity people were last told; null before they were told at all. */
  readonly told: Severity | null
  /** When nothing was left to say about it; it is then kept a while so that a repeated input is recognised. */
  readonly doneAtMs: EpochMs | null
}

/** What a group has to say at some moment, with silenced and inhibited alerts taken out. */
export interface Review {
  readonly fresh: readonly Member[]
  readonly raised: readonly Member[]
  readonly standing: readonly Member[]
  readonly resolved: readonly Member[]
  /** Ended before anybody was told, while muted: nobody ever will be. */
  readonly hushed: readonly Member[]
  /** Firing but muted. */
  readonly muted: readonly Member[]
}

export function review(members: Iterable<Member>, isMuted: (alert: Alert) => boolean): Review {
  const fresh: Member[] = []
  const raised: Member[] = []
  const standing: Member[] = []
  const resolved: Member[] = []
  const hushed: Member[] = []
  const muted: Member[] = []
  for (const member of members) {
    if (member.doneAtMs !== null) continue
    if (member.alert.state === 'resolved') {
      // An episode that was announced is always resolved, muted or not: somebody may be waiting for it.
      const list = member.told === null && isMuted(member.alert) ? hushed : resolved
      list.push(member)
    } else if (isMuted(member.alert)) muted.push(member)
    else if (member.told === null) fresh.push(member)
    else if (isRaised(member)) raised.push(member)
    else standing.push(member)
  }
  return { fresh, raised, standing, resolved, hushed, muted }
}

export function isRaised(member: Member): boolean {
  return member.told !== null && severityRank(member.alert.severity) > severityRank(member.told)
}

export function severityRank(severity: Severity): number {
  return severities.indexOf(severity)
}

/** When the group's changes are ripe to be told; null while there is none or a message is under way. */
export function newsDueAt(group: Group, route: Route): EpochMs | null {
  if (group.pending !== null || group.changedAtMs === null) return null
  if (group.urgent) return group.changedAtMs
  const waited = group.changedAtMs + route.groupWaitMs
  return group.lastSentAtMs === null ? waited : Math.max(waited, group.lastSentAtMs + route.groupIntervalMs)
}

/** When the group's reminder is due: counted from the last send and from nothing else. */
export function reminderDueAt(group: Group, route: Route): EpochMs | null {
  if (group.pending !== null || group.lastSentAtMs === null || route.repeatIntervalMs === null) return null
  return group.lastSentAtMs + route.repeatIntervalMs
}

export function newGroup(id: string, integration: Integration, route: Route, labels: Labels, now: EpochMs): Group {
  return {
    id,
    integration: integration.key,
    route: route.key,
    labels,
    startedAtMs: now,
    revision: 0,
    subject: null,
    lastSentAtMs: null,
    changedAtMs: null,
    urgent: false,
    pending: null,
    folded: 0,
    foldedTold: 0,
  }
}

/** The labels that decide the group; an alert without one of them counts as having it empty. */
export function groupLabels(route: Route, labels: Labels, fingerprint: string): Labels {
  if (route.groupBy === 'all') return { fingerprint }
  return Object.fromEntries(route.groupBy.map((label) => [label, labelOf(labels, label)]))
}

export function groupId(integration: Integration, route: Route, labels: Labels): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return digest([integration.key, route.key, sorted])
}

/** Names a conversation; the same after a restart, another one once a group was quiet and begins anew. */
export function threadId(group: Group): string {
  return digest([group.id, group.startedAtMs])
}

/** Names a message for good: a repeated delivery of it can be recognised by whoever receives it. */
export function notificationId(thread: string, receiver: string, revision: number): string {
  return digest([thread, receiver, revision])
}

/** 80 bits of SHA-256 over the JSON of the parts, in hex. */
export function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
}
