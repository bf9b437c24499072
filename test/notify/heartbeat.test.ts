import { expect, test } from 'vitest'
import { Fault } from '../../src/fault/fault.ts'
import { MemoryState, type StateStore } from '../../src/history/state.ts'
import { failed } from '../../src/notify/receiver.ts'
import { alertOf, desk, eleven, firing, minute, routingOf } from './sample.ts'

const routing = routingOf(`
route: {receiver: log, group_wait: 0s}
receivers: [{name: deadman, webhook_configs: [{url: 'https://deadman.example.com/x'}]}]
heartbeat: {receiver: deadman, every: 1m}
`)

const beatsOf = ({ inbox }: Awaited<ReturnType<typeof desk>>) =>
  inbox.got.filter(({ integration }) => integration === 'deadman/webhook/0').map(({ at }) => (at - eleven) / 1_000)

test('comes at once and then as often as it says', async () => {
  const at = await desk(routing)
  await at.pass(3 * minute + 10_000)
  expect(beatsOf(at)).toEqual([1, 61, 121, 181])
  expect(at.inbox.got[0]?.message.subject).toContain('Tollwatch evaluates its rules and delivers its notifications')
})

test('stops while rules are not evaluated', async () => {
  let problem: string | null = null
  const at = await desk(routing, { evaluation: () => problem })
  await at.pass(30_000)
  problem = 'the input is stale'
  await at.pass(5 * minute)
  expect(beatsOf(at)).toEqual([1])
  problem = null
  await at.pass(10_000)
  expect(beatsOf(at)).toEqual([1, 331])
})

test('stops while a receiver fails', async () => {
  const at = await desk(routing)
  at.inbox.answer = (integration) => (integration === 'log/log/0' ? failed('connection', 'x') : null)
  await at.dispatcher.accept([firing(alertOf())])
  await at.pass(30 * minute)
  const last = Math.max(...beatsOf(at))
  expect(last).toBeGreaterThanOrEqual(9 * 60)
  expect(last).toBeLessThanOrEqual(10 * 60)
})

test('stops while the store takes nothing', async () => {
  const disk = new MemoryState()
  let away = false
  const store: StateStore = {
    put: async (entries) => {
      if (away) throw new Fault('store-unreachable', 'the store is away', { retryable: true })
      await disk.put(entries)
    },
    load: (kind) => disk.load(kind),
  }
  const at = await desk(routing, { store })
  await at.pass(30_000)
  away = true
  await at.pass(5 * minute)
  expect(beatsOf(at)).toEqual([1])
  away = false
  await at.pass(20_000)
  expect(beatsOf(at)).toHaveLength(2)
})

test('that was not taken is sent again soon', async () => {
  const at = await desk(routing)
  let attempts = 0
  at.inbox.answer = () => (++attempts < 3 ? failed('server-error', 'HTTP 500') : null)
  await at.pass(minute)
  expect(beatsOf(at)).toEqual([21])
})
