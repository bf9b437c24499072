import type { Alert, AlertNumbers, Transition } from '../../src/alert/alert.ts'
import { silentLog } from '../../src/fault/log.ts'
import { MemoryState, type StateStore } from '../../src/history/state.ts'
import { Dispatcher, type DispatcherOptions } from '../../src/notify/dispatcher.ts'
import type { Message, MessageContext } from '../../src/notify/message.ts'
import type { Delivery, FailureReason, Receiver } from '../../src/notify/receiver.ts'
import { openReceivers } from '../../src/notify/receivers.ts'
import { defaultRouting, type Routing } from '../../src/notify/routing.ts'
import { parseRouting } from '../../src/notify/routing-file.ts'
import { Silences } from '../../src/notify/silence.ts'
import { noDirectory } from '../../src/tenants/directory.ts'
import { type Clock, type EpochMs, ManualClock } from '../../src/time/clock.ts'

/** 2026-03-02 11:04:00 UTC, a Monday. */
export const eleven: EpochMs = Date.parse('2026-03-02T11:04:00Z')

export const minute = 60_000
export const hour = 60 * minute

/** An alert as the rules would hand it over; `numbers` may be given in part. */
export function alertOf(change: Partial<Omit<Alert, 'numbers'>> & { numbers?: Partial<AlertNumbers> } = {}): Alert {
  const activeAtMs = change.activeAtMs ?? eleven - 3 * minute
  const labels = change.labels ?? { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' }
  const fingerprint = change.fingerprint ?? `fp-${Object.values(labels).join('-').slice(0, 40)}`
  const state = change.state ?? 'firing'
  return {
    rule: 'QuotaExhaustionSpike',
    severity: 'page',
    annotations: { summary: 'acme / chat: 6.0 % of calls refused with 402' },
    firedAtMs: activeAtMs,
    resolvedAtMs: null,
    evaluatedAtMs: eleven,
    shadow: false,
    value: 60,
    ...change,
    state,
    fingerprint,
    episode: change.episode ?? `${fingerprint}@${activeAtMs}`,
    labels,
    activeAtMs,
    numbers: {
      windowMs: 5 * minute,
      observed: 60,
      requests: 1_004,
      expected: 2.2,
      pValue: 1 / 37e6,
      soFar: 172,
      peak: 80,
      top: [],
      tenants: 1,
      scope: null,
      facts: [],
      ...change.numbers,
    },
  }
}

export function firing(alert: Alert): Transition {
  return { from: 'inactive', alert: { ...alert, state: 'firing' } }
}

export function resolved(alert: Alert, at: EpochMs): Transition {
  return { from: 'firing', alert: { ...alert, state: 'resolved', resolvedAtMs: at, evaluatedAtMs: at } }
}

export const context: MessageContext = {
  demo: false,
  timezone: 'UTC',
  file: 'alerts/notify.yaml',
  pageUrl: 'http://127.0.0.1:8402',
  runbookUrl: 'https://wiki.example.com/runbooks',
  dashboardUrl: 'https://grafana.example.com/d/tenant-402',
  current: () => null,
  trend: () => null,
  tenants: noDirectory,
  operator: { name: null, contact: null },
}

export function routingOf(yaml: string, environment: Record<string, string> = {}): Routing {
  const read = parseRouting(yaml, { file: 'notify.yaml', environment, readSecret: () => '' })
  if (!read.ok) throw new Error(JSON.stringify(read.problems, null, 2))
  return read.routing
}

/** Receivers named `a`, `b`… that take what they are given, or answer what a test wants. */
export class Inbox {
  readonly got: { readonly at: EpochMs; readonly integration: string; readonly message: Message }[] = []
  /** Asked before each delivery; null takes the message. */
  answer: (integration: string, message: Message) => Delivery | null | Promise<Delivery | null> = () => null
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  receiver(integration: string): Receiver {
    return {
      deliver: async (message) => {
        const answer = await this.answer(integration, message)
        if (answer !== null) return answer
        this.got.push({ at: this.#clock.now(), integration, message })
        return { kind: 'sent' }
      },
      close: async () => {},
    }
  }

  subjects(): readonly string[] {
    return this.got.map(({ message }) => message.subject)
  }
}

export interface Desk {
  readonly clock: ManualClock
  readonly inbox: Inbox
  readonly store: StateStore
  readonly silences: Silences
  readonly dispatcher: Dispatcher
  readonly counted: { sent: number; failed: FailureReason[] }
  /** Lets time pass a second at a time, ticking and delivering. */
  pass(ms: number): Promise<void>
  /** A new dispatcher over the same store, as after a kill. */
  again(routing?: Routing): Promise<Desk>
}

/** A dispatcher with receivers that keep what they get and a clock that is moved by hand. */
export async function desk(
  routing: Routing = defaultRouting,
  given: {
    clock?: ManualClock
    store?: StateStore
    inbox?: Inbox
    receivers?: DispatcherOptions['receivers']
    context?: MessageContext
    limits?: { alerts: number; groups: number }
    evaluation?: () => string | null
  } = {},
): Promise<Desk> {
  const clock = given.clock ?? new ManualClock(eleven)
  const store = given.store ?? new MemoryState()
  const inbox = given.inbox ?? new Inbox(clock)
  const silences = await Silences.open({ store, clock, scheduled: routing.silences })
  const counted = { sent: 0, failed: [] as FailureReason[] }
  const keys = [...openReceivers(routing, { log: silentLog }).keys()]
  const dispatcher = await Dispatcher.open({
    routing,
    receivers: given.receivers ?? new Map(keys.map((key) => [key, inbox.receiver(key)])),
    store,
    silences,
    clock,
    log: silentLog,
    attempts: {
      sent: () => {
        counted.sent++
      },
      failed: (_, reason) => {
        counted.failed.push(reason)
      },
    },
    random: () => 0.5,
    message: given.context ?? context,
    ...(given.limits === undefined ? {} : { limits: given.limits }),
    ...(given.evaluation === undefined ? {} : { evaluation: given.evaluation }),
  })
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      await clock.advance(Math.min(1_000, ms - passed))
      await dispatcher.tick(clock.now())
      await dispatcher.idle()
    }
  }
  const again = (next = routing) => desk(next, { ...given, clock, store, inbox })
  return { clock, inbox, store, silences, dispatcher, counted, pass, again }
}
