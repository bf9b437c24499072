import { describe, expect, test } from 'vitest'
import { allVariants } from '../../bench/bytes.ts'
import { Feed } from '../../bench/daemon.ts'
import { manySeries } from '../../bench/many-series.ts'
import { ratioOf } from '../../bench/measure.ts'
import { NaiveCounter } from '../../bench/naive.ts'
import { parseOptions } from '../../bench/options.ts'
import { makeRecords, type Records, type Shape, shapes } from '../../bench/records.ts'
import { causes } from '../../src/classify/cause.ts'
import { windowLengthsMs } from '../../src/window/view.ts'

const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const count = 2_000

function records(shape: Shape, seed = 7): Records {
  return makeRecords({ shape, count, seed, startMs })
}

function bytesOf({ values }: Records): Buffer {
  return Buffer.concat([...values])
}

describe.each(shapes)('the bench on %s records', (shape) => {
  test('makes the same records for the same seed, of the size that is promised', () => {
    const made = records(shape)
    expect(bytesOf(records(shape)).equals(bytesOf(made))).toBe(true)
    expect(bytesOf(records(shape, 8)).equals(bytesOf(made))).toBe(false)
    const size = made.bytes / count
    expect(Math.abs(size - (shape === 'kong' ? 950 : 360))).toBeLessThan(25)
    expect(Math.abs(made.refused / count - 0.03)).toBeLessThan(0.01)
  })

  test('has every variant count the same', async () => {
    const made = records(shape)
    const tallies = []
    for (const variant of await allVariants(shape)) {
      variant.prepare(made)
      await variant.run(made)
      tallies.push(variant.tally())
    }
    const truth = { requests: count, refused: made.refused }
    expect(tallies).toEqual([null, truth, truth, truth])
  })

  test('has the daemon find each cause that was put into the records', async () => {
    const made = records(shape)
    const feed = await Feed.open()
    await feed.take(feed.batches(made))
    const { view } = feed.pipeline
    if (view === null || view.headMs === null) throw new Error('the windows are open')
    const found = new Map<string, number>()
    for (const row of view.totals(view.headMs - windowLengthsMs['5m'], view.headMs)) {
      for (const one of row.causes) found.set(one.cause, (found.get(one.cause) ?? 0) + one.count)
    }
    expect(found).toEqual(made.byCause)
    expect(feed.arrivals).toMatchObject({ counted: count, other: 0 })
  })

  test('has the naive counter keep as many series as there are', () => {
    const made = records(shape)
    const counter = new NaiveCounter(shape)
    for (const value of made.values) counter.take(value)
    const series = new Set([...counter.buckets.keys()].map((key) => key.split('|').slice(0, 2).join('|')))
    expect(series.size).toBe(made.series)
  })
})

test('windows made for the alert figures hold what they say', () => {
  const { windows, endMs, series } = manySeries({ series: 40, refusedSeries: 0.1, endMs: startMs })
  const hour = windows.totals(endMs - windowLengthsMs['1h'], endMs)
  expect(hour).toHaveLength(series)
  expect(new Set(hour.map(({ requests }) => requests))).toEqual(new Set([60]))
  const refused = hour.filter(({ paymentRequired }) => paymentRequired > 0)
  expect(refused).toHaveLength(4)
  for (const row of refused) {
    expect(row.paymentRequired).toBe(60)
    expect(row.causes.map(({ cause }) => cause)).toEqual(causes.slice(0, 2))
  }
})

test('compares variants round by round', () => {
  expect(ratioOf([200, 50, 90], [100, 100, 30])).toEqual({ median: 2, low: 0.5, high: 3 })
})

test('takes its options from the command line and refuses nonsense', () => {
  expect(parseOptions(['--quick'])).toMatchObject({ quick: true, rounds: 2, json: false })
  expect(parseOptions(['--rounds', '3', '--only', 'bytes,kafka'])).toMatchObject({
    rounds: 3,
    only: ['bytes', 'kafka'],
  })
  expect(() => parseOptions(['--rounds', '0'])).toThrow('whole number')
  expect(() => parseOptions(['--wat'])).toThrow()
})
