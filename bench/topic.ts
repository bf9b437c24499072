import kafkajs from 'kafkajs'
import { createTopic, topicName } from '../test/support/kafka.ts'
import { waitFor } from '../test/support/process.ts'
import { BatchProducer } from './producer.ts'
import { busyDensity, makeRecords, type Shape } from './records.ts'
import { type BatchTemplate, templatesOf } from './template.ts'

const batchRecords = 1_000
const seed = 402

export const partitions = 4

/** A topic that was filled once and is read again and again. */
export interface Topic {
  readonly shape: Shape
  readonly brokers: string
  readonly name: string
  /** Records of the beginning, which warm up and are not measured. */
  readonly lead: number
  /** All records. */
  readonly count: number
  readonly refused: number
  readonly bytesPerRecord: number
}

/** Batches that topics are filled with, over and over, with other times. */
export interface Pool {
  readonly shape: Shape
  readonly batches: readonly { readonly template: BatchTemplate; readonly refused: number }[]
  readonly bytesPerRecord: number
}

export function makePool(shape: Shape, batches: number): Pool {
  const count = batches * batchRecords
  const records = makeRecords({ shape, count, seed, startMs: Date.now() })
  const refused = new Array<number>(batches).fill(0)
  for (const [i, value] of records.values.entries()) {
    if (value.includes('"status":402')) refused[Math.floor(i / batchRecords)]! += 1
  }
  return {
    shape,
    batches: templatesOf(records, batchRecords).map((template, i) => ({ template, refused: refused[i] ?? 0 })),
    bytesPerRecord: records.bytes / count,
  }
}

const leadMs = 60_000

/**
 * Makes a topic. It begins with a minute of few records, so that windows are filled and slices close when it comes to what
 * is measured; then event time runs at the density that was asked for, up to about now. Each record arrived when it
 * happened, and they go round the partitions batch by batch.
 *
 * @param lead records of the first minute, a multiple of 4,000
 * @param count how many records are to be measured, a multiple of 4,000
 */
export async function fillTopic(one: {
  pool: Pool
  brokers: string
  lead: number
  count: number
  density?: number
}): Promise<Topic> {
  const { pool, brokers, lead, count, density = busyDensity } = one
  const name = topicName('bench')
  await createTopic(brokers, name, partitions)
  await untilLed(brokers, name)
  const spanMs = (count * 1_000) / density
  // The store keeps the finest tier for some days, so event time has to be about now.
  const startMs = Date.now() - spanMs - leadMs - 10_000
  const producer = await BatchProducer.open(brokers, name)
  const stretches = [
    { records: lead, fromMs: startMs, spanMs: leadMs },
    { records: count, fromMs: startMs + leadMs, spanMs },
  ]
  let sent = 0
  let refused = 0
  try {
    for (const { records, fromMs, spanMs: span } of stretches) {
      const steps = records / (batchRecords * partitions)
      for (let step = 0; step < steps; step++) {
        const loads = Array.from({ length: partitions }, (_, partition) => {
          const batch = pool.batches[sent++ % pool.batches.length]
          if (batch === undefined) throw new Error('the pool is empty')
          refused += batch.refused
          return { partition, batch: batch.template.at(fromMs + (step * span) / steps, span / steps) }
        })
        await producer.send(loads)
      }
    }
    await producer.flushed()
  } finally {
    producer.close()
  }
  const { shape, bytesPerRecord } = pool
  return { ...{ shape, brokers, name, refused, bytesPerRecord }, lead, count: lead + count }
}

/** A broker that was just made a leader refuses what is produced for a moment; asking it for offsets tells when it is over. */
async function untilLed(brokers: string, topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    await waitFor(`the leader of ${topic}`, () => admin.fetchTopicOffsets(topic))
  } finally {
    await admin.disconnect()
  }
}
