import { formatInstant } from '../time/instant.ts'
import { postJson } from './http-post.ts'
import type { Labels } from './labels.ts'
import type { Message } from './message.ts'
import type { Receiver } from './receiver.ts'
import type { WebhookSettings } from './routing.ts'
import type { Fetch } from './slack.ts'
import type { ToldAlert, ToldAlerts } from './told.ts'

/** Alertmanager's webhook body, version 4: whoever reads Alertmanager's reads ours. */
export interface WebhookBody {
  readonly version: '4'
  readonly groupKey: string
  readonly truncatedAlerts: number
  readonly status: 'firing' | 'resolved'
  readonly receiver: string
  readonly groupLabels: Labels
  readonly commonLabels: Labels
  readonly commonAnnotations: Labels
  /** The page's address, or empty. */
  readonly externalURL: string
  readonly alerts: readonly WebhookAlert[]
}

export interface WebhookAlert {
  readonly status: 'firing' | 'resolved'
  readonly labels: Labels
  readonly annotations: Labels
  readonly startsAt: string
  /** The year 1 while it fires, as in Alertmanager. */
  readonly endsAt: string
  readonly generatorURL: string
  readonly fingerprint: string
}

const notEnded = '0001-01-01T00:00:00Z'

/** Answers that say the body itself is at fault. */
const final = [400, 413, 415, 422]

export function openWebhook(settings: WebhookSettings, fetch: Fetch = globalThis.fetch): Receiver {
  const { url, authorization, timeoutMs, maxAlerts } = settings
  return {
    async deliver(message, _thread, told = standIn(message)) {
      const body = webhookBody(message, told, maxAlerts)
      return postJson(fetch, { url, authorization, timeoutMs, final, body })
    },
    async close() {},
  }
}

export function webhookBody(message: Message, told: ToldAlerts, maxAlerts: number): WebhookBody {
  const shown = told.alerts.slice(0, maxAlerts)
  return {
    version: '4',
    groupKey: told.groupKey,
    truncatedAlerts: told.truncated + told.alerts.length - shown.length,
    status: told.alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: message.receiver,
    groupLabels: told.groupLabels,
    commonLabels: common(told.alerts.map(({ labels }) => labels)),
    commonAnnotations: common(told.alerts.map(({ annotations }) => annotations)),
    externalURL: told.alerts[0] === undefined || told.alerts[0].url === '' ? '' : new URL(told.alerts[0].url).origin,
    alerts: shown.map(webhookAlert),
  }
}

function webhookAlert(alert: ToldAlert): WebhookAlert {
  return {
    status: alert.status,
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: formatInstant(alert.startsAtMs),
    endsAt: alert.endsAtMs === null ? notEnded : formatInstant(alert.endsAtMs),
    generatorURL: alert.url,
    fingerprint: alert.fingerprint,
  }
}

/** What all have alike. */
function common(all: readonly Labels[]): Labels {
  const [first = {}, ...others] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((one) => Object.hasOwn(one, name) && one[name] === value),
    ),
  )
}

/** A message without alerts behind it is a test; it becomes one alert that says so. */
export function standIn(message: Message): ToldAlerts {
  const labels = { alertname: 'TestMessage', rule: 'TestMessage', severity: message.severity }
  const alert: ToldAlert = {
    status: 'firing',
    severity: message.severity,
    fingerprint: message.id,
    episode: message.id,
    labels,
    annotations: { summary: message.subject },
    startsAtMs: message.madeAtMs,
    endsAtMs: null,
    url: '',
    isNews: true,
  }
  return { groupKey: message.thread, groupLabels: {}, alerts: [alert], truncated: 0 }
}
