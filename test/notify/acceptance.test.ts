import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { openReceivers } from '../../src/notify/receivers.ts'
import type { WebhookBody } from '../../src/notify/webhook.ts'
import { type HttpSink, startHttpSink } from '../support/http-sink.ts'
import { type SlackServer, startSlack } from '../support/slack.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'
import { alertOf, type Desk, desk, eleven, firing, minute, resolved, routingOf } from './sample.ts'

/*
 * Scripts over real servers: what arrives where, and between which seconds of the virtual clock. Like Alertmanager's
 * own acceptance tests, but a quarter of an hour takes a second.
 */

let slack: SlackServer
let mail: MailServer
let sink: HttpSink
let at: Desk

beforeEach(async () => {
  const servers = await Promise.all([startSlack(), startMailServer(), startHttpSink()])
  slack = servers[0]
  mail = servers[1]
  sink = servers[2]
  const routing = routingOf(
    `
global: {smtp_smarthost: '127.0.0.1:${mail.port}', smtp_from: tollwatch@example.com, smtp_require_tls: false}
route: {receiver: all, group_by: [tenant], group_wait: 5s, group_interval: 1m, repeat_interval: 10m}
receivers:
  - name: all
    email_configs: [{to: oncall@example.com, chart: false}]
    slack_configs: [{api_url: '\${HOOK}'}]
    webhook_configs: [{url: '${sink.url}/hook'}]
`,
    { HOOK: slack.url },
  )
  at = await desk(routing, { receivers: openReceivers(routing, { log: silentLog }) })
})

afterEach(async () => {
  await at.dispatcher.close()
  await Promise.all([slack.close(), mail.close(), sink.close()])
})

type Place = 'mail' | 'slack' | 'webhook'

/** `PAGE` or `RESOLVED`, as each of them says it. */
const said: Record<Place, () => string[]> = {
  mail: () => mail.mails.map(({ email }) => /\[(\w+)\]/.exec(email.subject ?? '')?.[1] ?? ''),
  slack: () => slack.messages.map(({ text }) => (/RESOLVED|✔/.test(text) ? 'RESOLVED' : 'PAGE')),
  webhook: () => sink.posts.map(({ body }) => ((body as WebhookBody).status === 'resolved' ? 'RESOLVED' : 'PAGE')),
}

/** Lets time pass and notes in which second each thing arrived. */
async function watch(seconds: number, script: Readonly<Record<number, () => Promise<unknown>>> = {}) {
  const arrived: { readonly place: Place; readonly what: string; readonly second: number }[] = []
  for (let second = 0; second < seconds; second++) {
    await script[second]?.()
    const before = { mail: said.mail().length, slack: said.slack().length, webhook: said.webhook().length }
    await at.pass(1_000)
    for (const place of ['mail', 'slack', 'webhook'] as const) {
      for (const what of said[place]().slice(before[place])) arrived.push({ place, what, second: second + 1 })
    }
  }
  return (place: Place) => arrived.filter((one) => one.place === place)
}

/** Each arrival must be the next of these, and within its seconds. */
function expectWithin(
  arrived: readonly { what: string; second: number }[],
  expected: readonly [string, number, number][],
) {
  expect(arrived.map(({ what }) => what)).toEqual(expected.map(([what]) => what))
  expected.forEach(([what, from, until], place) => {
    const second = arrived[place]?.second ?? Number.NaN
    expect(second, `${what} (${place})`).toBeGreaterThanOrEqual(from)
    expect(second, `${what} (${place})`).toBeLessThanOrEqual(until)
  })
}

const start = () => at.dispatcher.accept([firing(alertOf())])
const end = (second: number) => () => at.dispatcher.accept([resolved(alertOf(), eleven + second * 1_000)])

test('with nothing in the way everything comes when the timers say', async () => {
  const arrived = await watch(13 * 60, { 0: start, 700: end(700) })
  for (const place of ['mail', 'slack', 'webhook'] as const) {
    expectWithin(arrived(place), [
      ['PAGE', 5, 6],
      ['PAGE', 605, 607],
      ['RESOLVED', 705, 707],
    ])
  }
})

test('a receiver in trouble delays itself and nobody else', async () => {
  const troubles = [{ status: 503 }, { status: 429, retryAfter: 30 }, { hangUp: 'before' as const }]
  slack.trouble = (attempt) => troubles[attempt - 1] ?? null
  const arrived = await watch(5 * 60, { 0: start, 120: end(120) })
  expectWithin(arrived('mail'), [
    ['PAGE', 5, 6],
    ['RESOLVED', 125, 127],
  ])
  expectWithin(arrived('webhook'), [
    ['PAGE', 5, 6],
    ['RESOLVED', 125, 127],
  ])
  // Five seconds, then the thirty that were asked for, then twenty.
  expectWithin(arrived('slack'), [
    ['PAGE', 58, 66],
    ['RESOLVED', 118, 132],
  ])
})

describe('a connection that breaks after the message was taken', () => {
  test('doubles a mail, which is the same mail', async () => {
    mail.trouble = (attempt) => (attempt === 1 ? { hangUp: 'after' } : null)
    const arrived = await watch(60, { 0: start })
    expectWithin(arrived('mail'), [
      ['PAGE', 5, 6],
      ['PAGE', 8, 15],
    ])
    expect(new Set(mail.mails.map(({ email }) => email.messageId)).size).toBe(1)
    expect(arrived('slack')).toHaveLength(1)
  })

  test('doubles a webhook, which is the same body', async () => {
    sink.trouble = (attempt) => (attempt === 1 ? { hangUp: 'after' } : null)
    await watch(60, { 0: start })
    expect(sink.posts).toHaveLength(2)
    expect(sink.posts[1]?.body).toEqual(sink.posts[0]?.body)
  })
})

test('while a mail server puts mails off, one message is under way and carries the news of the rest', async () => {
  mail.trouble = () => ({ refuseWith: 451 })
  const busy = watch(5 * 60, {
    0: start,
    100: () =>
      at.dispatcher.accept([firing(alertOf({ labels: { tenant: 'acme', api: 'search', cause: 'quota_exceeded' } }))]),
    200: end(200),
  })
  await busy
  expect(mail.mails).toHaveLength(0)
  expect(at.dispatcher.status().pending).toBe(1)
  mail.trouble = () => null
  await at.pass(10 * minute)
  expect(said.mail()).toEqual(['PAGE', 'PAGE'])
  const latest = mail.mails[1]?.email.text ?? ''
  expect(latest).toContain('search')
  expect(latest).toContain('✔')
})
