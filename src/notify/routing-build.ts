import { formatMatcher } from '../alert/matcher.ts'
import type { EmailSettings, InhibitRule, Integration, Route, Routing } from './routing.ts'
import { builtInReceivers } from './routing.ts'
import { type EmailFile, isWebhook, type RouteFile, type RoutingFile, type SlackFile } from './routing-schema.ts'

/** Where in the file. */
export type Path = readonly (string | number)[]

/** Reports a problem at a place of the file. */
export type Report = (path: Path, message: string, fix: string) => void

/** Reads a secret from a file, reporting at the path when that fails. */
export type SecretFile = (path: Path, file: string) => string

/** Turns a file of the right shape into a routing; what does not fit together is reported, and the result then unusable. */
export function buildRouting(file: RoutingFile, report: Report, secretFile: SecretFile): Routing {
  const receivers = new Map(builtInReceivers)
  file.receivers.forEach(({ name, email_configs: emails = [], slack_configs: slacks = [] }, place) => {
    const path: Path = ['receivers', place]
    if (receivers.has(name))
      report([...path, 'name'], `the receiver ${name} is defined twice or built in`, 'rename one of them')
    if (emails.length + slacks.length === 0) {
      report(path, `the receiver ${name} reaches nobody`, 'give it email_configs or slack_configs, or route to `none`')
    }
    receivers.set(name, [
      ...emails.map(
        (email, index): Integration => ({
          key: `${name}/email/${index}`,
          receiver: name,
          maxPerMinute: email.max_per_minute ?? 30,
          kind: 'email',
          email: emailOf(email, file, [...path, 'email_configs', index], report, secretFile),
        }),
      ),
      ...slacks.map(
        (slack, index): Integration => ({
          key: `${name}/slack/${index}`,
          receiver: name,
          maxPerMinute: slack.max_per_minute ?? 20,
          kind: 'slack',
          slack: {
            way: 'webhook',
            url: webhookOf(slack, file, [...path, 'slack_configs', index], report, secretFile),
            timeoutMs: slack.timeout ?? 10_000,
          },
        }),
      ),
    ])
  })
  const root = rootOf(file.route, receivers, report)
  return { root, receivers, inhibitRules: file.inhibit_rules.map(inhibitRule), timezone: file.global.timezone ?? 'UTC' }
}

function inhibitRule(rule: RoutingFile['inhibit_rules'][number], place: number): InhibitRule {
  return {
    name: rule.name ?? `rule ${place + 1}`,
    source: rule.source_matchers,
    target: rule.target_matchers,
    equal: rule.equal,
  }
}

function rootOf(file: RouteFile, receivers: ReadonlyMap<string, unknown>, report: Report): Route {
  if (file.receiver === undefined)
    report(['route', 'receiver'], 'the first route needs a receiver', 'write receiver: log to start with')
  if ((file.matchers ?? []).length > 0)
    report(['route', 'matchers'], 'the first route takes every alert', 'move the matchers to a route under routes')
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
    if (node.receiver !== undefined && !receivers.has(node.receiver)) {
      report([...path, 'receiver'], ...unknownReceiver(node.receiver, receivers.keys()))
    }
    const own = inherit(node, above)
    const setsTimers = node.repeat_interval !== undefined || node.group_interval !== undefined
    if (setsTimers && own.repeatIntervalMs !== null && own.repeatIntervalMs < own.groupIntervalMs) {
      report(
        [...path, 'repeat_interval'],
        'is shorter than group_interval, so reminders would outrun news',
        'make repeat_interval at least as long, or write repeat_interval: never',
      )
    }
    const routes = (node.routes ?? []).map((child, place) => build(child, own, key, [...path, 'routes', place]))
    return { key, text, matchers: node.matchers ?? [], continue: node.continue ?? false, ...own, routes }
  }
  return build(file, defaults, null, ['route'])
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

function emailOf(
  email: EmailFile,
  file: RoutingFile,
  path: Path,
  report: Report,
  secretFile: SecretFile,
): EmailSettings {
  const common = file.global
  const smarthost = email.smarthost ?? common.smtp_smarthost
  const from = email.from ?? common.smtp_from
  if (smarthost === undefined)
    report([...path, 'smarthost'], 'no mail server is given', 'set smarthost here or global.smtp_smarthost')
  if (from === undefined) report([...path, 'from'], 'no sender is given', 'set from here or global.smtp_from')
  const user = email.auth_username ?? common.smtp_auth_username
  const password = user === undefined ? undefined : passwordOf(email, file, path, secretFile)
  if (user !== undefined && password === undefined) {
    report(
      [...path, 'auth_username'],
      'there is a user name but no password',
      'set auth_password: ${ENV_VAR} or auth_password_file',
    )
  }
  const tls = email.tls_config ?? common.smtp_tls_config ?? {}
  return {
    host: smarthost?.host ?? '',
    port: smarthost?.port ?? 0,
    from: from ?? '',
    recipients: { kind: 'fixed', to: email.to },
    audience: 'operators',
    dailyCap: null,
    chart: false,
    hello: email.hello ?? common.smtp_hello ?? null,
    auth: user === undefined || password === undefined ? null : { user, password },
    requireTls: email.require_tls ?? common.smtp_require_tls ?? true,
    tls: {
      ca: tls.ca_file === undefined ? null : secretFile([...path, 'tls_config', 'ca_file'], tls.ca_file),
      serverName: tls.server_name ?? null,
      insecureSkipVerify: tls.insecure_skip_verify ?? false,
    },
    timeoutMs: email.timeout ?? 20_000,
  }
}

function passwordOf(email: EmailFile, file: RoutingFile, path: Path, secretFile: SecretFile): string | undefined {
  const common = file.global
  if (email.auth_password !== undefined) return email.auth_password
  if (email.auth_password_file !== undefined)
    return secretFile([...path, 'auth_password_file'], email.auth_password_file)
  if (common.smtp_auth_password !== undefined) return common.smtp_auth_password
  if (common.smtp_auth_password_file === undefined) return undefined
  return secretFile(['global', 'smtp_auth_password_file'], common.smtp_auth_password_file)
}

function webhookOf(slack: SlackFile, file: RoutingFile, path: Path, report: Report, secretFile: SecretFile): string {
  const common = file.global
  if (slack.api_url !== undefined) return slack.api_url
  const [place, name]: [Path, string | undefined] =
    slack.api_url_file !== undefined
      ? [[...path, 'api_url_file'], slack.api_url_file]
      : [['global', 'slack_api_url_file'], common.slack_api_url === undefined ? common.slack_api_url_file : undefined]
  if (name === undefined) {
    if (common.slack_api_url !== undefined) return common.slack_api_url
    report(path, 'no Slack webhook is given', 'set api_url: ${ENV_VAR} or api_url_file here, or global.slack_api_url')
    return ''
  }
  const url = secretFile(place, name)
  if (url !== '' && !isWebhook(url))
    report(place, `${name} holds no http or https address`, 'put the webhook URL alone into the file')
  return url
}
