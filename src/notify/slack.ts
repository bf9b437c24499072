import type { Message } from './message.ts'
import type { Delivery, Receiver } from './receiver.ts'
import type { SlackSettings } from './routing.ts'
import { type SlackPayload, slackPayload, slackText } from './slack-blocks.ts'
import { statusFailure, thrownFailure } from './slack-failures.ts'

/** Only what `fetch` is used for here, so that tests may stand in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

type WebhookSettings = Extract<SlackSettings, { way: 'webhook' }>

/** Posts to an incoming webhook. Its address is a secret: it reaches neither a detail nor an error. */
export function openSlack(settings: WebhookSettings, fetch: Fetch = globalThis.fetch): Receiver {
  const post = async (payload: SlackPayload): Promise<Answer> => {
    const response = await fetch(settings.url, {
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
        if (plain.status !== 400) return deliveryOf(plain)
        return { ...statusFailure(400, answer.word, null), final: true, retryAfterMs: null }
      } catch (error) {
        return thrownFailure(error)
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

function deliveryOf({ status, word, retryAfter }: Answer): Delivery {
  return status >= 200 && status < 300 ? { kind: 'sent' } : statusFailure(status, word, retryAfter)
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
