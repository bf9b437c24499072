import type { Severity } from '../alert/alert.ts'
import { type Matcher, matchesAll } from '../alert/matcher.ts'
import type { Labels } from './labels.ts'
import type { ScheduledSilence } from './scheduled-silences.ts'
import type { TimeInterval } from './time-interval.ts'

/** Who is told what, and when: the contents of `alerts/notify.yaml`. */
export interface Routing {
  readonly root: Route
  /** By name; `log` and `none` are always there. */
  readonly receivers: ReadonlyMap<string, readonly Integration[]>
  readonly inhibitRules: readonly InhibitRule[]
  /** By name; a route names them. */
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>
  readonly silences: readonly ScheduledSilence[]
  /** Null for none. */
  readonly heartbeat: HeartbeatSettings | null
  /** IANA zone that messages show beside UTC, and that time intervals without a location are in. */
  readonly timezone: string
}

/** A sign of life for a service that raises an alarm when it stops coming. */
export interface HeartbeatSettings {
  /** A receiver of webhooks. */
  readonly receiver: string
  readonly everyMs: number
}

/** A node of the route tree with everything inherited filled in. */
export interface Route {
  /** Names the node over restarts: the matchers from the root down. */
  readonly key: string
  /** The node's own matchers as people write them; empty for the root. */
  readonly text: string
  readonly receiver: string
  readonly matchers: readonly Matcher[]
  /** Whether brothers after this one are looked at too. */
  readonly continue: boolean
  /** Labels that make a group, or `all` to keep every alert apart. */
  readonly groupBy: readonly string[] | 'all'
  /** How long the first alert of a group waits for company. */
  readonly groupWaitMs: number
  /** The least time between two messages of a group about changes. */
  readonly groupIntervalMs: number
  /** Time from the last send to a reminder; null for none. */
  readonly repeatIntervalMs: number | null
  /** Names of time intervals in which starts and reminders of this very node wait; not inherited. */
  readonly muteTimes: readonly string[]
  /** If there are any: the only time intervals in which they do not wait. */
  readonly activeTimes: readonly string[]
  readonly routes: readonly Route[]
}

/** One way to reach a receiver; `key` names it over restarts, such as `oncall/slack/0`. */
export type Integration = {
  readonly key: string
  readonly receiver: string
  /** Messages a minute; what is due beyond it becomes one digest. */
  readonly maxPerMinute: number
} & (
  | { readonly kind: 'email'; readonly email: EmailSettings }
  | { readonly kind: 'slack'; readonly slack: SlackSettings }
  | { readonly kind: 'webhook'; readonly webhook: WebhookSettings }
  | { readonly kind: 'pagerduty'; readonly pagerduty: PagerdutySettings }
  | { readonly kind: 'alertmanager'; readonly alertmanager: AlertmanagerSettings }
  | { readonly kind: 'log' }
  | { readonly kind: 'none' }
)

export interface EmailSettings {
  readonly host: string
  readonly port: number
  readonly from: string
  readonly recipients: Recipients
  /** `external` is for the tenant itself: no internal names, nothing of any other tenant. */
  readonly audience: 'operators' | 'external'
  /** Most messages a day for one recipient; null for no limit. */
  readonly dailyCap: number | null
  /** Whether a chart goes with the message. */
  readonly chart: boolean
  /** The name said in EHLO; null for the host's own. */
  readonly hello: string | null
  readonly auth: { readonly user: string; readonly password: string } | null
  /** Refuse to send in the clear. Port 465 is TLS from the start in any case. */
  readonly requireTls: boolean
  readonly tls: { readonly ca: string | null; readonly serverName: string | null; readonly insecureSkipVerify: boolean }
  readonly timeoutMs: number
}

/** Fixed addresses, or the tenant's own of one purpose; alerts without such an address go to the fallback receiver. */
export type Recipients =
  | { readonly kind: 'fixed'; readonly to: readonly string[] }
  | { readonly kind: 'tenant'; readonly purpose: string; readonly fallback: string | null }

export type SlackSettings = {
  readonly timeoutMs: number
  /** Webhooks and tokens are secrets that never reach logs or errors. */
} & (
  | { readonly way: 'webhook'; readonly url: string }
  | {
      readonly way: 'bot'
      readonly token: string
      readonly channel: string
      /** `https://slack.com/api` unless a test says otherwise. */
      readonly apiUrl: string
      /** `thread`: one message for each conversation, edited in place, with changes as replies. */
      readonly mode: 'thread' | 'messages'
      readonly chart: boolean
    }
)

/** How to log in over HTTP; a secret that never reaches logs or errors. */
export interface HttpLogin {
  /** The whole value of the `Authorization` header; null for none. */
  readonly authorization: string | null
}

export interface WebhookSettings extends HttpLogin {
  /** May hold a secret in its path or query. */
  readonly url: string
  /** Alerts that stand in one message; further ones are counted. */
  readonly maxAlerts: number
  readonly timeoutMs: number
}

export interface PagerdutySettings {
  /** `https://events.pagerduty.com/v2/enqueue` unless a test says otherwise. */
  readonly url: string
  readonly routingKey: string
  readonly severities: Readonly<Record<Severity, PagerdutySeverity>>
  readonly timeoutMs: number
}

export const pagerdutySeverities = ['critical', 'error', 'warning', 'info'] as const

export type PagerdutySeverity = (typeof pagerdutySeverities)[number]

export interface AlertmanagerSettings extends HttpLogin {
  /** The members of one cluster; each is told everything. */
  readonly urls: readonly string[]
  /** Time after which an alert that still stands is sent again. */
  readonly resendDelayMs: number
  readonly timeoutMs: number
}

/** While an alert matches the source side, alerts of the target side with the same `equal` labels are not announced. */
export interface InhibitRule {
  readonly name: string
  readonly source: readonly Matcher[]
  readonly target: readonly Matcher[]
  readonly equal: readonly string[]
  /** How long after its end a source still holds back what began before that end; 0 for not at all. */
  readonly keepMs: number
}

/** Whether an integration writes to the tenant that an alert is about. */
export function isForTenants(integration: Integration): boolean {
  return integration.kind === 'email' && integration.email.recipients.kind === 'tenant'
}

/** The nodes that take an alert, as in Alertmanager: the deepest match wins, `continue` looks further. */
export function routesFor(root: Route, labels: Labels): readonly Route[] {
  return matchesAll(root.matchers, labels) ? descend(root, labels) : []
}

function descend(route: Route, labels: Labels): Route[] {
  const found: Route[] = []
  for (const child of route.routes) {
    if (!matchesAll(child.matchers, labels)) continue
    found.push(...descend(child, labels))
    if (!child.continue) break
  }
  return found.length > 0 ? found : [route]
}

/** Every node of the tree by its key. */
export function routesByKey(root: Route): ReadonlyMap<string, Route> {
  const found = new Map<string, Route>()
  const walk = (route: Route) => {
    if (!found.has(route.key)) found.set(route.key, route)
    for (const child of route.routes) walk(child)
  }
  walk(root)
  return found
}

export const builtInReceivers: ReadonlyMap<string, readonly Integration[]> = new Map([
  ['log', [{ key: 'log/log/0', receiver: 'log', maxPerMinute: 600, kind: 'log' }]],
  ['none', [{ key: 'none/none/0', receiver: 'none', maxPerMinute: 60_000, kind: 'none' }]],
])

/** What holds without a file: every group of one rule and tenant goes to the log. */
export const defaultRouting: Routing = {
  root: {
    key: '{}',
    text: '',
    receiver: 'log',
    matchers: [],
    continue: false,
    groupBy: ['rule', 'tenant'],
    groupWaitMs: 30_000,
    groupIntervalMs: 300_000,
    repeatIntervalMs: 14_400_000,
    muteTimes: [],
    activeTimes: [],
    routes: [],
  },
  receivers: builtInReceivers,
  inhibitRules: [],
  timeIntervals: new Map(),
  silences: [],
  heartbeat: null,
  timezone: 'UTC',
}
