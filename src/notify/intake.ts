import type { Alert, Transition } from '../alert/alert.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import type { EpochMs } from '../time/clock.ts'
import { failingRoute, failingRule, isBuiltIn, otherWays } from './built-in.ts'
import { addressesOf } from './contact.ts'
import { drillLabels, drillRoute, drillWays } from './drill-alert.ts'
import { type Group, groupId, groupLabels, isRaised, type Member, newGroup } from './group.ts'
import type { Draft } from './groups.ts'
import { labelOf, labelsOf } from './labels.ts'
import { plainText } from './plain-text.ts'
import { type Integration, isForTenants, type Route, type Routing, routesFor } from './routing.ts'

/** Alerts kept apart over all groups; those beyond are only counted in their group. */
export const alertLimit = 20_000
/** Groups kept apart; alerts of further ones share one group a route. */
export const groupLimit = 5_000

export interface IntakeContext {
  readonly routing: Routing
  readonly now: EpochMs
  readonly limits: { readonly alerts: number; readonly groups: number }
  readonly tenants: TenantDirectory
  /** By the key of the route; a key of former routes is asked for as well. */
  readonly isMuted: (alert: Alert, route: string) => boolean
}

/** Where an alert belongs. */
export interface Place {
  readonly id: string
  readonly integration: Integration
  readonly route: Route
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Every group an alert belongs to: one for each integration of each route that takes it. Mail to tenants is grouped by
 * tenant whatever the route says, and what has no address there goes to the fallback.
 */
export function placesOf(alert: Alert, routing: Routing, tenants: TenantDirectory): readonly Place[] {
  if (isBuiltIn(alert) && alert.rule === failingRule)
    return otherWays(alert, routing).map((integration) => placeOf(alert, failingRoute, integration))
  const drilled = drillWays(alert, routing)
  if (drilled !== null) return drilled.map((integration) => placeOf(alert, drillRoute, integration))
  const places = new Map<string, Place>()
  for (const route of routesFor(routing.root, labelsOf(alert))) {
    for (const integration of routing.receivers.get(route.receiver) ?? []) {
      for (const way of waysFor(alert, integration, routing, tenants)) {
        const place = placeOf(alert, route, way)
        places.set(place.id, place)
      }
    }
  }
  return [...places.values()]
}

function placeOf(alert: Alert, route: Route, integration: Integration): Place {
  const own = { ...groupLabels(route, labelsOf(alert), alert.fingerprint), ...drillLabels(alert) }
  const labels = isForTenants(integration) ? { ...own, tenant: labelOf(alert.labels, 'tenant') } : own
  return { id: groupId(integration, route, labels), integration, route, labels }
}

function waysFor(
  alert: Alert,
  integration: Integration,
  routing: Routing,
  tenants: TenantDirectory,
): readonly Integration[] {
  if (integration.kind !== 'email' || integration.email.recipients.kind !== 'tenant') return [integration]
  const { purpose, fallback } = integration.email.recipients
  const tenant = labelOf(alert.labels, 'tenant')
  const isKnown = tenant !== '' && addressesOf(tenant, purpose, tenants).length > 0
  return isKnown ? [integration] : (routing.receivers.get(fallback ?? 'log') ?? [])
}

/**
 * Writes transitions into a draft. The same transition a second time changes nothing, so a caller that does not know
 * whether its last call was stored may repeat it.
 */
export class Intake {
  readonly #draft: Draft
  readonly #context: IntakeContext
  /** Alerts of a group that are not done yet, counted once and then kept up to date. */
  readonly #live = new Map<string, number>()

  constructor(draft: Draft, context: IntakeContext) {
    this.#draft = draft
    this.#context = context
  }

  /** Of a rule on trial nobody hears; but what was announced before the trial began is ended as ever. */
  take({ alert }: Transition): void {
    if (alert.state === 'firing' && !alert.shadow) this.#firing(bounded(alert))
    else if (alert.state === 'resolved') this.#resolved(bounded(alert))
  }

  /** Puts an alert into a group it is not in yet. */
  join(place: Place, member: Member): void {
    const { now, limits } = this.#context
    const before = this.#draft.get(place.id) ?? newGroup(place.id, place.integration, place.route, place.labels, now)
    if (this.#draft.memberCount >= limits.alerts) {
      this.#draft.setGroup({ ...before, folded: before.folded + 1, changedAtMs: before.changedAtMs ?? now })
      return
    }
    const quiet = before.revision > 0 && this.#liveCount(place.id) === 0 && before.changedAtMs === null
    const group = quiet ? afresh(before, now) : before
    const news = member.told === null || member.alert.state === 'resolved' || isRaised(member)
    this.#draft.setGroup(news ? { ...group, changedAtMs: group.changedAtMs ?? now } : group)
    this.#live.set(place.id, this.#liveCount(place.id) + 1)
    this.#draft.setMember(place.id, member)
  }

  /** The group, or the route's common one when there are too many. */
  placeFor(place: Place): Place {
    if (this.#draft.get(place.id) !== undefined || this.#draft.size < this.#context.limits.groups) return place
    // Tenants never share a message to themselves.
    const { tenant = '' } = place.labels
    const labels = isForTenants(place.integration) ? { overflow: 'true', tenant } : { overflow: 'true' }
    return { ...place, id: groupId(place.integration, place.route, labels), labels }
  }

  #firing(alert: Alert): void {
    const { now } = this.#context
    const holders = this.#draft.holders(alert.fingerprint)
    for (const id of holders) this.#closeOlder(id, alert)
    const held = new Set(holders.filter((id) => this.#draft.member(id, alert.episode) !== undefined))
    for (const id of held) this.#update(id, alert)
    for (const place of placesOf(alert, this.#context.routing, this.#context.tenants)) {
      const room = this.placeFor(place)
      if (!held.has(room.id)) this.join(room, { alert, noticedAtMs: now, told: null, doneAtMs: null })
    }
  }

  /** An alert has one episode at a time: if the end of the last one never reached us, the new one is its end. */
  #closeOlder(id: string, alert: Alert): void {
    for (const member of this.#draft.episodesOf(id, alert.fingerprint)) {
      if (member.alert.episode === alert.episode || member.alert.state === 'resolved') continue
      if (member.alert.activeAtMs >= alert.activeAtMs) continue
      this.#end(id, member, { ...member.alert, state: 'resolved', resolvedAtMs: alert.activeAtMs })
    }
  }

  #update(id: string, alert: Alert): void {
    const member = this.#draft.member(id, alert.episode)
    const group = this.#draft.get(id)
    if (member === undefined || group === undefined || member.alert.state === 'resolved') return
    if (alert.evaluatedAtMs < member.alert.evaluatedAtMs) return
    const next = { ...member, alert }
    this.#draft.setMember(id, next)
    if (isRaised(next))
      this.#draft.setGroup({ ...group, changedAtMs: group.changedAtMs ?? this.#context.now, urgent: true })
  }

  #resolved(alert: Alert): void {
    const holding = this.#draft.holders(alert.fingerprint).flatMap((id) => {
      const member = this.#draft.member(id, alert.episode)
      return member === undefined ? [] : [{ id, member }]
    })
    for (const { id, member } of holding) if (member.alert.state !== 'resolved') this.#end(id, member, alert)
    if (holding.length > 0 || alert.firedAtMs === null || alert.shadow) return
    // Nobody heard of it: it began and ended while we were away, or it was folded when it began.
    for (const place of placesOf(alert, this.#context.routing, this.#context.tenants)) {
      const muted = this.#context.isMuted(alert, place.route.key)
      const room = this.placeFor(place)
      const group = this.#draft.get(room.id)
      if (group !== undefined && group.folded > 0) this.#draft.setGroup(unfolded(group))
      else if (!muted) this.join(room, { alert, noticedAtMs: this.#context.now, told: null, doneAtMs: null })
    }
  }

  #end(id: string, member: Member, alert: Alert): void {
    const group = this.#draft.get(id)
    if (group === undefined) return
    if (member.told === null && this.#context.isMuted(member.alert, group.route)) {
      this.#draft.setMember(id, { ...member, alert, doneAtMs: this.#context.now })
      this.#live.set(id, this.#liveCount(id) - 1)
      return
    }
    this.#draft.setMember(id, { ...member, alert })
    this.#draft.setGroup({ ...group, changedAtMs: group.changedAtMs ?? this.#context.now })
  }

  #liveCount(id: string): number {
    let count = this.#live.get(id)
    if (count === undefined) {
      count = 0
      for (const member of this.#draft.membersOf(id).values()) if (member.doneAtMs === null) count++
      this.#live.set(id, count)
    }
    return count
  }
}

/** A new conversation in an old group; its start differs from the last one's even within the same millisecond. */
function afresh(group: Group, now: EpochMs): Group {
  return {
    ...group,
    startedAtMs: Math.max(now, group.startedAtMs + 1),
    revision: 0,
    subject: null,
    lastSentAtMs: null,
    urgent: false,
  }
}

function unfolded(group: Group): Group {
  return { ...group, folded: group.folded - 1, foldedTold: Math.max(0, group.foldedTold - 1) }
}

/** Names are strangers' texts: what is kept of an alert has a bound. */
function bounded(alert: Alert): Alert {
  const shorten = (texts: Readonly<Record<string, string>>, most: number, limit: number) =>
    Object.fromEntries(
      Object.entries(texts)
        .slice(0, most)
        .map(([name, text]) => [name, shorter(text, limit)]),
    )
  const top = alert.numbers.top.slice(0, 10).map((entry) => ({
    tenant: shorter(entry.tenant, 200),
    api: shorter(entry.api, 200),
    cause: shorter(entry.cause, 100),
    count: entry.count,
  }))
  return {
    ...alert,
    labels: shorten(alert.labels, 30, 500),
    annotations: shorten(alert.annotations, 20, 1_000),
    numbers: { ...alert.numbers, top },
  }
}

function shorter(text: string, limit: number): string {
  return text.length <= limit ? text : plainText(text, limit)
}
