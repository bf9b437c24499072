import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readingOf } from '../../src/config/reading.ts'
import { configSchema } from '../../src/config/schema.ts'
import { silentLog } from '../../src/fault/log.ts'
import { type Database, openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { KafkaSource } from '../../src/source/kafka.ts'
import { sourceOptions } from '../../src/source/options.ts'
import { systemClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { describeWithKafka } from '../support/available.ts'
import { committed, createTopic, deleteTopic, produce, sharedKafka, startKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { Counted, encode, type PlainRecord, plainReading, standardOptions } from './fake-world.ts'

describeWithKafka('Pipeline on a real broker', () => {
  let brokers: string
  let database: Database
  let history: History

  beforeAll(async () => {
    brokers = await sharedKafka()
    database = await openEmbedded(join(tempDir('pipeline'), 'store'))
    await migrate(database, historyOptions.parse({}).retention)
    history = new History(database, { clock: systemClock, epoch: 0 })
  })

  afterAll(() => history.close())

  function member(topic: string, group: string, reading = plainReading, epoch = 0, at = brokers) {
    const options = sourceOptions.parse({ kafka: { brokers: at, topic, group } }).kafka
    if (options === undefined) throw new Error('kafka options are there')
    const source = new KafkaSource(options, { clock: systemClock, log: silentLog, epoch })
    const events = new Counted()
    const lifetime = new Lifetime(10_000)
    const pipeline = new Pipeline({ ...standardOptions, epoch, reading, history, clock: systemClock, events, lifetime })
    const timer = setInterval(() => pipeline.tick(), 100)
    return {
      pipeline,
      events,
      lifetime,
      start: () => source.start(() => pipeline.consumer()),
      /** Ends without a word to anyone, as if the process had died. */
      die: async () => {
        clearInterval(timer)
        pipeline.abandon()
        await source.close()
      },
      end: async () => {
        clearInterval(timer)
        await source.stop()
        await pipeline.drain()
        await source.close()
      },
    }
  }

  const now = Date.now()
  const records = (count: number): PlainRecord[] =>
    Array.from({ length: count }, (_, i) => ({
      t: now - 60_000 + i * 5,
      tenant: `tenant-${i % 7}`,
      api: `api-${i % 3}`,
      ...(i % 10 === 0 ? { cause: 'quota_exceeded' as const } : {}),
    }))

  async function spread(topic: string, partitions: number, all: readonly PlainRecord[], at = brokers): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const values = all.filter((_, i) => i % partitions === partition).map(encode)
      await produce(at, topic, values, { partition })
    }
  }

  async function landed(topic: string): Promise<{ requests: number; refused: number }> {
    const [row] = await database.query<{ r: number; p: number }>(
      'SELECT sum(requests) AS r, sum(payment_required) AS p FROM tollwatch.rollup_10s WHERE endsWith(source, {topic:String})',
      { topic },
    )
    return { requests: row?.r ?? 0, refused: row?.p ?? 0 }
  }

  test('lands every record once over members that come, die and leave, and the windows agree', async () => {
    const topic = topicName('pipeline')
    await createTopic(brokers, topic, 3)
    const all = records(6_000)
    await spread(topic, 3, all.slice(0, 3_000))
    const first = member(topic, `${topic}-group`)
    await first.start()
    await waitFor('first rows', async () => (await landed(topic)).requests > 0)
    await first.die()
    await spread(topic, 3, all.slice(3_000))
    const second = member(topic, `${topic}-group`)
    await second.start()
    await waitFor('all rows', async () => (await landed(topic)).requests >= 6_000)
    await second.end()
    expect(await landed(topic)).toEqual({ requests: 6_000, refused: 600 })
    const report = await history.verify()
    expect(report.problems).toEqual([])
    const view = second.pipeline.view
    if (view === null || view.headMs === null) throw new Error('the windows are open')
    const totals = view.totals(view.headMs - 300_000, view.headMs)
    expect(totals.reduce((sum, row) => sum + row.requests, 0)).toBe(6_000)
    expect(totals.reduce((sum, row) => sum + row.paymentRequired, 0)).toBe(600)
    const [lane] = report.lanes.filter(({ source }) => source.endsWith(topic))
    const kept = await committed(brokers, `${topic}-group`, topic)
    expect(kept[lane?.lane ?? 0]).toEqual({
      partition: lane?.lane,
      offset: (lane?.hi ?? 0) + 1,
      metadata: '{"v":1,"epoch":0}',
    })
  })

  test('buries what it cannot read with its position and a masked sketch, and goes on', async () => {
    const topic = topicName('poison')
    await createTopic(brokers, topic, 1, { 'max.message.bytes': '20971520' })
    const kong = (startedAt: unknown, status: unknown = 200) =>
      JSON.stringify({
        request: { id: 'r', uri: '/chat', method: 'POST', headers: { authorization: 'Bearer planted-secret' } },
        ...{ response: { status, headers: {} }, latencies: { request: 4 }, route: { name: 'chat' } },
        ...{ consumer: { username: 'acme' }, started_at: startedAt },
      })
    const good = kong(now)
    const values = [
      good,
      '{"request":{"headers":{"authorization":"Bearer planted-secret',
      null,
      '',
      Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
      kong(now, { code: 402 }),
      kong(now + 25 * 3_600_000),
      Buffer.alloc(10 * 1024 * 1024, 'x'),
      '{"hello":"world"}',
      `[${good},${good},7]`,
      good,
    ]
    await produce(brokers, topic, values, { batch: 1 })
    const one = member(topic, `${topic}-group`, readingOf(configSchema.parse({})))
    await one.start()
    await waitFor('all good records', async () => (await landed(topic)).requests === 4)
    await one.end()
    const letters = await database.query<{ o: number; e: number; reason: string; bytes: number; sketch: string }>(
      'SELECT offset AS o, entry AS e, reason, bytes, sketch FROM tollwatch.dead_letter WHERE endsWith(source, {topic:String}) ORDER BY o, e',
      { topic },
    )
    expect(letters.map(({ o, e, reason }) => [o, e, reason])).toEqual([
      [1, 0, 'not-json'],
      [2, 0, 'empty'],
      [3, 0, 'empty'],
      [4, 0, 'not-utf8'],
      [5, 0, 'wrong-type'],
      [6, 0, 'future-time'],
      [7, 0, 'too-large'],
      [8, 0, 'unknown-format'],
      [9, 2, 'not-a-record'],
    ])
    expect(letters.map(({ bytes }) => bytes)).toContain(10 * 1024 * 1024)
    expect(JSON.stringify(letters)).not.toMatch(/planted|secret/)
    expect(one.events.results.get('ok')).toBe(4)
    expect((await history.verify()).problems).toEqual([])
  })

  test('stops at a topic that was made anew, and reads it from its beginning in a new epoch', async () => {
    const topic = topicName('anew')
    await createTopic(brokers, topic, 1)
    await spread(topic, 1, records(500))
    const first = member(topic, `${topic}-group`)
    await first.start()
    await waitFor('the first topic', async () => (await landed(topic)).requests === 500)
    await first.end()
    await deleteTopic(brokers, topic)
    await createTopic(brokers, topic, 1)
    await spread(topic, 1, records(200))
    const second = member(topic, `${topic}-group`)
    await second.start()
    await waitFor('the lane to stop', () =>
      second.pipeline.problems().some((problem) => problem.includes('re-created')),
    )
    await second.end()
    expect((await landed(topic)).requests).toBe(500)
    const third = member(topic, `${topic}-group`, plainReading, 1)
    await third.start()
    await waitFor('the second topic', async () => (await landed(`${topic}#1`)).requests === 200)
    await third.end()
    expect((await history.verify()).problems).toEqual([])
  })

  test('goes on by itself after the broker was killed and came back', { timeout: 90_000 }, async () => {
    const own = await startKafka()
    try {
      const topic = topicName('outage')
      await createTopic(own.brokers, topic, 2)
      const one = member(topic, `${topic}-group`, plainReading, 0, own.brokers)
      await one.start()
      await spread(topic, 2, records(1_000), own.brokers)
      await waitFor('the first half', async () => (await landed(topic)).requests === 1_000)
      await own.kill()
      await own.restart()
      await spread(topic, 2, records(1_000), own.brokers)
      await waitFor('the second half', async () => (await landed(topic)).requests >= 2_000, { timeoutMs: 60_000 })
      await one.end()
      expect(await landed(topic)).toEqual({ requests: 2_000, refused: 200 })
      expect((await history.verify()).problems).toEqual([])
    } finally {
      await own.stop()
    }
  })

  // The broker compresses what it stores, so these are the frames the Java client writes.
  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads a topic compressed with %s', async (codec) => {
    const topic = topicName(codec)
    await createTopic(brokers, topic, 1, { 'compression.type': codec })
    await spread(topic, 1, records(2_500))
    const one = member(topic, `${topic}-group`)
    await one.start()
    await waitFor('all records', async () => (await landed(topic)).requests >= 2_500)
    await one.end()
    expect(await landed(topic)).toEqual({ requests: 2_500, refused: 250 })
  })

  test('shares the partitions of a topic with a second member that joins and leaves', async () => {
    const topic = topicName('rebalance')
    await createTopic(brokers, topic, 4)
    const all = records(4_000)
    const a = member(topic, `${topic}-group`)
    const b = member(topic, `${topic}-group`)
    await a.start()
    await spread(topic, 4, all.slice(0, 1_000))
    await waitFor('first rows', async () => (await landed(topic)).requests > 0)
    await b.start()
    await spread(topic, 4, all.slice(1_000, 2_500))
    await waitFor('two lanes each', () => b.pipeline.lanes().length === 2 && a.pipeline.lanes().length === 2)
    await spread(topic, 4, all.slice(2_500))
    await b.end()
    await waitFor('all rows', async () => (await landed(topic)).requests >= 4_000)
    await a.end()
    expect(await landed(topic)).toEqual({ requests: 4_000, refused: 400 })
    expect((await history.verify()).problems).toEqual([])
  })
})
