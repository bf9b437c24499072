import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
import { committed, createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { Counted, encode, type PlainRecord, standardOptions } from './fake-world.ts'

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

  function member(topic: string, group: string) {
    const options = sourceOptions.parse({ kafka: { brokers, topic, group } }).kafka
    if (options === undefined) throw new Error('kafka options are there')
    const source = new KafkaSource(options, { clock: systemClock, log: silentLog })
    const events = new Counted()
    const lifetime = new Lifetime(10_000)
    const pipeline = new Pipeline({ ...standardOptions, history, clock: systemClock, events, lifetime })
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

  async function spread(topic: string, partitions: number, all: readonly PlainRecord[]): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const values = all.filter((_, i) => i % partitions === partition).map(encode)
      await produce(brokers, topic, values, { partition })
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
    expect(kept[lane?.lane ?? 0]).toEqual({ partition: lane?.lane, offset: (lane?.hi ?? 0) + 1, metadata: null })
  })

  test('buries what it cannot read with its position and goes on', async () => {
    const topic = topicName('poison')
    await createTopic(brokers, topic, 1)
    const good = encode({ t: now, tenant: 'acme', api: 'chat' })
    const ahead = encode({ t: now + 24 * 3_600_000 + 60_000, tenant: 'acme', api: 'chat' })
    const poison = [Buffer.from('{"broken'), null, Buffer.from([0xff, 0xfe]), ahead]
    await produce(brokers, topic, [good, ...poison, good])
    const one = member(topic, `${topic}-group`)
    await one.start()
    await waitFor('both good records', async () => (await landed(topic)).requests === 2)
    await one.end()
    const letters = await database.query<{ o: number; reason: string }>(
      'SELECT offset AS o, reason FROM tollwatch.dead_letter WHERE endsWith(source, {topic:String}) ORDER BY o',
      { topic },
    )
    expect(letters).toEqual([
      { o: 1, reason: 'not-json' },
      { o: 2, reason: 'empty' },
      { o: 3, reason: 'not-json' },
      { o: 4, reason: 'future-time' },
    ])
    expect(Object.fromEntries(one.events.results)).toEqual({ ok: 2, 'not-json': 2, empty: 1, 'future-time': 1 })
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
