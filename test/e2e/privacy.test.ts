import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { formatNames } from '../../src/decode/decode.ts'
import { openEmbedded } from '../../src/history/database.ts'
import { describeWithChdb } from '../support/available.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { type SlackServer, startSlack } from '../support/slack.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'
import { type Daemon, startTollwatch } from '../support/tollwatch.ts'
import { plantedRecords } from './planted.ts'

const login = { user: 'toll', pass: 'HushMailPasswordQzx' }

/**
 * What stands in the records and is meant to be kept, each with the reason. They also prove that the search below finds
 * what is there.
 */
const kept = (names: ReturnType<typeof plantedRecords>['names']) => [
  { word: names.tenant, why: 'who is refused is what Tollwatch tells; the operator names the places of tenants' },
  { word: names.api, why: 'the same for the API' },
  { word: names.consumer, why: "the gateway's own name of the caller, kept with each refused call" },
  { word: names.requestId, why: "leads from a refused call to the gateway's log" },
  { word: 'insufficient funds', why: 'the words that decided the cause, and nothing around them' },
]

/** A push is on disk as it came before it is acknowledged, and only until it is in history. */
const pushedSecret = 'HushPushedQzx'

const settings = `
source: { files: { paths: access.log, follow: true } }
decode:
  custom: { status: outcome, time: when, tenant: who, api: what, response_body: answer }
window: { lateness: 0s, idle_after: 1s }
history: { flush_interval: 200ms, data_dir: ./data }
alerts: { rules: [refused.rules.yaml] }
notify: { file: notify.yaml }
telemetry: { log_level: debug }
`

const rules = `
version: 1
groups:
  - name: refused
    interval: 10s
    rules:
      - rule: Refused
        group_by: [tenant, api, cause]
        window: 5m
        condition: { type: threshold, measure: ratio, above: 0.01, recover: 0.001, min_total: 1, min_count: 1, confidence: 0.5 }
        severity: page
`

const routing = (smtpPort: number) => `
global:
  smtp_smarthost: 127.0.0.1:${smtpPort}
  smtp_from: Tollwatch <tollwatch@example.com>
  smtp_auth_username: ${login.user}
  smtp_auth_password: \${SMTP_PASSWORD}
  smtp_require_tls: false
  slack_api_url: \${SLACK_WEBHOOK_URL}
route: { receiver: oncall, group_by: [rule], group_wait: 200ms, group_interval: 200ms }
receivers:
  - name: oncall
    email_configs: [{ to: oncall@example.com }]
    slack_configs: [{}]
`

describeWithChdb('Secrets in the records', () => {
  test('reach nothing that the daemon writes, sends or answers', { timeout: 90_000 }, async () => {
    const nowMs = Date.now() - 60_000
    const planted = plantedRecords(nowMs)
    const [mail, slack] = [await startMailServer(login), await startSlack()]
    onTestFinished(async () => void (await Promise.all([mail.close(), slack.close()])))
    const dir = tempDir('privacy')
    const log = join(dir, 'access.log')
    writeFileSync(log, `${[...planted.lines, ...planted.unreadable].join('\n')}\n`)
    writeFileSync(join(dir, 'refused.rules.yaml'), rules)
    writeFileSync(join(dir, 'notify.yaml'), routing(mail.port))
    const env = { SMTP_PASSWORD: login.pass, SLACK_WEBHOOK_URL: slack.url }
    const daemon = await startTollwatch({ dir, config: settings, env })
    onTestFinished(() => void daemon.child.kill())

    await everythingRead(daemon, planted)
    const body = JSON.stringify({ status: 402, request_uri: `/v1?${pushedSecret}`, bytes_sent: 1, msec: nowMs / 1000 })
    const pushed = await fetch(`${daemon.url}/api/v1/ingest?format=nginx`, { method: 'POST', body })
    expect(await pushed.json()).toEqual({ accepted: 1, unreadable: 0 })
    expect(spool(dir)).toContain(pushedSecret)
    // A later call moves event time on, so that the rules look at what came before.
    const later = { latencies: { request: 1 }, started_at: nowMs + 50_000, response: { status: 200 } }
    appendFileSync(log, `${JSON.stringify(later)}\n`)
    const answers = await answersOf(daemon, { mail, slack })
    const [metrics, sent] = [await daemon.metrics(), sentBy(mail, slack)]
    await waitFor('the spool to forget what is in history', () => !spool(dir).includes(pushedSecret))
    expect((await daemon.stop()).code).toBe(0)

    const found = new Map<string, string>([
      ...answers,
      ['/metrics', metrics],
      ['the log', daemon.logs()],
      ['mails and Slack messages', sent],
      ...filesIn(join(dir, 'data')),
      ...(await tablesIn(join(dir, 'data', 'store'))),
    ])
    const places = (word: string) => [...found].filter(([, text]) => text.includes(word)).map(([place]) => place)
    const leaks = [...planted.secrets, pushedSecret, login.pass, slack.url]
      .map((secret) => ({ secret, places: places(secret) }))
      .filter(({ places }) => places.length > 0)
    expect(leaks).toEqual([])
    for (const { word, why } of kept(planted.names)) expect(places(word), why).not.toEqual([])
    expect(places(planted.names.tenant)).toEqual(
      expect.arrayContaining([
        '/api/v1/events',
        '/api/v1/alerts',
        '/metrics',
        'mails and Slack messages',
        'tollwatch.events_402',
      ]),
    )
  })
})

/** All of it is in history: each layout's refused calls, and every value that nobody can read. */
async function everythingRead(
  daemon: Daemon,
  { refused, unreadable }: ReturnType<typeof plantedRecords>,
): Promise<void> {
  expect(Object.keys(refused).sort()).toEqual([...formatNames].sort())
  await waitFor('history to hold what was planted', async () => {
    const { rows } = await daemon.get<{ rows: { format: string }[] }>('/api/v1/events?from=-1h&limit=1000')
    const letters = await daemon.get<{ rows: unknown[] }>('/api/v1/dead-letters?from=-1h&limit=1000')
    const counted = Object.keys(refused).map((format) => rows.filter((row) => row.format === format).length)
    return letters.rows.length === unreadable.length && counted.join() === Object.values(refused).join()
  })
}

/** What the API answers, once both messages about the alert have been sent. */
async function answersOf(
  daemon: Daemon,
  { mail, slack }: { mail: MailServer; slack: SlackServer },
): Promise<[string, string][]> {
  await Promise.all([mail.received(1), slack.received(1)])
  const { paths } = await daemon.get<{ paths: Record<string, object> }>('/api/v1/openapi.json')
  const { alerts } = await daemon.get<{ alerts: { fingerprint: string }[] }>('/api/v1/alerts')
  expect(alerts.length).toBeGreaterThan(0)
  const answers: [string, string][] = []
  for (const path of Object.keys(paths).filter((one) => 'get' in (paths[one] ?? {}))) {
    const address = path.replace('{fingerprint}', alerts[0]?.fingerprint ?? '')
    // Whatever a path does not take it refuses, and its refusal is an answer too.
    for (const query of ['', '?from=-1h', '?from=-1h&by=tenant,api,cause', '?secret=x']) {
      answers.push([path, await textOf(await fetch(`${daemon.url}${address}${query}`))])
    }
  }
  expect(answers.length).toBeGreaterThan(40)
  const texts = new Map<string, string>()
  for (const [path, text] of answers) texts.set(path, `${texts.get(path) ?? ''}${text}`)
  return [...texts]
}

/** A whole answer; of a stream that never ends, all that it tells at once. */
async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type')?.startsWith('text/event-stream') !== true) return answer.text()
  let text = ''
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part
    if (['live', 'alerts', 'status'].every((name) => text.includes(`event: ${name}\n`))) break
  }
  return text
}

function sentBy(mail: MailServer, slack: SlackServer): string {
  const mails = mail.mails.map(({ raw, email }) => [raw, email.subject, email.text, email.html].join('\n'))
  return [...mails, ...slack.messages.map(({ body }) => JSON.stringify(body))].join('\n')
}

/** All that was pushed and is still on the disk. */
function spool(dir: string): string {
  const folder = join(dir, 'data', 'spool')
  const texts = readdirSync(folder).map((name) => {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch {
      // It has just been taken away.
      return ''
    }
  })
  return texts.join('\n')
}

/** Every byte under the data directory, such as the spool, the daemon's note and the store's own files. */
function filesIn(directory: string): [string, string][] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  expect(files.length).toBeGreaterThan(20)
  return files.map((file) => [file, readFileSync(file, 'latin1')])
}

/** Every column of every table that stores anything; the files hold them compressed. */
async function tablesIn(store: string): Promise<[string, string][]> {
  const database = await openEmbedded(store)
  try {
    const tables = await database.query<{ name: string }>(
      "SELECT concat(database, '.', name) AS name FROM system.tables WHERE engine LIKE '%MergeTree'",
    )
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'tollwatch.events_402',
        'tollwatch.dead_letter',
        'tollwatch.alert_log',
        'tollwatch.state',
      ]),
    )
    const texts: [string, string][] = []
    for (const { name } of tables) texts.push([name, JSON.stringify(await database.query(`SELECT * FROM ${name}`))])
    return texts
  } finally {
    await database.close()
  }
}
