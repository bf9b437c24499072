import { afterAll, beforeAll, expect, test } from 'vitest'
import { readingOf } from '../../src/config/reading.ts'
import { configSchema } from '../../src/config/schema.ts'
import { describeWithKafka } from '../support/available.ts'
import { committed, createTopic, produce, sharedKafka, startKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { openKafkaWorld, records, spread } from './kafka-world.ts'

describeWithKafka('Pipeline on a real broker', () => {
  let brokers: string
  let world: Awaited<ReturnType<typeof openKafkaWorld>>

  beforeAll(async () => {
    brokers = await sharedKafka()
    world = await openKafkaWorld(brokers)
  })

  afterAll(() => world.history.close())

  test('lands every record once over members that come, die and leave, and the windows agree', async () => {
    const topic = topicName('pipeline')
    await createTopic(brokers, topic, 3)
    const all = records(6_000)
    await spread(brokers, topic, 3, all.slice(0, 3_000))
    const first = world.member(topic)
    await first.start()
    await waitFor('first rows', async () => (await world.landed(topic)).requests > 0)
    await first.die()
    await spread(brokers, topic, 3, all.slice(3_000))
    const second = world.member(topic)
    await second.start()
    await waitFor('all rows', async () => (await world.landed(topic)).requests >= 6_000)
    await second.end()
    expect(await world.landed(topic)).toEqual({ requests: 6_000, refused: 600 })
    const report = await world.history.verify()
    expect(report.problems).toEqual([])
    const view = second.pipeline.view
    if (view === null || view.headMs === null) throw new Error('the windows are open')
    const totals = view.totals(view.headMs - 300_000, view.headMs)
    expect(totals.reduce((sum, row) => sum + row.requests, 0)).toBe(6_000)
    expect(totals.reduce((sum, row) => sum + row.paymentRequired, 0)).toBe(600)
    const [lane] = report.lanes.filter(({ source }) => source.includes(topic))
    const kept = await committed(brokers, `${topic}-group`, topic)
    expect(kept[lane?.lane ?? 0]).toEqual({
      partition: lane?.lane,
      offset: (lane?.hi ?? 0) + 1,
      metadata: expect.stringMatching(/^{"v":1,"epoch":0,"topic":"[-0-9a-f]{36}"}$/),
    })
  })

  test('buries what it cannot read with its position and a masked sketch, and goes on', async () => {
    const topic = topicName('poison')
    await createTopic(brokers, topic, 1, { 'max.message.bytes': '20971520' })
    const now = Date.now()
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
    const one = world.member(topic, { reading: readingOf(configSchema.parse({})) })
    await one.start()
    await waitFor('all good records', async () => (await world.landed(topic)).requests === 4)
    await one.end()
    const letters = await world.database.query<{ o: number; e: number; reason: string; bytes: number; sketch: string }>(
      "SELECT offset AS o, entry AS e, reason, bytes, sketch FROM tollwatch.dead_letter WHERE splitByChar(':', source)[3] = {topic:String} ORDER BY o, e",
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
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('goes on by itself after the broker was killed and came back', { timeout: 90_000 }, async () => {
    const own = await startKafka()
    try {
      const topic = topicName('outage')
      await createTopic(own.brokers, topic, 2)
      const one = world.member(topic, { brokers: own.brokers })
      await one.start()
      await spread(own.brokers, topic, 2, records(1_000))
      await waitFor('the first half', async () => (await world.landed(topic)).requests === 1_000)
      await own.kill()
      await own.restart()
      await spread(own.brokers, topic, 2, records(1_000))
      await waitFor('the second half', async () => (await world.landed(topic)).requests >= 2_000, { timeoutMs: 60_000 })
      await one.end()
      expect(await world.landed(topic)).toEqual({ requests: 2_000, refused: 200 })
      expect((await world.history.verify()).problems).toEqual([])
    } finally {
      await own.stop()
    }
  })

  // The broker compresses what it stores, so these are the frames the Java client writes.
  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads a topic compressed with %s', async (codec) => {
    const topic = topicName(codec)
    await createTopic(brokers, topic, 1, { 'compression.type': codec })
    await spread(brokers, topic, 1, records(2_500))
    const one = world.member(topic)
    await one.start()
    await waitFor('all records', async () => (await world.landed(topic)).requests >= 2_500)
    await one.end()
    expect(await world.landed(topic)).toEqual({ requests: 2_500, refused: 250 })
  })

  test('shares the partitions of a topic with a second member that joins and leaves', async () => {
    const topic = topicName('rebalance')
    await createTopic(brokers, topic, 4)
    const all = records(4_000)
    const a = world.member(topic, { mode: 'keyed', instance: 'a' })
    const b = world.member(topic, { mode: 'keyed', instance: 'b' })
    await a.start()
    await spread(brokers, topic, 4, all.slice(0, 1_000))
    await waitFor('first rows', async () => (await world.landed(topic)).requests > 0)
    await b.start()
    await spread(brokers, topic, 4, all.slice(1_000, 2_500))
    await waitFor('two lanes each', () => b.pipeline.lanes().length === 2 && a.pipeline.lanes().length === 2)
    await spread(brokers, topic, 4, all.slice(2_500))
    await b.end()
    await waitFor('all rows', async () => (await world.landed(topic)).requests >= 4_000)
    await a.end()
    expect(await world.landed(topic)).toEqual({ requests: 4_000, refused: 400 })
    expect((await world.history.verify()).problems).toEqual([])
  })
})
