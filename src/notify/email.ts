import { createTransport } from 'nodemailer'
import type { Log } from '../fault/log.ts'
import { chartPainter, type PaintChart } from './chart-image.ts'
import { isAddress } from './contact.ts'
import { emailHtml } from './email-html.ts'
import { emailText } from './email-text.ts'
import type { Message } from './message.ts'
import { type Delivery, failed, type Receiver } from './receiver.ts'
import type { EmailSettings } from './routing.ts'

/** Sends mail over SMTP, through a connection that is kept for a while. */
export function openEmail(settings: EmailSettings, log: Log, paint: PaintChart = chartPainter(log)): Receiver {
  const { auth, tls } = settings
  const transport = createTransport({
    pool: true,
    host: settings.host,
    port: settings.port,
    secure: settings.port === 465,
    requireTLS: settings.requireTls,
    ...(settings.hello === null ? {} : { name: settings.hello }),
    ...(auth === null ? {} : { auth: { user: auth.user, pass: auth.password } }),
    tls: {
      rejectUnauthorized: !tls.insecureSkipVerify,
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
    },
    maxConnections: 1,
    idleTimeout: 30_000,
    // The pool would send again by itself when a connection breaks after the server took the message. We do that, once
    // it is known and noted.
    maxRequeues: 0,
    connectionTimeout: settings.timeoutMs,
    greetingTimeout: settings.timeoutMs,
    socketTimeout: settings.timeoutMs,
    dnsTimeout: settings.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async deliver(message) {
      const to = message.to ?? (settings.recipients.kind === 'fixed' ? settings.recipients.to : [])
      if (to.length === 0) return failed('refused', 'there is no address to send it to', { final: true })
      try {
        const chart = settings.chart && message.chart ? await paint(message.chart) : null
        const mail = emailOf(message, { from: settings.from, hasChart: chart !== null })
        const info = await transport.sendMail({
          from: settings.from,
          to: [...to],
          subject: mail.subject,
          date: new Date(message.madeAtMs),
          ...mail.ids,
          headers: mail.headers,
          text: mail.text,
          html: mail.html,
          ...(chart === null || mail.chartId === null
            ? {}
            : { attachments: [picture(mail.chartId, Buffer.from(chart))] }),
          // Idle time is not all: a server that trickles its answers would hold the lane for ever.
          signal: AbortSignal.timeout(settings.timeoutMs * 3),
        })
        const refused = info.rejected?.length ?? 0
        if (refused > 0) log.warn('some recipients were refused', { receiver: message.receiver, refused })
        return { kind: 'sent' }
      } catch (error) {
        return failureOf(error)
      }
    },
    async close() {
      transport.close()
    },
  }
}

/** What a mail consists of beside its addresses and its picture. */
function emailOf(message: Message, { from, hasChart }: { from: string; hasChart: boolean }) {
  const domain = domainOf(from)
  const root = `<${message.thread}@${domain}>`
  const isExternal = message.audience === 'external'
  // A receiver's name is an internal one.
  const id = isExternal ? message.id : `${message.id}.${message.receiver}`
  const chartId = hasChart ? `chart.${message.id}@${domain}` : null
  return {
    subject: message.subject,
    // Made of the notification's id: a second delivery is the same mail, which programs fold. The root of the thread
    // is a mail that never existed, so every mail of the conversation can name it, whichever came first.
    ids: { messageId: `<${id}@${domain}>`, inReplyTo: root, references: root },
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      'List-Id': isExternal ? `<notices.${domain}>` : `Tollwatch <alerts.tollwatch.${domain}>`,
      ...(isExternal ? { 'List-Unsubscribe': `<mailto:${addressOf(from)}?subject=unsubscribe>` } : {}),
    },
    text: emailText(message),
    html: emailHtml(message, chartId),
    chartId,
  }
}

function picture(cid: string, content: Buffer) {
  return {
    filename: 'refused-calls.png',
    contentType: 'image/png',
    contentDisposition: 'inline' as const,
    cid,
    content,
  }
}

/** The bare address of `Name <address>`. */
function addressOf(from: string): string {
  const bare = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from.trim()
  return isAddress(bare) ? encodeURI(bare) : `postmaster@${domainOf(from)}`
}

function domainOf(address: string): string {
  return /@([A-Za-z0-9.-]+)>?\s*$/.exec(address)?.[1] ?? 'localhost'
}

/** A 5xx answer to this very message is final; anything about the way there is not: an operator may mend it. */
function failureOf(error: unknown): Delivery {
  const code = field(error, 'code')
  // The socket's own word, such as CERT_HAS_EXPIRED or ECONNREFUSED, behind nodemailer's general one.
  const original = field(error, 'originalCode')
  const status = Number(field(error, 'responseCode'))
  const detail = [code, original === code ? '' : original, status > 0 ? String(status) : '']
    .filter((part) => part !== '')
    .join(' ')
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return failed('authentication', detail)
    case 'ETIMEDOUT':
    case 'EABORT':
      return failed('timeout', detail)
    case 'ETLS':
    case 'EREQUIRETLS':
      return failed('tls', detail)
    case 'EENVELOPE':
    case 'EMESSAGE':
      return status >= 400 && status < 500 ? failed('server-error', detail) : failed('refused', detail, { final: true })
    default:
      return /CERT|SELF_SIGNED|^ERR_(?:TLS|SSL)|ALTNAME/.test(original)
        ? failed('tls', detail)
        : failed('connection', detail)
  }
}

function field(error: unknown, name: string): string {
  if (typeof error !== 'object' || error === null || !Object.hasOwn(error, name)) return ''
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
