import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chartAlt, chartSvg } from '../../src/notify/chart.ts'
import { emailHtml } from '../../src/notify/email-html.ts'
import { emailText } from '../../src/notify/email-text.ts'
import { slackPayload, slackReply } from '../../src/notify/slack-blocks.ts'
import { blockKitProblems } from '../support/block-kit.ts'
import { calm, externalCases, messageOf, operatorCases, spike } from './message-cases.ts'
import { alertOf, eleven } from './sample.ts'

const cases = { ...operatorCases, ...externalCases }

test.each(['changed', 'resolved', 'endless'] as const)('the reply "%s" in a thread reads as it did', async (name) => {
  const reply = `${JSON.stringify(slackReply(operatorCases[name]), null, 2)}\n`
  await expect(reply).toMatchFileSnapshot(`../golden/notify/${name}.reply.json`)
})

describe.each(Object.entries(cases))('the message "%s"', (name, message) => {
  test('reads as it did', async () => {
    const text = `Subject: ${message.subject}\n\n${emailText(message)}`
    await expect(text).toMatchFileSnapshot(`../golden/notify/${name}.txt`)
    await expect(emailHtml(message, 'chart@mail.example.com')).toMatchFileSnapshot(`../golden/notify/${name}.html`)
    const payload = `${JSON.stringify(slackPayload(message, { chartFile: 'F0123456789' }), null, 2)}\n`
    await expect(payload).toMatchFileSnapshot(`../golden/notify/${name}.slack.json`)
  })

  test('keeps its subject on one line of at most 90 characters', () => {
    expect(message.subject.length).toBeLessThanOrEqual(90)
    expect(message.subject).not.toMatch(/[\p{Cc}\u2028-\u202e]/u)
  })

  test('is one that Slack takes, with room to spare', () => {
    const payload = slackPayload(message, { chartFile: 'F0123456789', earlier: true })
    expect(blockKitProblems(payload)).toEqual([])
    expect(blockKitProblems(slackReply(message))).toEqual([])
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
        scope: fc.option(fc.record({ labels, share: number })),
        facts: fc.array(fc.record({ label: text, text }), { maxLength: 12 }),
      }),
      resolvedAtMs: fc.option(fc.constantFrom(eleven, Number.NaN)),
    })
    .map((change) => alertOf(change))
  fc.assert(
    fc.property(
      fc.array(alert, { minLength: 1, maxLength: 13 }),
      fc.record({ demo: fc.boolean(), drill: fc.boolean(), external: fc.boolean(), reminder: fc.boolean() }),
      fc.array(fc.option(fc.nat(1e6)), { maxLength: 36 }),
      (alerts, { demo, drill, external, reminder }, counts) => {
        const steps = counts.map((count) => (count === null ? null : new Map([['unknown' as const, count]])))
        const message = messageOf(
          {
            firing: alerts.filter(({ state }) => state === 'firing'),
            resolved: alerts.filter(({ state }) => state === 'resolved'),
            ...{ drill, reminder, tenant: external ? (alerts[0]?.labels['tenant'] ?? '') : null },
          },
          { demo, trend: () => ({ endMs: eleven, stepMs: 300_000, steps }), timezone: 'Asia/Kolkata' },
        )
        if (message.chart !== null) expect(chartSvg(message.chart) + chartAlt(message.chart)).not.toMatch(/NaN|undef/)
        expect(blockKitProblems(slackReply(message))).toEqual([])
        expect(message.subject.length).toBeLessThanOrEqual(90)
        expect(message.subject).not.toMatch(/[\r\n]/)
        expect(blockKitProblems(slackPayload(message, { chartFile: 'F0123456789' }))).toEqual([])
        expect(emailHtml(message, 'a@b')).not.toContain('undefined')
        expect(emailText(message)).not.toMatch(/undefined|NaN min/)
      },
    ),
    { numRuns: 300 },
  )
})

test('a reminder after the last refusal says that it is calm, not that it is nothing times normal', () => {
  const message = messageOf({ firing: [calm], reminder: true })
  expect(message.headline).toBe('● PAGE acme / chat: quota exceeded, calm at the moment (0 in 5 min)')
  expect(message.sentences[0]).toBe('QuotaExhaustionSpike has not ended yet, but is calm at the moment.')
  const text = emailText(messageOf({ firing: [spike, { ...calm, episode: 'other' }], reminder: true }))
  expect(text).toContain('as usual again')
  expect(`${message.subject}${text}${emailText(message)}`).not.toMatch(/\b0[x×] normal/)
})

test('a message says everything of a condition that counts no refusals', () => {
  const { headline, facts } = operatorCases.quota
  expect(headline).toBe('▲ TICKET acme has used 912 of 1,000 of its quota calls (91 %)')
  expect(facts.map(({ label }) => label)).toEqual(['Used', 'Rate', 'Runs out', 'Resets', 'Since', 'Tenant'])
  expect(facts.at(-1)?.text).toBe('Acme Corporation (acme), plan gold')
})

test('a message names the part of the traffic that explains it', () => {
  expect(operatorCases['burn-rate'].facts).toContainEqual({ label: 'Mostly', text: 'acme, 93 % of the refusals' })
})

test('a drill says so before anything else, on every surface', () => {
  const { drill } = operatorCases
  expect(drill.subject).toMatch(/^\[DRILL\] \[PAGE\] acme/)
  expect(JSON.stringify(slackPayload(drill))).toContain('"text":"[DRILL] 🔴 PAGE acme')
  for (const text of [emailText(drill), emailHtml(drill), slackPayload(drill).text]) expect(text).toContain('drill')
})
