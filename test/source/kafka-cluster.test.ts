import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { KafkaCluster } from '../../src/source/kafka-cluster.ts'
import { sourceOptions } from '../../src/source/options.ts'
import { describeWithKafka } from '../support/available.ts'
import { createTopic, deleteTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { textsOf, valuesOf } from './record-batches.ts'

describeWithKafka('KafkaCluster', () => {
  let brokers: string
  let cluster: KafkaCluster

  beforeAll(async () => {
    brokers = await sharedKafka()
    const { kafka } = sourceOptions.parse({ kafka: { brokers, topic: 'any' } })
    if (kafka === undefined) throw new Error('kafka options are there')
    cluster = new KafkaCluster(kafka, silentLog)
    await cluster.connect()
  })

  afterAll(() => cluster.close())

  test('knows topics by ids that change when a topic is made anew, and leaves out what is not there', async () => {
    const topic = topicName('identity')
    await createTopic(brokers, topic, 3)
    const first = await cluster.topics([topic, 'nobody-made-this'])
    expect([...first.topics.keys()]).toEqual([topic])
    expect(first.topics.get(topic)?.partitions).toEqual([0, 1, 2])
    expect(first.topics.get(topic)?.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(first.clusterId).not.toBe('')
    await deleteTopic(brokers, topic)
    await createTopic(brokers, topic, 1)
    const second = await cluster.topics([topic])
    expect(second.topics.get(topic)?.id).not.toBe(first.topics.get(topic)?.id)
    expect(second.clusterId).toBe(first.clusterId)
  })

  test('finds bounds and the offsets of a time, and fetches from there', async () => {
    const topic = topicName('bounds')
    await createTopic(brokers, topic, 2)
    const before = Date.now()
    await produce(brokers, topic, ['a', 'b', null], { partition: 1 })
    expect(await cluster.bounds(topic)).toEqual(
      new Map([
        [0, { earliest: 0, latest: 0 }],
        [1, { earliest: 0, latest: 3 }],
      ]),
    )
    expect(await cluster.offsetsAt(topic, before)).toEqual(
      new Map([
        [0, 0],
        [1, 0],
      ]),
    )
    expect(await cluster.offsetsAt(topic, before + 3_600_000)).toEqual(
      new Map([
        [0, 0],
        [1, 3],
      ]),
    )
    const { packed, next, high } = await cluster.fetch({ topic, partition: 1, offset: 1, maxBytes: 1_000 })
    expect(textsOf(packed)).toEqual([
      [1, 'b'],
      [2, null],
    ])
    expect(valuesOf(packed)[0]?.arrivedMs).toBeGreaterThanOrEqual(before)
    expect([next, high]).toEqual([3, 3])
    expect((await cluster.fetch({ topic, partition: 1, offset: 3, maxBytes: 1_000 })).next).toBe(3)
    await expect(cluster.fetch({ topic, partition: 1, offset: 4, maxBytes: 1_000 })).rejects.toMatchObject({
      code: 'offset-out-of-range',
    })
    await expect(cluster.bounds('nobody-made-this')).rejects.toMatchObject({ code: 'kafka-unreachable' })
  })

  test('passes over records of a transaction that was given up, and its markers', async () => {
    const topic = topicName('transactions')
    await createTopic(brokers, topic)
    const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING })
    const producer = kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (const [value, keep] of [
      ['kept', true],
      ['given up', false],
      ['kept too', true],
    ] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value }] })
      await (keep ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    // A broker says that a transaction has ended before the end is in the log.
    const { packed, next } = await waitFor('all three ends', async () => {
      const fetched = await cluster.fetch({ topic, partition: 0, offset: 0, maxBytes: 100_000 })
      return fetched.next === 6 && fetched
    })
    expect(textsOf(packed)).toEqual([
      [0, 'kept'],
      [4, 'kept too'],
    ])
    expect(next).toBe(6)
  })

  test('gets a batch that is larger than what it asked for', async () => {
    const topic = topicName('large')
    await createTopic(brokers, topic, 1, { 'max.message.bytes': '4000000' })
    await produce(brokers, topic, [Buffer.alloc(3_000_000, 'x'), 'small'], { batch: 1 })
    const { packed, next } = await cluster.fetch({ topic, partition: 0, offset: 0, maxBytes: 1_000 })
    expect(valuesOf(packed).map(({ bytes }) => bytes?.length)).toEqual([3_000_000])
    expect(next).toBe(1)
  })
})
