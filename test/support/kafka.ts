import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka as Client, logLevel } from 'kafkajs'
import { fetchKafka, kafkaVersion } from '../../scripts/fetch-kafka.ts'
import { type Child, freePort, run, startChild, waitFor } from './process.ts'
import { fromDesk, tempDir } from './run-context.ts'

/** A running single-node broker. */
export interface Kafka {
  /** `host:port`, as clients want it. */
  readonly brokers: string
  /** SIGKILL: the broker is gone from one moment to the next, its files stay. */
  kill(): Promise<void>
  /** Starts again on the same port with the same files, after `kill` or in place of the running one. */
  restart(): Promise<void>
  /** Freezes the broker: connections stay open and nobody answers. */
  suspend(): void
  resume(): void
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

type Properties = Readonly<Record<string, string>>

export interface KafkaOptions {
  /** Where the broker keeps its files; a fresh folder of the run by default. */
  readonly dir?: string
  /** Lines for its server.properties, over the defaults. */
  readonly properties?: Properties | ((ports: { port: number; controllerPort: number }) => Properties)
  /** Such as `3.9.1`; by default the one of `scripts/fetch-kafka.ts`. */
  readonly version?: string
}

/** The broker that all test files share; topics must therefore have names of their own. */
export function sharedKafka(): Promise<string> {
  return fromDesk('kafka')
}

/**
 * Starts a real KRaft broker (controller and broker in one) on free ports of the loopback address, with topics made
 * only on request. With `KAFKA_BROKERS` set nothing is started: that broker is given, and it cannot be killed.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const given = process.env['KAFKA_BROKERS']
  if (given !== undefined) return foreign(given)
  const jars = await fetchKafka(options.version ?? kafkaVersion())
  const dir = options.dir ?? tempDir('kafka')
  mkdirSync(dir, { recursive: true })
  const [port, controllerPort] = [await freePort(), await freePort()]
  const brokers = `127.0.0.1:${port}`
  const properties = join(dir, 'server.properties')
  const place = { dir, port, controllerPort }
  const own = typeof options.properties === 'function' ? options.properties(place) : options.properties
  writeFileSync(properties, serverProperties(place, own ?? {}))
  await format(jars, properties)

  let server = await launch(jars, properties, brokers)
  return {
    brokers,
    kill: async () => void (await server.kill()),
    restart: async () => {
      await server.kill()
      // The controller keeps the dead broker's registration for a session, 9 s by default; a test need not wait so long.
      const session = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' }
      writeFileSync(properties, serverProperties(place, { ...session, ...own }))
      server = await launch(jars, properties, brokers)
    },
    suspend: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    stop: async () => {
      // Its files are thrown away, so an orderly shutdown would be time lost.
      await server.kill()
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function foreign(brokers: string): Kafka {
  const refuse = () => {
    throw new Error('the broker of KAFKA_BROKERS is not ours to kill; unset it to run this test')
  }
  return { brokers, kill: refuse, restart: refuse, suspend: refuse, resume: refuse, stop: async () => {} }
}

function serverProperties(
  { dir, port, controllerPort }: { dir: string; port: number; controllerPort: number },
  more: Readonly<Record<string, string>>,
): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // A lone consumer must not wait three seconds for company.
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'num.network.threads': '2',
    'num.io.threads': '2',
    'background.threads': '2',
    'log.cleaner.dedupe.buffer.size': '10485760',
    // Values of 10 MB are a case of the tests, so let them through.
    'message.max.bytes': '16777216',
    ...more,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** What a broker objects to in these server properties, or '' when it would start with them. Nothing is started. */
export async function checkServerProperties(properties: Readonly<Record<string, string>>): Promise<string> {
  const dir = tempDir('kafka-check')
  const file = join(dir, 'server.properties')
  const lines = Object.entries({ ...properties, 'log.dirs': join(dir, 'data') }).map(
    ([name, value]) => `${name}=${value}\n`,
  )
  writeFileSync(file, lines.join(''))
  return format(await fetchKafka(), file).then(
    () => '',
    (error: Error) => error.message,
  )
}

async function format(jars: string, properties: string): Promise<void> {
  // Kafka writes its ids as URL-safe base64 of 16 bytes. One that begins with a dash would be read as an option, so the
  // first byte is fixed.
  const clusterId = Buffer.from(`1d${randomUUID().replaceAll('-', '').slice(2)}`, 'hex').toString('base64url')
  const args = ['format', '--cluster-id', clusterId, '--config', properties]
  const { code, stdout, stderr } = await run('java', [...javaOptions(jars), 'kafka.tools.StorageTool', ...args])
  if (code !== 0) throw new Error(`Kafka could not format its folder (exit ${code}):\n${stdout}${stderr}`)
}

async function launch(jars: string, properties: string, brokers: string): Promise<Child> {
  const server = startChild('java', [...javaOptions(jars), 'kafka.Kafka', properties])
  // No retries of its own: `waitFor` does the asking again.
  const admin = client(brokers, 0).admin()
  try {
    await waitFor(
      'Kafka to answer',
      async () => {
        await admin.connect()
        return (await admin.describeCluster()).brokers.length > 0
      },
      {
        timeoutMs: 90_000,
        everyMs: 100,
        failed: () => (server.ended() ? `it ended:\n${server.output().slice(-3_000)}` : null),
      },
    )
  } catch (error) {
    await server.kill()
    throw error
  } finally {
    await admin.disconnect()
  }
  return server
}

function javaOptions(jars: string): string[] {
  return [
    '-Xmx400m',
    '-Xms64m',
    '-XX:+UseSerialGC',
    // Two cores are shared with the tests: a quick start counts for more than peak speed.
    '-XX:TieredStopAtLevel=1',
    '-XX:-UsePerfData',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dlog4j2.level=WARN',
    '-cp',
    join(jars, '*'),
  ]
}

/** A quiet client for arranging things. */
function client(brokers: string, retries = 10): Client {
  return new Client({
    clientId: 'tests',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    retry: { retries, initialRetryTime: 50, maxRetryTime: 500 },
  })
}

/** Makes a topic and waits until its partitions have leaders. */
export async function createTopic(
  brokers: string,
  topic: string,
  partitions = 1,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = client(brokers).admin()
  await admin.connect()
  try {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }]
    // The client gives up on a broker that does not know the new topic yet; `waitFor` asks again.
    await admin.createTopics({ topics, waitForLeaders: false })
    await waitFor(`leaders of ${topic}`, async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const found = topics[0]?.partitions ?? []
      return found.length === partitions && found.every((partition) => partition.leader >= 0)
    })
  } finally {
    await admin.disconnect()
  }
}

/** Deletes a topic and waits until its name is free. */
export async function deleteTopic(brokers: string, topic: string): Promise<void> {
  const admin = client(brokers).admin()
  await admin.connect()
  try {
    await admin.deleteTopics({ topics: [topic] })
    await waitFor(`${topic} to be gone`, async () => !(await admin.listTopics()).includes(topic))
  } finally {
    await admin.disconnect()
  }
}

/** A topic name that no other test uses. */
export function topicName(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`
}

/** Produces values to one partition, uncompressed, a few thousand a request. */
export async function produce(
  brokers: string,
  topic: string,
  values: readonly (Uint8Array | string | null)[],
  { partition = 0, batch = 2_000 }: { partition?: number; batch?: number } = {},
): Promise<void> {
  const producer = client(brokers).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    for (let at = 0; at < values.length; at += batch) {
      const messages = values.slice(at, at + batch).map((value) => ({
        partition,
        value: value === null || typeof value === 'string' ? value : Buffer.from(value),
      }))
      await producer.send({ topic, messages, acks: -1 })
    }
  } finally {
    await producer.disconnect()
  }
}

/** The committed offset and metadata of a group per partition, as the broker has them; offset -1 where there is none. */
export async function committed(
  brokers: string,
  group: string,
  topic: string,
): Promise<readonly { partition: number; offset: number; metadata: string | null }[]> {
  const admin = client(brokers).admin()
  await admin.connect()
  try {
    // The first question about any group makes the broker create and load its offsets topic, and refuse meanwhile.
    const [answer] = await waitFor('the group coordinator', () =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    )
    return (answer?.partitions ?? [])
      .map(({ partition, offset, metadata }) => ({ partition, offset: Number(offset), metadata }))
      .sort((a, b) => a.partition - b.partition)
  } finally {
    await admin.disconnect()
  }
}
