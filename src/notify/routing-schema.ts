import { z } from 'zod'
import { type Matcher, parseMatcher } from '../alert/matcher.ts'
import { isTimezone } from '../time/local-time.ts'
import {
  addressShape,
  alertmanagerShape,
  complain,
  durationShape,
  emailShape,
  genericWebhookShape,
  pagerdutyShape,
  slackShape,
  smarthostShape,
  tlsShape,
  toMs,
  webhookShape,
} from './receiver-schema.ts'
import { timeIntervalShape } from './time-interval.ts'

/** The shape of `alerts/notify.yaml`; names and meanings are Alertmanager's wherever it has them. */

const repeatShape = z.string().transform((text, context) => (text === 'never' ? null : toMs(text, context)))

const matcherShape = z.string().transform((text, context): Matcher => {
  const read = parseMatcher(text)
  if (read.ok) return read.matcher
  complain(context, read.message, `${read.fix}, in single quotes: 'severity="page"'`)
  return z.NEVER
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
  mute_time_intervals?: string[] | undefined
  active_time_intervals?: string[] | undefined
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
  mute_time_intervals: z.array(z.string()).max(50).optional(),
  active_time_intervals: z.array(z.string()).max(50).optional(),
  routes: z
    .array(z.lazy(() => routeShape))
    .max(500)
    .optional(),
})

const timezoneShape = z.string().refine(isTimezone, {
  error: 'is no time zone',
  params: { fix: 'write an IANA name such as Europe/Berlin or UTC' },
})

const nameShape = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'is no name' })

const silenceShape = z.strictObject({
  id: nameShape,
  matchers: z.array(matcherShape).min(1).max(20),
  schedule: z.strictObject({
    rrule: z.string().max(500),
    duration: durationShape,
    timezone: timezoneShape.optional(),
    start: z.string().optional(),
  }),
  comment: z.string().trim().min(1, { error: 'is empty' }).max(1_000),
  created_by: z.string().trim().min(1, { error: 'is empty' }).max(200),
  expire_when_quiet_for: durationShape.optional(),
})

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
      slack_bot_token: z.string().optional(),
      slack_bot_token_file: z.string().optional(),
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
        webhook_configs: z.array(genericWebhookShape).max(20).optional(),
        pagerduty_configs: z.array(pagerdutyShape).max(20).optional(),
        alertmanager_configs: z.array(alertmanagerShape).max(20).optional(),
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
        keep_inhibiting_for: durationShape
          .refine((ms) => ms <= 86_400_000, {
            error: 'is more than a day',
            params: { fix: 'use 1h: as long as the longest window of the rules it hides' },
          })
          .optional(),
      }),
    )
    .max(100)
    .default([]),
  time_intervals: z
    .array(z.strictObject({ name: nameShape, time_intervals: z.array(timeIntervalShape).min(1).max(50) }))
    .max(100)
    .default([]),
  silences: z.array(silenceShape).max(100).default([]),
  heartbeat: z
    .strictObject({
      receiver: z.string(),
      every: durationShape
        .refine((ms) => ms >= 10_000 && ms <= 86_400_000, { error: 'is outside 10s to 1d', params: { fix: 'use 1m' } })
        .default(60_000),
    })
    .optional(),
})

export type RoutingFile = z.output<typeof routingShape>

/** Keys whose value is a secret: written as `${ENV_VAR}` or replaced by the `*_file` twin, never in the clear. */
export const secretKeys: ReadonlySet<string> = new Set([
  'smtp_auth_password',
  'auth_password',
  'slack_api_url',
  'api_url',
  'slack_bot_token',
  'bot_token',
  'routing_key',
  'password',
  'credentials',
])

/** What people may expect because Alertmanager or the plan has it, with what to do today. */
export const laterKeys: ReadonlyMap<string, string> = new Map([
  ...['opsgenie_configs', 'telegram_configs', 'msteams_configs', 'msteamsv2_configs', 'victorops_configs'].map(
    (key) => [key, 'remove it; webhook_configs reach any program, alertmanager_configs an Alertmanager'] as const,
  ),
  ...['sns_configs', 'pushover_configs', 'wechat_configs', 'webex_configs', 'discord_configs', 'jira_configs'].map(
    (key) => [key, 'remove it; webhook_configs reach any program, alertmanager_configs an Alertmanager'] as const,
  ),
  ['templates', 'remove it; messages have one fixed layout'],
  ['headers', 'remove it; messages have one fixed layout'],
  ['tls_config', 'set NODE_EXTRA_CA_CERTS for the daemon to trust another authority over HTTP'],
  ['proxy_url', 'remove it; the daemon reaches receivers directly'],
  ['oauth2', 'remove it; basic_auth and authorization work today'],
])

/** Keys that are wrong for good, with what to write instead. */
export const insteadKeys: ReadonlyMap<string, string> = new Map([
  ['match', 'write matchers: [\'label="value"\']'],
  ['match_re', 'write matchers: [\'label=~"pattern"\']'],
  ['source_match', 'write source_matchers: [\'label="value"\']'],
  ['target_match', 'write target_matchers: [\'label="value"\']'],
  ['update_message', 'write mode: thread, which edits one message for each conversation'],
  ['service_key', 'write routing_key of an integration with the Events API v2'],
  ['bearer_token', 'write authorization: {credentials: ${ENV_VAR}}'],
  ['bearer_token_file', 'write authorization: {credentials_file: PATH}'],
  ['send_resolved', 'remove it: whoever was told of a start is always told of the end'],
])
