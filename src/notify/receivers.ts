import type { Log } from '../fault/log.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { openAlertmanager } from './alertmanager.ts'
import { chartPainter } from './chart-image.ts'
import { openEmail } from './email.ts'
import { othersOf } from './email-text.ts'
import { openPagerduty } from './pagerduty.ts'
import type { Receiver } from './receiver.ts'
import type { Integration, Routing } from './routing.ts'
import { type Fetch, openSlack } from './slack.ts'
import { openSlackBot } from './slack-bot.ts'
import { openWebhook } from './webhook.ts'

/** Opens the way out of every integration, by its key. Nothing is connected before the first message. */
export function openReceivers(
  routing: Routing,
  deps: { log: Log; fetch?: Fetch; clock?: Clock },
): ReadonlyMap<string, Receiver> {
  const receivers = new Map<string, Receiver>()
  for (const integration of [...routing.receivers.values()].flat())
    receivers.set(integration.key, open(integration, deps))
  return receivers
}

function open(integration: Integration, { log, fetch, clock }: { log: Log; fetch?: Fetch; clock?: Clock }): Receiver {
  switch (integration.kind) {
    case 'email':
      return openEmail(integration.email, log)
    case 'slack':
      return integration.slack.way === 'webhook'
        ? openSlack(integration.slack, fetch)
        : openSlackBot(integration.slack, {
            ...{ log, clock: clock ?? systemClock, paint: chartPainter(log) },
            ...(fetch === undefined ? {} : { fetch }),
          })
    case 'webhook':
      return openWebhook(integration.webhook, fetch)
    case 'pagerduty':
      return openPagerduty(integration.pagerduty, fetch)
    case 'alertmanager':
      return openAlertmanager(integration.alertmanager, fetch)
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
