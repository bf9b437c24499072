import type { Alert } from '../alert/alert.ts'
import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs, secondMs } from '../time/duration.ts'
import type { Member } from './group.ts'
import type { Draft, GroupState } from './groups.ts'
import type { LinkBases } from './links.ts'
import { retryDelayMs } from './outbox.ts'
import { type AlertTarget, type Delivery, failed, type PostedAlert, type SendAttempts } from './receiver.ts'
import type { AlertmanagerSettings, Integration } from './routing.ts'
import { toldAlert } from './told.ts'

/** How long the end of an alert is repeated: Prometheus' `resolvedRetention`. */
export const endRepeatedMs = 15 * minuteMs
/** Alerts in one request. */
const batchSize = 256
/** How soon a group whose alerts are all muted is looked at again. */
const recheckMs = 5 * secondMs

export type AlertmanagerIntegration = Extract<Integration, { kind: 'alertmanager' }>

export interface FeedDeps {
  readonly log: Log
  readonly attempts: SendAttempts
  readonly random: () => number
  readonly bases: LinkBases
  /** How often a rule is evaluated. */
  readonly ruleIntervalMs: (rule: string) => number
}

/**
 * Sends alerts to Alertmanager the way Prometheus does, as its alert generator compliance specification has it: an
 * alert that fires is sent at once and again whenever `resend_delay` has passed, each time with an end four times as
 * far away as the longer of that delay and the rule's interval, so that Alertmanager takes it for over if we fall
 * silent; its end is sent at once, and repeated for a quarter of an hour. Pending alerts are never sent.
 *
 * Which alerts there are stands in the dispatcher's groups, and survives a crash there: `told` says that an alert was
 * sent, `doneAtMs` when its end was first to be sent. When each was sent last is only kept here; after a restart all
 * of them are sent once more, which changes nothing in Alertmanager.
 */
export class AlertmanagerFeed {
  readonly #integration: AlertmanagerIntegration
  readonly #deps: FeedDeps
  readonly #ways: readonly Way[]
  readonly #looked = new Map<string, { readonly state: unknown; readonly atMs: EpochMs }>()
  /** Alerts under the severity they had: to Alertmanager another severity is another alert. By what it was called. */
  readonly #replaced = new Map<string, { readonly alert: Alert; readonly atMs: EpochMs }>()
  #running: Promise<void> | null = null

  constructor(integration: AlertmanagerIntegration, targets: readonly AlertTarget[], deps: FeedDeps) {
    this.#integration = integration
    this.#deps = deps
    this.#ways = targets.map((target, place) => new Way(target, `${integration.key} member ${place + 1}`))
  }

  get key(): string {
    return this.#integration.key
  }

  /** Since when no member of the cluster takes anything; null while one does. */
  get failingSinceMs(): EpochMs | null {
    const since = this.#ways.map((way) => way.failingSinceMs)
    return since.includes(null) ? null : Math.max(...since.map((at) => at ?? 0))
  }

  /** Notes in the draft what is to be sent from now on; muted alerts wait unless they were sent before. */
  review(
    { group, members }: GroupState,
    context: { now: EpochMs; isMuted: (alert: Alert) => boolean; draft: Draft },
  ): void {
    const { now, isMuted, draft } = context
    const looked = this.#looked.get(group.id)
    if (looked?.state === group && now < looked.atMs + recheckMs) return
    for (const member of members.values()) {
      if (member.doneAtMs !== null) continue
      const next = this.#reviewed(member, isMuted, now)
      if (next !== member) draft.setMember(group.id, next)
    }
    if (group.changedAtMs !== null || group.folded !== group.foldedTold) {
      if (group.folded > group.foldedTold) this.#tellFolded(group.folded)
      draft.setGroup({ ...group, changedAtMs: null, urgent: false, foldedTold: group.folded })
    }
    this.#looked.set(group.id, { state: draft.get(group.id) ?? group, atMs: now })
    if (this.#looked.size > 10_000) this.#looked.clear()
  }

  /** Starts sending what is due to each member of the cluster; returns at once. */
  start(groups: Iterable<GroupState>, now: EpochMs, onCrash: (error: unknown) => void): void {
    if (this.#running !== null || !this.#ways.some((way) => way.isReady(now))) return
    const standing = this.#standing(groups, now)
    const sending = this.#ways.map((way) => this.#send(way, standing, now))
    this.#running = Promise.all(sending)
      .then(() => {}, onCrash)
      .finally(() => {
        this.#running = null
      })
  }

  async idle(): Promise<void> {
    await this.#running
  }

  #reviewed(member: Member, isMuted: (alert: Alert) => boolean, now: EpochMs): Member {
    const { alert, told } = member
    if (told === null && isMuted(alert)) return alert.state === 'resolved' ? { ...member, doneAtMs: now } : member
    if (told !== null && told !== alert.severity) {
      // In event time: an end that lies ahead by Alertmanager's clock is none to it.
      const resolvedAtMs = Math.min(now, alert.evaluatedAtMs)
      const ended: Alert = { ...alert, severity: told, state: 'resolved', resolvedAtMs }
      this.#replaced.set(`${alert.fingerprint} ${told}`, { alert: ended, atMs: now })
    }
    if (alert.state === 'resolved') return { ...member, told: alert.severity, doneAtMs: now }
    return told === alert.severity ? member : { ...member, told: alert.severity }
  }

  /** What Alertmanager should know, by the name it knows it under. */
  #standing(groups: Iterable<GroupState>, now: EpochMs): ReadonlyMap<string, Alert> {
    const standing = new Map<string, Alert>()
    for (const [name, { alert, atMs }] of this.#replaced) {
      if (atMs + endRepeatedMs <= now) this.#replaced.delete(name)
      else standing.set(name, alert)
    }
    for (const { group, members } of groups) {
      if (group.integration !== this.key) continue
      for (const { alert, told, doneAtMs } of members.values()) {
        if (told === null || (doneAtMs !== null && doneAtMs + endRepeatedMs <= now)) continue
        const name = `${alert.fingerprint} ${told}`
        const known = standing.get(name)
        // An alert may be in several groups, and its last episode still there beside the new one.
        const isOlder = known !== undefined && known.state === 'firing' && alert.state !== 'firing'
        if (!isOlder) standing.set(name, told === alert.severity ? alert : { ...alert, severity: told })
      }
    }
    return standing
  }

  async #send(way: Way, standing: ReadonlyMap<string, Alert>, now: EpochMs): Promise<void> {
    const due = way.due(standing, now, this.#settings.resendDelayMs)
    for (let from = 0; from < due.length && way.isReady(now); from += batchSize) {
      const batch = due.slice(from, from + batchSize)
      const alerts = batch.map(({ alert }) => this.#posted(alert, now))
      const delivery = await this.#post(way, alerts)
      const { attempts, log, random } = this.#deps
      const { receiver } = this.#integration
      if (delivery.kind === 'sent') {
        attempts.sent(receiver)
        way.heard(batch, now)
        way.succeeded()
        continue
      }
      attempts.failed(receiver, delivery.reason)
      const { reason, detail } = delivery
      log.warn('an Alertmanager did not take alerts', {
        receiver,
        member: way.name,
        reason,
        detail,
        alerts: batch.length,
      })
      // What it refuses now it would refuse again: it is tried with the next resend.
      if (delivery.final) way.heard(batch, now)
      way.failed({ now, random, retryAfterMs: delivery.retryAfterMs, longestMs: this.#settings.resendDelayMs })
    }
  }

  async #post(way: Way, alerts: readonly PostedAlert[]): Promise<Delivery> {
    try {
      return await way.target.post(alerts)
    } catch (error) {
      // A mistake of ours, as in a lane: it must not end the feed.
      this.#deps.log.error('a receiver broke down', { member: way.name, error: messageOf(error) })
      return failed('internal', 'a mistake in Tollwatch')
    }
  }

  #posted(alert: Alert, now: EpochMs): PostedAlert {
    const told = toldAlert(alert, { bases: this.#deps.bases, now, isNews: true })
    const interval = Math.max(this.#settings.resendDelayMs, this.#deps.ruleIntervalMs(alert.rule))
    return { alert: told, endsAtMs: told.endsAtMs ?? now + 4 * interval }
  }

  #tellFolded(alerts: number): void {
    this.#deps.log.error('alerts came when no more could be kept apart; Alertmanager does not get them', { alerts })
  }

  get #settings(): AlertmanagerSettings {
    return this.#integration.alertmanager
  }
}

interface Sent {
  readonly episode: string
  readonly state: Alert['state']
  readonly atMs: EpochMs
}

interface Due {
  readonly name: string
  readonly alert: Alert
}

/** One member of the cluster: what it took when, and how it fares. */
class Way {
  readonly target: AlertTarget
  /** For the log; an address may hold a secret. */
  readonly name: string
  failingSinceMs: EpochMs | null = null
  readonly #sent = new Map<string, Sent>()
  #failures = 0
  #restUntilMs: EpochMs = 0

  constructor(target: AlertTarget, name: string) {
    this.target = target
    this.name = name
  }

  isReady(now: EpochMs): boolean {
    return now >= this.#restUntilMs
  }

  /** What it was not told yet, or so long ago that it must hear it again. */
  due(standing: ReadonlyMap<string, Alert>, now: EpochMs, resendDelayMs: number): readonly Due[] {
    for (const name of this.#sent.keys()) if (!standing.has(name)) this.#sent.delete(name)
    return [...standing].flatMap(([name, alert]) => {
      const sent = this.#sent.get(name)
      const isKnown = sent !== undefined && sent.episode === alert.episode && sent.state === alert.state
      return isKnown && now < sent.atMs + resendDelayMs ? [] : [{ name, alert }]
    })
  }

  heard(batch: readonly Due[], now: EpochMs): void {
    for (const { name, alert } of batch) this.#sent.set(name, { episode: alert.episode, state: alert.state, atMs: now })
  }

  succeeded(): void {
    this.#failures = 0
    this.failingSinceMs = null
  }

  failed(how: { now: EpochMs; random: () => number; retryAfterMs: number | null; longestMs: number }): void {
    this.#failures++
    this.failingSinceMs ??= how.now
    // Alerts must be heard of again before they run out, so it is never left alone for longer than a resend.
    const delayMs = Math.min(retryDelayMs(this.#failures, how.random()), how.longestMs)
    this.#restUntilMs = how.now + Math.max(delayMs, Math.min(how.retryAfterMs ?? 0, how.longestMs))
  }
}
