import { formatInstant } from '../time/instant.ts'
import { postJson } from './http-post.ts'
import { labelOf } from './labels.ts'
import type { Message } from './message.ts'
import { clip, plainText } from './plain-text.ts'
import type { Delivery, Receiver } from './receiver.ts'
import type { PagerdutySettings } from './routing.ts'
import type { Fetch } from './slack.ts'
import type { ToldAlert, ToldAlerts } from './told.ts'
import { standIn } from './webhook.ts'

/** Incidents that one message may open; a flood of them helps nobody, so the worst come first and the rest are counted. */
const triggerLimit = 50
/** PagerDuty's own bound for a summary. */
const summaryLimit = 1_024

/** One event of PagerDuty's Events API v2. */
export interface PagerdutyEvent {
  readonly routing_key: string
  readonly event_action: 'trigger' | 'resolve'
  /** The episode: PagerDuty keeps one incident for each, however often it is told. */
  readonly dedup_key: string
  readonly client?: string
  readonly client_url?: string
  readonly links?: readonly { readonly href: string; readonly text: string }[]
  readonly payload?: Readonly<Record<string, unknown>>
}

/**
 * Opens an incident for each episode that began and resolves it when it ends. A message may need several requests:
 * those that were taken are not repeated when a later one fails, and would change nothing if they were.
 */
export function openPagerduty(settings: PagerdutySettings, fetch: Fetch = globalThis.fetch): Receiver {
  /** By message, the events that were taken; only of messages that failed half-way. */
  const taken = new Map<string, number>()
  return {
    async deliver(message, _thread, told) {
      const events = pagerdutyEvents(message, told, settings)
      for (let place = taken.get(message.id) ?? 0; place < events.length; place++) {
        const delivery: Delivery = await postJson(fetch, {
          url: settings.url,
          body: events[place],
          authorization: null,
          timeoutMs: settings.timeoutMs,
          final: [400],
        })
        if (delivery.kind === 'failed') {
          if (delivery.final) taken.delete(message.id)
          else taken.set(message.id, place)
          return delivery
        }
      }
      taken.delete(message.id)
      return { kind: 'sent' }
    },
    async close() {},
  }
}

/** @param told absent in a test, which opens an incident and resolves it at once */
export function pagerdutyEvents(
  message: Message,
  told: ToldAlerts | undefined,
  settings: PagerdutySettings,
): readonly PagerdutyEvent[] {
  const key = { routing_key: settings.routingKey }
  const resolve = ({ episode }: ToldAlert): PagerdutyEvent => {
    return { ...key, event_action: 'resolve', dedup_key: dedupKey(episode) }
  }
  const { alerts, truncated } = told ?? standIn(message)
  const ended = alerts.filter(({ status }) => status === 'resolved')
  const firing = alerts.filter(({ status }) => status === 'firing')
  const news = firing.filter(({ isNews }) => isNews)
  // A message without news is a reminder; it opens again what somebody resolved by hand though it goes on.
  const toOpen = news.length > 0 || ended.length > 0 ? news : firing
  const more = truncated + Math.max(0, toOpen.length - triggerLimit)
  const triggers = toOpen.slice(0, triggerLimit).map((alert, place): PagerdutyEvent => {
    return { ...key, ...triggerOf(alert, { message, settings, lead: place === 0, more }) }
  })
  const test = told === undefined ? firing : []
  return [...ended.map(resolve), ...triggers, ...test.map(resolve)]
}

function triggerOf(
  alert: ToldAlert,
  { message, settings, lead, more }: { message: Message; settings: PagerdutySettings; lead: boolean; more: number },
): Omit<PagerdutyEvent, 'routing_key'> {
  const { labels } = alert
  const text = (name: string) => plainText(labelOf(labels, name), 200)
  const place = [text('tenant'), text('api')].filter((part) => part !== '').join(' / ')
  const summary = plainText(alert.annotations['summary'] ?? '', summaryLimit) || `${text('rule')} ${place}`.trim()
  const facts = lead ? Object.fromEntries(message.facts.map((fact) => [fact.label, fact.text])) : {}
  const own = alert.annotations['runbook'] ?? ''
  const runbook = lead ? message.runbook : own
  return {
    event_action: 'trigger',
    dedup_key: dedupKey(alert.episode),
    client: 'Tollwatch',
    ...(alert.url === '' ? {} : { client_url: alert.url }),
    links: lead ? message.links.map(({ name, url }) => ({ href: url, text: name })) : [],
    payload: {
      summary: clip(summary, summaryLimit),
      source: place === '' ? 'tollwatch' : place,
      severity: settings.severities[alert.severity],
      timestamp: formatInstant(alert.startsAtMs),
      component: text('api'),
      group: text('tenant'),
      class: text('cause'),
      custom_details: {
        ...labels,
        ...facts,
        ...(runbook === null || runbook === '' ? {} : { runbook }),
        ...(lead && more > 0 ? { more: `${more} more alerts fire; they have no incident of their own` } : {}),
      },
    },
  }
}

/** PagerDuty takes 255 characters. */
function dedupKey(episode: string): string {
  return `tollwatch-${episode}`.slice(0, 255)
}
