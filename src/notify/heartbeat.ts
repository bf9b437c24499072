import type { Alert } from '../alert/alert.ts'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import { secondMs } from '../time/duration.ts'
import { builtInAlert } from './built-in.ts'
import { digest } from './group.ts'
import { composeMessage, type MessageContext } from './message.ts'
import { type Delivery, failed, type Receiver, type SendAttempts } from './receiver.ts'
import type { HeartbeatSettings } from './routing.ts'
import { toldAlert } from './told.ts'

/** How soon a heartbeat that was not taken is sent again. */
const againMs = 10 * secondMs

export interface HeartbeatDeps {
  readonly store: StateStore
  readonly log: Log
  readonly attempts: SendAttempts
  readonly message: MessageContext
  /** Why there is to be no sign of life now; null when all is well. */
  readonly problem: () => string | null
}

/**
 * Sends a sign of life to a service outside that raises an alarm when it stops coming. It is sent only if rules are
 * evaluated, no receiver fails, and the store, without which no notification is made, takes a row: whatever of these
 * breaks, somebody hears of it by the silence.
 */
export class Heartbeat {
  readonly #settings: HeartbeatSettings
  readonly #receivers: readonly Receiver[]
  readonly #deps: HeartbeatDeps
  readonly #startedAtMs: EpochMs
  #dueAtMs: EpochMs
  #problem: string | null = null
  #running: Promise<void> | null = null

  constructor(settings: HeartbeatSettings, receivers: readonly Receiver[], deps: HeartbeatDeps & { now: EpochMs }) {
    this.#settings = settings
    this.#receivers = receivers
    this.#deps = deps
    this.#startedAtMs = deps.now
    this.#dueAtMs = deps.now
  }

  /** Sends what is due; returns at once. */
  start(now: EpochMs, onCrash: (error: unknown) => void): void {
    if (this.#running !== null || now < this.#dueAtMs) return
    const problem = this.#deps.problem()
    this.#say(problem)
    if (problem !== null) return
    this.#running = this.#beat(now)
      .then((delivered) => {
        this.#dueAtMs = now + (delivered ? this.#settings.everyMs : Math.min(againMs, this.#settings.everyMs))
      }, onCrash)
      .finally(() => {
        this.#running = null
      })
  }

  async idle(): Promise<void> {
    await this.#running
  }

  async #beat(now: EpochMs): Promise<boolean> {
    const { store, log, attempts } = this.#deps
    const { receiver } = this.#settings
    try {
      await store.put([{ kind: 'heartbeat', key: 'last', value: String(now) }])
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      this.#say(`the store takes nothing (${error.code})`)
      return false
    }
    const deliveries = await Promise.all(this.#receivers.map((one) => this.#deliver(one, now)))
    for (const delivery of deliveries) {
      if (delivery.kind === 'sent') attempts.sent(receiver)
      else {
        attempts.failed(receiver, delivery.reason)
        log.warn('the heartbeat was not taken', { receiver, reason: delivery.reason, detail: delivery.detail })
      }
    }
    return deliveries.every(({ kind }) => kind === 'sent')
  }

  async #deliver(receiver: Receiver, now: EpochMs): Promise<Delivery> {
    const alert = heartbeatAlert(this.#startedAtMs, now)
    const { message: context } = this.#deps
    const id = digest(['heartbeat', this.#settings.receiver, now])
    const { message } = composeMessage(
      {
        ...{ id, thread: digest(['heartbeat']), receiver: this.#settings.receiver, now, routeText: 'heartbeat' },
        firing: [{ alert, noticedAtMs: this.#startedAtMs, told: null, doneAtMs: null }],
        ...{ resolved: [], reminder: false, mutedCount: 0, folded: 0, groups: 1, maxPerMinute: 1, subject: null },
      },
      context,
    )
    const told = toldAlert(alert, { bases: context, now, isNews: true })
    const group = { groupKey: 'heartbeat', groupLabels: { alertname: alert.rule } }
    try {
      return await receiver.deliver(message, { receipt: null }, { ...group, alerts: [told], truncated: 0 })
    } catch (error) {
      // A mistake of ours, as in a lane: without the heartbeat somebody comes to look.
      this.#deps.log.error('a receiver broke down', { error: messageOf(error) })
      return failed('internal', 'a mistake in Tollwatch')
    }
  }

  /** Once for each change, not each time. */
  #say(problem: string | null): void {
    if (problem === this.#problem) return
    this.#problem = problem
    if (problem === null) this.#deps.log.info('the heartbeat goes on')
    else this.#deps.log.warn('no heartbeat is sent', { problem })
  }
}

function heartbeatAlert(startedAtMs: EpochMs, now: EpochMs): Alert {
  return builtInAlert({
    key: 'heartbeat',
    rule: 'Heartbeat',
    severity: 'info',
    labels: {},
    activeAtMs: startedAtMs,
    now,
    summary: 'Tollwatch evaluates its rules and delivers its notifications.',
    facts: [],
  })
}
