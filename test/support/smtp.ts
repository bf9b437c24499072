import { once } from 'node:events'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { waitFor } from './process.ts'

/** A mail as it arrived. */
export interface Mail {
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  readonly email: Email
  /** The bytes on the wire, as text. */
  readonly raw: string
}

/** What the server does with the next mail. */
export interface MailTrouble {
  readonly delayMs?: number
  /** Such as 451 (try again later) or 550 (never). */
  readonly refuseWith?: number
  /** Hangs up instead of answering; `after` only when the mail was taken, so that the sender cannot know. */
  readonly hangUp?: 'before' | 'after'
}

/** A mail server on the loopback address. */
export interface MailServer {
  readonly host: string
  readonly port: number
  /** Every mail accepted so far, in order. */
  readonly mails: readonly Mail[]
  /** Attempts to deliver, refused ones included. */
  attempts(): number
  /** Asked before each mail; null accepts it. */
  trouble: (attempt: number) => MailTrouble | null
  /** Resolves with the mails once there are that many. */
  received(count: number, timeoutMs?: number): Promise<readonly Mail[]>
  close(): Promise<void>
}

/**
 * Starts a real SMTP server that keeps what it gets.
 *
 * @param login when given, a client must log in with exactly these
 */
export async function startMailServer(login?: { user: string; pass: string }): Promise<MailServer> {
  const mails: Mail[] = []
  let attempts = 0
  const smtp = new SMTPServer({
    authOptional: login === undefined,
    // Passwords over plain text are fine on the loopback address, and only there.
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _session, done) => {
      const welcome = login === undefined || (username === login.user && password === login.pass)
      if (welcome) done(null, { user: username ?? '' })
      else done(replied(535, 'authentication failed'))
    },
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const trouble = server.trouble(++attempts)
        const answer = async () => {
          if (trouble?.hangUp === 'before') return hangUp()
          if (trouble?.refuseWith !== undefined) throw replied(trouble.refuseWith, 'a test refuses this mail')
          const raw = Buffer.concat(chunks)
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
          const to = envelope.rcptTo.map(({ address }) => address)
          mails.push({ envelope: { from, to }, email: await PostalMime.parse(raw), raw: raw.toString('utf8') })
          if (trouble?.hangUp === 'after') hangUp()
        }
        setTimeout(() => answer().then(() => done(), done), trouble?.delayMs ?? 0)
      })
    },
  })
  const hangUp = () => {
    for (const connection of smtp.connections) connection._socket.destroy()
  }
  smtp.on('error', () => {})
  const listening = smtp.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('the mail server has no port')
  const server: MailServer = {
    host: '127.0.0.1',
    port: address.port,
    mails,
    attempts: () => attempts,
    trouble: () => null,
    received: async (count, timeoutMs = 30_000) => {
      await waitFor(`${count} mails (have ${mails.length})`, () => mails.length >= count, { timeoutMs })
      return mails
    },
    close: () => new Promise((resolve) => smtp.close(() => resolve())),
  }
  return server
}

function replied(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode })
}
