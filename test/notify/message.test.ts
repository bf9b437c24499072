import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../src/alert/alert.ts'
import { emailHtml } from '../../src/notify/email-html.ts'
import { emailText } from '../../src/notify/email-text.ts'
import { composeMessage, type MessageContext, type MessageInput } from '../../src/notify/message.ts'
import { slackPayload } from '../../src/notify/slack-blocks.ts'
import { blockKitProblems } from '../support/block-kit.ts'
import { alertOf, context, eleven, minute } from './sample.ts'

function messageOf(
  change: Partial<Omit<MessageInput, 'firing' | 'resolved'>> & {
    firing?: readonly Alert[]
    resolved?: readonly Alert[]
  },
  shared: Partial<MessageContext> = {},
) {
  const member = (alert: Alert) => ({ alert, noticedAtMs: alert.activeAtMs + 80_000, told: null, doneAtMs: null })
  return composeMessage(
    {
      id: '0123456789abcdef0123',
      thread: 'fedcba98765432100123',
      receiver: 'oncall',
      now: eleven,
      routeText: 'severity="page"',
      reminder: false,
      mutedCount: 0,
      folded: 0,
      groups: 1,
      maxPerMinute: 20,
      subject: null,
      ...change,
      firing: (change.firing ?? []).map(member),
      resolved: (change.resolved ?? []).map(member),
    },
    { ...context, ...shared },
  ).message
}

const trend = () => [0, 1, 0, 2, 1, 0, 1, 2, 1, 0, Number.NaN, 1, 2, 1, 3, 2, 40, 60]

const spike = alertOf({
  annotations: {
    summary: 'acme is refused on chat: quota exceeded. 27× normal, 60 of 1,004 (6.0 %) in 5 min, usually 2.2.',
  },
})
const outage = alertOf({
  rule: 'FleetWideSpike',
  labels: { cause: 'payment_gateway_error' },
  annotations: { summary: 'payment gateway error rises over all tenants', runbook: 'runbooks/processor-outage.md' },
  numbers: {
    observed: 1_240,
    requests: 48_200,
    expected: 31,
    pValue: 1e-30,
    soFar: 3_100,
    tenants: 42,
    top: [
      { tenant: 'acme', api: 'chat', cause: 'payment_gateway_error', count: 410 },
      { tenant: 'birch', api: 'search', cause: 'payment_gateway_error', count: 120 },
      { tenant: 'cedar', api: 'chat', cause: 'payment_gateway_error', count: 77 },
      { tenant: 'dale', api: 'chat', cause: 'payment_gateway_error', count: 12 },
    ],
  },
})
const high = alertOf({
  rule: 'PaymentRefusalsHigh',
  severity: 'ticket',
  labels: { tenant: 'acme', api: 'images' },
  annotations: { summary: 'a third of the calls is refused' },
  numbers: {
    observed: 31,
    requests: 90,
    expected: 18,
    pValue: null,
    soFar: 55,
    top: [{ tenant: 'acme', api: 'images', cause: 'insufficient_funds', count: 31 }],
  },
})
const stalled = alertOf({
  rule: 'LogInputStalled',
  labels: { topic: 'gateway-logs' },
  annotations: { summary: 'no record for 4 min on gateway-logs' },
  numbers: { windowMs: 0, observed: 0, requests: 0, expected: null, pValue: null, soFar: 0, peak: 0, tenants: 0 },
})
const over = alertOf({
  state: 'resolved',
  activeAtMs: eleven - 52 * minute,
  resolvedAtMs: eleven - 3 * minute,
  annotations: {
    summary: 'acme on chat: quota exceeded is back to normal after 49 min; 1,312 refused in all, at most 80 in 5 min.',
  },
  numbers: { observed: 2, requests: 990, soFar: 1_312, peak: 80 },
})
const many = Array.from({ length: 14 }, (_, i) =>
  alertOf({
    labels: { tenant: `tenant-${String(i).padStart(2, '0')}`, api: 'chat', cause: 'quota_exceeded' },
    annotations: { summary: `tenant-${String(i).padStart(2, '0')} is refused on chat: quota exceeded.` },
    numbers: { observed: 60 + i },
  }),
)
const hostile = alertOf({
  labels: {
    tenant: `<img src=x onerror=alert(1)>&"' <!channel> <https://evil.example.com|click> @here \u202Egnp.exe\r\nBcc: spy@example.com`,
    api: '*bold* _it_ `code` </td><script>alert(2)</script> javascript:alert(3)',
    cause: 'quota_exceeded',
  },
  annotations: { summary: '<b>summary</b> & <!everyone>', runbook: 'javascript:alert(4)' },
})
const rightToLeft = alertOf({ labels: { tenant: 'شركة الاختبار 🚀', api: 'צ׳אט', cause: 'insufficient_funds' } })
const endless = alertOf({
  labels: { tenant: 't'.repeat(10_240), api: `${'&<'.repeat(5_120)}`, cause: 'insufficient_funds' },
  annotations: { summary: `${'s&'.repeat(5_000)}` },
  numbers: {
    top: Array.from({ length: 10 }, () => ({
      tenant: 'x'.repeat(10_240),
      api: '<'.repeat(10_240),
      cause: 'unknown',
      count: 1,
    })),
  },
})

const cases = {
  firing: messageOf({ firing: [spike] }, { trend }),
  reminder: messageOf({ firing: [spike], reminder: true, now: eleven + 4 * 60 * minute }),
  resolved: messageOf(
    { resolved: [over], subject: { of: 'x', text: 'acme / chat: quota exceeded, 27x normal (60 in 5 min)' } },
    { trend },
  ),
  fleet: messageOf({ firing: [outage], mutedCount: 3 }, { timezone: 'Europe/Berlin' }),
  threshold: messageOf({ firing: [high] }, { runbookUrl: 'alerts/runbooks/' }),
  'not-counting': messageOf({ firing: [stalled] }),
  group: messageOf({ firing: [...many, high], resolved: [over] }),
  demo: messageOf({ firing: [spike] }, { demo: true, dashboardUrl: null }),
  digest: messageOf({ firing: many, groups: 296, folded: 5, routeText: '' }),
  hostile: messageOf({ firing: [hostile, high] }),
  'right-to-left': messageOf({ firing: [rightToLeft] }),
  endless: messageOf({
    firing: [
      endless,
      ...Array.from({ length: 12 }, (_, i) => ({ ...endless, fingerprint: `e${i}`, episode: `e${i}` })),
    ],
  }),
}

describe.each(Object.entries(cases))('the message "%s"', (name, message) => {
  test('reads as it did', async () => {
    const text = `Subject: ${message.subject}\n\n${emailText(message)}`
    await expect(text).toMatchFileSnapshot(`../golden/notify/${name}.txt`)
    await expect(emailHtml(message)).toMatchFileSnapshot(`../golden/notify/${name}.html`)
    const payload = `${JSON.stringify(slackPayload(message), null, 2)}\n`
    await expect(payload).toMatchFileSnapshot(`../golden/notify/${name}.slack.json`)
  })

  test('keeps its subject on one line of at most 90 characters', () => {
    expect(message.subject.length).toBeLessThanOrEqual(90)
    expect(message.subject).not.toMatch(/[\p{Cc}\u2028-\u202e]/u)
  })

  test('is one that Slack takes, with room to spare', () => {
    const payload = slackPayload(message)
    expect(blockKitProblems(payload)).toEqual([])
    const texts = JSON.stringify(payload.blocks).match(/"text":"(?:[^"\\]|\\.)*"/g) ?? []
    const total = texts.reduce((sum, text) => sum + (JSON.parse(`{${text}}`) as { text: string }).text.length, 0)
    expect(total).toBeLessThanOrEqual(10_000)
  })
})

test('the series is named once: before the summary only where that does not name it', () => {
  expect(cases.firing.sentences[0]).toBe('QuotaExhaustionSpike is firing.')
  expect(cases.resolved.sentences[0]).toBe('QuotaExhaustionSpike is resolved.')
  expect(cases.threshold.sentences[0]).toBe('PaymentRefusalsHigh is firing for tenant acme, API images.')
  const inside = alertOf({ labels: { tenant: 'a', api: 'chat' }, annotations: { summary: 'chat is busy again' } })
  expect(messageOf({ firing: [inside] }).sentences[0]).toMatch(/ for tenant a, API chat\.$/)
})

test('an alert that is noticed as late as it is old says its age once', () => {
  const since = ({ facts }: { facts: typeof cases.firing.facts }) => facts.find(({ label }) => label === 'Since')?.text
  expect(since(cases.firing)).toBe('11:01 UTC, for 3 min now (noticed 1 min later)')
  expect(since(messageOf({ firing: [spike], now: spike.activeAtMs + 80_000 }))).toBe(
    '11:01 UTC, for 1 min now (just noticed)',
  )
})

test('what Slack pushes at the end are the numbers of the end', () => {
  expect(slackPayload(cases.resolved).text).toMatch(
    /^✔ RESOLVED acme \/ chat: quota exceeded, lasted 49 min \(1,312 refused\) · /,
  )
})

test('a subject that is too long leaves numbers out and does not cut them', () => {
  expect(cases.group.subject).toBe('[PAGE] 15 tenants / 2 APIs: quota exceeded, 15 alerts, the worst 33x normal')
  const long = alertOf({ labels: { tenant: 'acme', api: 'a'.repeat(90), cause: 'billing_limit_exceeded' } })
  expect(messageOf({ firing: [long] }).subject).toMatch(/ \/ a+…: billing limit exceeded, 27x normal \(60 in 5 min\)$/)
})

test('names in a message are never markup, links or mentions', () => {
  const html = emailHtml(cases.hostile)
  expect(html).not.toMatch(/<img|<script|<b>|onerror=alert\(1\)>|href="javascript|href='javascript/)
  expect([...html.matchAll(/href="([^"]*)"/g)].map(([, url]) => new URL(url ?? '').hostname).sort()).toEqual([
    '127.0.0.1',
    'grafana.example.com',
    'wiki.example.com',
  ])
  const slack = JSON.stringify(slackPayload(cases.hostile))
  expect(slack).not.toMatch(/<!(?:channel|everyone|here)|@(?:channel|everyone|here)/)
  const links = [...slack.matchAll(/<(https?:[^|>]*)\|/g)].map(([, url]) => new URL(url ?? '').hostname)
  expect(links.sort()).toEqual(['127.0.0.1', 'grafana.example.com', 'wiki.example.com'])
  expect(emailText(cases.hostile)).not.toMatch(/\r|\u202e|^Bcc/m)
})

test('the newest numbers of an alert are shown, as long as it is the same episode', () => {
  const newer = alertOf({ numbers: { observed: 90, requests: 1_000 } })
  expect(emailText(messageOf({ firing: [spike] }, { current: () => newer }))).toContain('90 of 1,000 requests')
  const other = { ...newer, episode: 'another' }
  expect(emailText(messageOf({ firing: [spike] }, { current: () => other }))).toContain('60 of 1,004 requests')
})

test('any name and any number make a message that every surface takes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 400 })
  const number = fc.oneof(fc.double(), fc.integer({ min: 0, max: 1e9 }), fc.constantFrom(0, Number.NaN, 1e300))
  const labels = fc.record({ tenant: text, api: text, cause: text, topic: text }, { requiredKeys: [] })
  const alert = fc
    .record({
      labels,
      annotations: fc.record({ summary: text, runbook: text }, { requiredKeys: [] }),
      state: fc.constantFrom('firing' as const, 'resolved' as const),
      severity: fc.constantFrom('info' as const, 'ticket' as const, 'page' as const),
      numbers: fc.record({
        windowMs: fc.constantFrom(0, 300_000),
        observed: number,
        requests: number,
        expected: fc.option(number),
        pValue: fc.option(number),
        soFar: number,
        peak: number,
        tenants: number,
        top: fc.array(fc.record({ tenant: text, api: text, cause: text, count: number }), { maxLength: 4 }),
      }),
      resolvedAtMs: fc.option(fc.constantFrom(eleven, Number.NaN)),
    })
    .map((change) => alertOf(change))
  fc.assert(
    fc.property(
      fc.array(alert, { minLength: 1, maxLength: 13 }),
      fc.boolean(),
      fc.array(number),
      (alerts, demo, trend) => {
        const message = messageOf(
          {
            firing: alerts.filter(({ state }) => state === 'firing'),
            resolved: alerts.filter(({ state }) => state === 'resolved'),
          },
          { demo, trend: () => trend, timezone: 'Asia/Kolkata' },
        )
        expect(message.subject.length).toBeLessThanOrEqual(90)
        expect(message.subject).not.toMatch(/[\r\n]/)
        expect(blockKitProblems(slackPayload(message))).toEqual([])
        expect(emailHtml(message)).not.toContain('undefined')
        expect(emailText(message)).not.toMatch(/undefined|NaN min/)
      },
    ),
    { numRuns: 300 },
  )
})
