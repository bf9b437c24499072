import { readFileSync } from 'node:fs'
import type { Transition } from '../alert/alert.ts'
import { messageOf } from '../fault/fault.ts'
import { silentLog } from '../fault/log.ts'
import { MemoryState } from '../history/state.ts'
import { noDirectory, type TenantDirectory } from '../tenants/directory.ts'
import { type EpochMs, ManualClock } from '../time/clock.ts'
import { minuteMs, secondMs } from '../time/duration.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Message } from './message.ts'
import type { Muting } from './muting.ts'
import type { Receiver } from './receiver.ts'
import type { Integration, Routing } from './routing.ts'
import { parseRouting, type RoutingResult } from './routing-file.ts'
import { type Silence, Silences } from './silence.ts'

/** A message that somebody would have got. */
export interface RehearsedMessage {
  readonly atMs: EpochMs
  readonly receiver: string
  readonly integration: string
  readonly status: 'firing' | 'resolved'
  readonly subject: string
  /** The conversation that it belongs to. */
  readonly thread: string
  /** The rules whose alerts it tells of, in the order of their names. */
  readonly rules: readonly string[]
}

interface Got {
  readonly atMs: EpochMs
  readonly integration: string
  readonly message: Message
}

/** Nothing waits more exactly than this; live, the dispatcher looks once a second. */
const stepMs = 10 * secondMs

/**
 * The real dispatcher on a clock of its own, with receivers that only write down what they get: who would be told what,
 * and when. Nothing leaves the process, and nothing is read or stored.
 */
export class Rehearsal {
  readonly messages: RehearsedMessage[] = []
  readonly #clock: ManualClock
  readonly #dispatcher: Dispatcher
  /** What came since the last tick. */
  readonly #got: Got[]

  private constructor(clock: ManualClock, dispatcher: Dispatcher, got: Got[]) {
    this.#clock = clock
    this.#dispatcher = dispatcher
    this.#got = got
  }

  /**
   * @param options `silences` as people have added them; those of the routing come along by themselves
   */
  static async open(
    routing: Routing,
    options: { startMs: EpochMs; silences?: readonly Silence[]; tenants?: TenantDirectory },
  ): Promise<Rehearsal> {
    const clock = new ManualClock(options.startMs)
    const store = new MemoryState()
    await store.put(
      (options.silences ?? []).map((one) => ({ kind: 'silence', key: one.id, value: JSON.stringify(one) })),
    )
    const got: Got[] = []
    const integrations = [...routing.receivers.values()].flat()
    const dispatcher = await Dispatcher.open({
      // A sign of life is no message about anything.
      routing: { ...routing, heartbeat: null },
      receivers: new Map(integrations.map((one) => [one.key, recorder(one, clock, got)])),
      store,
      silences: await Silences.open({ store, clock, scheduled: routing.silences }),
      clock,
      log: silentLog,
      attempts: { sent() {}, failed() {} },
      random: () => 0.5,
      message: {
        ...{ demo: false, timezone: routing.timezone, file: 'the routes', tenants: options.tenants ?? noDirectory },
        ...{ pageUrl: null, runbookUrl: '', dashboardUrl: null, operator: { name: null, contact: null } },
        ...{ current: () => null, trend: () => null },
      },
    })
    return new Rehearsal(clock, dispatcher, got)
  }

  get nowMs(): EpochMs {
    return this.#clock.now()
  }

  /** Takes changes of alerts that come now. */
  async accept(transitions: readonly Transition[]): Promise<void> {
    if (transitions.length > 0) await this.#dispatcher.accept(transitions)
  }

  /** Lets time pass up to a moment, sending what falls due on the way. */
  async passTo(atMs: EpochMs): Promise<void> {
    for (let now = this.nowMs; now < atMs; now = this.nowMs) {
      const dueAtMs = this.#dispatcher.nextDueAt()
      // Once a minute it looks after itself, so that what is done with is forgotten.
      const nextMs = Math.min(Math.max(dueAtMs ?? atMs, now + stepMs), now + minuteMs, atMs)
      await this.#clock.advance((dueAtMs === null && this.#isQuiet ? atMs : nextMs) - now)
      await this.#tick()
    }
  }

  /** Silences, inhibitions and time intervals as they stand now. */
  muting(): Muting {
    return this.#dispatcher.muting(this.nowMs)
  }

  account(...asked: Parameters<Dispatcher['account']>): ReturnType<Dispatcher['account']> {
    return this.#dispatcher.account(...asked)
  }

  get #isQuiet(): boolean {
    return this.#dispatcher.status().groups === 0
  }

  async #tick(): Promise<void> {
    await this.#dispatcher.tick(this.nowMs)
    await this.#dispatcher.idle()
    for (const { atMs, integration, message } of this.#got.splice(0)) {
      const rules = new Set(this.#dispatcher.about(message.id).map(({ rule }) => rule))
      this.messages.push({
        ...{ atMs, integration, receiver: message.receiver, subject: message.subject, thread: message.thread },
        status: message.status === 'resolved' ? 'resolved' : 'firing',
        rules: [...rules].sort(),
      })
    }
  }
}

/** An Alertmanager groups by itself: it takes alerts and no messages, so there is nothing to count. */
function recorder({ kind, key }: Integration, clock: ManualClock, got: Got[]): Receiver {
  return {
    deliver: async (message) => {
      got.push({ atMs: clock.now(), integration: key, message })
      return { kind: 'sent' }
    },
    close: async () => {},
    ...(kind === 'alertmanager' ? { targets: [{ post: async () => ({ kind: 'sent' }) }] } : {}),
  }
}

/** What stands in for secrets that only the daemon has: nothing is sent, but their shape must be right. */
const noSecret = 'https://unset.invalid/'

/** Reads routes without their secrets, which a rehearsal has no use for. */
export function readRoutes(file: string): RoutingResult {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const message = `cannot be read (${messageOf(error)})`
    return { ok: false, problems: [{ file, line: null, path: '', message, fix: 'check the path of the routes' }] }
  }
  const names = [...text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name]) => name ?? '')
  const environment = Object.fromEntries(names.map((name) => [name, noSecret]))
  return parseRouting(text, { file, environment, readSecret: () => noSecret })
}
