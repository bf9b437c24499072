import type { Alert } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import { secondMs } from '../time/duration.ts'
import { addressesOf } from './contact.ts'
import { isDrill } from './drill-alert.ts'
import {
  digest,
  type Group,
  type Member,
  newsDueAt,
  notificationId,
  type Review,
  reminderDueAt,
  review,
  severityRank,
  threadId,
} from './group.ts'
import type { Draft, GroupState } from './groups.ts'
import { composeMessage, type MessageContext } from './message.ts'
import { type AboutAlert, aboutLimit, type PendingEntry } from './outbox.ts'
import type { Integration, Route } from './routing.ts'
import { mostAlerts, toldAlerts } from './told.ts'

/** How long a group that is due but wholly muted is left alone before silences and inhibitions are asked again. */
const mutedRecheckMs = 5 * secondMs

/** A group that has something to say now. */
export interface DueGroup {
  readonly group: Group
  readonly route: Route
  readonly review: Review
  readonly reminder: boolean
}

/** Remembers, in memory only, when a group that has nothing to say as it is now is looked at again. */
export type Rechecks = Map<string, { readonly group: Group; readonly atMs: EpochMs }>

/**
 * Whether a group is due, and with what. Marks in the draft what needs no message: alerts that came and went while
 * muted, and changes that turned out to be none.
 */
export function dueGroup(
  { group, members }: GroupState,
  route: Route,
  context: { now: EpochMs; isMuted: (alert: Alert) => boolean; draft: Draft; rechecks: Rechecks },
): DueGroup | null {
  const { now, draft, rechecks } = context
  const newsAt = newsDueAt(group, route)
  const reminderAt = reminderDueAt(group, route)
  const ripe = newsAt !== null && newsAt <= now
  const remind = reminderAt !== null && reminderAt <= now
  const recheck = rechecks.get(group.id)
  if (!(ripe || remind) || (recheck?.group === group && now < recheck.atMs)) return null
  const found = review(members.values(), context.isMuted)
  for (const member of found.hushed) draft.setMember(group.id, { ...member, doneAtMs: now })
  const news = found.fresh.length + found.raised.length + found.resolved.length > 0 || group.folded > group.foldedTold
  if ((ripe && news) || (remind && found.standing.length > 0)) {
    rechecks.delete(group.id)
    return { group, route, review: found, reminder: !news }
  }
  // A reminder with nobody to remind must not put off news that ripen in a moment.
  const ripensAt = ripe || newsAt === null ? Number.POSITIVE_INFINITY : newsAt
  rechecks.set(group.id, { group, atMs: Math.min(ripensAt, now + mutedRecheckMs) })
  if (group.changedAtMs !== null && !news && !found.muted.some(isUntold)) {
    draft.setGroup({ ...group, changedAtMs: null, urgent: false })
  }
  return null
}

function isUntold(member: Member): boolean {
  return member.told === null || severityRank(member.alert.severity) > severityRank(member.told)
}

/**
 * Makes the messages of one integration: one a group while the allowance lasts; what exceeds it goes into one digest,
 * worst groups first, so that a flood costs the reader no more messages than the receiver takes.
 */
export function makeNotices(
  due: readonly DueGroup[],
  integration: Integration,
  context: { now: EpochMs; allowance: number; draft: Draft; message: MessageContext },
): readonly PendingEntry[] {
  if (context.allowance === 0 || due.length === 0) return []
  const sorted = [...due].sort(
    (a, b) => rankOf(b) - rankOf(a) || changedAt(a) - changedAt(b) || (a.group.id < b.group.id ? -1 : 1),
  )
  if (sorted.length <= context.allowance) return sorted.map((one) => makeNotice([one], integration, context))
  const own = sorted.slice(0, context.allowance - 1)
  const rest = sorted.slice(context.allowance - 1)
  return [...own.map((one) => makeNotice([one], integration, context)), makeNotice(rest, integration, context)]
}

function makeNotice(
  due: readonly DueGroup[],
  integration: Integration,
  { now, draft, message: shared }: { now: EpochMs; draft: Draft; message: MessageContext },
): PendingEntry {
  const single = due.length === 1 ? due[0] : undefined
  const thread =
    single === undefined
      ? digest(['digest', due.map(({ group }) => [threadId(group), group.revision])])
      : threadId(single.group)
  const { labels = {}, route = '' } = due[0]?.group ?? {}
  const id = notificationId(thread, integration.receiver, (single?.group.revision ?? 0) + 1)
  const { message, subject } = composeMessage(
    {
      id,
      thread,
      receiver: integration.receiver,
      now,
      routeText: due[0]?.route.text ?? '',
      reminder: due.every((one) => one.reminder),
      firing: due.flatMap(({ review: { fresh, raised, standing } }) => [...fresh, ...raised, ...standing]),
      resolved: due.flatMap((one) => one.review.resolved),
      mutedCount: sum(due, (one) => one.review.muted.length),
      folded: sum(due, (one) => one.group.folded),
      groups: due.length,
      maxPerMinute: integration.maxPerMinute,
      subject: single?.group.subject ?? null,
      drill: due.every(isDrillGroup),
      ...addressed(integration, labels['tenant'] ?? '', shared),
    },
    shared,
  )
  const isForPrograms = integration.kind === 'webhook' || integration.kind === 'pagerduty'
  const limit = integration.kind === 'webhook' ? integration.webhook.maxAlerts : mostAlerts
  const group =
    single === undefined
      ? { groupKey: 'digest', groupLabels: {} }
      : { groupKey: `${route}:${JSON.stringify(labels)}`, groupLabels: labels }
  const reviews = due.map((one) => one.review)
  for (const one of due) told(one, { key: id, now, draft, subject: single === undefined ? one.group.subject : subject })
  return {
    key: id,
    state: 'pending',
    integration: integration.key,
    receiver: integration.receiver,
    groups: due.map((one) => one.group.id),
    message,
    ...(isForPrograms ? { told: toldAlerts(group, reviews, { bases: shared, now, limit }) } : {}),
    about: aboutOf(reviews),
    createdAtMs: now,
  }
}

/** A drill has its groups to itself. */
function isDrillGroup({ review: { fresh, raised, standing, resolved } }: DueGroup): boolean {
  return [...fresh, ...raised, ...standing, ...resolved].every(({ alert }) => isDrill(alert))
}

/** Whom the message tells of, news first. */
function aboutOf(reviews: readonly Review[]): readonly AboutAlert[] {
  const news = reviews.flatMap(({ fresh, raised, resolved }) => [...fresh, ...raised, ...resolved])
  const all = [...news, ...reviews.flatMap(({ standing }) => standing)]
  return all.slice(0, aboutLimit).map(({ alert: { fingerprint, rule } }) => ({ fingerprint, rule }))
}

/** Whom the message goes to, where the receiver's settings leave it to the alert. */
function addressed(integration: Integration, tenant: string, { tenants }: MessageContext) {
  if (integration.kind !== 'email' || integration.email.recipients.kind !== 'tenant') return {}
  const { audience, recipients } = integration.email
  return {
    to: addressesOf(tenant, recipients.purpose, tenants),
    tenant: audience === 'external' ? tenant : null,
  }
}

/** Notes in the draft that the entry tells all there is to tell. */
function told(
  { group, review: found }: DueGroup,
  { key, now, draft, subject }: { key: string; now: EpochMs; draft: Draft; subject: Group['subject'] },
): void {
  draft.setGroup({
    ...group,
    revision: group.revision + 1,
    subject,
    lastSentAtMs: now,
    // What is muted and untold stays a change, to be told when the silence ends.
    changedAtMs: found.muted.some(isUntold) ? now : null,
    urgent: false,
    pending: key,
    foldedTold: group.folded,
  })
  for (const member of [...found.fresh, ...found.raised, ...found.standing]) {
    if (member.told !== member.alert.severity) draft.setMember(group.id, { ...member, told: member.alert.severity })
  }
  for (const member of found.resolved) draft.setMember(group.id, { ...member, doneAtMs: now })
}

function rankOf({ review: found }: DueGroup): number {
  let rank = 0
  for (const list of [found.fresh, found.raised, found.standing]) {
    for (const member of list) rank = Math.max(rank, 1 + severityRank(member.alert.severity))
  }
  return rank
}

function changedAt({ group }: DueGroup): EpochMs {
  return group.changedAtMs ?? group.lastSentAtMs ?? group.startedAtMs
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
