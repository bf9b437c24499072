import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SlackTrouble } from './slack.ts'

/** A JSON request that was taken. */
export interface TakenPost {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** A server on the loopback address that takes JSON and can fail in every way a receiver does. */
export interface HttpSink {
  /** Without a slash at the end. */
  readonly url: string
  readonly posts: readonly TakenPost[]
  attempts(): number
  /** Asked before each request; null takes it. */
  trouble: (attempt: number) => SlackTrouble | null
  close(): Promise<void>
}

export async function startHttpSink(): Promise<HttpSink> {
  const posts: TakenPost[] = []
  let attempts = 0
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const trouble = sink.trouble(++attempts)
    if (trouble?.delayMs !== undefined) await sleep(trouble.delayMs)
    if (trouble?.hangUp === 'before') return void request.socket.destroy()
    if (trouble?.status !== undefined) {
      const headers = trouble.retryAfter === undefined ? {} : { 'retry-after': String(trouble.retryAfter) }
      return void response.writeHead(trouble.status, headers).end('a test refuses this')
    }
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    posts.push({ path: request.url ?? '', headers: request.headers, body })
    if (trouble?.hangUp === 'after') return void request.socket.destroy()
    response.writeHead(202).end('taken')
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('the sink has no port')
  const sink: HttpSink = {
    url: `http://127.0.0.1:${address.port}`,
    posts,
    attempts: () => attempts,
    trouble: () => null,
    close: async () => {
      http.close()
      http.closeAllConnections()
      await once(http, 'close')
    },
  }
  return sink
}
