import type { Failure } from './receiver.ts'
import type { Fetch } from './slack.ts'
import { statusFailure, thrownFailure, wordFailure } from './slack-failures.ts'

export type SlackAnswer =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly ok: false
      /** Slack's own word, such as `not_in_channel`; empty where there was no answer to read. */
      readonly word: string
      readonly failure: Failure
      /** Whether Slack may have done it all the same: the connection broke, or it stumbled over itself. */
      readonly unclear: boolean
    }

/** The largest answer that is read: a page of a channel's history may be long. */
const answerLimit = 4 * 1024 * 1024

/** Slack's Web API with a bot token. The token is a secret: it is in no answer and in no failure. */
export class SlackApi {
  readonly #token: string
  readonly #apiUrl: string
  readonly #timeoutMs: number
  readonly #fetch: Fetch

  constructor(options: { token: string; apiUrl: string; timeoutMs: number; fetch: Fetch }) {
    this.#token = options.token
    this.#apiUrl = options.apiUrl.replace(/\/$/, '')
    this.#timeoutMs = options.timeoutMs
    this.#fetch = options.fetch
  }

  /** A method that writes; these take JSON. */
  call(method: string, body: object): Promise<SlackAnswer> {
    return this.#post(method, 'application/json; charset=utf-8', JSON.stringify(body))
  }

  /** A method that reads; these take forms only. */
  ask(method: string, form: Readonly<Record<string, string>>): Promise<SlackAnswer> {
    return this.#post(method, 'application/x-www-form-urlencoded', new URLSearchParams(form).toString())
  }

  /** Sends a file's bytes to where Slack said. The token does not go there. @returns whether they were taken */
  async upload(address: string, bytes: Uint8Array): Promise<boolean> {
    if (!URL.canParse(address)) return false
    const { protocol, origin } = new URL(address)
    if (protocol !== 'https:' && origin !== new URL(this.#apiUrl).origin) return false
    try {
      const response = await this.#fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: Buffer.from(bytes),
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      await response.body?.cancel()
      return response.status === 200
    } catch {
      return false
    }
  }

  async #post(method: string, type: string, body: string): Promise<SlackAnswer> {
    try {
      const response = await this.#fetch(`${this.#apiUrl}/${method}`, {
        method: 'POST',
        headers: { 'content-type': type, authorization: `Bearer ${this.#token}` },
        body,
        // A redirect would carry the message and the token to somebody else.
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
      })
      const retryAfter = response.headers.get('retry-after')
      if (!response.ok) {
        await response.body?.cancel()
        const failure = statusFailure(response.status, '', retryAfter)
        return { ok: false, word: '', failure, unclear: response.status >= 500 }
      }
      return read(await limitedText(response), retryAfter)
    } catch (error) {
      return { ok: false, word: '', failure: thrownFailure(error), unclear: true }
    }
  }
}

function read(text: string, retryAfter: string | null): SlackAnswer {
  const body = parsed(text)
  if (body['ok'] === true) return { ok: true, body }
  // Only what looks like one of Slack's words is repeated; a proxy may say anything.
  const word = wordOf(body['error'], /^[a-z_]{1,60}$/)
  const needed = word === 'missing_scope' ? wordOf(body['needed'], /^[a-z:,._]{1,80}$/) : ''
  const failure = wordFailure(word === '' ? 'no_word_of_slack' : word, { needed, retryAfter })
  return {
    ok: false,
    word,
    failure,
    unclear: word === '' || /^(?:internal_error|fatal_error|request_timeout)$/.test(word),
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wordOf(value: unknown, shape: RegExp): string {
  return typeof value === 'string' && shape.test(value) ? value : ''
}

async function limitedText(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.byteLength
    if (size > answerLimit) return ''
    text += decoder.decode(part, { stream: true })
  }
  return text + decoder.decode()
}
