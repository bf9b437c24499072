import kafkajs, { type EachBatchPayload } from 'kafkajs'
import { topicName } from '../test/support/kafka.ts'
import { startCost } from './measure.ts'
import { NaiveCounter } from './naive.ts'
import type { RunResult } from './readers.ts'
import { partitions, type Topic } from './topic.ts'

const { Kafka, logLevel } = kafkajs

/** As large as those of the daemon, or larger. */
const fetching = { maxWaitTimeInMs: 250, maxBytesPerPartition: 2 * 1024 * 1024 }

/** kafkajs as its documentation shows it, with the work of `NaiveCounter` done for every message. */
export async function handRun(topic: Topic): Promise<RunResult> {
  const counter = new NaiveCounter(topic.shape)
  const client = new Kafka({ clientId: 'bench', brokers: topic.brokers.split(','), logLevel: logLevel.NOTHING })
  const consumer = client.consumer({ groupId: topicName('bench'), ...fetching })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [topic.name], fromBeginning: true })
    return await new Promise((resolve, reject) => {
      let seen = 0
      let from = 0
      let ended = startCost()
      const eachBatch = async ({ batch }: EachBatchPayload): Promise<void> => {
        for (const { value } of batch.messages) if (value !== null) counter.take(value)
        seen += batch.messages.length
        if (from === 0 && seen >= topic.lead) {
          from = seen
          ended = startCost()
        }
        if (seen === topic.count) resolve({ count: seen - from, cost: ended(), tally: counter.tally() })
      }
      consumer.run({ eachBatch, partitionsConsumedConcurrently: partitions }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}
