import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testReceiverCommand } from '../../src/cli/test-receiver.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type SlackServer, startSlack } from '../support/slack.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'

let slack: SlackServer
let mail: MailServer
let folder: string

beforeEach(async () => {
  slack = await startSlack()
  mail = await startMailServer()
  folder = await mkdtemp(join(tmpdir(), 'tollwatch-receiver-'))
  const file = `
global: {smtp_smarthost: '127.0.0.1:${mail.port}', smtp_from: tollwatch@example.com, smtp_require_tls: false}
route: {receiver: oncall}
receivers:
  - name: oncall
    email_configs: [{to: oncall@example.com}]
    slack_configs: [{api_url: '\${HOOK}'}]
`
  await writeFile(join(folder, 'notify.yaml'), file)
})

afterEach(async () => {
  await Promise.all([slack.close(), mail.close(), rm(folder, { recursive: true })])
})

async function run(name: string, environment: Record<string, string> = { HOOK: slack.url }, file = 'notify.yaml') {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await testReceiverCommand(
    { name, file: file === '' ? null : join(folder, file), environment, runbookUrl: 'alerts/runbooks/' },
    { terminal: { stdin: Readable.from([]), stdout, stderr }, clock: new ManualClock(Date.UTC(2026, 4, 1, 12)) },
  )
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

test('every way of the receiver gets one message that says it is a test', async () => {
  const { code, out } = await run('oncall')
  expect(code).toBe(0)
  expect(out).toBe('oncall/email/0: sent\noncall/slack/0: sent\n')
  const [arrived] = await mail.received(1)
  expect(arrived?.email.subject).toBe('[TEST] Tollwatch reaches oncall')
  expect(arrived?.email.text).toContain('Nothing is wrong and nobody is affected.')
  expect(slack.messages).toHaveLength(1)
  expect(slack.messages[0]?.text).toContain('[TEST]')
  expect(slack.refused).toEqual([])
})

test('a way that fails is named with its reason, and the others are tried all the same', async () => {
  mail.trouble = () => ({ refuseWith: 550 })
  const { code, out, err } = await run('oncall')
  expect(code).toBe(1)
  expect(err).toMatch(/^oncall\/email\/0: failed: refused \(EMESSAGE 550\)\n$/)
  expect(out).toBe('oncall/slack/0: sent\n')
})

test('a receiver that is not there is answered with those that are', async () => {
  const { code, err } = await run('nobody')
  expect(code).toBe(2)
  expect(err).toContain('there are: log, none, oncall')
})

test('a file with problems is answered with all of them', async () => {
  const { code, err } = await run('oncall', {})
  expect(code).toBe(2)
  expect(err).toContain('the environment variable HOOK is not set')
})

test('without a file there is the log', async () => {
  const { code, out } = await run('log', {}, '')
  expect(code).toBe(0)
  expect(out).toContain('[TEST] Tollwatch reaches log')
})
