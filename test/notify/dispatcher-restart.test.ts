import { expect, test } from 'vitest'
import type { Transition } from '../../src/alert/alert.ts'
import { Fault } from '../../src/fault/fault.ts'
import { MemoryState, type StateStore } from '../../src/history/state.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Fuse, FusedStore, fused, Killed } from './fuse.ts'
import { alertOf, type Desk, desk, eleven, firing, Inbox, minute, resolved, routingOf } from './sample.ts'

const routing = routingOf(
  `
route:
  receiver: mail
  group_wait: 2s
  group_interval: 20s
  repeat_interval: 2m
  routes:
    - {matchers: ['severity="page"'], receiver: mail, continue: true}
    - {matchers: ['severity="page"'], receiver: chat, group_by: [rule]}
receivers:
  - {name: mail, slack_configs: [{api_url: '\${HOOK}'}]}
  - {name: chat, slack_configs: [{api_url: '\${HOOK}'}]}
`,
  { HOOK: 'https://hooks.example.com/x' },
)

const birch = alertOf({ labels: { tenant: 'birch', api: 'chat', cause: 'quota_exceeded' } })
const ticket = alertOf({ severity: 'ticket' })
const script: readonly (readonly Transition[] | number)[] = [
  [firing(ticket)],
  30_000,
  [{ from: 'firing', alert: { ...ticket, severity: 'page', evaluatedAtMs: eleven + 30_000 } }, firing(birch)],
  3 * minute,
  [resolved(birch, eleven + 4 * minute)],
  minute,
  [resolved(alertOf(), eleven + 5 * minute)],
  minute,
]

/** Plays the script, beginning anew over the same store whenever the fuse blows; what was being accepted is repeated. */
async function play(killAt: number): Promise<{ ids: string[]; kills: number; moments: number }> {
  const clock = new ManualClock(eleven)
  const inbox = new Inbox(clock)
  const disk = new MemoryState()
  const keys = ['mail/slack/0', 'chat/slack/0']
  let kills = 0
  let fuse = new Fuse(killAt)
  const open = (): Promise<Desk> => {
    const receivers = new Map(keys.map((key) => [key, fused(inbox.receiver(key), fuse)]))
    return desk(routing, { clock, inbox, store: new FusedStore(disk, fuse), receivers })
  }
  let at = await open()
  const surviving = async (step: () => Promise<void>, repeat: boolean) => {
    try {
      await step()
      // The lane reports a receiver that threw as a failed attempt; the process is dead all the same.
      if (fuse.blown) throw new Killed()
    } catch (error) {
      if (!(error instanceof Killed)) throw error
      kills++
      fuse = new Fuse(Number.POSITIVE_INFINITY)
      at = await open()
      if (repeat) await step()
    }
  }
  for (const action of script) {
    if (typeof action !== 'number') {
      await surviving(() => at.dispatcher.accept(action), true)
      continue
    }
    for (let passed = 0; passed < action; passed += 1_000) await surviving(() => at.pass(1_000), false)
  }
  return {
    ids: inbox.got.map(({ integration, message }) => `${integration} ${message.id}`),
    kills,
    moments: fuse.moments,
  }
}

test('a kill at any moment loses no message, and doubles one only if it was on its way', async () => {
  const calm = await play(Number.POSITIVE_INFINITY)
  expect(calm.ids.length).toBeGreaterThan(8)
  expect(new Set(calm.ids).size).toBe(calm.ids.length)
  const doubled: number[] = []
  for (let moment = 1; moment <= calm.moments; moment++) {
    const { ids, kills } = await play(moment)
    expect(kills, `a kill at moment ${moment}`).toBe(1)
    expect([...new Set(ids)].sort(), `messages with a kill at moment ${moment}`).toEqual([...calm.ids].sort())
    expect(ids.length - calm.ids.length, `doubles with a kill at moment ${moment}`).toBeLessThanOrEqual(2)
    if (ids.length > calm.ids.length) doubled.push(moment)
  }
  // Between a delivery and its note lie two moments: after the delivery, and before the store has it.
  expect(doubled.length).toBeLessThanOrEqual(calm.ids.length * 2)
  expect(doubled.length).toBeGreaterThan(0)
})

test('while the store is away nothing is taken, made or lost, and what was delivered is not delivered again', async () => {
  const disk = new MemoryState()
  let away = false
  const store: StateStore = {
    put: async (entries) => {
      if (away) throw new Fault('store-unreachable', 'the store is away', { retryable: true })
      await disk.put(entries)
    },
    load: (kind) => disk.load(kind),
  }
  const { dispatcher, inbox, pass } = await desk(routing, { store })
  await dispatcher.accept([firing(alertOf())])
  // The store goes away during the delivery, so that its success cannot be noted.
  inbox.answer = () => {
    away = true
    return null
  }
  await pass(10_000)
  expect(inbox.got).toHaveLength(2)
  await expect(dispatcher.accept([firing(birch)])).rejects.toThrow(Fault)
  await pass(30_000)
  expect(inbox.got).toHaveLength(2)
  away = false
  inbox.answer = () => null
  await dispatcher.accept([firing(birch)])
  await pass(30_000)
  expect(inbox.got).toHaveLength(4)
  expect(new Set(inbox.got.map(({ message }) => message.id)).size).toBe(4)
})

test('after a restart with other routes every alert is known where it belongs, and nobody hears the start twice', async () => {
  const before = routingOf(`route: {receiver: log, group_by: [rule], group_wait: 0s}`)
  const after = routingOf(
    `
route:
  receiver: log
  group_by: [tenant]
  group_wait: 0s
  routes:
    - {matchers: ['severity="page"'], receiver: log, continue: true}
    - {matchers: ['severity="page"'], receiver: chat}
receivers:
  - {name: chat, slack_configs: [{api_url: '\${HOOK}'}]}
`,
    { HOOK: 'https://hooks.example.com/x' },
  )
  const first = await desk(before)
  await first.dispatcher.accept([firing(alertOf())])
  await first.pass(2_000)
  const { dispatcher, inbox, pass } = await first.again(after)
  await pass(10 * minute)
  expect(inbox.got.map(({ integration, message }) => [integration, message.status])).toEqual([
    ['log/log/0', 'firing'],
    ['chat/slack/0', 'firing'],
  ])
  await dispatcher.accept([resolved(alertOf(), eleven + 11 * minute)])
  await pass(6 * minute)
  expect(
    inbox.got
      .map(({ integration, message }) => [integration, message.status])
      .slice(2)
      .sort(),
  ).toEqual([
    ['chat/slack/0', 'resolved'],
    ['log/log/0', 'resolved'],
  ])
})

test('an alert nobody was told of yet is told once, where the routes of today lead', async () => {
  const first = await desk(routingOf(`route: {receiver: log, group_by: [rule], group_wait: 30s}`))
  await first.dispatcher.accept([firing(alertOf())])
  const { inbox, pass, dispatcher } = await first.again(
    routingOf(`route: {receiver: log, group_by: [tenant], group_wait: 5s}`),
  )
  await pass(10_000)
  expect(inbox.got).toHaveLength(1)
  expect(dispatcher.status().alerts).toBe(1)
  await pass(10 * minute)
  expect(inbox.got).toHaveLength(1)
})

test('a receiver that is gone after a restart takes no alert with it', async () => {
  const before = routingOf(
    `
route: {receiver: chat, group_wait: 0s}
receivers:
  - {name: chat, slack_configs: [{api_url: '\${HOOK}'}]}
`,
    { HOOK: 'https://hooks.example.com/x' },
  )
  const first = await desk(before)
  await first.dispatcher.accept([firing(alertOf())])
  await first.pass(2_000)
  const { inbox, pass, dispatcher } = await first.again(routingOf('route: {receiver: log, group_wait: 0s}'))
  await pass(2_000)
  expect(inbox.got.map(({ integration }) => integration)).toEqual(['chat/slack/0', 'log/log/0'])
  expect(dispatcher.status().groups).toBe(1)
})
