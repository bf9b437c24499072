import { rmSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs, { type Consumer, type EachBatchPayload } from 'kafkajs'
import { silentLog } from '../src/fault/log.ts'
import { type Database, openEmbedded } from '../src/history/database.ts'
import { History, type RangeStore } from '../src/history/history.ts'
import { migrate } from '../src/history/migrate.ts'
import { KafkaSource } from '../src/source/kafka.ts'
import { sourceOptions } from '../src/source/options.ts'
import type { BatchConsumer } from '../src/source/source.ts'
import { systemClock } from '../src/time/clock.ts'
import { createTopic, topicName } from '../test/support/kafka.ts'
import { tempDir } from '../test/support/run-context.ts'
import { Arrivals, buildPipeline, config, NoHistory } from './daemon.ts'
import { type Figure, ratesFigure } from './figures.ts'
import { type Cost, collect, startCost } from './measure.ts'
import { NaiveCounter, type Tally } from './naive.ts'
import type { Progress } from './progress.ts'
import { makeRecords, type Records, recordsPerSecond, type Shape } from './records.ts'

const { Kafka, logLevel } = kafkajs

const partitions = 4
const produceBatch = 1_000
const tickMs = 1_000
const seed = 402
const naiveName = 'kafkajs + JSON.parse + Map'
/** The same for every client, those of `src/source/kafka.ts`. */
const fetching = { maxWaitTimeInMs: 250, maxBytesPerPartition: 2 * 1024 * 1024 }

interface Topic {
  readonly brokers: string
  readonly name: string
  readonly records: Records
}

/** One way to read the topic to its end with a group of its own; the cost counts from when partitions are assigned. */
interface Variant {
  readonly name: string
  run(topic: Topic, round: number): Promise<{ cost: Cost; tally: Tally | null }>
}

/**
 * From a real broker to the windows, beside the same client doing nothing and doing the work by hand. The broker is
 * another process on the same machine: CPU time is this process's alone, wall time is shared with it.
 */
export async function kafkaFigure(
  shape: Shape,
  { brokers, rounds, count, progress }: { brokers: string; rounds: number; count: number; progress: Progress },
): Promise<Figure> {
  // The engine drops what is older than its tier keeps, so event time has to be about now.
  const startMs = systemClock.now() - 60_000 - (count * 1_000) / recordsPerSecond
  const topic: Topic = { brokers, name: topicName('bench'), records: makeRecords({ shape, count, seed, startMs }) }
  await fill(topic)
  progress.step()
  const directory = tempDir('bench-kafka')
  const database = await openEmbedded(join(directory, 'store'))
  try {
    await migrate(database, config.history.retention)
    const variants = [nothingVariant(), naiveVariant(), bareVariant(), storedVariant(database)]
    const samples = variants.map(({ name }) => ({ name, perCpuSecond: [] as number[], perSecond: [] as number[] }))
    for (let round = 0; round <= rounds; round++) {
      for (let i = 0; i < variants.length; i++) {
        const at = (i + round) % variants.length
        const variant = variants[at]
        const sample = samples[at]
        if (variant === undefined || sample === undefined) continue
        collect()
        const { cost, tally } = await variant.run(topic, round)
        agree(variant, tally, { requests: count, refused: topic.records.refused })
        if (round === 0) continue
        sample.perCpuSecond.push((count / cost.cpuMs) * 1_000)
        sample.perSecond.push((count / cost.wallMs) * 1_000)
      }
      progress.step()
    }
    return ratesFigure({
      title: `Kafka to windows, ${shape} (${Math.round(topic.records.bytes / count)} B a record)`,
      note: `${count.toLocaleString('en')} records in ${partitions} partitions, read from the beginning by a new group. Ratios in CPU time of this process, the embedded store's threads included.`,
      rates: samples,
      bases: [naiveName],
      bytesPerRecord: topic.records.bytes / count,
    })
  } finally {
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function agree({ name }: Variant, tally: Tally | null, truth: Tally): void {
  if (tally === null || (tally.requests === truth.requests && tally.refused === truth.refused)) return
  throw new Error(
    `${name} counted ${tally.requests} requests and ${tally.refused} refusals instead of ${truth.requests} and ${truth.refused}`,
  )
}

/** Records go round the partitions, so that event time runs on in all of them; each arrived when it happened. */
async function fill({ brokers, name, records }: Topic): Promise<void> {
  await createTopic(brokers, name, partitions)
  const producer = client(brokers).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    const messages = records.values.map((value, i) => {
      return { partition: i % partitions, value, timestamp: String(records.timesMs[i] ?? 0) }
    })
    for (let from = 0; from < messages.length; from += produceBatch * partitions) {
      await producer.send({ topic: name, messages: messages.slice(from, from + produceBatch * partitions), acks: -1 })
    }
  } finally {
    await producer.disconnect()
  }
}

function client(brokers: string) {
  return new Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
}

function nothingVariant(): Variant {
  return {
    name: 'kafkajs, nothing done',
    run: async (topic) => ({ cost: await consumed(topic, () => {}), tally: null }),
  }
}

function naiveVariant(): Variant {
  return {
    name: naiveName,
    async run(topic) {
      const counter = new NaiveCounter(topic.records.shape)
      const cost = await consumed(topic, ({ batch }) => {
        for (const { value } of batch.messages) if (value !== null) counter.take(value)
      })
      return { cost, tally: counter.tally() }
    },
  }
}

/** kafkajs as its documentation shows it, with our fetch sizes. */
async function consumed({ brokers, name, records }: Topic, take: (payload: EachBatchPayload) => void): Promise<Cost> {
  const consumer: Consumer = client(brokers).consumer({ groupId: topicName('bench'), ...fetching })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [name], fromBeginning: true })
    return await new Promise((resolve, reject) => {
      let ended: (() => Cost) | null = null
      let seen = 0
      const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
        take(payload)
        seen += payload.batch.messages.length
        if (seen === records.values.length && ended !== null) resolve(ended())
      }
      consumer.on(consumer.events.GROUP_JOIN, () => {
        ended ??= startCost()
      })
      consumer.run({ eachBatch, partitionsConsumedConcurrently: partitions }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
}

function bareVariant(): Variant {
  return {
    name: 'Tollwatch, no history',
    async run(topic) {
      const history = new NoHistory()
      const cost = await watched(topic, history, 0)
      return { cost, tally: { requests: history.requests, refused: history.refused } }
    },
  }
}

/** With history in the embedded engine; it ends when everything has landed and its offsets are committed. */
function storedVariant(database: Database): Variant {
  return {
    name: 'Tollwatch, history in chDB',
    async run(topic, round) {
      for (const table of ['rollup_10s', 'rollup_1m', 'rollup_1h', 'ledger', 'events_402']) {
        await database.command(`TRUNCATE TABLE tollwatch.${table}`)
      }
      // Another epoch, or the engine would know the ranges of the last round and drop them.
      const cost = await watched(topic, new History(database, { clock: systemClock, epoch: round }), round)
      const [row] = await database.query<Tally>(
        'SELECT sum(requests) AS requests, sum(payment_required) AS refused FROM tollwatch.rollup_1m',
      )
      return { cost, tally: row === undefined ? null : { requests: row.requests, refused: row.refused } }
    },
  }
}

async function watched({ brokers, name, records }: Topic, history: RangeStore, epoch: number): Promise<Cost> {
  const options = sourceOptions.parse({ kafka: { brokers, topic: name, group: topicName('bench') } }).kafka
  if (options === undefined) throw new Error('the options for Kafka were just given')
  const source = new KafkaSource(options, { clock: systemClock, log: silentLog, epoch })
  const arrivals = new Arrivals()
  const pipeline = buildPipeline(history, arrivals, epoch)
  const done = arrivals.reached(records.values.length)
  const timer = setInterval(() => pipeline.tick(), tickMs)
  try {
    let ended: (() => Cost) | null = null
    const open = (): BatchConsumer => {
      const consumer = pipeline.consumer()
      const assigned: BatchConsumer['assigned'] = async (lanes) => {
        const starts = await consumer.assigned(lanes)
        ended ??= startCost()
        return starts
      }
      return { ...consumer, assigned }
    }
    await source.start(open)
    await done
    await pipeline.drain()
    const cost = (ended as (() => Cost) | null)?.()
    if (cost === undefined) throw new Error('no partition was assigned')
    return cost
  } finally {
    clearInterval(timer)
    await source.stop()
    await source.close()
  }
}
