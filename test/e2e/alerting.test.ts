import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithChdb, describeWithKafka } from '../support/available.ts'
import { createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { type Caller, countOf, kongTraffic, type Span } from '../support/kong-traffic.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { sampleOf } from '../support/samples.ts'
import { type SlackMessage, startSlack } from '../support/slack.ts'
import { type Mail, startMailServer } from '../support/smtp.ts'
import { type Daemon, startTollwatch, tollwatch } from '../support/tollwatch.ts'

const minute = 60_000
const login = { user: 'toll', pass: 'open-sesame-of-the-mail-server' }

/** The tenant whose cards fail: a seventh of its calls, below the fifth that is too much for anybody. */
const acme: Caller = { tenant: 'acme', api: 'chat', everyMs: 1_000, refused: { code: 'do_not_honor', each: 7 } }
/** They show that nobody else is named. */
const bystanders: readonly Caller[] = [
  { tenant: 'globex', api: 'chat', everyMs: 1_000, refused: { code: 'insufficient_quota', each: 120 } },
  { tenant: 'initech', api: 'embeddings', everyMs: 1_000, refused: null },
]
const spike: readonly Caller[] = [acme, ...bystanders]
/** One refusal a minute is normal for acme. */
const calm: readonly Caller[] = [{ ...acme, refused: { code: 'do_not_honor', each: 60 } }, ...bystanders]

interface AlertAnswer {
  readonly fingerprint: string
  readonly rule: string
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
  readonly since: string
  readonly numbers: { readonly observed: number; readonly requests: number; readonly expected: number }
}

/** The shipped rules with the waits of routing made short; only what pages somebody goes to the receiver. */
const routing = (smtpPort: number) => `
global:
  smtp_smarthost: 127.0.0.1:${smtpPort}
  smtp_from: Tollwatch <tollwatch@example.com>
  smtp_auth_username: ${login.user}
  smtp_auth_password: \${SMTP_PASSWORD}
  smtp_require_tls: false
  slack_api_url: \${SLACK_WEBHOOK_URL}
route:
  receiver: log
  group_wait: 200ms
  group_interval: 200ms
  routes:
    - { matchers: ['severity="page"'], receiver: oncall }
receivers:
  - name: oncall
    email_configs: [{ to: oncall@example.com }]
    slack_configs: [{}]
`

const settings = (brokers: string, topic: string) => `
source: { kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 6s } }
decode: { format: kong }
window: { lateness: 0s }
history: { flush_interval: 300ms, data_dir: ./data }
notify:
  file: notify.yaml
  page_url: https://tollwatch.example.com
  runbook_url: https://runbooks.example.com/402/
`

async function world() {
  const brokers = await sharedKafka()
  const topic = topicName('alerting')
  await createTopic(brokers, topic)
  const [mail, slack] = [await startMailServer(login), await startSlack()]
  onTestFinished(async () => void (await Promise.all([mail.close(), slack.close()])))
  const dir = tempDir('alerting')
  writeFileSync(join(dir, 'notify.yaml'), routing(mail.port))
  const env = { SMTP_PASSWORD: login.pass, SLACK_WEBHOOK_URL: slack.url }
  const config = settings(brokers, topic)
  const start = async () => {
    const daemon = await startTollwatch({ dir, config, env })
    onTestFinished(() => void daemon.child.kill())
    return daemon
  }
  const send = (callers: readonly Caller[], span: Span) => produce(brokers, topic, kongTraffic(callers, span))
  return { mail, slack, dir, env, start, send }
}

const alertsOf = async (daemon: Daemon) =>
  (await daemon.get<{ alerts: readonly AlertAnswer[] }>('/api/v1/alerts')).alerts

/** The rules have seen everything up to this event time. */
const evaluated = (daemon: Daemon, untilMs: number) =>
  waitFor(`event time ${new Date(untilMs).toISOString()}`, async () => {
    const { watermark } = await daemon.get<{ watermark: string | null }>('/api/v1/live')
    return watermark !== null && Date.parse(watermark) >= untilMs
  })

/** History holds all of acme's calls in the span; what was stored before them, states of alerts too, is safe by then. */
const stored = (daemon: Daemon, span: Span) =>
  waitFor(`history up to ${new Date(span.untilMs).toISOString()}`, async () => {
    const path = `/api/v1/summary?from=${span.afterMs}&to=${span.untilMs + minute}&by=tenant&tenant=acme`
    const { rows } = await daemon.get<{ rows: readonly { requests: number }[] }>(path)
    return rows[0]?.requests === countOf(acme, span).requests
  })

/** Mail and Slack message are counted as sent, one each since the daemon's start. */
const bothSent = (daemon: Daemon) =>
  waitFor('both to be counted as sent', async () => {
    const labels = { receiver: 'oncall', result: 'sent' }
    return sampleOf(await daemon.metrics(), 'tollwatch_notifications_total', labels) === 2
  })

describeWithChdb('Alerts', () => {
  describeWithKafka('on a real broker', () => {
    test('name a payment failure spike once by email and Slack, and its end once, over a SIGKILL', {
      timeout: 120_000,
    }, async () => {
      const { mail, slack, dir, start, send, env } = await world()
      const beginMs = Math.floor(Date.now() / minute) * minute - 106 * minute
      const at = (minutes: number) => beginMs + minutes * minute
      const span = (after: number, until: number): Span => ({ afterMs: at(after), untilMs: at(until) })
      let daemon = await start()

      // More than the hour by which baselines learn behind, so that there is a past to be out of line with.
      await send(calm, span(0, 80))
      await evaluated(daemon, at(80))
      expect(await alertsOf(daemon)).toEqual([])

      await send(spike, span(80, 86))
      await evaluated(daemon, at(86))
      const [alert, ...others] = await alertsOf(daemon)
      expect(others).toEqual([])
      expectAcme(alert, { beginMs: at(80), endMs: at(86) })

      const [firingMail] = await mail.received(1)
      const [firingSlack] = await slack.received(1)
      expectFiring(textOf(firingMail), firingMail?.email.subject ?? '')
      expectFiring(wordsOf(firingMail?.email.html ?? ''), firingMail?.email.subject ?? '')
      expectFiring(textOfSlack(firingSlack), firingSlack?.text ?? '')
      expect(firingMail?.envelope).toEqual({ from: 'tollwatch@example.com', to: ['oncall@example.com'] })
      await bothSent(daemon)
      const labels = { rule: 'PaymentRefusalSpike', severity: 'page', state: 'firing' }
      expect(sampleOf(await daemon.metrics(), 'tollwatch_alerts', labels)).toBe(1)

      // It goes on, dies with records in hand that it has not written, and comes back while it still goes on.
      await send(spike, span(86, 86.5))
      await stored(daemon, span(0, 86.5))
      await send(spike, span(86.5, 87))
      await daemon.kill()
      const said = daemon.logs()
      daemon = await start()
      await send(spike, span(87, 87.5))
      await stored(daemon, span(0, 87.5))
      // A second write comes from a later tick than the first: had there been something to repeat, it was sent by now.
      await send(spike, span(87.5, 88))
      await stored(daemon, span(0, 88))
      await evaluated(daemon, at(88))
      expect(await alertsOf(daemon)).toMatchObject([
        { fingerprint: alert?.fingerprint, state: 'firing', since: alert?.since },
      ])
      expect([mail.attempts(), slack.attempts()]).toEqual([1, 1])

      await send(calm, span(88, 105))
      await evaluated(daemon, at(105))
      expect(await alertsOf(daemon)).toMatchObject([{ fingerprint: alert?.fingerprint, state: 'resolved' }])
      const resolvedMail = (await mail.received(2))[1]
      const resolvedSlack = (await slack.received(2))[1]
      const refused = countOf(acme, { afterMs: Date.parse(alert?.since ?? ''), untilMs: at(88) }).refused
      expectResolved(textOf(resolvedMail), resolvedMail?.email.subject ?? '', refused)
      expectResolved(textOfSlack(resolvedSlack), resolvedSlack?.text ?? '', refused)
      expectThread(firingMail, resolvedMail)
      await bothSent(daemon)
      expect(sampleOf(await daemon.metrics(), 'tollwatch_alerts', { ...labels, state: 'resolved' })).toBe(1)
      expect((await daemon.stop()).code).toBe(0)

      const asked = await tollwatch(['query', 'alerts', '--from', '-3h', '--json'], { cwd: dir, env })
      const rows = JSON.parse(asked.stdout) as { time: string; rule: string; state: string; fingerprint: string }[]
      expect(rows.map(({ rule, state, fingerprint }) => [rule, state, fingerprint])).toEqual([
        ['PaymentRefusalSpike', 'resolved', alert?.fingerprint],
        ['PaymentRefusalSpike', 'firing', alert?.fingerprint],
      ])
      expect([mail.attempts(), slack.attempts(), slack.refused]).toEqual([2, 2, []])
      for (const secret of [login.pass, slack.url, 'not-to-be-kept']) expect(said + daemon.logs()).not.toContain(secret)
    })
  })
})

/** The alert is about acme, counts what was sent, and came within three minutes of the beginning. */
function expectAcme(alert: AlertAnswer | undefined, spell: { beginMs: number; endMs: number }): void {
  expect(alert).toMatchObject({ rule: 'PaymentRefusalSpike', state: 'firing' })
  expect(alert?.labels).toMatchObject({ tenant: 'acme', api: 'chat', cause: 'payment_failed', severity: 'page' })
  // A window holds its first moment and not its end.
  const truth = countOf(acme, { afterMs: spell.endMs - 5 * minute - 1, untilMs: spell.endMs - 1 })
  expect(alert?.numbers).toMatchObject({ observed: truth.refused, requests: truth.requests })
  expect(alert?.numbers.expected).toBeGreaterThan(4.5)
  expect(alert?.numbers.expected).toBeLessThan(5.5)
  const afterMs = Date.parse(alert?.since ?? '') - spell.beginMs
  expect(afterMs).toBeGreaterThan(0)
  expect(afterMs).toBeLessThanOrEqual(3 * minute)
}

/** Tenant, API, cause, the numbers against normal, and the runbook. */
function expectFiring(text: string, subject: string): void {
  expect(subject).toMatch(/^\[PAGE\] acme \/ chat: payment failed, [\d.]+x normal \(\d+ in 5 min\)/)
  expect(text).toMatch(/PaymentRefusalSpike is firing\.\s+acme is refused on chat: payment failed\./)
  const seen = /(\d+) of 300 requests \((\d+\.\d) %\) refused in the 5 min to/.exec(text)
  const normal = /([\d.]+) expected \(1\.\d %\), so this is ([\d.]+)× normal/.exec(text)
  const [refused, expected, times] = [Number(seen?.[1]), Number(normal?.[1]), Number(normal?.[2])]
  expect(refused, text).toBeGreaterThan(10)
  expect(refused).toBeLessThanOrEqual(43)
  expect(expected).toBeCloseTo(5, 0)
  expect(times).toBeCloseTo(refused / expected, 0)
  expect(text).toContain('https://runbooks.example.com/402/payment_failed.md')
  expect(text).not.toMatch(/globex|initech/)
}

function expectResolved(text: string, subject: string, refused: number): void {
  expect(subject).toMatch(/^(?:\[RESOLVED\]|✔ RESOLVED) acme \/ chat: payment failed/)
  expect(text).toMatch(
    /PaymentRefusalSpike is resolved\.\s+acme on chat: payment failed is back to normal after \d+ min/,
  )
  expect(Number(/(\d+) in total/.exec(text)?.[1])).toBeGreaterThanOrEqual(refused)
  expect(text).toMatch(/Lasted\s+\d+ min, from/)
}

/** Both mails answer the same root, which is neither of them, and keep the subject but for the first word. */
function expectThread(firing: Mail | undefined, resolved: Mail | undefined): void {
  expect(firing?.email.inReplyTo).toMatch(/^<[0-9a-f]{20}@example\.com>$/)
  expect(resolved?.email.inReplyTo).toBe(firing?.email.inReplyTo)
  expect(resolved?.email.references).toBe(firing?.email.references)
  expect(resolved?.email.messageId).not.toBe(firing?.email.messageId)
  const bare = (mail: Mail | undefined) => mail?.email.subject?.replace(/^\[\w+\] /, '')
  expect(bare(resolved)).toBe(bare(firing))
}

const textOf = (mail: Mail | undefined) => mail?.email.text ?? ''

function textOfSlack(message: SlackMessage | undefined): string {
  const texts: string[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
    else if (typeof value === 'string') texts.push(value)
  }
  walk(message?.body['blocks'])
  return texts.join('\n').replaceAll('*', '')
}

const wordsOf = (html: string) =>
  html
    .replaceAll(/<title>.*<\/title>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/&times;/g, '×')
