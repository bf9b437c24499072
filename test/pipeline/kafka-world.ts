import { join } from 'node:path'
import { silentLog } from '../../src/fault/log.ts'
import { type Database, openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import type { Reading } from '../../src/history/intake.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { InputWatch } from '../../src/notify/input-watch.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { type KafkaContext, KafkaSource } from '../../src/source/kafka.ts'
import { sourceOptions } from '../../src/source/options.ts'
import { systemClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { produce } from '../support/kafka.ts'
import { tempDir } from '../support/run-context.ts'
import { Counted, encode, type PlainRecord, plainReading, standardOptions } from './fake-world.ts'

/** The engine with its tables, and members that write to it. */
export async function openKafkaWorld(brokers: string) {
  const database = await openEmbedded(join(tempDir('pipeline'), 'store'))
  await migrate(database, historyOptions.parse({}).retention)
  const history = new History(database, { clock: systemClock, epoch: 0 })
  return {
    database,
    history,
    member: (topic: string, settings: Settings = {}) => memberOf(history, { brokers, topic, ...settings }),
    landed: (topic: string) => landed(database, topic),
  }
}

interface Settings {
  brokers?: string
  group?: string
  reading?: Reading
  epoch?: number
  mode?: 'single' | 'keyed'
  instance?: string
  start?: 'earliest' | 'latest'
}

function memberOf(history: History, { reading = plainReading, epoch = 0, ...place }: Settings & { topic: string }) {
  const { kafka } = sourceOptions.parse({ kafka: { group: `${place.topic}-group`, ...place } })
  if (kafka === undefined) throw new Error('kafka options are there')
  const inputs = new InputWatch(systemClock)
  const strays: KafkaContext['strays'] = (sources, sinceMs) => history.strayTenant(sources, sinceMs)
  const source = new KafkaSource(kafka, { clock: systemClock, log: silentLog, epoch, inputs, strays, lookEveryMs: 500 })
  const events = new Counted()
  const lifetime = new Lifetime(10_000)
  const parts = { history, reading, epoch, events, lifetime, inputs, clock: systemClock }
  const pipeline = new Pipeline({ ...standardOptions, ...parts })
  const timer = setInterval(() => pipeline.tick(), 100)
  return {
    ...{ pipeline, source, events, lifetime, inputs },
    start: () => source.start(() => pipeline.consumer()),
    /** What it complains of. */
    problems: () => [...source.problems(), ...pipeline.problems()],
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

/** Records of the last minute, one in ten of them refused. */
export function records(count: number): PlainRecord[] {
  const now = Date.now()
  return Array.from({ length: count }, (_, i) => ({
    t: now - 60_000 + i * 5,
    tenant: `tenant-${i % 7}`,
    api: `api-${i % 3}`,
    ...(i % 10 === 0 ? { cause: 'quota_exceeded' as const } : {}),
  }))
}

/** Produces records to the partitions in turn. */
export async function spread(
  brokers: string,
  topic: string,
  partitions: number,
  all: readonly PlainRecord[],
): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    const values = all.filter((_, i) => i % partitions === partition).map(encode)
    await produce(brokers, topic, values, { partition })
  }
}

/** What history has of all topics that ever had a name. */
async function landed(database: Database, topic: string): Promise<{ requests: number; refused: number }> {
  const [row] = await database.query<{ r: number; p: number }>(
    `SELECT sum(requests) AS r, sum(payment_required) AS p FROM tollwatch.rollup_10s
     WHERE splitByChar('#', splitByChar(':', source)[3])[1] = {topic:String}`,
    { topic },
  )
  return { requests: row?.r ?? 0, refused: row?.p ?? 0 }
}
