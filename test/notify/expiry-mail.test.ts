import { expect, test } from 'vitest'
import { RuleEngine } from '../../src/alert/engine.ts'
import { ScriptedView } from '../../src/alert/scripted-view.ts'
import type { Tenant, TenantDirectory } from '../../src/tenants/directory.ts'
import { expiryOf } from '../../src/tenants/expiry.ts'
import { rulesOf } from '../alert/simulation.ts'
import { context, desk, minute, routingOf } from './sample.ts'

const rules = rulesOf('- rule: SubscriptionEnds\n  condition: {type: expiry, levels: {info: 30d, ticket: 7d}}')

const routing = routingOf(`
global: {smtp_smarthost: '127.0.0.1:25', smtp_from: tollwatch@example.com}
route:
  receiver: ops
  group_by: [rule, tenant]
  group_wait: 10s
  repeat_interval: never
  routes:
    - {matchers: ['rule="SubscriptionEnds"'], receiver: tenants, continue: true}
    - {matchers: ['rule="SubscriptionEnds"'], receiver: ops}
receivers:
  - name: tenants
    email_configs: [{to: '{{ tenant.contacts.billing }}', audience: external}]
  - name: ops
    email_configs: [{to: ops@example.com}]
`)

/** Two tenants; the end of one can be moved. */
async function office(ends: string) {
  const people = new Map<string, Tenant>()
  const tenants: TenantDirectory = { find: (id) => people.get(id) ?? null, ending: () => [...people.values()] }
  const write = (text: string) => {
    const expires = expiryOf(text, 'Europe/Berlin')
    if (expires === null) throw new Error(`${text} is no end`)
    const contacts = new Map([['billing', ['pay@acme.example.org']]])
    people.set('acme', { id: 'acme', name: 'Acme', plan: null, timezone: 'Europe/Berlin', contacts, expires })
  }
  write(ends)
  const engine = new RuleEngine(rules, { baselineSeriesLimit: 10, tenants })
  const { dispatcher, inbox, clock, pass } = await desk(routing, { context: { ...context, tenants } })
  const at = async (time: string) => {
    await clock.advance(Date.parse(time) - clock.now())
    const view = new ScriptedView(clock.now() - 10_000)
    view.push([])
    await dispatcher.accept(engine.step(view.endMs, view))
    await pass(minute)
  }
  const mails = (to: 'tenants' | 'ops') =>
    inbox.got.filter(({ integration }) => integration.startsWith(to)).map(({ message }) => message)
  return { at, write, mails }
}

test('a tenant is reminded twice before its subscription ends, and told when it has', async () => {
  const { at, mails } = await office('2026-04-01')
  for (const time of [
    '2026-03-02T22:10Z',
    '2026-03-03T00:00Z',
    '2026-03-10T00:00Z',
    '2026-03-25T23:00Z',
    '2026-04-01T22:00Z',
  ])
    await at(time)
  const own = mails('tenants')
  expect(own.map(({ subject, to }) => `${to?.join()}: ${subject}`)).toEqual([
    'pay@acme.example.org: Your subscription ends soon',
    'pay@acme.example.org: Your subscription ends soon',
    'pay@acme.example.org: Your subscription has ended',
  ])
  expect(own.map(({ facts }) => facts[0])).toEqual([
    { label: 'Expires', text: 'after 1 Apr 2026 (Europe/Berlin), in 30 d' },
    { label: 'Expires', text: 'after 1 Apr 2026 (Europe/Berlin), in 6 d 23 h' },
    { label: 'Expired', text: 'after 1 Apr 2026 (Europe/Berlin)' },
  ])
  expect(own[2]?.sentences[1]).toBe(
    'Your subscription has ended. Calls are refused with status 402 (Payment Required) from now on.',
  )
  expect(own[2]?.advice?.steps[0]).toBe('renew the subscription, or pay the open invoice')
  expect(new Set(own.map(({ thread }) => thread)).size, 'one conversation').toBe(1)
  expect(mails('ops').map(({ subject }) => subject)).toEqual([
    '[INFO] The subscription of acme ends after 1 Apr 2026 (Europe/Berlin)',
    '[TICKET] The subscription of acme ends after 1 Apr 2026 (Europe/Berlin)',
    '[RESOLVED] The subscription of acme ends after 1 Apr 2026 (Europe/Berlin)',
  ])
  expect(mails('ops')[0]?.advice?.likely).toMatch(/nobody has renewed it yet/)
})

test('a tenant whose subscription is extended is told that all is well', async () => {
  const { at, write, mails } = await office('2026-03-08')
  await at('2026-03-03T00:00Z')
  write('2027-03-08')
  await at('2026-03-04T00:00Z')
  expect(mails('tenants').map(({ subject, sentences }) => [subject, sentences[1]])).toEqual([
    [
      'Your subscription ends soon',
      'Your subscription ends soon. From then on your calls are refused with status 402 (Payment Required).',
    ],
    ['[RESOLVED] Your subscription ends soon', 'Your subscription does not end then any more; you need do nothing.'],
  ])
})
