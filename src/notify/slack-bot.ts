import { type Severity, severities } from '../alert/alert.ts'
import type { Log } from '../fault/log.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs, secondMs } from '../time/duration.ts'
import type { PaintChart } from './chart-image.ts'
import type { Message } from './message.ts'
import type { Delivery, Failure, Receiver, Thread } from './receiver.ts'
import type { SlackSettings } from './routing.ts'
import type { Fetch } from './slack.ts'
import { isRecord, type SlackAnswer, SlackApi } from './slack-api.ts'
import { type SlackExtras, type SlackPayload, slackPayload, slackReply, slackText } from './slack-blocks.ts'
import { uploadChart } from './slack-chart.ts'

export type BotSettings = Extract<SlackSettings, { way: 'bot' }>

export interface BotDeps {
  readonly log: Log
  readonly clock: Clock
  readonly paint: PaintChart
  readonly fetch?: Fetch
}

/** The message at the top of a conversation, as the receipt carries it to the next message. */
interface Root {
  readonly channel: string
  readonly ts: string
  readonly replies: number
  readonly startedAtMs: EpochMs
  /** Of the last message, to see when it gets worse. */
  readonly severity: Severity
  /** The chart that the message shows; null for none. */
  readonly file: string | null
}

/** After so long, or so many replies, a conversation goes on under a new message: nobody scrolls up that far. */
const rootForMs = dayMs
const replyLimit = 50
/** A message older than this at its delivery may have been delivered before, and we died before noting it. */
const promptMs = 30 * secondMs
const unclearLimit = 100
/** How far before a message was made its first copy is looked for: our clock and Slack's may differ. */
const clockSlackMs = 10 * minuteMs
/** Where a message is gone, or its thread, the conversation begins anew. */
const goneWords = new Set(['message_not_found', 'thread_not_found', 'channel_not_found'])
/** A workspace may forbid to edit messages; the thread still tells everything. */
const fixedWords = new Set(['cant_update_message', 'edit_window_closed'])
const refusedWords = new Set(['invalid_blocks', 'invalid_blocks_format', 'msg_too_long', 'msg_blocks_too_long'])

/**
 * Sends with a bot token: one message for each conversation, edited in place to say how things stand, and a reply in
 * its thread for each change. The order of one delivery, and what a break between two steps costs:
 *
 *   1. the message at the top is edited; done twice it is the same. Of a new conversation it is posted.
 *   2. the reply is posted.
 *   3. the chart is uploaded and put into the message at the top. Whatever fails here only costs the chart.
 *
 * A post whose answer never came may have been taken. Each post carries the id of its message as metadata, and before
 * such a post is repeated the channel's history is searched for it. That takes a scope (`channels:history`, for private
 * channels `groups:history`) and the channel's ID; without them the message is sent again: twice is better than never.
 */
export function openSlackBot(settings: BotSettings, deps: BotDeps): Receiver {
  return new SlackBot(settings, deps)
}

class SlackBot implements Receiver {
  readonly #settings: BotSettings
  readonly #deps: BotDeps
  readonly #api: SlackApi
  /** Messages whose last post may have been taken. */
  readonly #unclear = new Set<string>()
  /** The channel's ID, which settings may give by name. */
  #channelId: string | null
  #toldNoSearch = false

  constructor(settings: BotSettings, deps: BotDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#api = new SlackApi({ ...settings, fetch: deps.fetch ?? globalThis.fetch })
    this.#channelId = /^[CGD][A-Z0-9]{8,}$/.test(settings.channel) ? settings.channel : null
  }

  async deliver(message: Message, thread: Thread): Promise<Delivery> {
    const known = this.#settings.mode === 'thread' ? readReceipt(thread.receipt) : null
    const isFull = known !== null && (message.madeAtMs - known.startedAtMs > rootForMs || known.replies >= replyLimit)
    if (known === null || isFull) return this.#begin(message, { earlier: isFull })
    return this.#goOn(message, known)
  }

  async close(): Promise<void> {}

  async #begin(message: Message, { earlier }: { earlier: boolean }): Promise<Delivery> {
    const posted = await this.#postOnce(message, slackPayload(message, { earlier }), null)
    if (!posted.ok) return posted.failure
    const { channel, ts } = posted
    const root: Root = {
      channel,
      ts,
      replies: 0,
      startedAtMs: message.madeAtMs,
      severity: message.severity,
      file: null,
    }
    return sent(await this.#withChart(message, root, { earlier }))
  }

  async #goOn(message: Message, root: Root): Promise<Delivery> {
    const edited = await this.#edit(root, message, { chartFile: root.file })
    if (!edited.ok) {
      if (goneWords.has(edited.word)) return this.#begin(message, { earlier: false })
      if (!fixedWords.has(edited.word)) return edited.failure
    }
    const posted = await this.#postOnce(message, slackReply(message), root)
    if (!posted.ok) return posted.failure
    const next = { ...root, replies: root.replies + 1, severity: message.severity }
    return sent(edited.ok ? await this.#withChart(message, next, {}) : next)
  }

  /** Posts a message unless an earlier attempt already has. */
  async #postOnce(
    message: Message,
    payload: SlackPayload,
    root: Root | null,
  ): Promise<{ ok: true; channel: string; ts: string } | { ok: false; failure: Failure }> {
    const isOld = this.#deps.clock.now() - message.madeAtMs > promptMs
    if (isOld || this.#unclear.has(message.id)) {
      const search = await this.#search(message, root)
      if (search.failure !== null) return { ok: false, failure: search.failure }
      if (search.ts !== null) {
        this.#unclear.delete(message.id)
        return { ok: true, channel: this.#channelId ?? this.#settings.channel, ts: search.ts }
      }
    }
    const answer = await this.#post(message, payload, root)
    if (!answer.ok) {
      if (answer.unclear) this.#remember(message.id)
      return { ok: false, failure: answer.failure }
    }
    this.#unclear.delete(message.id)
    const channel = textOf(answer.body['channel']) ?? root?.channel ?? this.#settings.channel
    this.#channelId ??= channel
    return { ok: true, channel, ts: textOf(answer.body['ts']) ?? '' }
  }

  async #post(message: Message, payload: SlackPayload, root: Root | null): Promise<SlackAnswer> {
    const place = root === null ? { channel: this.#settings.channel } : { channel: root.channel, thread_ts: root.ts }
    // Only who follows a thread hears of a reply; that it got worse concerns everybody.
    const worse = root !== null && message.status === 'firing' && rank(message.severity) > rank(root.severity)
    const body = {
      ...place,
      ...(worse ? { reply_broadcast: true } : {}),
      metadata: { event_type: 'tollwatch_message', event_payload: { key: message.id } },
    }
    const answer = await this.#api.call('chat.postMessage', { ...payload, ...body })
    if (answer.ok || !refusedWords.has(answer.word)) return answer
    // Slack refuses the whole message for one block it dislikes; the plain text says the essential.
    const plain = await this.#api.call('chat.postMessage', { ...slackText(message), ...body })
    return plain.ok || !refusedWords.has(plain.word) ? plain : answer
  }

  async #edit(root: Root, message: Message, extras: SlackExtras): Promise<SlackAnswer> {
    const place = { channel: root.channel, ts: root.ts }
    const answer = await this.#api.call('chat.update', { ...slackPayload(message, extras), ...place })
    if (answer.ok || !refusedWords.has(answer.word)) return answer
    const plain = await this.#api.call('chat.update', { ...slackText(message), blocks: [], ...place })
    return plain.ok ? plain : answer
  }

  /** Looks for a copy of the message; a failure means that it is better to try again later than to post it twice. */
  async #search(message: Message, root: Root | null): Promise<{ ts: string | null; failure: Failure | null }> {
    const channel = root?.channel ?? this.#channelId
    if (channel === null) return { ts: null, failure: null }
    const answer = await this.#api.ask(root === null ? 'conversations.history' : 'conversations.replies', {
      channel,
      oldest: String(Math.floor((message.madeAtMs - clockSlackMs) / 1_000)),
      limit: '200',
      include_all_metadata: 'true',
      ...(root === null ? {} : { ts: root.ts }),
    })
    if (answer.ok) return { ts: keyedTs(answer.body['messages'], message.id), failure: null }
    const { reason, detail } = answer.failure
    if (reason !== 'authentication' && reason !== 'refused') return { ts: null, failure: answer.failure }
    if (!this.#toldNoSearch) this.#deps.log.warn('Slack does not let us look for a message sent before', { detail })
    this.#toldNoSearch = true
    return { ts: null, failure: null }
  }

  /** Puts the chart of now into the message at the top; the text stands without it. */
  async #withChart(message: Message, root: Root, extras: SlackExtras): Promise<Root> {
    if (!this.#settings.chart || !message.chart) return root
    const uploaded = await uploadChart(message.chart, { api: this.#api, ...this.#deps })
    if (!uploaded.ok) {
      this.#deps.log.warn('a chart did not reach Slack', { receiver: message.receiver, detail: uploaded.detail })
      return root
    }
    const place = { channel: root.channel, ts: root.ts }
    const payload = slackPayload(message, { ...extras, chartFile: uploaded.file })
    const answer = await this.#api.call('chat.update', { ...payload, ...place })
    if (answer.ok) return { ...root, file: uploaded.file }
    this.#deps.log.warn('a chart did not reach Slack', { receiver: message.receiver, detail: answer.failure.detail })
    return root
  }

  #remember(id: string): void {
    this.#unclear.add(id)
    const [oldest] = this.#unclear
    if (this.#unclear.size > unclearLimit && oldest !== undefined) this.#unclear.delete(oldest)
  }
}

function sent(root: Root): Delivery {
  return { kind: 'sent', receipt: JSON.stringify(root) }
}

function readReceipt(receipt: string | null): Root | null {
  try {
    const value: unknown = JSON.parse(receipt ?? 'null')
    if (!isRecord(value)) return null
    const { channel, ts, replies, startedAtMs, severity, file } = value
    const known = severities.find((one) => one === severity)
    if (typeof channel !== 'string' || typeof ts !== 'string' || known === undefined) return null
    if (typeof replies !== 'number' || typeof startedAtMs !== 'number') return null
    return { channel, ts, replies, startedAtMs, severity: known, file: textOf(file) }
  } catch {
    return null
  }
}

function keyedTs(messages: unknown, key: string): string | null {
  if (!Array.isArray(messages)) return null
  const mine = messages.find((one: unknown) => {
    const metadata = isRecord(one) ? one['metadata'] : undefined
    const payload = isRecord(metadata) ? metadata['event_payload'] : undefined
    return isRecord(payload) && payload['key'] === key
  })
  return isRecord(mine) ? textOf(mine['ts']) : null
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function rank(severity: Severity): number {
  return severities.indexOf(severity)
}
