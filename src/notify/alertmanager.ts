import { formatInstant } from '../time/instant.ts'
import { postJson } from './http-post.ts'
import type { AlertTarget, PostedAlert, Receiver } from './receiver.ts'
import type { AlertmanagerSettings } from './routing.ts'
import type { Fetch } from './slack.ts'
import { standIn } from './webhook.ts'

/** How long an alert holds that is sent by hand and not again, for `test-receiver`. */
const testForMs = 60_000

/**
 * Hands alerts to the members of an Alertmanager cluster (`POST /api/v2/alerts`), which groups, routes and mutes them
 * itself. `alertmanager-feed.ts` decides what is sent when; here is only how.
 */
export function openAlertmanager(settings: AlertmanagerSettings, fetch: Fetch = globalThis.fetch): Receiver {
  const { authorization, timeoutMs } = settings
  const targets = settings.urls.map((url): AlertTarget => {
    return {
      post: (alerts) => {
        const body = alerts.map(postableAlert)
        // Those that can be taken are taken even where the answer is 400; sending them all again changes nothing.
        return postJson(fetch, { url: `${url}/api/v2/alerts`, body, authorization, timeoutMs, final: [400] })
      },
    }
  })
  return {
    targets,
    /** A message is only ever a test, and every member must take it. */
    async deliver(message, _thread, told = standIn(message)) {
      const alerts = told.alerts.map((alert) => ({ alert, endsAtMs: message.madeAtMs + testForMs }))
      const deliveries = await Promise.all(targets.map((target) => target.post(alerts)))
      return deliveries.find(({ kind }) => kind === 'failed') ?? { kind: 'sent' }
    },
    async close() {},
  }
}

/** `postableAlert` of Alertmanager's API v2; a label without a value is a label that is not there. */
function postableAlert({ alert, endsAtMs }: PostedAlert) {
  const labels = Object.fromEntries(Object.entries(alert.labels).filter(([, value]) => value !== ''))
  return {
    labels,
    annotations: alert.annotations,
    startsAt: formatInstant(alert.startsAtMs),
    endsAt: formatInstant(endsAtMs),
    ...(alert.url === '' ? {} : { generatorURL: alert.url }),
  }
}
