import { expect, test } from 'vitest'
import type { Transition } from '../../src/alert/alert.ts'
import { MemoryState } from '../../src/history/state.ts'
import type { PostedAlert, Receiver } from '../../src/notify/receiver.ts'
import type { TenantDirectory } from '../../src/tenants/directory.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Fuse, FusedStore, fused, Killed } from './fuse.ts'
import { alertOf, context, type Desk, desk, eleven, firing, resolved, routingOf } from './sample.ts'

/*
 * Conversations, an Alertmanager, mail to tenants with a daily cap and a heartbeat, all at once, killed at every moment
 * before and after something lasts.
 */

const routing = routingOf(
  `
global: {smtp_smarthost: '127.0.0.1:25', smtp_from: tollwatch@example.com}
route:
  receiver: chat
  group_by: [tenant]
  group_wait: 2s
  group_interval: 20s
  repeat_interval: 1m
  routes:
    - {matchers: ['severity="page"'], receiver: am, continue: true}
    - {matchers: ['severity="page"'], receiver: tenants, repeat_interval: 20s, continue: true}
    - {matchers: ['severity=~".+"'], receiver: chat}
receivers:
  - {name: chat, slack_configs: [{bot_token: '\${TOKEN}', channel: '#x'}]}
  - {name: am, alertmanager_configs: [{urls: ['http://am.example.com'], resend_delay: 30s}]}
  - {name: tenants, email_configs: [{to: '{{ tenant.contacts.billing }}', daily_cap: 3}]}
  - {name: deadman, webhook_configs: [{url: 'http://deadman.example.com'}]}
heartbeat: {receiver: deadman, every: 1m}
`,
  { TOKEN: 'xoxb-1' },
)

const tenants: TenantDirectory = {
  find: (id) => ({
    id,
    name: null,
    plan: null,
    timezone: null,
    contacts: new Map([['billing', [`${id}@example.net`]]]),
  }),
}

const birch = alertOf({ labels: { tenant: 'birch', api: 'chat', cause: 'quota_exceeded' } })
const script: readonly (readonly Transition[] | number)[] = [
  [firing(alertOf())],
  40_000,
  [firing(birch)],
  70_000,
  [resolved(alertOf(), eleven + 110_000)],
  30_000,
  [resolved(birch, eleven + 140_000)],
  90_000,
]

/** What the outside saw; it outlives every kill. */
class World {
  readonly ids: string[] = []
  /** By thread, the messages that stand at the top of one. */
  readonly roots = new Map<string, number>()
  readonly mails: { id: string; to: string }[] = []
  /** By alert, what the Alertmanager was told, in order and without repetitions. */
  readonly told = new Map<string, string[]>()
  readonly beats: number[] = []
  readonly #clock: ManualClock
  readonly #wrong: string[] = []

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  /** Receipts that no delivery of the thread ever gave. */
  get wrong(): readonly string[] {
    return this.#wrong
  }

  receivers(): ReadonlyMap<string, Receiver> {
    const close = async () => {}
    const done: Receiver = { deliver: async () => ({ kind: 'sent' }), close }
    const chat: Receiver = {
      close,
      deliver: async (message, { receipt }) => {
        this.ids.push(message.id)
        if (receipt === null) this.roots.set(message.thread, (this.roots.get(message.thread) ?? 0) + 1)
        else if (!receipt.startsWith(message.thread)) this.#wrong.push(receipt)
        return { kind: 'sent', receipt: `${message.thread} ${message.id}` }
      },
    }
    const mail: Receiver = {
      close,
      deliver: async (message) => {
        this.mails.push({ id: message.id, to: message.to?.join() ?? '' })
        return { kind: 'sent' }
      },
    }
    const post = async (alerts: readonly PostedAlert[]) => {
      for (const { alert } of alerts) {
        const list = this.told.get(alert.episode) ?? []
        this.told.set(alert.episode, list)
        if (list.at(-1) !== alert.status) list.push(alert.status)
      }
      return { kind: 'sent' as const }
    }
    const deadman: Receiver = {
      close,
      deliver: async () => {
        this.beats.push(this.#clock.now() - eleven)
        return { kind: 'sent' }
      },
    }
    return new Map([
      ['log/log/0', done],
      ['none/none/0', done],
      ['chat/slack/0', chat],
      ['am/alertmanager/0', { ...done, targets: [{ post }] }],
      ['tenants/email/0', mail],
      ['deadman/webhook/0', deadman],
    ])
  }
}

async function play(killAt: number): Promise<{ world: World; kills: number; moments: number }> {
  const clock = new ManualClock(eleven)
  const world = new World(clock)
  const disk = new MemoryState()
  let kills = 0
  let fuse = new Fuse(killAt)
  const open = (): Promise<Desk> => {
    const receivers = new Map([...world.receivers()].map(([key, one]) => [key, fused(one, fuse)]))
    const store = new FusedStore(disk, fuse)
    return desk(routing, { clock, store, receivers, context: { ...context, tenants } })
  }
  let at = await open()
  const surviving = async (step: () => Promise<void>, repeat: boolean) => {
    try {
      await step()
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
    if (typeof action !== 'number') await surviving(() => at.dispatcher.accept(action), true)
    else for (let passed = 0; passed < action; passed += 1_000) await surviving(() => at.pass(1_000), false)
  }
  return { world, kills, moments: fuse.moments }
}

test('a kill at any moment costs no message, no end, no receipt but one, no heartbeat, and no mail beyond the cap', async () => {
  const calm = await play(Number.POSITIVE_INFINITY)
  expect(calm.world.ids.length).toBeGreaterThan(5)
  expect(new Set(calm.world.ids).size).toBe(calm.world.ids.length)
  expect([...calm.world.roots.values()]).toEqual([1, 1])
  expect([...calm.world.told.values()]).toEqual([
    ['firing', 'resolved'],
    ['firing', 'resolved'],
  ])
  expect(calm.world.mails.length).toBeGreaterThan(3)
  expect(calm.moments).toBeGreaterThan(60)
  for (let moment = 1; moment <= calm.moments; moment++) {
    const { world, kills } = await play(moment)
    const where = `with a kill at moment ${moment}`
    expect(kills, where).toBe(1)
    expect([...new Set(world.ids)].sort(), `messages ${where}`).toEqual([...calm.world.ids].sort())
    // Only the delivery under way may be made twice, and then without what the first one left.
    expect(world.ids.length - calm.world.ids.length, `doubles ${where}`).toBeLessThanOrEqual(1)
    const roots = [...world.roots.values()].reduce((sum, count) => sum + count, 0)
    expect(roots, `conversations ${where}`).toBeLessThanOrEqual(3)
    expect(world.wrong, `receipts ${where}`).toEqual([])
    for (const told of world.told.values()) expect(told, `Alertmanager ${where}`).toEqual(['firing', 'resolved'])
    expect(world.told.size, `Alertmanager ${where}`).toBe(2)
    for (const to of ['acme@example.net', 'birch@example.net']) {
      const ids = new Set(world.mails.filter((mail) => mail.to === to).map(({ id }) => id))
      expect(ids.size, `mails to ${to} ${where}`).toBe(
        new Set(calm.world.mails.filter((mail) => mail.to === to).map(({ id }) => id)).size,
      )
      expect(ids.size).toBeLessThanOrEqual(3)
    }
    const gaps = world.beats.map((beat, place) => beat - (world.beats[place - 1] ?? 0))
    expect(Math.max(...gaps), `heartbeats ${where}`).toBeLessThanOrEqual(62_000)
  }
}, 120_000)
