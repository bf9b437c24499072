import { describe, expect, test } from 'vitest'
import { failed } from '../../src/notify/receiver.ts'
import { alertOf, desk, eleven, firing, hour, minute, routingOf } from './sample.ts'

const environment = { HOOK: 'https://hooks.example.com/x' }
const routing = routingOf(
  `
global: {smtp_smarthost: '127.0.0.1:25', smtp_from: tollwatch@example.com}
route: {receiver: oncall, group_wait: 0s, repeat_interval: never}
receivers:
  - name: oncall
    slack_configs: [{api_url: '\${HOOK}'}]
  - name: team
    email_configs: [{to: team@example.com}]
  - name: tenants
    email_configs: [{to: '{{ tenant.contacts.billing }}'}]
`,
  environment,
)

describe('a receiver that takes nothing', () => {
  test('is told of after ten minutes everywhere but through it, and once it takes messages again', async () => {
    const { dispatcher, inbox, pass, again } = await desk(routing)
    inbox.answer = (integration) => (integration === 'oncall/slack/0' ? failed('authentication', 'HTTP 403') : null)
    await dispatcher.accept([firing(alertOf())])
    await pass(9 * minute)
    expect(inbox.got).toHaveLength(0)
    expect(dispatcher.status().failing).toEqual([])
    await pass(3 * minute)
    expect(dispatcher.status().failing).toEqual(['oncall/slack/0'])
    expect(inbox.got.map(({ integration }) => integration).sort()).toEqual(['log/log/0', 'team/email/0'])
    const { message } = inbox.got[0] ?? {}
    expect(message?.subject).toContain('[PAGE] Notifications to oncall by slack fail (authentication): 1 waiting')
    expect(JSON.stringify(message)).not.toContain('hooks.example.com')
    const later = await again()
    await later.pass(5 * minute)
    expect(inbox.got, 'a restart says it no second time').toHaveLength(2)
    inbox.answer = () => null
    await later.pass(15 * minute)
    const told = inbox.got.map(({ integration, message: { status } }) => `${integration} ${status}`).sort()
    expect(told).toEqual([
      'log/log/0 firing',
      'log/log/0 resolved',
      'oncall/slack/0 firing',
      'team/email/0 firing',
      'team/email/0 resolved',
    ])
    expect(later.dispatcher.status().failing).toEqual([])
  })

  test('and a message that is given up are told of for an hour', async () => {
    const { dispatcher, inbox, pass } = await desk(routing)
    inbox.answer = (integration) =>
      integration === 'oncall/slack/0' ? failed('refused', 'HTTP 413', { final: true }) : null
    await dispatcher.accept([firing(alertOf())])
    await pass(2 * minute)
    expect(inbox.subjects()).toEqual(
      Array(2).fill('[PAGE] Notifications to oncall by slack fail (refused): 1 given up'),
    )
    await pass(70 * minute)
    expect(inbox.got.map(({ message }) => message.status)).toEqual(['firing', 'firing', 'resolved', 'resolved'])
  })

  test('and all others with it still leave the log', async () => {
    const { dispatcher, inbox, pass } = await desk(routing)
    inbox.answer = (integration) => (integration === 'log/log/0' ? null : failed('connection', 'ECONNREFUSED'))
    await dispatcher.accept([firing(alertOf())])
    await pass(30 * minute)
    expect(inbox.got.filter(({ message }) => message.status === 'firing').length).toBeGreaterThanOrEqual(1)
    expect(new Set(inbox.got.map(({ integration }) => integration))).toEqual(new Set(['log/log/0']))
    expect([...dispatcher.status().failing].sort()).toEqual(['oncall/slack/0', 'team/email/0'])
  })
})

describe('the end of a silence', () => {
  const asked = { matchers: ['tenant="acme"'], createdBy: 'anna', comment: 'invoice is being paid' }

  test('is announced a quarter of an hour before, with what still fires under it', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(routing)
    await silences.add({ ...asked, startsAtMs: eleven, endsAtMs: eleven + hour })
    await dispatcher.accept([firing(alertOf())])
    await pass(44 * minute)
    expect(inbox.got).toHaveLength(0)
    await pass(3 * minute)
    expect(inbox.got).toHaveLength(1)
    expect(inbox.got[0]?.message.sentences.join(' ')).toMatch(
      /A silence by anna ends in 1[3-5] min and 1 alert still fires under it: invoice is being paid/,
    )
    await pass(14 * minute)
    // The alert itself is told now, once.
    expect(inbox.subjects().filter((subject) => subject.includes('acme / chat'))).toHaveLength(1)
  })

  test('is not where nothing fires under it, nor of a short one', async () => {
    const { dispatcher, inbox, pass, silences } = await desk(routing)
    await silences.add({ ...asked, matchers: ['tenant="birch"'], startsAtMs: eleven, endsAtMs: eleven + hour })
    await silences.add({ ...asked, startsAtMs: eleven, endsAtMs: eleven + 59 * minute })
    await dispatcher.accept([firing(alertOf())])
    await pass(58 * minute)
    expect(inbox.got).toHaveLength(0)
  })

  test('can be looked at beforehand: what such a silence would mute', async () => {
    const { silences } = await desk(routing)
    const alerts = ['acme', 'birch'].map((tenant) => alertOf({ labels: { tenant, api: 'chat' } }))
    const names = (matchers: string[]) => silences.preview(matchers, alerts).map(({ labels }) => labels['tenant'])
    expect(names(['tenant="acme"'])).toEqual(['acme'])
    expect(names(['rule="QuotaExhaustionSpike"', 'severity="page"'])).toEqual(['acme', 'birch'])
    expect(names(['tenant="acme"', 'severity="info"'])).toEqual([])
    expect(() => silences.preview(['tenant=~".*"'], alerts)).toThrow('silence everything')
  })
})
