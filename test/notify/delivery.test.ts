import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import type { DispatcherOptions } from '../../src/notify/dispatcher.ts'
import { openReceivers } from '../../src/notify/receivers.ts'
import type { Routing } from '../../src/notify/routing.ts'
import { type SlackServer, startSlack } from '../support/slack.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'
import { alertOf, type Desk, desk, eleven, firing, minute, resolved, routingOf } from './sample.ts'

let slack: SlackServer
let mail: MailServer
let receivers: DispatcherOptions['receivers']
let routing: Routing

beforeEach(async () => {
  slack = await startSlack()
  mail = await startMailServer()
  routing = routingOf(
    `
global: {smtp_smarthost: '127.0.0.1:${mail.port}', smtp_from: tollwatch@example.com, smtp_require_tls: false}
route: {receiver: oncall, group_by: [tenant], group_wait: 1s, group_interval: 10s}
receivers:
  - name: oncall
    email_configs: [{to: oncall@example.com}]
    slack_configs: [{api_url: '\${HOOK}', timeout: 500ms}]
`,
    { HOOK: slack.url },
  )
  receivers = openReceivers(routing, { log: silentLog })
})

afterEach(async () => {
  for (const receiver of receivers.values()) await receiver.close()
  await Promise.all([slack.close(), mail.close()])
})

test('an episode reaches both, with its start and its end, while Slack is failing in every way it can', async () => {
  const troubles = [
    { status: 500 },
    { status: 429, retryAfter: 3 },
    { hangUp: 'before' as const },
    { hangUp: 'after' as const },
  ]
  slack.trouble = (attempt) => troubles[attempt - 1] ?? null
  const { dispatcher, pass } = await desk(routing, { receivers })
  await dispatcher.accept([firing(alertOf())])
  await pass(2_000)
  expect(mail.mails).toHaveLength(1)
  await pass(3 * minute)
  await dispatcher.accept([resolved(alertOf(), eleven + 3 * minute)])
  await pass(minute)
  expect(mail.mails.map(({ email }) => email.subject?.split(' ')[0])).toEqual(['[PAGE]', '[RESOLVED]'])
  expect(new Set(mail.mails.map(({ email }) => email.references)).size).toBe(1)
  expect(new Set(mail.mails.map(({ email }) => email.messageId)).size).toBe(2)
  // The last connection broke after the message was taken: that is the ambiguity which at-least-once allows.
  expect(slack.messages.map(({ text }) => text.split(' ')[0])).toEqual(['[PAGE]', '[PAGE]', '✔'])
  expect(slack.refused).toEqual([])
})

test('a connection that breaks after Slack took the message doubles it, and a restart after that does not', async () => {
  slack.trouble = (attempt) => (attempt === 1 ? { hangUp: 'after' } : null)
  const first: Desk = await desk(routing, { receivers })
  await first.dispatcher.accept([firing(alertOf())])
  await first.pass(30_000)
  expect(slack.messages).toHaveLength(2)
  const { pass } = await first.again()
  await pass(minute)
  expect(slack.messages).toHaveLength(2)
  expect(mail.mails).toHaveLength(1)
})

test('ten thousand alerts at once make no more messages than the receivers take, and none is lost', async () => {
  const { dispatcher, pass } = await desk(routing, { receivers })
  const alerts = Array.from({ length: 10_000 }, (_, i) =>
    alertOf({
      labels: { tenant: `tenant-${i % 2_000}`, api: `api-${i}`, cause: 'quota_exceeded' },
      fingerprint: `fp${i}`,
    }),
  )
  await dispatcher.accept(alerts.map(firing))
  await pass(5_000)
  expect(slack.messages.length).toBeLessThanOrEqual(21)
  expect(mail.mails.length).toBeLessThanOrEqual(32)
  expect(slack.refused).toEqual([])
  const inMails = mail.mails.reduce((sum, { email }) => {
    const text = email.text ?? ''
    const lines = text.match(/^(?:Also)? +● /gm)?.length ?? 0
    return sum + 1 + lines + Number(/and (\d+) more/.exec(text)?.[1] ?? 0)
  }, 0)
  expect(inMails).toBe(10_000)
})
