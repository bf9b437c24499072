import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chartPainter } from '../../src/notify/chart-image.ts'
import type { Message } from '../../src/notify/message.ts'
import { type BotSettings, openSlackBot } from '../../src/notify/slack-bot.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { freePort } from '../support/process.ts'
import {
  type ApiTrouble,
  botToken,
  channelId,
  channelName,
  type SlackApiServer,
  startSlackApi,
} from '../support/slack-api.ts'
import { messageOf, operatorCases, spike } from './message-cases.ts'
import { eleven, hour, minute } from './sample.ts'

let slack: SlackApiServer
let clock: ManualClock
const warnings: unknown[][] = []
const log = { debug() {}, info() {}, error() {}, warn: (...said: unknown[]) => void warnings.push(said) }

beforeEach(async () => {
  slack = await startSlackApi()
  clock = new ManualClock(eleven)
  warnings.length = 0
})

afterEach(() => slack.close())

const bot = (change: Partial<BotSettings> = {}) =>
  openSlackBot(
    {
      ...{ way: 'bot', token: botToken, channel: channelId, apiUrl: slack.apiUrl },
      ...{ mode: 'thread', chart: false, timeoutMs: 2_000, ...change },
    },
    { log, clock, paint: async () => Buffer.from('a picture') },
  )

const firing = { ...messageOf({ firing: [spike], id: 'm1' }), chart: operatorCases.firing.chart }
const worse: Message = { ...messageOf({ firing: [spike], id: 'm2' }), chart: operatorCases.firing.chart }
const over: Message = { ...operatorCases.resolved, id: 'm3' }

/** The receipt of a delivery that must have gone well. */
async function sent(delivery: ReturnType<ReturnType<typeof bot>['deliver']>): Promise<string> {
  const result = await delivery
  expect(result).toMatchObject({ kind: 'sent' })
  return result.kind === 'sent' ? (result.receipt ?? '') : ''
}

/** Makes the first calls of a method fail. */
function trouble(method: string, ...troubles: readonly (ApiTrouble | null)[]): void {
  const left = [...troubles]
  slack.trouble = (called) => (called === method ? (left.shift() ?? null) : null)
}

describe('a conversation', () => {
  test('is one message, edited in place, with a reply for each change', async () => {
    const receiver = bot()
    const first = await sent(receiver.deliver(firing, { receipt: null }))
    const second = await sent(receiver.deliver(worse, { receipt: first }))
    await sent(receiver.deliver(over, { receipt: second }))
    const [root, ...others] = slack.roots()
    expect(others).toEqual([])
    expect(root).toMatchObject({ channel: channelId, edits: 2 })
    expect(JSON.stringify(root?.blocks[0])).toContain('✅ RESOLVED acme / chat')
    const replies = slack.repliesTo(root?.ts ?? '')
    expect(replies).toHaveLength(2)
    expect(JSON.stringify(replies[0]?.blocks)).toContain('🔴 PAGE acme / chat')
    expect(JSON.stringify(replies[1]?.blocks)).toMatch(/Lasted.*49 min.*Peak/)
    expect(slack.refused).toEqual([])
  })

  test('goes on under a new message after a day, and after fifty replies', async () => {
    const receiver = bot()
    const receipt = await sent(receiver.deliver(firing, { receipt: null }))
    const aged = { ...worse, madeAtMs: eleven + 25 * hour }
    await clock.advance(25 * hour)
    const next = await sent(receiver.deliver(aged, { receipt }))
    expect(slack.roots()).toHaveLength(2)
    expect(JSON.stringify(slack.roots()[1]?.blocks)).toContain('in an earlier message further up')
    const full = JSON.stringify({ ...(JSON.parse(next) as object), replies: 50 })
    await sent(receiver.deliver({ ...aged, id: 'm9' }, { receipt: full }))
    expect(slack.roots()).toHaveLength(3)
  })

  test('begins anew where somebody deleted its message, and where the receipt cannot be read', async () => {
    const receiver = bot()
    const receipt = await sent(receiver.deliver(firing, { receipt: null }))
    const gone = JSON.stringify({ ...(JSON.parse(receipt) as object), ts: '1.000' })
    await sent(receiver.deliver(worse, { receipt: gone }))
    await sent(receiver.deliver(over, { receipt: 'what is this' }))
    expect(slack.roots()).toHaveLength(3)
  })

  test('tells the channel, and not the thread alone, when it gets more severe', async () => {
    const receiver = bot()
    const ticket = { ...firing, severity: 'ticket' as const }
    const receipt = await sent(receiver.deliver(ticket, { receipt: null }))
    const next = await sent(receiver.deliver(worse, { receipt }))
    await sent(receiver.deliver({ ...worse, id: 'm4' }, { receipt: next }))
    const [root] = slack.roots()
    expect(slack.repliesTo(root?.ts ?? '').map(({ broadcast }) => broadcast)).toEqual([true, false])
  })

  test('goes on in its thread where the workspace forbids edits', async () => {
    const receiver = bot()
    const receipt = await sent(receiver.deliver(firing, { receipt: null }))
    trouble('chat.update', { error: 'edit_window_closed' })
    await sent(receiver.deliver(over, { receipt }))
    const [root] = slack.roots()
    expect(slack.repliesTo(root?.ts ?? '')).toHaveLength(1)
  })

  test('is messages one after the other where the settings say so', async () => {
    const receiver = bot({ mode: 'messages' })
    const receipt = await sent(receiver.deliver(firing, { receipt: null }))
    await sent(receiver.deliver(over, { receipt }))
    expect(slack.roots()).toHaveLength(2)
    expect(slack.calls).not.toContain('chat.update')
  })

  test('takes the plain text where Slack dislikes the blocks', async () => {
    trouble('chat.postMessage', { error: 'invalid_blocks' })
    await sent(bot().deliver(firing, { receipt: null }))
    expect(slack.messages[0]).toMatchObject({ blocks: [], text: expect.stringContaining('acme / chat') as unknown })
    trouble('chat.postMessage', { error: 'invalid_blocks' }, { error: 'invalid_blocks' })
    expect(await bot().deliver(firing, { receipt: null })).toMatchObject({
      kind: 'failed',
      reason: 'refused',
      final: true,
    })
  })
})

describe('a post whose answer never came', () => {
  test('is not repeated when it was taken', async () => {
    const receiver = bot()
    trouble('chat.postMessage', { hangUp: 'after' })
    expect(await receiver.deliver(firing, { receipt: null })).toMatchObject({ kind: 'failed', reason: 'connection' })
    const receipt = await sent(receiver.deliver(firing, { receipt: null }))
    expect(slack.roots()).toHaveLength(1)
    expect(JSON.parse(receipt)).toMatchObject({ channel: channelId, ts: slack.roots()[0]?.ts })
    trouble('chat.postMessage', { hangUp: 'after' })
    expect(await receiver.deliver(over, { receipt })).toMatchObject({ kind: 'failed' })
    await sent(receiver.deliver(over, { receipt }))
    expect(slack.messages).toHaveLength(2)
  })

  test('is repeated when it was not', async () => {
    const receiver = bot()
    trouble('chat.postMessage', { hangUp: 'before' })
    expect(await receiver.deliver(firing, { receipt: null })).toMatchObject({ kind: 'failed' })
    await sent(receiver.deliver(firing, { receipt: null }))
    expect(slack.roots()).toHaveLength(1)
  })

  test('is found after a kill as well: an old message may have been sent', async () => {
    await sent(bot().deliver(firing, { receipt: null }))
    await clock.advance(minute)
    await sent(bot().deliver(firing, { receipt: null }))
    expect(slack.roots()).toHaveLength(1)
  })

  test('is repeated where the history may not be read, which is said once', async () => {
    const receiver = bot()
    slack.trouble = (method) =>
      method === 'conversations.history' ? { error: 'missing_scope', needed: 'channels:history' } : null
    await clock.advance(minute)
    await sent(receiver.deliver(firing, { receipt: null }))
    await sent(receiver.deliver({ ...firing, id: 'm5' }, { receipt: null }))
    expect(warnings).toHaveLength(1)
    expect(JSON.stringify(warnings)).toContain('missing_scope channels:history')
  })

  test('waits while the history cannot be reached', async () => {
    await clock.advance(minute)
    trouble('conversations.history', { status: 429, retryAfter: 7 })
    const delivery = await bot().deliver(firing, { receipt: null })
    expect(delivery).toMatchObject({ kind: 'failed', reason: 'rate-limited', retryAfterMs: 7_000 })
    expect(slack.messages).toEqual([])
  })

  test('of a channel given by name is looked for once its ID is known', async () => {
    const receiver = bot({ channel: channelName })
    await clock.advance(minute)
    await sent(receiver.deliver(firing, { receipt: null }))
    expect(slack.calls).toEqual(['chat.postMessage'])
    await sent(receiver.deliver(firing, { receipt: null }))
    expect(slack.roots()).toHaveLength(1)
  })
})

describe('a chart', () => {
  test('comes after the message, once Slack is through with the file', async () => {
    slack.looksNeeded = 3
    let isDone = false
    const delivery = sent(bot({ chart: true }).deliver(firing, { receipt: null })).finally(() => {
      isDone = true
    })
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(500)
    }
    const receipt = await delivery
    expect(slack.calls.filter((call) => call === 'files.completeUploadExternal')).toHaveLength(3)
    expect(slack.calls[0]).toBe('chat.postMessage')
    const [id] = slack.files.keys()
    expect(slack.messages[0]?.blocks).toContainEqual({
      type: 'image',
      slack_file: { id },
      alt_text: expect.stringContaining('60 in the last step') as unknown,
    })
    expect(JSON.parse(receipt)).toMatchObject({ file: id })
    expect(slack.files.get(id ?? '')?.toString()).toBe('a picture')
  })

  test('stays in the message while the next one is on its way, and gives way to it', async () => {
    const receiver = bot({ chart: true })
    const receipt = await sent(receiver.deliver(firing, { receipt: null }))
    slack.trouble = (method) => (method === 'upload' ? { status: 500 } : null)
    const next = await sent(receiver.deliver(worse, { receipt }))
    const [first] = slack.files.keys()
    expect(JSON.stringify(slack.roots()[0]?.blocks)).toContain(first)
    slack.trouble = () => null
    await sent(receiver.deliver({ ...worse, id: 'm6' }, { receipt: next }))
    const second = [...slack.files.keys()].at(-1)
    expect(second).not.toBe(first)
    expect(JSON.stringify(slack.roots()[0]?.blocks)).toContain(second)
  })

  test.each([
    [
      'the scope is missing',
      'files.getUploadURLExternal',
      { error: 'missing_scope', needed: 'files:write' },
      /missing_scope files:write: the app lacks a scope/,
    ],
    ['the upload is not taken', 'upload', { status: 500 }, /the file was not taken/],
    ['the end of the upload fails', 'files.completeUploadExternal', { error: 'internal_error' }, /internal_error/],
    ['the message is not edited', 'chat.update', { error: 'cant_update_message' }, /cant_update_message/],
  ])('is left out, and the log says why, when %s', async (_, method, what, words) => {
    slack.trouble = (called) => (called === method ? what : null)
    await sent(bot({ chart: true }).deliver(firing, { receipt: null }))
    expect(slack.messages).toHaveLength(1)
    expect(JSON.stringify(slack.messages[0]?.blocks)).not.toContain('slack_file')
    expect(JSON.stringify(warnings)).toMatch(words)
  })

  test('is painted as a real picture', async () => {
    const receiver = openSlackBot(
      {
        way: 'bot',
        token: botToken,
        channel: channelId,
        apiUrl: slack.apiUrl,
        mode: 'thread',
        chart: true,
        timeoutMs: 5_000,
      },
      { log, clock, paint: chartPainter(log) },
    )
    await sent(receiver.deliver(firing, { receipt: null }))
    expect([...slack.files.values()][0]?.subarray(1, 4).toString()).toBe('PNG')
  })
})

describe('a failure', () => {
  test.each([
    ['invalid_auth', 'authentication', false, /token is wrong/],
    ['account_inactive', 'authentication', false, /token is wrong/],
    ['missing_scope', 'authentication', false, /install the app again/],
    ['channel_not_found', 'refused', false, /ID of the channel/],
    ['not_in_channel', 'refused', false, /invite the bot/],
    ['is_archived', 'refused', false, /archived/],
    ['internal_error', 'server-error', false, /^internal_error$/],
    ['msg_too_long', 'refused', true, /^msg_too_long$/],
    ['a_word_of_tomorrow', 'refused', false, /^a_word_of_tomorrow$/],
    ['<p>not Slack</p>', 'refused', false, /^no_word_of_slack$/],
  ])('of the word %s is %s, final: %s', async (error, reason, final, detail) => {
    slack.trouble = (method) => (method === 'chat.postMessage' ? { error } : null)
    const delivery = await bot().deliver(firing, { receipt: null })
    expect(delivery).toMatchObject({ kind: 'failed', reason, final, detail: expect.stringMatching(detail) as unknown })
  })

  test('for too many messages waits as long as Slack asks', async () => {
    trouble('chat.postMessage', { status: 429, retryAfter: 17 }, { error: 'ratelimited', retryAfter: 3 })
    expect(await bot().deliver(firing, { receipt: null })).toMatchObject({
      reason: 'rate-limited',
      retryAfterMs: 17_000,
    })
    expect(await bot().deliver(firing, { receipt: null })).toMatchObject({
      reason: 'rate-limited',
      retryAfterMs: 3_000,
    })
  })

  test('holds neither the token nor an address', async () => {
    const failures = []
    for (const what of [{ status: 500 }, { status: 302 }, { error: 'invalid_auth' }, { hangUp: 'before' as const }]) {
      slack.trouble = () => what
      failures.push(await bot({ chart: true }).deliver(firing, { receipt: null }))
    }
    failures.push(await bot({ apiUrl: `http://127.0.0.1:${await freePort()}/api` }).deliver(firing, { receipt: null }))
    failures.push(await bot({ apiUrl: 'http://[nonsense' }).deliver(firing, { receipt: null }))
    slack.trouble = () => null
    failures.push(await bot({ token: 'xoxb-wrong' }).deliver(firing, { receipt: null }))
    expect(failures.every(({ kind }) => kind === 'failed')).toBe(true)
    expect(JSON.stringify([failures, warnings])).not.toMatch(/xoxb-|127\.0\.0\.1|nonsense/)
  })
})
