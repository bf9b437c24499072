import { formatMatcher } from '../alert/matcher.ts'
import { dayMs, minuteMs } from '../time/duration.ts'
import { isSpecific } from './labels.ts'
import { ReceiverBuilder, type SecretFile } from './receiver-build.ts'
import {
  builtInReceivers,
  type InhibitRule,
  type Integration,
  isForTenants,
  type Route,
  type Routing,
} from './routing.ts'
import type { RouteFile, RoutingFile } from './routing-schema.ts'
import { parseSchedule } from './schedule.ts'
import type { ScheduledSilence } from './scheduled-silences.ts'
import { longestSilenceMs } from './silence.ts'

/** Where in the file. */
export type Path = readonly (string | number)[]

/** Reports a problem at a place of the file. */
export type Report = (path: Path, message: string, fix: string) => void

/** Turns a file of the right shape into a routing; what does not fit together is reported, and the result then unusable. */
export function buildRouting(file: RoutingFile, report: Report, secretFile: SecretFile): Routing {
  const receivers = new Map(builtInReceivers)
  const builder = new ReceiverBuilder(file, report, secretFile)
  file.receivers.forEach((receiver, place) => {
    const { name } = receiver
    const path: Path = ['receivers', place]
    if (receivers.has(name))
      report([...path, 'name'], `the receiver ${name} is defined twice or built in`, 'rename one of them')
    const integrations = builder.integrations(receiver, path)
    if (integrations.length === 0) {
      report(path, `the receiver ${name} reaches nobody`, 'give it email_configs or slack_configs, or route to `none`')
    }
    receivers.set(name, integrations)
  })
  checkFallbacks(file, receivers, report)
  const timeIntervals = new Map(file.time_intervals.map((one) => [one.name, one.time_intervals]))
  file.time_intervals.forEach(({ name }, place) => {
    if (file.time_intervals.findIndex((one) => one.name === name) < place)
      report(['time_intervals', place, 'name'], `the time interval ${name} is defined twice`, 'rename one of them')
  })
  return {
    root: rootOf(file.route, { receivers, timeIntervals }, report),
    receivers,
    inhibitRules: file.inhibit_rules.map(inhibitRule),
    timeIntervals,
    silences: silencesOf(file, report),
    heartbeat: heartbeatOf(file, receivers, report),
    timezone: file.global.timezone ?? 'UTC',
  }
}

function inhibitRule(rule: RoutingFile['inhibit_rules'][number], place: number): InhibitRule {
  return {
    name: rule.name ?? `rule ${place + 1}`,
    source: rule.source_matchers,
    target: rule.target_matchers,
    equal: rule.equal,
    keepMs: rule.keep_inhibiting_for ?? 0,
  }
}

/** An alert that found no contact must not be looked for one again. */
function checkFallbacks(
  file: RoutingFile,
  receivers: ReadonlyMap<string, readonly Integration[]>,
  report: Report,
): void {
  file.receivers.forEach(({ email_configs: emails = [] }, place) => {
    emails.forEach(({ fallback }, index) => {
      if (fallback === undefined) return
      const path = ['receivers', place, 'email_configs', index, 'fallback']
      const integrations = receivers.get(fallback)
      if (integrations === undefined) report(path, ...unknownReceiver(fallback, receivers.keys()))
      else if (integrations.some(isForTenants))
        report(path, `${fallback} writes to tenants itself`, 'name a receiver of your own people, such as log')
    })
  })
}

function silencesOf(file: RoutingFile, report: Report): readonly ScheduledSilence[] {
  return file.silences.flatMap((silence, place): ScheduledSilence[] => {
    const path: Path = ['silences', place]
    if (file.silences.findIndex(({ id }) => id === silence.id) < place)
      report([...path, 'id'], `the silence ${silence.id} is defined twice`, 'rename one of them')
    if (!silence.matchers.some(isSpecific))
      report([...path, 'matchers'], 'would silence everything', 'name at least one value, such as \'tenant="acme"\'')
    const { rrule, duration, start = null, timezone = file.global.timezone ?? 'UTC' } = silence.schedule
    if (duration < minuteMs || duration > longestSilenceMs)
      report([...path, 'schedule', 'duration'], 'is outside 1m to 30d', 'write it like 3h')
    const durationMs = Math.min(Math.max(duration, minuteMs), 30 * dayMs)
    const read = parseSchedule({ rrule, durationMs, timezone, start })
    if (!read.ok) {
      report([...path, 'schedule', 'rrule'], read.message, read.fix)
      return []
    }
    return [
      {
        id: silence.id,
        matchers: silence.matchers,
        schedule: read.schedule,
        createdBy: silence.created_by,
        comment: silence.comment,
        expireWhenQuietForMs: silence.expire_when_quiet_for ?? null,
      },
    ]
  })
}

function heartbeatOf(
  { heartbeat }: RoutingFile,
  receivers: ReadonlyMap<string, readonly Integration[]>,
  report: Report,
): Routing['heartbeat'] {
  if (heartbeat === undefined) return null
  const integrations = receivers.get(heartbeat.receiver)
  if (integrations === undefined)
    report(['heartbeat', 'receiver'], ...unknownReceiver(heartbeat.receiver, receivers.keys()))
  else if (integrations.some(({ kind }) => kind !== 'webhook')) {
    const fix = 'name a receiver that has only webhook_configs: people read no sign of life'
    report(['heartbeat', 'receiver'], `${heartbeat.receiver} is no webhook`, fix)
  }
  return { receiver: heartbeat.receiver, everyMs: heartbeat.every }
}

/** What routes may name. */
interface Names {
  readonly receivers: ReadonlyMap<string, unknown>
  readonly timeIntervals: ReadonlyMap<string, unknown>
}

function rootOf(file: RouteFile, names: Names, report: Report): Route {
  if (file.receiver === undefined)
    report(['route', 'receiver'], 'the first route needs a receiver', 'write receiver: log to start with')
  if ((file.matchers ?? []).length > 0)
    report(['route', 'matchers'], 'the first route takes every alert', 'move the matchers to a route under routes')
  for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
    if ((file[key] ?? []).length > 0)
      report(['route', key], 'the first route is never muted', 'move it to a route under routes')
  }
  const defaults = {
    receiver: 'log',
    groupBy: ['rule', 'tenant'] as readonly string[] | 'all',
    groupWaitMs: 30_000,
    groupIntervalMs: 300_000,
    repeatIntervalMs: 14_400_000,
  }
  const keys = new Set<string>()
  const build = (node: RouteFile, above: Inherited, parentKey: string | null, path: Path): Route => {
    const text = (node.matchers ?? []).map(formatMatcher).join(' ')
    let key = parentKey === null ? '{}' : `${parentKey}/{${text}}`
    // Brothers with the same matchers (after `continue`) are different routes all the same.
    while (keys.has(key)) key += '+'
    keys.add(key)
    checkNode(node, names, path, report)
    const own = inherit(node, above)
    const setsTimers = node.repeat_interval !== undefined || node.group_interval !== undefined
    if (setsTimers && own.repeatIntervalMs !== null && own.repeatIntervalMs < own.groupIntervalMs) {
      report(
        [...path, 'repeat_interval'],
        'is shorter than group_interval, so reminders would outrun news',
        'make repeat_interval at least as long, or write repeat_interval: never',
      )
    }
    const times = { muteTimes: node.mute_time_intervals ?? [], activeTimes: node.active_time_intervals ?? [] }
    const routes = (node.routes ?? []).map((child, place) => build(child, own, key, [...path, 'routes', place]))
    return { key, text, matchers: node.matchers ?? [], continue: node.continue ?? false, ...own, ...times, routes }
  }
  return build(file, defaults, null, ['route'])
}

function checkNode(node: RouteFile, { receivers, timeIntervals }: Names, path: Path, report: Report): void {
  if (node.receiver !== undefined && !receivers.has(node.receiver))
    report([...path, 'receiver'], ...unknownReceiver(node.receiver, receivers.keys()))
  for (const key of ['mute_time_intervals', 'active_time_intervals'] as const) {
    for (const [place, name] of (node[key] ?? []).entries()) {
      if (timeIntervals.has(name)) continue
      const known = timeIntervals.size === 0 ? '' : `, or use one of: ${[...timeIntervals.keys()].join(', ')}`
      report([...path, key, place], `there is no time interval "${name}"`, `define it under time_intervals${known}`)
    }
  }
}

/** The words for a route that leads nowhere. */
export function unknownReceiver(name: string, known: Iterable<string>): [string, string] {
  return [`there is no receiver "${name}"`, `define it under receivers, or use one of: ${[...known].join(', ')}`]
}

type Inherited = Pick<Route, 'receiver' | 'groupBy' | 'groupWaitMs' | 'groupIntervalMs' | 'repeatIntervalMs'>

function inherit(node: RouteFile, above: Inherited): Inherited {
  const groupBy = node.group_by?.includes('...') ? ('all' as const) : node.group_by
  return {
    receiver: node.receiver ?? above.receiver,
    groupBy: groupBy ?? above.groupBy,
    groupWaitMs: node.group_wait ?? above.groupWaitMs,
    groupIntervalMs: node.group_interval ?? above.groupIntervalMs,
    repeatIntervalMs: node.repeat_interval === undefined ? above.repeatIntervalMs : node.repeat_interval,
  }
}
