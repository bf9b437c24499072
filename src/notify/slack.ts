import type { Message } from './message.ts'
import { type Delivery, failed, type Receiver } from './receiver.ts'
import type { SlackSettings } from './routing.ts'
import { type SlackPayload, slackPayload, slackText } from './slack-blocks.ts'

/** Only what `fetch` is used for here, so that tests may stand in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

const restAfterRefusalMs = 600_000

/** Posts to an incoming webhook. Its address is a secret: it reaches neither a detail nor an error. */
export function openSlack(settings: SlackSettings, fetch: Fetch = globalThis.fetch): Receiver {
  const post = async (payload: SlackPayload): Promise<Answer> => {
    const response = await fetch(settings.way === 'webhook' ? settings.url : settings.apiUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(payload),
      // A redirect would carry the message, and the secret path, to somebody else.
      redirect: 'manual',
      signal: AbortSignal.timeout(settings.timeoutMs),
    })
    const word = response.ok ? await discard(response) : await errorWord(response)
    return { status: response.status, word, retryAfter: response.headers.get('retry-after') }
  }
  return {
    async deliver(message: Message) {
      try {
        const answer = await post(slackPayload(message))
        if (answer.status !== 400) return deliveryOf(answer)
        // Slack refuses the whole message for one block it dislikes; the plain text says the essential.
        const plain = await post(slackText(message))
        return plain.status === 400 ? failed('refused', detailOf(answer), { final: true }) : deliveryOf(plain)
      } catch (error) {
        return thrown(error)
      }
    },
    async close() {},
  }
}

interface Answer {
  readonly status: number
  readonly word: string
  readonly retryAfter: string | null
}

function deliveryOf(answer: Answer): Delivery {
  const { status } = answer
  if (status >= 200 && status < 300) return { kind: 'sent' }
  if (status === 429) return failed('rate-limited', detailOf(answer), { retryAfterMs: retryAfterMs(answer.retryAfter) })
  if (status === 408) return failed('timeout', detailOf(answer))
  if (status >= 500)
    return failed('server-error', detailOf(answer), { retryAfterMs: retryAfterMs(answer.retryAfter, 0) })
  if (status === 413) return failed('refused', detailOf(answer), { final: true })
  // A revoked webhook or an archived channel: somebody may mend it within the day, so it is tried again, but rarely.
  return failed(status === 401 || status === 403 ? 'authentication' : 'refused', detailOf(answer), {
    retryAfterMs: restAfterRefusalMs,
  })
}

function detailOf({ status, word }: Answer): string {
  return word === '' ? `HTTP ${status}` : `HTTP ${status} ${word}`
}

/** Slack sends whole seconds. */
function retryAfterMs(header: string | null, fallbackMs = 30_000): number {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1_000 : fallbackMs
}

/** Slack's error is one word such as `invalid_blocks`; any other body, from a proxy say, is not repeated. */
async function errorWord(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const { value } = await reader.read()
  await reader.cancel()
  const text = new TextDecoder().decode(value?.slice(0, 200)).trim()
  return /^[a-z_]{1,60}$/.test(text) ? text : ''
}

async function discard(response: Response): Promise<string> {
  await response.body?.cancel()
  return ''
}

/** `fetch` puts the address into some of its messages, so only the code is looked at. */
function thrown(error: unknown): Delivery {
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return failed('timeout', 'no answer in time')
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const detail = /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'no connection'
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return failed('timeout', detail)
  return /CERT|SELF_SIGNED|^ERR_(?:TLS|SSL)|ALTNAME/.test(code) ? failed('tls', detail) : failed('connection', detail)
}
