import type { Log } from '../fault/log.ts'
import { openEmail } from './email.ts'
import { othersOf } from './email-text.ts'
import type { Receiver } from './receiver.ts'
import type { Integration, Routing } from './routing.ts'
import { type Fetch, openSlack } from './slack.ts'

/** Opens the way out of every integration, by its key. Nothing is connected before the first message. */
export function openReceivers(routing: Routing, deps: { log: Log; fetch?: Fetch }): ReadonlyMap<string, Receiver> {
  const receivers = new Map<string, Receiver>()
  for (const integration of [...routing.receivers.values()].flat())
    receivers.set(integration.key, open(integration, deps))
  return receivers
}

function open(integration: Integration, { log, fetch }: { log: Log; fetch?: Fetch }): Receiver {
  switch (integration.kind) {
    case 'email':
      return openEmail(integration.email, log)
    case 'slack':
      return openSlack(integration.slack, fetch)
    case 'log':
      return logReceiver(log)
    case 'none':
      return { deliver: async () => ({ kind: 'sent' }), close: async () => {} }
    default:
      return integration satisfies never
  }
}

/** Writes messages into the daemon's own log: what happens until somebody configures a receiver. */
function logReceiver(log: Log): Receiver {
  return {
    async deliver(message) {
      const facts = Object.fromEntries(
        message.facts.map(({ label, text }) => [label.toLowerCase().replaceAll(' ', '_'), text]),
      )
      const others = othersOf(message)
      log.info(message.subject, {
        notification: message.id,
        ...facts,
        ...(message.advice === null ? {} : { likely: message.advice.likely }),
        ...(message.runbook === null ? {} : { runbook: message.runbook }),
        ...(others.length === 0 ? {} : { also: others }),
      })
      return { kind: 'sent' }
    },
    async close() {},
  }
}
