import { describe, expect, test } from 'vitest'
import { parseRules } from '../../src/alert/parse-rules.ts'
import { Drills } from '../../src/notify/drill.ts'
import { failed } from '../../src/notify/receiver.ts'
import { alertOf, type Desk, desk, eleven, firing, minute, routingOf } from './sample.ts'

const routing = routingOf(
  `
route:
  receiver: log
  group_by: [rule]
  group_wait: 30s
  group_interval: 1m
  routes: [{matchers: ['severity="page"'], receiver: oncall, continue: true}, {matchers: ['rule="Fleet"'], receiver: team}]
receivers:
  - {name: oncall, slack_configs: [{api_url: '\${HOOK}'}]}
  - {name: team, slack_configs: [{api_url: '\${HOOK}'}]}
  - {name: deadman, webhook_configs: [{url: 'https://hooks.example.com/dead'}]}
inhibit_rules:
  - {name: fleet first, source_matchers: ['rule="Fleet"'], target_matchers: ['rule="Single"'], equal: [cause]}
`,
  { HOOK: 'https://hooks.example.com/x' },
)
const parsed = parseRules([
  {
    file: 'x.rules.yaml',
    text: `version: 1
groups:
  - name: g
    rules:
      - {rule: Fleet, group_by: [cause], matchers: ['family="payment"'], window: 5m, severity: page, labels: {team: billing}, condition: {type: spike}}
      - {rule: Single, group_by: [tenant], window: 5m, condition: {type: threshold, measure: count, above: 5}}
`,
  },
])
if (!parsed.ok) throw new Error('the rules have problems')
const { rules } = parsed

const drillsOf = ({ dispatcher, clock }: Desk) => new Drills({ dispatcher, routing, rules, clock })
const asked = { receiver: null, rule: null, severity: 'page' } as const

describe('a drill', () => {
  test('goes the way of a real alert, marked in every place, and ends by itself', async () => {
    const one = await desk(routing)
    const drills = drillsOf(one)
    const { id, labels } = await drills.start({ ...asked, rule: 'Fleet' })
    // As the rule would raise it: its groups, a cause that it looks at, its own labels.
    expect(labels).toMatchObject({
      cause: 'invalid_payment_info',
      family: 'payment',
      team: 'billing',
      severity: 'page',
    })
    expect(labels['tenant']).toBeUndefined()
    await one.pass(29_000)
    expect(one.inbox.got).toEqual([])
    await one.pass(3_000)
    expect(one.inbox.got.map(({ integration }) => integration)).toEqual(['oncall/slack/0', 'team/slack/0'])
    for (const { message } of one.inbox.got) {
      expect(message.subject).toMatch(/^\[DRILL\] \[PAGE\] /)
      expect(message.notes).toContain('This is a drill: the trouble is invented, the way this message took is real.')
    }
    expect(drills.find(id)).toMatchObject({
      isDone: false,
      account: { messages: [{ state: 'sent' }, { state: 'sent' }] },
    })
    await one.pass(4 * minute)
    expect(one.inbox.subjects().slice(2)).toEqual([
      expect.stringMatching(/^\[DRILL\] \[RESOLVED\] /),
      expect.stringMatching(/^\[DRILL\] \[RESOLVED\] /),
    ])
    expect(drills.find(id)?.isDone).toBe(true)
  })

  test('never stands in one message with real alerts, and inhibits none', async () => {
    const one = await desk(routing)
    await drillsOf(one).start({ ...asked, rule: 'Fleet' })
    const real = { severity: 'page', activeAtMs: eleven } as const
    const cause = 'invalid_payment_info'
    await one.dispatcher.accept([
      firing(alertOf({ ...real, rule: 'Fleet', labels: { cause: 'unknown' } })),
      firing(alertOf({ ...real, rule: 'Single', labels: { tenant: 'acme', cause } })),
    ])
    await one.pass(35_000)
    const oncall = one.inbox.got.filter(({ integration }) => integration === 'oncall/slack/0')
    expect(oncall.map(({ message }) => message.subject.startsWith('[DRILL]')).sort()).toEqual([false, false, true])
    for (const { message } of oncall) expect(message.others).toEqual([])
  })

  test('tells one receiver at once when it is asked to, whatever the routes say', async () => {
    const one = await desk(routing)
    await drillsOf(one).start({ ...asked, receiver: 'deadman' })
    await one.pass(2_000)
    expect(one.inbox.got.map(({ integration }) => integration)).toEqual(['deadman/webhook/0'])
    await one.pass(3 * minute)
    expect(one.inbox.got).toHaveLength(2)
  })

  test('is held back by a silence, and says so', async () => {
    const one = await desk(routing)
    const { id: silence } = await one.silences.add({
      ...{ matchers: ['team="billing"'], startsAtMs: eleven, endsAtMs: eleven + 60 * minute },
      ...{ createdBy: 'ann', comment: 'move' },
    })
    const drills = drillsOf(one)
    const { id } = await drills.start({ ...asked, rule: 'Fleet' })
    expect(drills.find(id)?.account.ways.map(({ muted }) => muted)).toEqual([
      { by: 'silence', name: silence },
      { by: 'silence', name: silence },
    ])
    await one.pass(3 * minute)
    expect(one.inbox.got).toEqual([])
    expect(drills.find(id)?.isDone).toBe(true)
  })

  test('ends also when the daemon died in the middle of it', async () => {
    const one = await desk(routing)
    await drillsOf(one).start(asked)
    await one.pass(40_000)
    const next = await one.again()
    await next.pass(5 * minute)
    expect(next.inbox.subjects().map((subject) => subject.includes('RESOLVED'))).toEqual([false, true])
  })

  test('waits for the one before, and knows its receivers and rules', async () => {
    const one = await desk(routing)
    const drills = drillsOf(one)
    await drills.start(asked)
    await expect(drills.start(asked)).rejects.toThrow(/^the drill [0-9a-f]{8} is under way/)
    await one.pass(4 * minute)
    await expect(drills.start(asked)).resolves.toMatchObject({ rule: 'Drill', severity: 'page' })
    const next = drillsOf(await desk(routing))
    await expect(next.start({ ...asked, receiver: 'x' })).rejects.toThrow(
      'there is no receiver "x"; there are: log, none, oncall, team, deadman',
    )
    await expect(next.start({ ...asked, rule: 'x' })).rejects.toThrow('there is no rule "x"; there are: Fleet, Single')
    expect(next.find('00000000')).toBeNull()
  })
})

describe('the account of an alert', () => {
  const page = alertOf({ rule: 'Fleet', severity: 'page', labels: { cause: 'unknown' }, activeAtMs: eleven })

  test('tells attempts, reasons and the time of the next one', async () => {
    const one = await desk(routing)
    let away = true
    one.inbox.answer = (integration) => (away && integration === 'team/slack/0' ? failed('timeout', 'slow') : null)
    await one.dispatcher.accept([firing(page)])
    await one.pass(32_000)
    const told = () => one.dispatcher.account(page.fingerprint, null)?.messages ?? []
    expect(told()).toMatchObject([
      { receiver: 'oncall', state: 'sent', attempts: 1, reason: null, retryAtMs: null },
      { receiver: 'team', state: 'pending', attempts: 1, reason: 'timeout' },
    ])
    expect(told()[1]?.retryAtMs).toBeGreaterThan(one.clock.now())
    away = false
    await one.pass(20_000)
    expect(told()[1]).toMatchObject({ state: 'sent', attempts: 2 })
  })

  test('tells what a group waits for: news, a delivery, a reminder', async () => {
    const one = await desk(routing)
    const next = () => one.dispatcher.account(page.fingerprint, null)?.ways[0]?.next
    await one.dispatcher.accept([firing(page)])
    expect(next()).toEqual({ kind: 'news', atMs: eleven + 30_000 })
    one.inbox.answer = () => failed('timeout', 'slow')
    await one.pass(31_000)
    expect(next()).toEqual({ kind: 'delivery', atMs: null })
    one.inbox.answer = () => null
    await one.pass(20_000)
    const sentAtMs = one.inbox.got[0]?.at ?? 0
    expect(next()).toEqual({ kind: 'reminder', atMs: sentAtMs + 240 * minute })
  })

  test('says where a pending alert would go, and nothing of one that nobody knows', async () => {
    const { dispatcher } = await desk(routing)
    const pending = { ...page, state: 'pending' } as const
    expect(dispatcher.account(page.fingerprint, pending)?.ways).toMatchObject([
      { receiver: 'oncall', state: 'pending', told: null, next: null },
      { receiver: 'team', route: 'rule="Fleet"' },
    ])
    expect(dispatcher.account('0000', null)).toBeNull()
  })
})
