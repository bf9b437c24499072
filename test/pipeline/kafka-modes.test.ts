import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithKafka } from '../support/available.ts'
import { createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { encode } from './fake-world.ts'
import { openKafkaWorld, records, spread } from './kafka-world.ts'

describeWithKafka('Daemons in one group', () => {
  let brokers: string
  let world: Awaited<ReturnType<typeof openKafkaWorld>>

  beforeAll(async () => {
    brokers = await sharedKafka()
    world = await openKafkaWorld(brokers)
  })

  afterAll(() => world.history.close())

  const complaint = (member: ReturnType<typeof world.member>, words: RegExp) =>
    waitFor(String(words), () => member.problems().find((problem) => words.test(problem)))

  test('stand by in mode single while one reads, say who does, and take over when it ends', async () => {
    const topic = topicName('standby')
    await createTopic(brokers, topic, 3)
    const a = world.member(topic)
    const b = world.member(topic)
    await a.start()
    await spread(brokers, topic, 3, records(600))
    await waitFor('three lanes', () => a.pipeline.lanes().length === 3)
    let isClaimed = false
    const claimed = b.source
      .claim(() => {})
      .then(() => {
        isClaimed = true
      })
    expect(await complaint(b, /standing by/)).toMatch(/is read by on \S+ \(tollwatch-.*mode keyed shares topics/)
    await spread(brokers, topic, 3, records(600))
    await waitFor('all of it', async () => (await world.landed(topic)).requests === 1_200)
    expect([isClaimed, a.pipeline.lanes().length]).toEqual([false, 3])
    await a.end()
    await claimed
    await b.start()
    await spread(brokers, topic, 3, records(300))
    await waitFor('the rest', async () => (await world.landed(topic)).requests >= 1_500)
    expect(b.problems()).toEqual([])
    await b.end()
    expect(await world.landed(topic)).toEqual({ requests: 1_500, refused: 150 })
    expect((await world.history.verify()).problems).toEqual([])
  })

  test('are told when a daemon that was taken for dead lost its turn', async () => {
    const topic = topicName('turn')
    await createTopic(brokers, topic, 1)
    const a = world.member(topic)
    let changes = 0
    await a.source.claim(() => {
      changes++
    })
    await a.start()
    await waitFor('the lane', () => a.pipeline.lanes().length === 1)
    const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    const [group] = (await admin.describeGroups([`${topic}-group`])).groups
    expect(group?.members.map(({ clientId }) => clientId)).toEqual(['tollwatch'])
    await expelled(brokers, `${topic}-group`, group?.members[0]?.memberId ?? '')
    await waitFor('the news', () => changes === 1)
    await admin.disconnect()
    await a.end()
  })

  test('refuse a group that another program uses, name it, tell of it, and read once it is gone', async () => {
    const topic = topicName('stranger')
    await createTopic(brokers, topic, 1)
    await spread(brokers, topic, 1, records(100))
    const kafka = new kafkajs.Kafka({ clientId: 'billing', brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
    const stranger = kafka.consumer({ groupId: `${topic}-group` })
    await stranger.connect()
    await stranger.subscribe({ topics: [topic] })
    const joined = new Promise((resolve) => stranger.on(stranger.events.GROUP_JOIN, resolve))
    await stranger.run({ autoCommit: false, eachMessage: async () => {} })
    await joined
    const one = world.member(topic)
    await one.start()
    expect(await complaint(one, /another program/)).toContain('billing-')
    expect(one.inputs.alerts()).toMatchObject([{ rule: 'InputStopped', labels: { input: topic } }])
    await stranger.disconnect()
    await waitFor('all of it', async () => (await world.landed(topic)).requests === 100)
    await waitFor('the end of the alert', () => one.inputs.alerts().length === 0)
    await one.end()
  })

  test('refuse one that shares in another mode', async () => {
    const topic = topicName('mixed')
    await createTopic(brokers, topic, 2)
    const a = world.member(topic)
    const b = world.member(topic, { mode: 'keyed', instance: 'b' })
    await a.start()
    await waitFor('two lanes', () => a.pipeline.lanes().length === 2)
    await b.start()
    await complaint(b, /in another mode by tollwatch-/)
    expect([a.pipeline.lanes().length, b.pipeline.lanes().length]).toEqual([2, 0])
    // The other one reads, and tells of what is wrong in its own name.
    expect(b.inputs.alerts()).toEqual([])
    await Promise.all([a.end(), b.end()])
  })

  test('need names of their own in mode keyed', async () => {
    const topic = topicName('names')
    await createTopic(brokers, topic, 2)
    const a = world.member(topic, { mode: 'keyed', instance: 'left' })
    const b = world.member(topic, { mode: 'keyed', instance: 'left' })
    await a.start()
    await waitFor('two lanes', () => a.pipeline.lanes().length === 2)
    await b.start()
    expect(await complaint(b, /nothing to read/)).toContain('has the name "left" too')
    await waitFor('two lanes again', () => a.pipeline.lanes().length === 2 && b.pipeline.lanes().length === 0)
    await Promise.all([a.end(), b.end()])
  })

  test('stop in mode keyed when a tenant comes by two partitions, and name it', async () => {
    const topic = topicName('unkeyed')
    await createTopic(brokers, topic, 2)
    const a = world.member(topic, { mode: 'keyed', instance: 'a' })
    const b = world.member(topic, { mode: 'keyed', instance: 'b' })
    await Promise.all([a.start(), b.start()])
    await waitFor('a lane each', () => a.pipeline.lanes().length === 1 && b.pipeline.lanes().length === 1)
    const now = () => encode({ t: Date.now() + 15_000, tenant: 'acme', api: 'chat' })
    await produce(brokers, topic, [now()], { partition: 0 })
    await produce(brokers, topic, [now()], { partition: 1 })
    for (const member of [a, b]) {
      expect(await complaint(member, /not keyed/)).toContain('"acme" came by partitions 0 and 1')
      expect(member.inputs.alerts()).toMatchObject([{ rule: 'InputStopped' }])
    }
    await Promise.all([a.end(), b.end()])
  })

  /** Makes the group forget a member, as if it had shown no sign of life for long. */
  async function expelled(at: string, groupId: string, memberId: string): Promise<void> {
    const { KafkaWire } = await import('../../src/source/kafka-wire.ts')
    const { sourceOptions } = await import('../../src/source/options.ts')
    const { silentLog } = await import('../../src/fault/log.ts')
    const { kafka } = sourceOptions.parse({ kafka: { brokers: at, topic: 'any' } })
    if (kafka === undefined) throw new Error('kafka options are there')
    const wire = new KafkaWire(kafka, silentLog)
    await wire.ask(null, 'group', 'LeaveGroup', { groupId, memberId })
    await wire.close()
  }
})
