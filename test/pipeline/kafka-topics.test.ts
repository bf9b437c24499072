import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { type Generation, KafkaMember } from '../../src/source/kafka-group.ts'
import { sourceOptions } from '../../src/source/options.ts'
import { systemClock } from '../../src/time/clock.ts'
import { describeWithKafka } from '../support/available.ts'
import { createTopic, deleteTopic, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { openKafkaWorld, records, spread } from './kafka-world.ts'

describeWithKafka('Pipeline on topics that change', () => {
  let brokers: string
  let world: Awaited<ReturnType<typeof openKafkaWorld>>

  beforeAll(async () => {
    brokers = await sharedKafka()
    world = await openKafkaWorld(brokers)
  })

  afterAll(() => world.history.close())

  const rulesOf = (member: ReturnType<typeof world.member>) => member.inputs.alerts().map(({ rule }) => rule)

  const ledger = (topic: string) =>
    world.database.query<{ lo: number; hi: number; gap: number; parts: number }>(
      `SELECT lo, hi, gap, length(splitByChar(':', source)) AS parts FROM tollwatch.ledger FINAL
       WHERE splitByChar(':', source)[3] = {topic:String} ORDER BY parts, lo`,
      { topic },
    )

  async function withAdmin(work: (admin: ReturnType<InstanceType<typeof kafkajs.Kafka>['admin']>) => Promise<unknown>) {
    const admin = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    await work(admin).finally(() => admin.disconnect())
  }

  test('reads a topic that is made anew under it from the beginning, and drops none of it as a repeat', async () => {
    const topic = topicName('anew')
    await createTopic(brokers, topic, 1)
    const one = world.member(topic, { start: 'latest' })
    await one.start()
    await waitFor('the lane', () => one.pipeline.lanes().length === 1)
    await spread(brokers, topic, 1, records(500))
    await waitFor('the first topic', async () => (await world.landed(topic)).requests === 500)
    const windowsBefore = one.pipeline.view?.endMs ?? 0
    await deleteTopic(brokers, topic)
    await createTopic(brokers, topic, 2)
    await spread(brokers, topic, 2, records(200))
    await waitFor('the second topic', async () => (await world.landed(topic)).requests === 700)
    expect(rulesOf(one)).toContain('TopicMadeAnew')
    expect(one.pipeline.view?.endMs).toBeGreaterThanOrEqual(windowsBefore)
    await one.end()
    expect(await world.landed(topic)).toEqual({ requests: 700, refused: 70 })
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('reads partitions that are added while it runs from their beginning', async () => {
    const topic = topicName('grown')
    await createTopic(brokers, topic, 1)
    const one = world.member(topic, { start: 'latest' })
    await one.start()
    await waitFor('the lane', () => one.pipeline.lanes().length === 1)
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))
    await waitFor('all three', async () => {
      await spread(brokers, topic, 3, records(30))
      return true
    })
    await waitFor('three lanes', () => one.pipeline.lanes().length === 3)
    await waitFor('all of it', async () => (await world.landed(topic)).requests === 30)
    expect(one.inputs.alerts()).toEqual([])
    await one.end()
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('finds at the start that a topic was made anew while nobody looked', async () => {
    const topic = topicName('unseen')
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(300))
    const first = world.member(topic)
    await first.start()
    await waitFor('the first topic', async () => (await world.landed(topic)).requests === 300)
    await first.end()
    await deleteTopic(brokers, topic)
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(400))
    const second = world.member(topic, { start: 'latest' })
    await second.start()
    await waitFor('the second topic', async () => (await world.landed(topic)).requests === 700)
    expect(rulesOf(second)).toEqual(['TopicMadeAnew'])
    await second.end()
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('goes on from the ledger when the group has forgotten its offsets', async () => {
    const topic = topicName('forgotten')
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(300))
    const first = world.member(topic)
    await first.start()
    await waitFor('the first part', async () => (await world.landed(topic)).requests === 300)
    await first.end()
    await withAdmin((admin) => waitFor('the empty group', () => admin.deleteGroups([`${topic}-group`])))
    await spread(brokers, topic, 1, records(100))
    const second = world.member(topic, { start: 'latest' })
    await second.start()
    await waitFor('the rest', async () => (await world.landed(topic)).requests >= 400)
    await second.end()
    expect(await world.landed(topic)).toEqual({ requests: 400, refused: 40 })
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('declares what was deleted before it was read, at the start and while it runs, and tells of it', async () => {
    const topic = topicName('deleted')
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(100))
    const deleteBelow = (offset: number) =>
      withAdmin(async (admin) => {
        // The client learns from this which broker leads the partition.
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] })
      })
    const first = world.member(topic)
    await first.start()
    await waitFor('the first part', async () => (await world.landed(topic)).requests === 100)
    await first.end()
    await spread(brokers, topic, 1, records(300))
    await deleteBelow(250)
    const second = world.member(topic)
    await second.start()
    await waitFor('the second part', async () => (await world.landed(topic)).requests === 250)
    expect(second.inputs.alerts()).toMatchObject([{ rule: 'RecordsLost', labels: { input: `${topic}/0` } }])
    expect(second.inputs.alerts()[0]?.annotations['summary']).toMatch(/^150 records/)
    const [lane] = second.pipeline.lanes()
    lane?.pause()
    await spread(brokers, topic, 1, records(300))
    await deleteBelow(600)
    lane?.resume()
    await waitFor('the rest', async () => (await world.landed(topic)).requests === 350)
    expect(second.inputs.alerts()[0]?.annotations['summary']).toMatch(/^350 records/)
    await second.end()
    const gaps = (await ledger(topic)).filter(({ gap }) => gap === 1)
    expect(gaps.map(({ lo, hi }) => [lo, hi])).toEqual([
      [100, 249],
      [400, 599],
    ])
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('stops where the group is beyond the end of the same topic, and asks a person', async () => {
    const topic = topicName('beyond')
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(50))
    const first = world.member(topic)
    await first.start()
    await waitFor('all of it', async () => (await world.landed(topic)).requests === 50)
    await first.end()
    const metadata = (await commitOf(topic))?.metadata ?? ''
    await commitAs(topic, { offset: 90, metadata })
    const second = world.member(topic)
    await second.start()
    await waitFor('the stop', () => second.problems().some((problem) => problem.includes('history reaches offset 89')))
    expect(rulesOf(second)).toEqual(['InputStopped'])
    await second.end()
    expect((await world.landed(topic)).requests).toBe(50)
  })

  test('completes what an older version had announced under its old name, and goes on under the new one', async () => {
    const topic = topicName('older')
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(300))
    await commitAs(topic, { offset: 0, metadata: '{"v":1,"epoch":0,"lo":0,"hi":99,"cfg":"test"}' })
    const one = world.member(topic)
    await one.start()
    await waitFor('all of it', async () => (await world.landed(topic)).requests === 300)
    await one.end()
    const [old, ...rest] = await ledger(topic)
    expect(old).toMatchObject({ lo: 0, hi: 99, parts: 3 })
    expect(rest[0]).toMatchObject({ lo: 100, parts: 4 })
    expect((await world.history.verify()).problems).toEqual([])
  })

  /** The group's committed offset, as the broker has it. */
  async function commitOf(topic: string) {
    let found: { metadata: string | null } | undefined
    await withAdmin(async (admin) => {
      const [answer] = await admin.fetchOffsets({ groupId: `${topic}-group`, topics: [topic] })
      found = answer?.partitions[0]
    })
    return found
  }

  /** Commits as a daemon would that is gone. */
  async function commitAs(topic: string, { offset, metadata }: { offset: number; metadata: string }): Promise<void> {
    const { kafka } = sourceOptions.parse({ kafka: { brokers, topic, group: `${topic}-group` } })
    if (kafka === undefined) throw new Error('kafka options are there')
    const seen: Generation[] = []
    const listener = {
      facts: () => ({ mode: 'single' as const, instance: '', host: 'gone.example.org', reads: false }),
      partitions: async () => new Map([[topic, [0]]]),
      assigned: (generation: Generation) => void seen.push(generation),
      revoking: async () => {},
      expelled: () => {},
      refused: () => {},
    }
    const member = new KafkaMember(kafka, { listener, clock: systemClock, log: silentLog })
    member.start()
    await waitFor('the group', () => seen.length > 0)
    const [generation] = seen
    if (generation === undefined) throw new Error('there is a generation')
    expect(await member.commit(generation, { topic, partition: 0, offset, metadata })).toBe('committed')
    await member.leave()
  }
})
