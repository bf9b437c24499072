import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryState } from '../../src/history/state.ts'
import { Allowance } from '../../src/notify/allowance.ts'
import {
  Outbox,
  outboxRow,
  type PendingEntry,
  receiptRow,
  retryDelayMs,
  type SettledEntry,
} from '../../src/notify/outbox.ts'
import { eleven, hour, minute } from './sample.ts'

test('pauses between attempts double from 5 s to 10 min, each spread around its length', () => {
  expect([1, 2, 3, 7, 8, 9, 500].map((failures) => retryDelayMs(failures, 0.5) / 1_000)).toEqual([
    5, 10, 20, 320, 600, 600, 600,
  ])
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, random) => {
        const middle = retryDelayMs(failures, 0.5)
        expect(retryDelayMs(failures, random)).toBeGreaterThanOrEqual(Math.floor(middle / 2))
        expect(retryDelayMs(failures, random)).toBeLessThanOrEqual(Math.ceil(middle * 1.5))
      },
    ),
  )
})

test('an allowance never lets more through in any minute than twice its rate, and no more at once than its rate', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), gaps, (perMinute, list) => {
      const allowance = new Allowance(perMinute)
      const taken: number[] = []
      let now = eleven
      for (const gap of list) {
        now += gap
        const left = allowance.left(now)
        expect(left).toBeLessThanOrEqual(perMinute)
        allowance.take(left)
        for (let i = 0; i < left; i++) taken.push(now)
      }
      for (const at of taken) {
        expect(taken.filter((other) => other >= at && other < at + minute).length).toBeLessThanOrEqual(2 * perMinute)
      }
    }),
  )
})

test('a clock that is set back gives and takes nothing', () => {
  const allowance = new Allowance(6)
  allowance.left(eleven)
  allowance.take(6)
  expect(allowance.left(eleven - hour)).toBe(0)
  expect(allowance.left(eleven - hour + 10_000)).toBe(1)
})

test('what is settled is forgotten after a week, or when there is too much of it', async () => {
  const store = new MemoryState()
  const entry = (i: number): SettledEntry => ({
    key: `k${i}`,
    state: 'sent',
    integration: 'log/log/0',
    receiver: 'log',
    subject: 's',
    createdAtMs: eleven,
    settledAtMs: eleven + i,
    reason: null,
  })
  await store.put(Array.from({ length: 1_010 }, (_, i) => outboxRow(entry(i))))
  const outbox = await Outbox.load(store)
  expect(outbox.outdated(eleven + minute).map(({ key }) => key)).toEqual(Array.from({ length: 10 }, (_, i) => `k${i}`))
  expect(outbox.outdated(eleven + 8 * 24 * hour)).toHaveLength(1_010)
})

test('receipts are kept for each thread and integration, and forgotten when they are old or too many', async () => {
  const store = new MemoryState()
  const receipt = (i: number) => ({ integration: 'a/slack/0', thread: `t${i}`, text: `ts ${i}`, atMs: eleven + i })
  await store.put(Array.from({ length: 10_005 }, (_, i) => receiptRow(receipt(i))))
  const outbox = await Outbox.load(store)
  const of = (integration: string, thread: string) =>
    outbox.receiptOf({ integration, message: { thread } as PendingEntry['message'] })
  expect(of('a/slack/0', 't7')).toBe('ts 7')
  expect(of('b/slack/0', 't7')).toBeNull()
  const outdated = outbox.outdated(eleven + minute)
  expect(outdated).toEqual(
    Array.from({ length: 5 }, (_, i) => ({ kind: 'receipt', key: `a/slack/0 t${i}`, value: null })),
  )
  outbox.forget(outdated)
  expect(of('a/slack/0', 't4')).toBeNull()
  expect(of('a/slack/0', 't5')).toBe('ts 5')
  expect(outbox.outdated(eleven + 31 * 24 * hour)).toHaveLength(10_000)
})
