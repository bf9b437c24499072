import { z } from 'zod'
import { type Matcher, parseMatcher } from '../alert/matcher.ts'
import { parseDuration } from '../time/duration.ts'

/** The shape of `alerts/notify.yaml`; names and meanings are Alertmanager's wherever it has them. */

function complain(context: z.RefinementCtx, message: string, fix: string): void {
  context.addIssue({ code: 'custom', message, params: { fix } })
}

const durationShape = z.string().transform(toMs)

const repeatShape = z.string().transform((text, context) => (text === 'never' ? null : toMs(text, context)))

function toMs(text: string, context: z.RefinementCtx): number {
  const ms = parseDuration(text)
  if (ms === null) complain(context, `"${text}" is no duration`, 'write it like 10s, 5m, 1h or 1d')
  return ms ?? 0
}

const matcherShape = z.string().transform((text, context): Matcher => {
  const read = parseMatcher(text)
  if (read.ok) return read.matcher
  complain(context, read.message, `${read.fix}, in single quotes: 'severity="page"'`)
  return z.NEVER
})

const timeoutShape = durationShape.refine((ms) => ms >= 100 && ms <= 120_000, {
  error: 'is outside 100ms to 2m',
  params: { fix: 'use 10s unless the server is known to be slow' },
})

const labelShape = z.string().regex(/^(?:[A-Za-z_][A-Za-z0-9_]*|\.\.\.)$/, { error: 'is no label name' })

/** A node as written; what is left out is inherited. */
export interface RouteFile {
  receiver?: string | undefined
  matchers?: Matcher[] | undefined
  continue?: boolean | undefined
  group_by?: string[] | undefined
  group_wait?: number | undefined
  group_interval?: number | undefined
  repeat_interval?: number | null | undefined
  routes?: RouteFile[] | undefined
}

const routeShape: z.ZodType<RouteFile> = z.strictObject({
  receiver: z.string().optional(),
  matchers: z.array(matcherShape).max(50).optional(),
  continue: z.boolean().optional(),
  group_by: z.array(labelShape).max(10).optional(),
  group_wait: durationShape.optional(),
  group_interval: durationShape.optional(),
  repeat_interval: repeatShape.optional(),
  routes: z
    .array(z.lazy(() => routeShape))
    .max(500)
    .optional(),
})

const addressShape = z.string().refine((text) => /^[^\p{Cc}]*[^\s@<>,]+@[^\s@<>,]+>?$/u.test(text.trim()), {
  error: 'is no mail address',
  params: { fix: 'write it like oncall@example.com' },
})

const recipientsShape = z
  .union([z.string().transform((text) => text.split(',').map((part) => part.trim())), z.array(z.string())], {
    error: 'is no list of mail addresses',
  })
  .pipe(z.array(addressShape).min(1).max(50))

const tlsShape = z.strictObject({
  ca_file: z.string().optional(),
  server_name: z.string().optional(),
  insecure_skip_verify: z.boolean().optional(),
})

const smarthostShape = z.string().transform((text, context) => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim())
  const port = Number(found?.[3])
  if (found === null || port === 0 || port > 65_535) {
    complain(context, `"${text}" is no mail server address`, 'write it like smtp.example.com:587')
    return z.NEVER
  }
  return { host: found[1] ?? found[2] ?? '', port }
})

const perMinute = z.int().min(1).max(6_000)

const emailShape = z.strictObject({
  to: recipientsShape,
  from: addressShape.optional(),
  smarthost: smarthostShape.optional(),
  hello: z.string().optional(),
  auth_username: z.string().optional(),
  auth_password: z.string().optional(),
  auth_password_file: z.string().optional(),
  require_tls: z.boolean().optional(),
  tls_config: tlsShape.optional(),
  timeout: timeoutShape.optional(),
  max_per_minute: perMinute.optional(),
})

const webhookShape = z.string().refine(isWebhook, {
  error: 'is no http or https address',
  params: { fix: 'paste the incoming webhook URL of the Slack app into the variable or file' },
})

/** The value is a secret: it may be judged, never repeated. */
export function isWebhook(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

const slackShape = z.strictObject({
  api_url: webhookShape.optional(),
  api_url_file: z.string().optional(),
  timeout: timeoutShape.optional(),
  max_per_minute: perMinute.optional(),
})

const timezoneShape = z.string().refine(isTimezone, {
  error: 'is no time zone',
  params: { fix: 'write an IANA name such as Europe/Berlin or UTC' },
})

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name })
    return true
  } catch {
    return false
  }
}

export const routingShape = z.strictObject({
  global: z
    .strictObject({
      smtp_smarthost: smarthostShape.optional(),
      smtp_from: addressShape.optional(),
      smtp_hello: z.string().optional(),
      smtp_auth_username: z.string().optional(),
      smtp_auth_password: z.string().optional(),
      smtp_auth_password_file: z.string().optional(),
      smtp_require_tls: z.boolean().optional(),
      smtp_tls_config: tlsShape.optional(),
      slack_api_url: webhookShape.optional(),
      slack_api_url_file: z.string().optional(),
      timezone: timezoneShape.optional(),
    })
    .default({}),
  route: routeShape,
  receivers: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'is no receiver name' }),
        email_configs: z.array(emailShape).max(20).optional(),
        slack_configs: z.array(slackShape).max(20).optional(),
      }),
    )
    .max(200)
    .default([]),
  inhibit_rules: z
    .array(
      z.strictObject({
        name: z.string().optional(),
        source_matchers: z.array(matcherShape).min(1).max(50),
        target_matchers: z.array(matcherShape).min(1).max(50),
        equal: z.array(labelShape).max(10).default([]),
      }),
    )
    .max(100)
    .default([]),
})

export type RoutingFile = z.output<typeof routingShape>
export type EmailFile = z.output<typeof emailShape>
export type SlackFile = z.output<typeof slackShape>

/** Keys whose value is a secret: written as `${ENV_VAR}` or replaced by the `*_file` twin, never in the clear. */
export const secretKeys: ReadonlySet<string> = new Set([
  'smtp_auth_password',
  'auth_password',
  'slack_api_url',
  'api_url',
])

/** What people may expect because Alertmanager or the plan has it, with what to do today. */
export const laterKeys: ReadonlyMap<string, string> = new Map([
  ...['time_intervals', 'mute_time_intervals', 'active_time_intervals'].map(
    (key) => [key, 'remove it and mute by `tollwatch silence add` for now'] as const,
  ),
  ...['webhook_configs', 'pagerduty_configs', 'alertmanager_configs', 'opsgenie_configs', 'telegram_configs'].map(
    (key) => [key, 'remove it; email_configs and slack_configs work today'] as const,
  ),
  ...['bot_token', 'bot_token_file', 'channel', 'mode', 'chart', 'update_message'].map(
    (key) => [key, 'remove it and set api_url to an incoming webhook, which fixes the channel'] as const,
  ),
  ['silences', 'remove it and use `tollwatch silence add`'],
  ['heartbeat', 'remove it and watch /readyz from outside'],
  ['templates', 'remove it; messages have one fixed layout'],
  ['headers', 'remove it; messages have one fixed layout'],
  ['fallback', 'remove it'],
  ['daily_cap', 'remove it; max_per_minute limits a flood'],
  ['audience', 'remove it; messages are for operators'],
])

/** Keys that are wrong for good, with what to write instead. */
export const insteadKeys: ReadonlyMap<string, string> = new Map([
  ['match', 'write matchers: [\'label="value"\']'],
  ['match_re', 'write matchers: [\'label=~"pattern"\']'],
  ['source_match', 'write source_matchers: [\'label="value"\']'],
  ['target_match', 'write target_matchers: [\'label="value"\']'],
  ['send_resolved', 'remove it: whoever was told of a start is always told of the end'],
])
