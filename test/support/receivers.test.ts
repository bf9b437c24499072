import { createTransport } from 'nodemailer'
import { describe, expect, onTestFinished, test } from 'vitest'
import { blockKitProblems } from './block-kit.ts'
import { startSlack } from './slack.ts'
import { startMailServer } from './smtp.ts'

describe('a mail server', () => {
  test('keeps what it accepts, and refuses and delays as told', async () => {
    const server = await startMailServer({ user: 'toll', pass: 'watch' })
    onTestFinished(() => server.close())
    const transport = (pass: string) =>
      createTransport({ host: server.host, port: server.port, ignoreTLS: true, auth: { user: 'toll', pass } })
    const mail = { from: 'a@example.net', to: ['b@example.net', 'c@example.net'], subject: 'größer', text: 'hi' }
    server.trouble = (attempt) => (attempt === 1 ? { refuseWith: 451 } : { delayMs: 20 })
    await expect(transport('watch').sendMail(mail)).rejects.toMatchObject({ responseCode: 451 })
    await transport('watch').sendMail(mail)
    await expect(transport('wrong').sendMail(mail)).rejects.toMatchObject({ responseCode: 535 })
    const [got] = await server.received(1)
    expect(got?.envelope).toEqual({ from: 'a@example.net', to: ['b@example.net', 'c@example.net'] })
    expect(got?.email).toMatchObject({ subject: 'größer', text: 'hi\n' })
    expect([server.mails.length, server.attempts()]).toEqual([1, 2])
  })
})

describe('a Slack webhook', () => {
  const post = (url: string, body: unknown, type = 'application/json') =>
    fetch(url, { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) })

  test('posts what Slack would post and refuses as told', async () => {
    const slack = await startSlack()
    onTestFinished(() => slack.close())
    slack.trouble = (attempt) =>
      attempt === 1 ? { status: 429, retryAfter: 2 } : attempt === 2 ? { hangUp: 'after' } : null
    expect((await post(slack.url, { text: 'one' })).headers.get('retry-after')).toBe('2')
    await expect(post(slack.url, { text: 'two' })).rejects.toThrow()
    expect((await post(slack.url, { text: 'three' })).status).toBe(200)
    expect((await post(slack.url, { text: 'four' }, 'text/plain')).status).toBe(400)
    expect((await slack.received(2)).map(({ text }) => text)).toEqual(['two', 'three'])
    expect(slack.refused).toEqual(['the content type is text/plain'])
  })

  const plain = (text: string) => ({ type: 'plain_text', text })
  const mrkdwn = (text: string) => ({ type: 'mrkdwn', text })
  const section = (text: string) => ({ type: 'section', text: mrkdwn(text) })

  test('accepts blocks that keep to the limits', () => {
    const button = { type: 'button', text: plain('Runbook'), url: 'https://example.net/r', action_id: 'runbook' }
    const blocks = [
      { type: 'header', text: plain('x'.repeat(150)) },
      section(`> *a* <https://example.net/?a=1&b=2|b &amp; c> &lt;d&gt; ${'x'.repeat(2_900)}`),
      { type: 'section', fields: Array.from({ length: 10 }, () => mrkdwn('f')) },
      { type: 'divider' },
      { type: 'context', elements: [mrkdwn('c')] },
      { type: 'actions', elements: [button] },
    ]
    expect(blockKitProblems({ text: 't', blocks })).toEqual([])
  })

  test.each([
    ['no text', {}, /text is missing/],
    ['an unknown key', { text: 't', channel_name: 'x' }, /channel_name is unknown/],
    ['51 blocks', { text: 't', blocks: Array.from({ length: 51 }, () => ({ type: 'divider' })) }, /51 entries/],
    ['a long header', { text: 't', blocks: [{ type: 'header', text: plain('x'.repeat(151)) }] }, /151 characters/],
    ['a header in mrkdwn', { text: 't', blocks: [{ type: 'header', text: mrkdwn('x') }] }, /is not plain_text/],
    ['a long section', { text: 't', blocks: [section('x'.repeat(3_001))] }, /3001 characters/],
    ['an empty section', { text: 't', blocks: [{ type: 'section' }] }, /neither text nor fields/],
    [
      '11 fields',
      { text: 't', blocks: [{ type: 'section', fields: Array.from({ length: 11 }, () => plain('f')) }] },
      /11 entries/,
    ],
    ['a bare sign', { text: 't', blocks: [section('a < b')] }, /a bare </],
    ['a mention by a tenant', { text: 't', blocks: [section('a & b')] }, /a bare &/],
    [
      'a button to nowhere',
      { text: 't', blocks: [{ type: 'actions', elements: [{ type: 'button', text: plain('b'), url: 'r.md' }] }] },
      /no http address/,
    ],
    [
      'blocks of one id',
      {
        text: 't',
        blocks: [
          { type: 'divider', block_id: 'a' },
          { type: 'divider', block_id: 'a' },
        ],
      },
      /used twice/,
    ],
  ])('refuses %s', (_, body, problem) => {
    expect(blockKitProblems(body).join('\n')).toMatch(problem)
  })
})
