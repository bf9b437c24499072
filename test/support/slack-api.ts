import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { blockKitProblems } from './block-kit.ts'

/** A message as it stands in a channel now. */
export interface Posted {
  readonly channel: string
  readonly ts: string
  readonly threadTs: string | null
  readonly text: string
  readonly blocks: readonly unknown[]
  readonly metadata: unknown
  readonly broadcast: boolean
  readonly edits: number
}

/** What the server does with the next call of a method. */
export interface ApiTrouble {
  /** An HTTP status without a body of Slack's, such as 429 or 503. */
  readonly status?: number
  /** Seconds, sent as Retry-After. */
  readonly retryAfter?: number
  /** `{"ok":false,"error":…}` */
  readonly error?: string
  readonly needed?: string
  /** Hangs up; `after` only when it is done, so that the sender cannot know. */
  readonly hangUp?: 'before' | 'after'
}

/** A stand-in for Slack's Web API on the loopback address, at least as strict: what breaks a limit is refused. */
export interface SlackApiServer {
  readonly apiUrl: string
  readonly messages: readonly Posted[]
  /** Methods in the order they were called. */
  readonly calls: readonly string[]
  readonly files: ReadonlyMap<string, Buffer>
  /** Problems of refused messages: should stay empty. */
  readonly refused: readonly string[]
  /** Asked before each call; null answers it. */
  trouble: (method: string) => ApiTrouble | null
  /** How often an upload is asked to be completed before Slack is through with the file. */
  looksNeeded: number
  roots(): readonly Posted[]
  repliesTo(ts: string): readonly Posted[]
  close(): Promise<void>
}

export const botToken = 'xoxb-secret-of-the-bot'
export const channelId = 'C0123456789'
export const channelName = '#oncall'

type Json = Record<string, unknown>
type Reply = Json & { readonly ok: boolean }

export async function startSlackApi(): Promise<SlackApiServer> {
  const messages: Posted[] = []
  const calls: string[] = []
  const refused: string[] = []
  const files = new Map<string, Buffer>()
  const completed = new Map<string, number>()
  let count = 0

  const post = (body: Json): Reply => {
    const { channel, thread_ts: threadTs = null, metadata = null, reply_broadcast: broadcast = false, ...rest } = body
    if (channel !== channelId && channel !== channelName) return { ok: false, error: 'channel_not_found' }
    const problem = problemsOf(rest)
    if (problem !== null) return { ok: false, error: problem }
    if (threadTs !== null && !messages.some(({ ts }) => ts === threadTs))
      return { ok: false, error: 'thread_not_found' }
    const ts = `1772449${String(++count).padStart(3, '0')}.000100`
    const text = String(rest['text'])
    const blocks = (rest['blocks'] ?? []) as unknown[]
    messages.push({
      ...{ channel: channelId, ts, text, blocks, metadata, edits: 0 },
      ...{ threadTs: threadTs === null ? null : String(threadTs), broadcast: broadcast === true },
    })
    return { ok: true, channel: channelId, ts }
  }
  const update = (body: Json): Reply => {
    const { channel, ts, ...rest } = body
    const place = messages.findIndex((one) => one.ts === ts && one.channel === channel)
    const old = messages[place]
    if (old === undefined) return { ok: false, error: 'message_not_found' }
    const problem = problemsOf(rest)
    if (problem !== null) return { ok: false, error: problem }
    messages[place] = {
      ...old,
      text: String(rest['text']),
      blocks: (rest['blocks'] as unknown[] | undefined) ?? old.blocks,
      edits: old.edits + 1,
    }
    return { ok: true, channel, ts }
  }
  /** Wrong blocks, and pictures whose file Slack has not finished with. */
  const problemsOf = (body: Json): string | null => {
    const problems = [...blockKitProblems(body)]
    for (const block of (body['blocks'] ?? []) as Json[]) {
      const id = (block['slack_file'] as Json | undefined)?.['id']
      if (id !== undefined && (completed.get(String(id)) ?? 0) < server.looksNeeded) return 'invalid_blocks'
    }
    refused.push(...problems)
    return problems.length > 0 ? 'invalid_blocks' : null
  }
  const listed = (form: Json, wanted: (one: Posted) => boolean): Reply => {
    if (form['channel'] !== channelId) return { ok: false, error: 'channel_not_found' }
    const all = form['include_all_metadata'] === 'true'
    const found = messages.filter(wanted).filter(({ ts }) => Number(ts) >= Number(form['oldest'] ?? 0))
    const shown = found.map(({ ts, text, metadata }) => ({ type: 'message', ts, text, ...(all ? { metadata } : {}) }))
    return { ok: true, messages: shown.toReversed().slice(0, Number(form['limit'] ?? 100)) }
  }
  const upload = (form: Json): Reply => {
    const { filename, length } = form
    if (typeof filename !== 'string' || !/^[1-9]\d*$/.test(String(length)))
      return { ok: false, error: 'invalid_arguments' }
    const id = `F${String(++count).padStart(10, '0')}`
    return { ok: true, file_id: id, upload_url: `${server.apiUrl}/upload/${id}?length=${String(length)}` }
  }
  const complete = ({ files: wanted }: Json): Reply => {
    const [first] = wanted as Json[]
    const id = String(first?.['id'])
    if (!files.has(id)) return { ok: false, error: 'file_not_found' }
    completed.set(id, (completed.get(id) ?? 0) + 1)
    return { ok: true, files: [{ id, filetype: (completed.get(id) ?? 0) >= server.looksNeeded ? 'png' : '' }] }
  }
  const answers: Record<string, { reads: boolean; answer: (body: Json) => Reply }> = {
    'chat.postMessage': { reads: false, answer: post },
    'chat.update': { reads: false, answer: update },
    'files.completeUploadExternal': { reads: false, answer: complete },
    'files.getUploadURLExternal': { reads: true, answer: upload },
    'conversations.history': { reads: true, answer: (form) => listed(form, ({ threadTs }) => threadTs === null) },
    'conversations.replies': {
      reads: true,
      answer: (form) => listed(form, ({ ts, threadTs }) => ts === form['ts'] || threadTs === form['ts']),
    },
  }

  const http = createServer(async (request, response) => {
    const bytes = await bodyOf(request)
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const method = url.pathname.replace(/^\/api\//, '')
    calls.push(method.replace(/^upload\/.*/, 'upload'))
    const trouble = server.trouble(method.replace(/^upload\/.*/, 'upload'))
    if (trouble?.hangUp === 'before') return void request.socket.destroy()
    const headers: Record<string, string> =
      trouble?.retryAfter === undefined ? {} : { 'retry-after': String(trouble.retryAfter) }
    if (trouble?.status !== undefined) return void response.writeHead(trouble.status, headers).end('no')
    if (method.startsWith('upload/')) {
      // The token must not go there, and the length must be the one announced.
      const isWrong =
        request.headers.authorization !== undefined || bytes.length !== Number(url.searchParams.get('length'))
      if (!isWrong) files.set(method.replace('upload/', ''), bytes)
      return void response.writeHead(isWrong ? 400 : 200).end('OK')
    }
    const reply =
      trouble?.error === undefined
        ? replyTo(method, request, bytes)
        : { ok: false, error: trouble.error, needed: trouble.needed }
    if (trouble?.hangUp === 'after') return void request.socket.destroy()
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(reply))
  })
  const replyTo = (method: string, request: IncomingMessage, bytes: Buffer): Reply => {
    const known = answers[method]
    if (known === undefined) return { ok: false, error: 'unknown_method' }
    if (request.headers.authorization !== `Bearer ${botToken}`) return { ok: false, error: 'invalid_auth' }
    const type = request.headers['content-type'] ?? ''
    if (type.startsWith('application/x-www-form-urlencoded'))
      return known.answer(Object.fromEntries(new URLSearchParams(bytes.toString())))
    // Methods that read take no JSON.
    if (known.reads || !type.startsWith('application/json')) return { ok: false, error: 'invalid_arguments' }
    return known.answer(JSON.parse(bytes.toString()) as Json)
  }
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('the API has no port')
  const server: SlackApiServer = {
    apiUrl: `http://127.0.0.1:${address.port}/api`,
    ...{ messages, calls, files, refused },
    trouble: () => null,
    looksNeeded: 1,
    roots: () => messages.filter(({ threadTs }) => threadTs === null),
    repliesTo: (ts) => messages.filter(({ threadTs }) => threadTs === ts),
    close: async () => {
      http.close()
      http.closeAllConnections()
      await once(http, 'close')
    },
  }
  return server
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
