import {
  type AlertmanagerFile,
  type EmailFile,
  type HttpConfigFile,
  isWebhook,
  type PagerdutyFile,
  type SlackFile,
  type WebhookFile,
} from './receiver-schema.ts'
import type {
  AlertmanagerSettings,
  EmailSettings,
  HttpLogin,
  Integration,
  PagerdutySettings,
  Recipients,
  SlackSettings,
  WebhookSettings,
} from './routing.ts'
import type { Path, Report } from './routing-build.ts'
import type { RoutingFile } from './routing-schema.ts'
import { mostAlerts } from './told.ts'

/** Reads a secret from a file, reporting at the path when that fails. */
export type SecretFile = (path: Path, file: string) => string

type ReceiverFile = RoutingFile['receivers'][number]

/** Turns the receivers of a file into integrations. */
export class ReceiverBuilder {
  readonly #file: RoutingFile
  readonly #report: Report
  readonly #secretFile: SecretFile

  constructor(file: RoutingFile, report: Report, secretFile: SecretFile) {
    this.#file = file
    this.#report = report
    this.#secretFile = secretFile
  }

  integrations(receiver: ReceiverFile, path: Path): readonly Integration[] {
    const { name } = receiver
    const found: Integration[] = []
    receiver.email_configs?.forEach((one, place) => {
      const email = this.#email(one, [...path, 'email_configs', place])
      found.push({ ...common(name, 'email', place, one.max_per_minute ?? 30), kind: 'email', email })
    })
    receiver.slack_configs?.forEach((one, place) => {
      const slack = this.#slack(one, [...path, 'slack_configs', place])
      found.push({ ...common(name, 'slack', place, one.max_per_minute ?? 20), kind: 'slack', slack })
    })
    receiver.webhook_configs?.forEach((one, place) => {
      const webhook = this.#webhook(one, [...path, 'webhook_configs', place])
      found.push({ ...common(name, 'webhook', place, one.max_per_minute ?? 60), kind: 'webhook', webhook })
    })
    receiver.pagerduty_configs?.forEach((one, place) => {
      const pagerduty = this.#pagerduty(one, [...path, 'pagerduty_configs', place])
      found.push({ ...common(name, 'pagerduty', place, one.max_per_minute ?? 60), kind: 'pagerduty', pagerduty })
    })
    receiver.alertmanager_configs?.forEach((one, place) => {
      const alertmanager = this.#alertmanager(one, [...path, 'alertmanager_configs', place])
      // It is told alerts and not messages, so there is nothing to put together.
      found.push({ ...common(name, 'alertmanager', place, 60_000), kind: 'alertmanager', alertmanager })
    })
    return found
  }

  #email(email: EmailFile, path: Path): EmailSettings {
    const shared = this.#file.global
    const smarthost = email.smarthost ?? shared.smtp_smarthost
    const from = email.from ?? shared.smtp_from
    if (smarthost === undefined)
      this.#report([...path, 'smarthost'], 'no mail server is given', 'set smarthost here or global.smtp_smarthost')
    if (from === undefined) this.#report([...path, 'from'], 'no sender is given', 'set from here or global.smtp_from')
    const user = email.auth_username ?? shared.smtp_auth_username
    const password = user === undefined ? undefined : this.#password(email, path)
    if (user !== undefined && password === undefined) {
      this.#report(
        [...path, 'auth_username'],
        'there is a user name but no password',
        'set auth_password: ${ENV_VAR} or auth_password_file',
      )
    }
    const tls = email.tls_config ?? shared.smtp_tls_config ?? {}
    const recipients = this.#recipients(email, path)
    return {
      host: smarthost?.host ?? '',
      port: smarthost?.port ?? 0,
      from: from ?? '',
      recipients,
      // Whoever writes to tenants without saying more must not send them what is for operators.
      audience: email.audience ?? (recipients.kind === 'tenant' ? 'external' : 'operators'),
      dailyCap: email.daily_cap ?? null,
      chart: email.chart ?? true,
      hello: email.hello ?? shared.smtp_hello ?? null,
      auth: user === undefined || password === undefined ? null : { user, password },
      requireTls: email.require_tls ?? shared.smtp_require_tls ?? true,
      tls: {
        ca: tls.ca_file === undefined ? null : this.#secretFile([...path, 'tls_config', 'ca_file'], tls.ca_file),
        serverName: tls.server_name ?? null,
        insecureSkipVerify: tls.insecure_skip_verify ?? false,
      },
      timeoutMs: email.timeout ?? 20_000,
    }
  }

  #recipients({ to, fallback, audience }: EmailFile, path: Path): Recipients {
    if (to.kind === 'tenant') return { ...to, fallback: fallback ?? null }
    const fix = 'write to: "{{ tenant.contacts.PURPOSE }}", or take the line out'
    if (fallback !== undefined) this.#report([...path, 'fallback'], 'is only for contacts of tenants', fix)
    // Fixed addresses get the alerts of all tenants together.
    if (audience === 'external') this.#report([...path, 'audience'], 'external is only for contacts of tenants', fix)
    return to
  }

  #password(email: EmailFile, path: Path): string | undefined {
    const shared = this.#file.global
    if (email.auth_password !== undefined) return email.auth_password
    if (email.auth_password_file !== undefined)
      return this.#secretFile([...path, 'auth_password_file'], email.auth_password_file)
    if (shared.smtp_auth_password !== undefined) return shared.smtp_auth_password
    if (shared.smtp_auth_password_file === undefined) return undefined
    return this.#secretFile(['global', 'smtp_auth_password_file'], shared.smtp_auth_password_file)
  }

  #slack(slack: SlackFile, path: Path): SlackSettings {
    const timeoutMs = slack.timeout ?? 10_000
    const ownHook = slack.api_url !== undefined || slack.api_url_file !== undefined
    const ownToken = slack.bot_token !== undefined || slack.bot_token_file !== undefined
    if (ownHook && ownToken) this.#report(path, 'has a webhook and a bot token', 'keep one of api_url and bot_token')
    // A webhook fixes its channel, so whoever names one means the bot.
    const isBot = !ownHook && (ownToken || slack.channel !== undefined)
    if (isBot) {
      if (slack.channel === undefined)
        this.#report(
          [...path, 'channel'],
          'is missing',
          "set it, such as channel: '#billing-alerts', and invite the bot",
        )
      return {
        way: 'bot',
        token: this.#token(slack, path),
        channel: slack.channel ?? '',
        apiUrl: (slack.web_api_url ?? 'https://slack.com/api').replace(/\/+$/, ''),
        mode: slack.mode ?? 'thread',
        chart: slack.chart ?? true,
        timeoutMs,
      }
    }
    for (const key of ['channel', 'mode', 'chart', 'web_api_url'] as const) {
      if (slack[key] === undefined) continue
      this.#report([...path, key], 'needs a bot', 'set bot_token: ${ENV_VAR} instead of api_url, or take the line out')
    }
    return { way: 'webhook', url: this.#hook(slack, path), timeoutMs }
  }

  #token(slack: SlackFile, path: Path): string {
    const shared = this.#file.global
    if (slack.bot_token !== undefined) return slack.bot_token
    if (slack.bot_token_file !== undefined) return this.#secretFile([...path, 'bot_token_file'], slack.bot_token_file)
    if (shared.slack_bot_token !== undefined) return shared.slack_bot_token
    if (shared.slack_bot_token_file !== undefined)
      return this.#secretFile(['global', 'slack_bot_token_file'], shared.slack_bot_token_file)
    const fix = 'set bot_token: ${ENV_VAR} or bot_token_file here, or global.slack_bot_token'
    this.#report([...path, 'channel'], 'no bot token is given', fix)
    return ''
  }

  #hook(slack: SlackFile, path: Path): string {
    const shared = this.#file.global
    if (slack.api_url !== undefined) return slack.api_url
    const [place, name]: [Path, string | undefined] =
      slack.api_url_file !== undefined
        ? [[...path, 'api_url_file'], slack.api_url_file]
        : [['global', 'slack_api_url_file'], shared.slack_api_url === undefined ? shared.slack_api_url_file : undefined]
    if (name !== undefined) return this.#addressFrom(name, place)
    if (shared.slack_api_url !== undefined) return shared.slack_api_url
    const fix = 'set api_url: ${ENV_VAR} or api_url_file here, or global.slack_api_url'
    this.#report(path, 'no Slack webhook is given', fix)
    return ''
  }

  #webhook(webhook: WebhookFile, path: Path): WebhookSettings {
    if ((webhook.url === undefined) === (webhook.url_file === undefined))
      this.#report(path, 'needs one address', 'set one of url and url_file')
    const url =
      webhook.url_file === undefined ? (webhook.url ?? '') : this.#addressFrom(webhook.url_file, [...path, 'url_file'])
    return {
      url,
      ...this.#login(webhook.http_config, [...path, 'http_config']),
      maxAlerts: webhook.max_alerts === undefined || webhook.max_alerts === 0 ? mostAlerts : webhook.max_alerts,
      timeoutMs: webhook.timeout ?? 10_000,
    }
  }

  #pagerduty(pagerduty: PagerdutyFile, path: Path): PagerdutySettings {
    if ((pagerduty.routing_key === undefined) === (pagerduty.routing_key_file === undefined)) {
      const fix = 'set routing_key: ${ENV_VAR} or routing_key_file, of an integration with the Events API v2'
      this.#report(path, 'needs one routing key', fix)
    }
    const routingKey =
      pagerduty.routing_key_file === undefined
        ? (pagerduty.routing_key ?? '')
        : this.#secretFile([...path, 'routing_key_file'], pagerduty.routing_key_file)
    const severities = { page: 'critical', ticket: 'warning', info: 'info', ...pagerduty.severity } as const
    const url = pagerduty.url ?? 'https://events.pagerduty.com/v2/enqueue'
    return { url, routingKey, severities, timeoutMs: pagerduty.timeout ?? 10_000 }
  }

  #alertmanager(alertmanager: AlertmanagerFile, path: Path): AlertmanagerSettings {
    return {
      urls: [...new Set(alertmanager.urls.map((url) => url.replace(/\/+$/, '')))],
      ...this.#login(alertmanager.http_config, [...path, 'http_config']),
      resendDelayMs: alertmanager.resend_delay ?? 60_000,
      timeoutMs: alertmanager.timeout ?? 10_000,
    }
  }

  #login(config: HttpConfigFile | undefined, path: Path): HttpLogin {
    const { basic_auth: basic, authorization: other } = config ?? {}
    if (basic !== undefined && other !== undefined)
      this.#report(path, 'has two ways to log in', 'keep one of basic_auth and authorization')
    if (basic !== undefined) {
      const at = [...path, 'basic_auth']
      const password = this.#either(at, ['password', basic.password], ['password_file', basic.password_file])
      return { authorization: `Basic ${Buffer.from(`${basic.username}:${password}`).toString('base64')}` }
    }
    if (other === undefined) return { authorization: null }
    const at = [...path, 'authorization']
    const credentials = this.#either(
      at,
      ['credentials', other.credentials],
      ['credentials_file', other.credentials_file],
    )
    return { authorization: `${other.type} ${credentials}` }
  }

  #either(
    path: Path,
    [key, value]: [string, string | undefined],
    [fileKey, file]: [string, string | undefined],
  ): string {
    if (file !== undefined && value === undefined) return this.#secretFile([...path, fileKey], file)
    if (value === undefined || file !== undefined)
      this.#report(path, `needs one ${key}`, `set ${key}: \${ENV_VAR} or ${fileKey}`)
    return value ?? ''
  }

  #addressFrom(file: string, path: Path): string {
    const url = this.#secretFile(path, file)
    if (url !== '' && !isWebhook(url))
      this.#report(path, `${file} holds no http or https address`, 'put the webhook URL alone into the file')
    return url
  }
}

function common(receiver: string, kind: Integration['kind'], place: number, maxPerMinute: number) {
  return { key: `${receiver}/${kind}/${place}`, receiver, maxPerMinute }
}
