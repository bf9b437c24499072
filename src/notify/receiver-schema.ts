import { z } from 'zod'
import { severities } from '../alert/alert.ts'
import { parseDuration } from '../time/duration.ts'
import { pagerdutySeverities, type Recipients } from './routing.ts'

/** The shapes of receivers in `alerts/notify.yaml`; names and meanings are Alertmanager's wherever it has them. */

export function complain(context: z.RefinementCtx, message: string, fix: string): void {
  context.addIssue({ code: 'custom', message, params: { fix } })
}

export const durationShape = z.string().transform(toMs)

export function toMs(text: string, context: z.RefinementCtx): number {
  const ms = parseDuration(text)
  if (ms === null) complain(context, `"${text}" is no duration`, 'write it like 10s, 5m, 1h or 1d')
  return ms ?? 0
}

const timeoutShape = durationShape.refine((ms) => ms >= 100 && ms <= 120_000, {
  error: 'is outside 100ms to 2m',
  params: { fix: 'use 10s unless the server is known to be slow' },
})

const isAddress = (text: string) => /^[^\p{Cc}]*[^\s@<>,]+@[^\s@<>,]+>?$/u.test(text.trim())

export const addressShape = z.string().refine(isAddress, {
  error: 'is no mail address',
  params: { fix: 'write it like oncall@example.com' },
})

const tenantContact = /^\{\{\s*tenant\.contacts\.([A-Za-z0-9_-]{1,50})\s*\}\}$/

const recipientsShape = z
  .union([z.string().transform((text) => text.split(',').map((part) => part.trim())), z.array(z.string())], {
    error: 'is no list of mail addresses',
  })
  .pipe(
    z
      .array(
        z.string().refine((text) => isAddress(text) || tenantContact.test(text), {
          error: 'is no mail address',
          params: { fix: 'write it like oncall@example.com, or {{ tenant.contacts.PURPOSE }}' },
        }),
      )
      .min(1)
      .max(50),
  )
  .transform((to, context): Recipients => {
    const purposes = to.flatMap((text) => tenantContact.exec(text)?.[1] ?? [])
    const [purpose] = purposes
    if (purpose === undefined) return { kind: 'fixed', to }
    if (to.length === 1) return { kind: 'tenant', purpose, fallback: null }
    complain(context, 'mixes contacts of tenants with others', 'give each of them an entry of its own')
    return z.NEVER
  })

export const tlsShape = z.strictObject({
  ca_file: z.string().optional(),
  server_name: z.string().optional(),
  insecure_skip_verify: z.boolean().optional(),
})

export const smarthostShape = z.string().transform((text, context) => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim())
  const port = Number(found?.[3])
  if (found === null || port === 0 || port > 65_535) {
    complain(context, `"${text}" is no mail server address`, 'write it like smtp.example.com:587')
    return z.NEVER
  }
  return { host: found[1] ?? found[2] ?? '', port }
})

const perMinute = z.int().min(1).max(6_000)

export const emailShape = z.strictObject({
  to: recipientsShape,
  from: addressShape.optional(),
  smarthost: smarthostShape.optional(),
  hello: z.string().optional(),
  auth_username: z.string().optional(),
  auth_password: z.string().optional(),
  auth_password_file: z.string().optional(),
  require_tls: z.boolean().optional(),
  tls_config: tlsShape.optional(),
  chart: z.boolean().optional(),
  audience: z.enum(['operators', 'external']).optional(),
  daily_cap: z.int().min(1).max(1_000).optional(),
  fallback: z.string().optional(),
  timeout: timeoutShape.optional(),
  max_per_minute: perMinute.optional(),
})

export const webhookShape = z.string().refine(isWebhook, {
  error: 'is no http or https address',
  params: { fix: 'paste the incoming webhook URL of the Slack app into the variable or file' },
})

/** The value is a secret: it may be judged, never repeated. */
export function isWebhook(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

export const slackShape = z.strictObject({
  api_url: webhookShape.optional(),
  api_url_file: z.string().optional(),
  bot_token: z.string().optional(),
  bot_token_file: z.string().optional(),
  channel: z.string().min(1).max(100).optional(),
  mode: z.enum(['thread', 'messages']).optional(),
  chart: z.boolean().optional(),
  web_api_url: webhookShape.optional(),
  timeout: timeoutShape.optional(),
  max_per_minute: perMinute.optional(),
})

const httpShape = z.string().refine((text) => isWebhook(text) && new URL(text).username === '', {
  error: 'is no http or https address',
  params: { fix: 'write it like https://example.com/path; a user and password belong into http_config.basic_auth' },
})

const httpConfigShape = z.strictObject({
  basic_auth: z
    .strictObject({
      username: z.string().min(1),
      password: z.string().optional(),
      password_file: z.string().optional(),
    })
    .optional(),
  authorization: z
    .strictObject({
      type: z
        .string()
        .regex(/^[A-Za-z][\w-]*$/)
        .default('Bearer'),
      credentials: z.string().optional(),
      credentials_file: z.string().optional(),
    })
    .optional(),
})

export const genericWebhookShape = z.strictObject({
  url: httpShape.optional(),
  url_file: z.string().optional(),
  http_config: httpConfigShape.optional(),
  max_alerts: z.int().min(0).max(1_000).optional(),
  timeout: timeoutShape.optional(),
  max_per_minute: perMinute.optional(),
})

export const pagerdutyShape = z.strictObject({
  routing_key: z.string().optional(),
  routing_key_file: z.string().optional(),
  url: httpShape.optional(),
  severity: z.partialRecord(z.enum(severities), z.enum(pagerdutySeverities)).optional(),
  timeout: timeoutShape.optional(),
  max_per_minute: perMinute.optional(),
})

export const alertmanagerShape = z.strictObject({
  urls: z.array(httpShape).min(1).max(10),
  http_config: httpConfigShape.optional(),
  resend_delay: durationShape
    .refine((ms) => ms >= 1_000 && ms <= 3_600_000, { error: 'is outside 1s to 1h', params: { fix: 'use 1m' } })
    .optional(),
  timeout: timeoutShape.optional(),
})

export type EmailFile = z.output<typeof emailShape>
export type SlackFile = z.output<typeof slackShape>
export type WebhookFile = z.output<typeof genericWebhookShape>
export type PagerdutyFile = z.output<typeof pagerdutyShape>
export type AlertmanagerFile = z.output<typeof alertmanagerShape>
export type HttpConfigFile = z.output<typeof httpConfigShape>
