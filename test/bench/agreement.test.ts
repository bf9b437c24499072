import { describe, expect, test } from 'vitest'
import { cases, openVariant } from '../../bench/bytes-variants.ts'
import { batchesOf, Feed } from '../../bench/feed.ts'
import { judged, renderGoals } from '../../bench/goals.ts'
import { kafkajsMessages } from '../../bench/kafkajs-decode.ts'
import { manySeries } from '../../bench/many-series.ts'
import { quantile, ratioOf } from '../../bench/measure.ts'
import { NaiveCounter } from '../../bench/naive.ts'
import { parseOptions } from '../../bench/options.ts'
import { codecs } from '../../bench/record-batch.ts'
import { makeSets, SetReader } from '../../bench/record-sets.ts'
import { makeRecords, type Records, type Shape, shapes, zipf } from '../../bench/records.ts'
import { templatesOf } from '../../bench/template.ts'
import { causes } from '../../src/classify/cause.ts'
import { windowLengthsMs } from '../../src/window/view.ts'
import { tempDir } from '../support/run-context.ts'

const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const count = 1_000

function records(shape: Shape, seed = 7): Records {
  return makeRecords({ shape, count, seed, startMs })
}

function bytesOf({ values }: Records): Buffer {
  return Buffer.concat([...values])
}

function timeOf(value: Buffer): number {
  const { started_at, time_iso8601 }: { started_at?: number; time_iso8601?: string } = JSON.parse(String(value))
  return started_at ?? Date.parse(time_iso8601 ?? '')
}

function timeless(value: Buffer): object {
  return { ...JSON.parse(String(value)), started_at: 0, time_iso8601: '' }
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
    const truth = { requests: count, refused: made.refused }
    for (const { codec, variants } of cases) {
      for (const name of variants) {
        const variant = await openVariant(name, { shape, codec })
        variant.prepare(made)
        await variant.run()
        expect({ codec, name, ...variant.tally() }).toEqual({ codec, name, ...truth })
      }
    }
  })

  test('reads sets of records again and again, each time with later event times and otherwise unchanged', () => {
    const stored = makeSets({ shape, directory: tempDir('sets'), sets: 2, size: 100 })
    const reader = new SetReader(stored, { startMs, density: 50 })
    const first = reader.read({ from: 0, sets: 2 })
    const later = reader.read({ from: 3, sets: 2 })
    expect(later.timesMs).toEqual(Array.from({ length: 200 }, (_, i) => startMs + 6_000 + i * 20))
    expect(later.values.map(timeOf)).toEqual(later.timesMs)
    const [even = [], odd = []] = [first.values.slice(0, 100).map(timeless), first.values.slice(100).map(timeless)]
    expect(even).not.toEqual(odd)
    expect(later.values.map(timeless)).toEqual([...odd, ...even])
    expect(later.refused).toBe(later.values.filter((value) => value.includes('"status":402')).length)
  })

  test.each(codecs)('encodes batches with %s that kafkajs reads back', async (codec) => {
    const made = records(shape)
    const found: string[] = []
    for (const { bytes } of batchesOf(made, { codec, base: 0 })) {
      for (const { value } of await kafkajsMessages(bytes)) found.push(String(value))
    }
    expect(found).toEqual(made.values.map(String))
  })

  test('gives a template other times and leaves the rest of it', async () => {
    const made = records(shape)
    const [template] = templatesOf(made, 100)
    const laterMs = startMs + 86_400_000
    const messages = await kafkajsMessages(template?.at(laterMs, 50) ?? Buffer.alloc(0))
    const found = messages.map(({ value }) => value ?? Buffer.alloc(0))
    expect(found.map(timeOf)).toEqual(Array.from({ length: 100 }, (_, i) => laterMs + Math.floor(i / 2)))
    expect(found.map(timeless)).toEqual(made.values.slice(0, 100).map(timeless))
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

test('takes the 99th percentile as the least value that 99 % do not exceed', () => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i)
  expect(quantile(values, 0.99)).toBe(198)
  expect(quantile([7], 0.99)).toBe(7)
})

test("draws by Zipf's law from the first to the last", () => {
  const drawn = zipf(3)
  expect([0, 0.56, 0.57, 0.9999].map((share) => drawn(() => share))).toEqual([0, 0, 1, 2])
})

test('says which goals are held, reached and missed, for more and for less', () => {
  const all = judged([
    { goal: 'lag', of: 'kong', value: 900 },
    { goal: 'bytes', of: 'kong', value: 12, low: 11, high: 13 },
    { goal: 'bytes', of: 'flat', value: 5.9 },
  ])
  expect(all.map(({ goal, of, held, reached }) => [goal, of, held, reached])).toEqual([
    ['bytes', 'kong', true, true],
    ['bytes', 'flat', false, false],
    ['lag', 'kong', true, false],
  ])
  const text = renderGoals(all)
  expect(text).toMatch(/kong \| 12\.00x \(11\.00-13\.00\) \| +6\.00x \| +12\.00x \| aim reached/)
  expect(text).toMatch(/flat \| +5\.90x .*NOT HELD/)
  expect(text).toMatch(/kong \| +900 ms \| 1000 ms \| 250 ms \| +held/)
  expect(text).toContain('Not measured in this run: memory per live series at 1,000,000.')
})

test('takes its options from the command line and refuses nonsense', () => {
  expect(parseOptions(['--quick'])).toMatchObject({ quick: true, rounds: 2, json: false, scale: 1 })
  expect(parseOptions(['--rounds', '3', '--only', 'bytes,kafka'])).toMatchObject({
    rounds: 3,
    only: ['bytes', 'kafka'],
  })
  expect(() => parseOptions(['--rounds', '0'])).toThrow('whole number')
  expect(() => parseOptions(['--scale', '0'])).toThrow('above 0')
  expect(() => parseOptions(['--wat'])).toThrow()
})
