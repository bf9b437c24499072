import { createServer } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { openEmail } from '../../src/notify/email.ts'
import { composeMessage } from '../../src/notify/message.ts'
import type { EmailSettings } from '../../src/notify/routing.ts'
import { freePort } from '../support/process.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'
import { externalCases, operatorCases } from './message-cases.ts'
import { alertOf, context, eleven } from './sample.ts'

let server: MailServer

beforeEach(async () => {
  server = await startMailServer({ user: 'tollwatch', pass: 'open-sesame' })
})

afterEach(() => server.close())

function settings(change: Partial<EmailSettings> = {}): EmailSettings {
  return {
    host: server.host,
    port: server.port,
    from: 'Tollwatch <tollwatch@mail.example.com>',
    recipients: { kind: 'fixed', to: ['oncall@example.com', 'Second Person <second@example.com>'] },
    audience: 'operators',
    dailyCap: null,
    chart: false,
    hello: 'tollwatch.example.com',
    auth: { user: 'tollwatch', password: 'open-sesame' },
    requireTls: false,
    tls: { ca: null, serverName: null, insecureSkipVerify: false },
    timeoutMs: 2_000,
    ...change,
  }
}

function message(id: string, labels = { tenant: 'acme', api: 'chat', cause: 'quota_exceeded' }) {
  const member = { alert: alertOf({ labels }), noticedAtMs: eleven, told: null, doneAtMs: null }
  return composeMessage(
    {
      id,
      thread: 'thread7',
      receiver: 'oncall',
      now: eleven,
      routeText: '',
      reminder: false,
      firing: [member],
      resolved: [],
      mutedCount: 0,
      folded: 0,
      groups: 1,
      maxPerMinute: 30,
      subject: null,
    },
    context,
  ).message
}

async function attempt(change: Partial<EmailSettings>, given = message('m1')) {
  const receiver = openEmail(settings(change), silentLog)
  try {
    return await receiver.deliver(given, { receipt: null })
  } finally {
    await receiver.close()
  }
}

describe('a mail', () => {
  test('arrives with both parts, its thread and the marks of a machine', async () => {
    const receiver = openEmail(settings(), silentLog)
    expect(await receiver.deliver(message('m1'), { receipt: null })).toEqual({ kind: 'sent' })
    expect(await receiver.deliver(message('m2'), { receipt: null })).toEqual({ kind: 'sent' })
    await receiver.close()
    const [first, second] = await server.received(2)
    const header = (name: string) => first?.email.headers.find(({ key }) => key === name)?.value
    expect(first?.envelope).toEqual({
      from: 'tollwatch@mail.example.com',
      to: ['oncall@example.com', 'second@example.com'],
    })
    expect(first?.email.subject).toBe('[PAGE] acme / chat: quota exceeded, 27x normal (60 in 5 min)')
    expect(first?.email.messageId).toBe('<m1.oncall@mail.example.com>')
    expect(second?.email.messageId).toBe('<m2.oncall@mail.example.com>')
    for (const mail of [first, second]) expect(mail?.email.references).toBe('<thread7@mail.example.com>')
    expect(header('auto-submitted')).toBe('auto-generated')
    expect(header('list-id')).toContain('<alerts.tollwatch.mail.example.com>')
    expect(first?.email.date).toBe(new Date(eleven).toISOString())
    expect(first?.email.text).toContain('27× normal')
    expect(first?.email.html).toContain('QuotaExhaustionSpike is firing')
  })

  test('keeps a name with line breaks inside its subject', async () => {
    const hostile = { tenant: 'acme\r\nBcc: s@x.y\r\n\r\n<b>', api: 'chat', cause: 'quota_exceeded' }
    await attempt({}, message('m1', hostile))
    const [mail] = await server.received(1)
    expect(mail?.envelope.to).toEqual(['oncall@example.com', 'second@example.com'])
    expect(mail?.email.headers.some(({ key }) => key === 'bcc')).toBe(false)
    expect(mail?.email.subject).toContain('acme Bcc: s@x.y <b> / chat')
  })

  test('carries names of any script', async () => {
    await attempt({}, message('m1', { tenant: '数据公司 🚀', api: 'צ׳אט', cause: 'quota_exceeded' }))
    const [mail] = await server.received(1)
    expect(mail?.email.subject).toContain('数据公司 🚀')
    expect(mail?.email.text).toContain('צ׳אט')
  })
})

describe('a chart', () => {
  const withChart = operatorCases.firing

  test('goes with the mail as a picture that is shown in place, with its numbers in words', async () => {
    await attempt({ chart: true }, withChart)
    const [mail] = await server.received(1)
    const [picture] = mail?.email.attachments ?? []
    expect(picture).toMatchObject({ mimeType: 'image/png', disposition: 'inline', related: true })
    const id = picture?.contentId?.replace(/^<|>$/g, '') ?? ''
    expect(id).toMatch(/^chart\.[0-9a-f]+@mail\.example\.com$/)
    const image = /<img [^>]*>/.exec(mail?.email.html ?? '')?.[0]
    expect(image).toContain(`src="cid:${id}"`)
    expect(image).toMatch(
      /alt="Refused calls in steps of 5 min over the 3 h to 11:04 UTC: 60 in the last step, 60 at most/,
    )
    expect(
      Buffer.from((picture?.content ?? '') as ArrayBuffer)
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
  })

  test('is left out where the settings do not ask for it, and where it cannot be painted', async () => {
    await attempt({ chart: false }, withChart)
    const receiver = openEmail(settings({ chart: true }), silentLog, async () => null)
    expect(await receiver.deliver(withChart, { receipt: null })).toEqual({ kind: 'sent' })
    await receiver.close()
    for (const mail of await server.received(2)) {
      expect(mail.email.attachments).toEqual([])
      expect(mail.email.html).not.toContain('<img')
      expect(mail.email.text).toMatch(/^Trend +[▁▂▃▄▅▆▇█\u00a0]{18} \(last 3 h, 10 min each\)$/m)
    }
  })
})

describe('a mail to a tenant', () => {
  const tenant = { kind: 'tenant', purpose: 'billing', fallback: null } as const

  test('goes to the addresses of its message, can be unsubscribed from, and names nothing internal', async () => {
    await attempt({ recipients: tenant, audience: 'external', chart: true }, externalCases['external-firing'])
    const [mail] = await server.received(1)
    expect(mail?.envelope.to).toEqual(['pay@acme.example.org'])
    const header = (name: string) => mail?.email.headers.find(({ key }) => key === name)?.value
    expect(header('list-unsubscribe')).toBe('<mailto:tollwatch@mail.example.com?subject=unsubscribe>')
    expect(header('list-id')).toBe('<notices.mail.example.com>')
    expect(mail?.email.messageId).toBe('<0123456789abcdef0123@mail.example.com>')
    expect(mail?.email.references).toBe('<fedcba98765432100123@mail.example.com>')
    // The sender is what the operator chose, and is all that says Tollwatch.
    expect(mail?.raw.replace(/^(?:From|List-Unsubscribe):.*$/gm, '')).not.toMatch(
      /oncall|Tollwatch|QuotaExhaustionSpike|wiki|grafana/i,
    )
  })

  test('without an address is refused for good', async () => {
    expect(await attempt({ recipients: tenant }, externalCases['external-resolved'])).toMatchObject({
      ...{ kind: 'failed', reason: 'refused', final: true },
      detail: 'there is no address to send it to',
    })
    expect(server.attempts()).toBe(0)
  })
})

describe('a mail that cannot be delivered', () => {
  test('is tried again when the server asks for it, and never when it refuses', async () => {
    server.trouble = () => ({ refuseWith: 451 })
    expect(await attempt({})).toMatchObject({ kind: 'failed', reason: 'server-error', final: false })
    server.trouble = () => ({ refuseWith: 550 })
    expect(await attempt({})).toMatchObject({ kind: 'failed', reason: 'refused', final: true })
    expect(server.attempts()).toBe(2)
  })

  test('says that the password is wrong, and not what it is', async () => {
    const delivery = await attempt({ auth: { user: 'tollwatch', password: 'guessed-wrong' } })
    expect(delivery).toMatchObject({ kind: 'failed', reason: 'authentication', final: false })
    expect(JSON.stringify(delivery)).not.toMatch(/guessed|sesame/)
  })

  test('says that nobody listens', async () => {
    expect(await attempt({ port: await freePort() })).toMatchObject({
      kind: 'failed',
      reason: 'connection',
      final: false,
    })
  })

  test('says that TLS is not to be had where it is asked for', async () => {
    expect(await attempt({ requireTls: true })).toMatchObject({ kind: 'failed', reason: 'tls', final: false })
  })

  test('gives up on a server that says nothing', async () => {
    const mute = createServer(() => {})
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const address = mute.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const delivery = await attempt({ port, timeoutMs: 200 })
    mute.close()
    expect(delivery).toMatchObject({ kind: 'failed', reason: 'timeout', final: false })
  })
})

describe('STARTTLS', () => {
  let secure: SMTPServer
  let port: number
  const sessions: boolean[] = []

  beforeEach(async () => {
    sessions.length = 0
    secure = new SMTPServer({
      authOptional: true,
      logger: false,
      onData: (stream, session, done) => {
        sessions.push(session.secure)
        stream.resume().on('end', () => done())
      },
    })
    // A client that distrusts the certificate hangs up in the middle of the handshake.
    secure.on('error', () => {})
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const address = secure.server.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })

  afterEach(() => new Promise<void>((resolve) => secure.close(() => resolve())))

  test('is used, and a certificate nobody vouches for is refused unless that is switched off', async () => {
    const plain = { port, auth: null, requireTls: true }
    expect(await attempt(plain)).toMatchObject({ kind: 'failed', reason: 'tls', final: false })
    expect(sessions).toEqual([])
    const tls = { ca: null, serverName: null, insecureSkipVerify: true }
    expect(await attempt({ ...plain, tls })).toEqual({ kind: 'sent' })
    expect(sessions).toEqual([true])
  })
})
