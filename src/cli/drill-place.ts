import type { Rule } from '../alert/rule.ts'
import { silentLog } from '../fault/log.ts'
import { MemoryState } from '../history/state.ts'
import { answerOf, type DrillAnswer } from '../http/api/drills.ts'
import { Dispatcher } from '../notify/dispatcher.ts'
import { Drills } from '../notify/drill.ts'
import type { Receiver } from '../notify/receiver.ts'
import type { Routing } from '../notify/routing.ts'
import { Silences } from '../notify/silence.ts'
import { noDirectory } from '../tenants/directory.ts'
import type { Clock } from '../time/clock.ts'
import type { Ask } from './ask-daemon.ts'
import type { DrillPlace } from './drill.ts'

/** A drill in a running daemon: with its groups, its silences and whatever keeps it from delivering. */
export function daemonDrill(ask: Ask): DrillPlace {
  return {
    start: (asked) => ask<DrillAnswer>('POST', '/api/v1/drills', asked),
    look: (id) => ask<DrillAnswer>('GET', `/api/v1/drills/${encodeURIComponent(id)}`),
    close: async () => {},
  }
}

/**
 * A drill in this process, through the routes and receivers of a file: before there is a daemon.
 *
 * @param options `receivers` as `openReceivers` makes them
 */
export async function ownDrill(options: {
  routing: Routing
  receivers: ReadonlyMap<string, Receiver>
  rules: readonly Rule[]
  clock: Clock
  /** For the words of the messages. */
  file: string
  runbookUrl: string
}): Promise<DrillPlace> {
  const { routing, receivers, rules, clock, file, runbookUrl } = options
  const store = new MemoryState()
  const dispatcher = await Dispatcher.open({
    routing: { ...routing, heartbeat: null },
    ...{ receivers, store, clock, log: silentLog, random: Math.random },
    silences: await Silences.open({ store, clock, scheduled: routing.silences }),
    attempts: { sent() {}, failed() {} },
    message: {
      ...{ demo: false, timezone: routing.timezone, file, pageUrl: null, runbookUrl, dashboardUrl: null },
      ...{ current: () => null, trend: () => null, tenants: noDirectory, operator: { name: null, contact: null } },
    },
  })
  const drills = new Drills({ dispatcher, routing, rules, clock })
  return {
    start: async ({ receiver = null, rule = null, severity }) =>
      answerOf(await drills.start({ receiver, rule, severity })),
    look: async (id) => {
      await dispatcher.tick(clock.now())
      // A receiver that dawdles must not keep us from saying so: what it takes is seen at the next look.
      await Promise.race([dispatcher.idle(), clock.sleep(200)])
      const drill = drills.find(id)
      return drill === null ? null : answerOf(drill)
    },
    close: () => dispatcher.close(),
  }
}
