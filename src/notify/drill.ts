import { randomBytes } from 'node:crypto'
import type { Alert, Severity } from '../alert/alert.ts'
import type { Rule } from '../alert/rule.ts'
import { Fault } from '../fault/fault.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import type { Account } from './account.ts'
import type { Dispatcher } from './dispatcher.ts'
import { drillAlert } from './drill-alert.ts'
import type { Routing } from './routing.ts'

export interface DrillRequest {
  /** Tells this receiver, past the routes; null lets the routes decide. */
  readonly receiver: string | null
  /** As this rule would raise it; null for an alert of no rule. */
  readonly rule: string | null
  /** Where no rule decides it. */
  readonly severity: Severity
}

/** How a drill stands. */
export interface Drill {
  readonly id: string
  readonly rule: string
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  readonly startedAtMs: EpochMs
  readonly account: Account
  /** Everybody was told of its beginning and its end, or never will be. */
  readonly isDone: boolean
}

/** What starts drills and tells of them. */
export interface DrillDesk {
  /** @throws Fault `argument-invalid` when there is no such receiver or rule, or a drill is under way */
  start(asked: DrillRequest): Promise<Drill>
  /** Null when there is none of this id, or it was long ago. */
  find(id: string): Drill | null
}

/** Drills that are still told of. */
const remembered = 10

/** Fire drills through the dispatcher of a daemon, one after another. */
export class Drills implements DrillDesk {
  readonly #options: { dispatcher: Dispatcher; routing: Routing; rules: readonly Rule[]; clock: Clock }
  readonly #alerts = new Map<string, Alert>()

  constructor(options: { dispatcher: Dispatcher; routing: Routing; rules: readonly Rule[]; clock: Clock }) {
    this.#options = options
  }

  async start({ receiver, rule: name, severity }: DrillRequest): Promise<Drill> {
    const { dispatcher, routing, rules, clock } = this.#options
    if (receiver !== null && !routing.receivers.has(receiver)) {
      throw invalid(`there is no receiver "${receiver}"; there are: ${[...routing.receivers.keys()].join(', ')}`)
    }
    const rule = rules.find((one) => one.name === name) ?? null
    if (name !== null && rule === null) {
      throw invalid(`there is no rule "${name}"; there are: ${rules.map((one) => one.name).join(', ')}`)
    }
    const open = [...this.#alerts.keys()].find((id) => this.find(id)?.isDone === false)
    if (open !== undefined) throw invalid(`the drill ${open} is under way; wait for its end`)
    const id = randomBytes(4).toString('hex')
    const alert = drillAlert(id, { rule, receiver, severity }, clock.now())
    await dispatcher.accept([{ from: 'inactive', alert }])
    this.#alerts.set(id, alert)
    for (const old of [...this.#alerts.keys()].slice(0, -remembered)) this.#alerts.delete(old)
    return this.#report(id, alert)
  }

  find(id: string): Drill | null {
    const alert = this.#alerts.get(id)
    return alert === undefined ? null : this.#report(id, alert)
  }

  #report(id: string, alert: Alert): Drill {
    const { rule, severity, labels, activeAtMs, fingerprint } = alert
    const account = this.#options.dispatcher.account(fingerprint, null) ?? { ways: [], messages: [] }
    const isUnderWay = account.messages.some(({ state }) => state === 'pending')
    const isOver = account.ways.every(({ state, next }) => state === 'resolved' && next === null)
    return { id, rule, severity, labels, startedAtMs: activeAtMs, account, isDone: isOver && !isUnderWay }
  }
}

function invalid(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}
