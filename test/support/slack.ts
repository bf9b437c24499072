import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { blockKitProblems } from './block-kit.ts'
import { waitFor } from './process.ts'

/** What the webhook does with the next request. */
export interface SlackTrouble {
  readonly delayMs?: number
  /** Such as 429 or 500. */
  readonly status?: number
  /** Seconds, sent as Retry-After. */
  readonly retryAfter?: number
  /** Hangs up; `after` only when the message has been posted, so that the sender cannot know. */
  readonly hangUp?: 'before' | 'after'
}

export interface SlackMessage {
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
  /** The path the request came to. */
  readonly path: string
}

/** An incoming webhook on the loopback address. */
export interface SlackServer {
  /** What Slack would hand out as the webhook's address. */
  readonly url: string
  /** Messages posted so far, in order. */
  readonly messages: readonly SlackMessage[]
  /** What was refused for breaking a limit, each with its problems: should stay empty. */
  readonly refused: readonly string[]
  attempts(): number
  /** Asked before each request; null posts it. */
  trouble: (attempt: number) => SlackTrouble | null
  received(count: number, timeoutMs?: number): Promise<readonly SlackMessage[]>
  close(): Promise<void>
}

/** Starts a webhook that is at least as strict as Slack: wrong content type, size or blocks are refused with 400. */
export async function startSlack(): Promise<SlackServer> {
  const messages: SlackMessage[] = []
  const refused: string[] = []
  let attempts = 0
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const trouble = slack.trouble(++attempts)
    if (trouble?.delayMs !== undefined) await sleep(trouble.delayMs)
    if (trouble?.hangUp === 'before') return void request.socket.destroy()
    if (trouble?.status !== undefined) {
      const headers = trouble.retryAfter === undefined ? {} : { 'retry-after': String(trouble.retryAfter) }
      return void response.writeHead(trouble.status, headers).end('a test refuses this message')
    }
    const problem = problemOf(request.method, request.headers['content-type'], Buffer.concat(chunks))
    if (typeof problem === 'string') {
      refused.push(problem)
      return void response.writeHead(400, { 'content-type': 'text/plain' }).end('invalid_blocks')
    }
    messages.push({ ...problem, path: request.url ?? '' })
    if (trouble?.hangUp === 'after') return void request.socket.destroy()
    response.writeHead(200, { 'content-type': 'text/html' }).end('ok')
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('the webhook has no port')
  const slack: SlackServer = {
    url: `http://127.0.0.1:${address.port}/services/T000/B000/secret-of-the-webhook`,
    messages,
    refused,
    attempts: () => attempts,
    trouble: () => null,
    received: async (count, timeoutMs = 30_000) => {
      await waitFor(`${count} messages (have ${messages.length})`, () => messages.length >= count, { timeoutMs })
      return messages
    },
    close: async () => {
      http.close()
      http.closeAllConnections()
      await once(http, 'close')
    },
  }
  return slack
}

/** The message, or why Slack would not post it. */
function problemOf(
  method: string | undefined,
  contentType: string | undefined,
  bytes: Buffer,
): string | { text: string; body: Record<string, unknown> } {
  if (method !== 'POST') return `the method is ${method}`
  if (!/^application\/json\b/.test(contentType ?? '')) return `the content type is ${contentType}`
  let body: unknown
  try {
    body = JSON.parse(bytes.toString('utf8'))
  } catch {
    return 'the body is no JSON'
  }
  const problems = blockKitProblems(body)
  if (problems.length > 0) return problems.join('; ')
  const message = body as Record<string, unknown>
  return { text: String(message['text']), body: message }
}
