import { createServer } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSlack } from '../../src/notify/slack.ts'
import { testMessage } from '../../src/notify/test-message.ts'
import { freePort } from '../support/process.ts'
import { type SlackServer, startSlack } from '../support/slack.ts'
import { context, eleven } from './sample.ts'

let slack: SlackServer

beforeEach(async () => {
  slack = await startSlack()
})

afterEach(() => slack.close())

const message = testMessage('oncall', 'oncall/slack/0', eleven, context)

function deliver(url = slack.url, timeoutMs = 2_000) {
  return openSlack({ way: 'webhook', url, timeoutMs }).deliver(message, { receipt: null })
}

test('a message arrives as Slack wants it', async () => {
  expect(await deliver()).toEqual({ kind: 'sent' })
  expect(slack.refused).toEqual([])
  expect(slack.messages[0]?.text).toContain('[TEST] Tollwatch reaches oncall')
})

describe('a message that is not taken', () => {
  test('waits as long as Slack asks', async () => {
    slack.trouble = () => ({ status: 429, retryAfter: 17 })
    expect(await deliver()).toEqual({
      kind: 'failed',
      reason: 'rate-limited',
      final: false,
      retryAfterMs: 17_000,
      detail: 'HTTP 429',
    })
  })

  test.each([
    [500, 'server-error', false],
    [503, 'server-error', false],
    [403, 'authentication', false],
    [404, 'refused', false],
    [302, 'refused', false],
    [413, 'refused', true],
  ])('by status %i is a %s, final: %s', async (status, reason, final) => {
    slack.trouble = () => ({ status })
    expect(await deliver()).toMatchObject({ kind: 'failed', reason, final })
  })

  test('for its blocks is sent again as text', async () => {
    slack.trouble = (attempt) => (attempt === 1 ? { status: 400 } : null)
    expect(await deliver()).toEqual({ kind: 'sent' })
    expect(slack.messages).toHaveLength(1)
    expect(slack.messages[0]?.body['blocks']).toBeUndefined()
    slack.trouble = () => ({ status: 400 })
    expect(await deliver()).toMatchObject({ kind: 'failed', reason: 'refused', final: true })
  })

  test('because the connection breaks may have been taken', async () => {
    slack.trouble = () => ({ hangUp: 'after' })
    expect(await deliver()).toMatchObject({ kind: 'failed', reason: 'connection', final: false })
    expect(slack.messages).toHaveLength(1)
  })

  test('in time is a timeout', async () => {
    slack.trouble = () => ({ delayMs: 400 })
    expect(await deliver(slack.url, 100)).toMatchObject({ kind: 'failed', reason: 'timeout', final: false })
  })
})

test('the address of the webhook is in no failure', async () => {
  const words = /secret-of-the-webhook|services|T000|127\.0\.0\.1/
  const failures = []
  for (const status of [302, 400, 403, 429, 500]) {
    slack.trouble = () => ({ status })
    failures.push(await deliver())
  }
  failures.push(await deliver(`http://127.0.0.1:${await freePort()}/services/secret-of-the-webhook`))
  failures.push(
    await openSlack({ way: 'webhook', url: 'http://[nonsense/services/secret-of-the-webhook', timeoutMs: 100 }).deliver(
      message,
      { receipt: null },
    ),
  )
  expect(failures.every(({ kind }) => kind === 'failed')).toBe(true)
  expect(JSON.stringify(failures)).not.toMatch(words)
})

test('a long error page is not read to its end', async () => {
  const endless = createServer((_, response) => {
    response.writeHead(500, { 'content-type': 'text/html' })
    const write = () => {
      while (!response.destroyed && response.write('<p>no</p>'.repeat(1_000)));
    }
    response.on('drain', write)
    write()
  })
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
  const address = endless.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(await deliver(`http://127.0.0.1:${port}/x`)).toMatchObject({ reason: 'server-error', detail: 'HTTP 500' })
  endless.closeAllConnections()
  await new Promise((resolve) => endless.close(resolve))
})
