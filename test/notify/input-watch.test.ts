import { expect, test } from 'vitest'
import { endOf } from '../../src/notify/built-in.ts'
import { InputWatch } from '../../src/notify/input-watch.ts'
import { ManualClock } from '../../src/time/clock.ts'

const minute = 60_000

test('records that were lost are added up, told of for an hour, and end', async () => {
  const clock = new ManualClock(1_000_000)
  const watch = new InputWatch(clock)
  watch.lost('logs/0', 10, 19)
  await clock.advance(30 * minute)
  watch.lost('logs/0', 30, 34)
  const [alert] = watch.alerts()
  expect(alert).toMatchObject({
    rule: 'RecordsLost',
    severity: 'page',
    labels: { input: 'logs/0' },
    activeAtMs: 1_000_000,
  })
  expect(alert?.annotations['summary']).toMatch(/^15 records of logs\/0 were deleted/)
  await clock.advance(60 * minute)
  expect(watch.alerts()).toEqual([])
  watch.lost('logs/0', 50, 50)
  expect(watch.alerts()[0]?.annotations['summary']).toMatch(/^1 records/)
  if (alert !== undefined) expect(endOf(alert, clock.now()).annotations['summary']).toContain('logs/0')
})

test('an input that is stopped is told of until it runs', async () => {
  const clock = new ManualClock(0)
  const watch = new InputWatch(clock)
  watch.stopped('logs', 'somebody must look')
  await clock.advance(24 * 60 * minute)
  expect(watch.alerts().map(({ rule }) => rule)).toEqual(['InputStopped'])
  watch.running('logs')
  expect(watch.alerts()).toEqual([])
})

test('an input is told of when most of a good number of its values cannot be read, and not below', async () => {
  const clock = new ManualClock(0)
  const watch = new InputWatch(clock)
  watch.values('few', 99, 99)
  watch.values('half', 200, 100)
  watch.values('most', 60, 31)
  watch.values('most', 60, 31)
  expect(watch.alerts().map(({ labels }) => labels['input'])).toEqual(['most'])
  await clock.advance(11 * minute)
  expect(watch.alerts()).toEqual([])
})

test('no more than a hundred inputs of a kind are told of', () => {
  const watch = new InputWatch(new ManualClock(0))
  for (let i = 0; i < 150; i++) watch.madeAnew(`logs/${i}`)
  expect(watch.alerts()).toHaveLength(100)
})
