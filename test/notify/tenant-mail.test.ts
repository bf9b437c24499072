import { expect, test } from 'vitest'
import type { TenantDirectory } from '../../src/tenants/directory.ts'
import { alertOf, context, desk, eleven, firing, hour, minute, resolved, routingOf } from './sample.ts'

const tenants: TenantDirectory = {
  find: (id) =>
    id.startsWith('quiet')
      ? null
      : { id, name: id, plan: null, timezone: 'Asia/Tokyo', contacts: new Map([['billing', [`${id}@example.net`]]]) },
}

const routing = (more = '', groupBy = 'rule') =>
  routingOf(`
global: {smtp_smarthost: '127.0.0.1:25', smtp_from: tollwatch@example.com}
route: {receiver: tenants, group_by: [${groupBy}], group_wait: 0s, group_interval: 10s, repeat_interval: never}
receivers:
  - name: tenants
    email_configs: [{to: '{{ tenant.contacts.billing }}', fallback: ops ${more}}]
  - name: ops
    email_configs: [{to: ops@example.com}]
`)

const given = { context: { ...context, tenants } }
const of = (tenant: string, change: Parameters<typeof alertOf>[0] = {}) =>
  alertOf({ labels: { tenant, api: 'chat', cause: 'quota_exceeded' }, ...change })

test('each tenant gets a mail of its own, and those without a contact go to the fallback', async () => {
  const { dispatcher, inbox, pass } = await desk(routing(), given)
  const fleet = alertOf({ labels: { cause: 'quota_exceeded' }, fingerprint: 'fleet' })
  await dispatcher.accept([...['acme', 'birch', 'quiet'].map((name) => firing(of(name))), firing(fleet)])
  await pass(2_000)
  const mails = inbox.got.map(({ integration, message }) => [integration, message.to?.join() ?? null, message.audience])
  expect(mails.sort()).toEqual([
    ['ops/email/0', null, 'operators'],
    ['tenants/email/0', 'acme@example.net', 'external'],
    ['tenants/email/0', 'birch@example.net', 'external'],
  ])
  const toAcme = inbox.got.find(({ message }) => message.to?.[0] === 'acme@example.net')
  expect(JSON.stringify({ ...toAcme?.message, receiver: '' })).not.toMatch(/birch|quiet|QuotaExhaustionSpike/)
})

test('a flood is never put together over tenants: what exceeds the rate waits', async () => {
  const { dispatcher, inbox, pass } = await desk(routing(', max_per_minute: 5'), given)
  const names = Array.from({ length: 12 }, (_, i) => `tenant${i}`)
  await dispatcher.accept(names.map((name) => firing(of(name))))
  await pass(2_000)
  expect(inbox.got).toHaveLength(5)
  await pass(3 * minute)
  expect(inbox.got.map(({ message }) => message.to?.[0]).sort()).toEqual(
    names.map((name) => `${name}@example.net`).sort(),
  )
})

test('when there is no room for more groups, tenants still share none', async () => {
  const { dispatcher, inbox, pass } = await desk(routing(), { ...given, limits: { alerts: 100, groups: 1 } })
  await dispatcher.accept(['acme', 'birch', 'cedar'].map((name) => firing(of(name))))
  await pass(2_000)
  expect(inbox.got.map(({ message }) => message.to?.join()).sort()).toEqual([
    'acme@example.net',
    'birch@example.net',
    'cedar@example.net',
  ])
})

test('a daily cap holds over restarts, counts the days of the tenant, and still tells the end of what was announced', async () => {
  const first = await desk(routing(', daily_cap: 2', 'api'), given)
  const told = (to: string) =>
    first.inbox.got.filter(({ message }) => message.to?.[0] === to).map(({ message }) => message.status)
  const apis = ['chat', 'search', 'files'].map((api) =>
    of('acme', { labels: { tenant: 'acme', api, cause: 'quota_exceeded' } }),
  )
  await first.dispatcher.accept(apis.slice(0, 2).map(firing))
  await first.pass(minute)
  expect(told('acme@example.net')).toEqual(['firing', 'firing'])
  const second = await first.again()
  // The third begins and ends on this day: of it nothing is ever said.
  const [chat, , files] = apis
  if (chat === undefined || files === undefined) throw new Error('there are three')
  await second.dispatcher.accept([firing(files), firing(of('birch'))])
  await second.pass(minute)
  await second.dispatcher.accept([resolved(files, eleven + 2 * minute), resolved(chat, eleven + 2 * minute)])
  await second.pass(hour)
  expect(told('acme@example.net')).toEqual(['firing', 'firing'])
  expect(told('birch@example.net'), 'the cap of one is not that of another').toEqual(['firing'])
  // Midnight in Tokyo is 15:00 UTC.
  await second.clock.advance(Date.parse('2026-03-02T14:59:00Z') - second.clock.now())
  await second.pass(50_000)
  expect(told('acme@example.net')).toHaveLength(2)
  await second.pass(30_000)
  expect(told('acme@example.net')).toEqual(['firing', 'firing', 'resolved'])
  expect((await second.store.load('daily-cap')).size).toBe(2)
  await second.clock.advance(3 * 24 * hour)
  await second.pass(2_000)
  expect((await second.store.load('daily-cap')).size, 'old days are forgotten').toBe(0)
})
