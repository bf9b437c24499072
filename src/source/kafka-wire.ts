import loggers from 'kafkajs/src/loggers/index.js'
import Connection from 'kafkajs/src/network/connection.js'
import socketFactory from 'kafkajs/src/network/socketFactory.js'
import type { KafkaCall } from 'kafkajs/src/protocol/requests/index.js'
import { Fault } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import {
  apiKey,
  apiVersionsCall,
  callOf,
  type FetchedPartition,
  type FetchRequest,
  fetchCallOf,
  type Metadata,
  metadataCallOf,
  type Node,
  type Versions,
} from './kafka-requests.ts'
import { securityOf } from './kafka-security.ts'
import { answeringSockets } from './kafka-socket.ts'
import type { KafkaOptions } from './options.ts'

/*
 * Kafka's wire, taken from inside kafkajs: its connections with TLS and SASL, and its coding of requests. Its consumer is
 * not used. It chooses offsets by itself, joins a new generation before what was read has been written, cannot tell a
 * topic that was made anew, and dies of a batch it cannot decompress. The package is frozen and names its inner files, so
 * they can be relied on; this is the one file that does.
 */

/** Questions of one kind must not wait behind those of another: a broker answers a connection's requests one by one. */
export type Purpose = 'questions' | 'fetches' | 'group'

const connectionTimeoutMs = 5_000
const requestTimeoutMs = 30_000

/** Connections to the brokers of one cluster, made when they are needed and made again when they broke. */
export class KafkaWire {
  readonly #seeds: readonly { host: string; port: number }[]
  readonly #connectionOptions: Record<string, unknown>
  readonly #connections = new Map<string, Promise<Connected>>()
  #nodes = new Map<number, Node>()
  #seed = 0
  #isClosed = false

  constructor(options: KafkaOptions, log: Log) {
    this.#seeds = options.brokers.map(addressOf)
    const { ssl = null, sasl = null } = securityOf(options)
    const logCreator =
      () =>
      (entry: { log: { message: string } }): void =>
        log.debug(`kafka client: ${entry.log.message}`)
    this.#connectionOptions = {
      logger: loggers.createLogger({ level: loggers.LEVELS.WARN, logCreator }),
      clientId: options.client_id,
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ssl: ssl === true ? {} : ssl,
      sasl,
    }
  }

  /** Asks a broker; null means any. Errors of Kafka have its name for them as `type`. */
  async ask<Answer>(node: Node | null, purpose: Purpose, name: string, fields: Record<string, unknown>) {
    const { connection, versions } = await this.#connected(node, purpose)
    const call = callOf(versions, name, fields) as KafkaCall<Answer>
    return this.#send(connection, { ...call, logResponseError: false })
  }

  /** How the cluster stands; topics it does not know have an error. */
  async metadata(topics: readonly string[]): Promise<Metadata> {
    const { connection, versions } = await this.#connected(null, 'questions')
    const metadata = await this.#send(connection, metadataCallOf(versions, topics))
    this.#nodes = new Map(metadata.nodes.map((node) => [node.id, node]))
    return metadata
  }

  node(id: number): Node | null {
    return this.#nodes.get(id) ?? null
  }

  /** One fetch of several partitions from their leader; records are left as they are. */
  async fetch(node: Node, request: FetchRequest): Promise<readonly FetchedPartition[]> {
    const { connection, versions } = await this.#connected(node, 'fetches')
    return this.#send(connection, { ...fetchCallOf(versions, request), logResponseError: false })
  }

  /** Breaks all connections; requests under way fail. They are made again when the next question comes. */
  async reset(): Promise<void> {
    const open = [...this.#connections.values()]
    this.#connections.clear()
    await Promise.all(
      open.map(async (connecting) => {
        const connected = await connecting.catch(() => null)
        if (connected !== null) await hangUp(connected.connection)
      }),
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.reset()
  }

  async #send<Answer>(connection: Connection, call: KafkaCall<Answer>): Promise<Answer> {
    try {
      return await connection.send(call)
    } catch (error) {
      // An answer that comes late would be taken for a strange one, and a broker that hangs goes on hanging.
      if ((error as Error).name === 'KafkaJSRequestTimeoutError') await hangUp(connection)
      throw error
    }
  }

  async #connected(node: Node | null, purpose: Purpose): Promise<Connected> {
    if (this.#isClosed) throw new Fault('kafka-unreachable', 'the connections were closed', { retryable: false })
    const key = node === null ? `any ${purpose}` : `${node.host}:${node.port} ${purpose}`
    const known = this.#connections.get(key)
    if (known !== undefined) {
      const connected = await known.catch(() => null)
      if (connected?.connection.isConnected()) return connected
      if (this.#connections.get(key) === known) this.#connections.delete(key)
      return this.#connected(node, purpose)
    }
    const connecting = node === null ? this.#connectAny() : this.#connect(node)
    this.#connections.set(key, connecting)
    connecting.catch(() => this.#connections.delete(key))
    return connecting
  }

  /** Tries every broker that is known, those of the settings first, and begins with another each time. */
  async #connectAny(): Promise<Connected> {
    const places = [...this.#seeds, ...this.#nodes.values()]
    let problem: unknown = null
    for (let tries = 0; tries < places.length; tries++) {
      const place = places[this.#seed++ % places.length]
      if (place === undefined) break
      try {
        return await this.#connect(place)
      } catch (error) {
        problem = error
      }
    }
    throw problem
  }

  async #connect({ host, port }: { host: string; port: number }): Promise<Connected> {
    const isPlain = this.#connectionOptions['ssl'] === null
    const sockets = isPlain ? answeringSockets((answer) => hear(connection, answer)) : socketFactory()
    const connection = new Connection({ ...this.#connectionOptions, socketFactory: sockets, host, port })
    try {
      await connection.connect()
      const answer = (await connection.send({ ...apiVersionsCall(), requestTimeout: connectionTimeoutMs })) as {
        apiVersions: ({ apiKey: number } & Versions[0])[]
      }
      const versions: Versions = Object.fromEntries(answer.apiVersions.map((one) => [one.apiKey, one]))
      connection.setVersions(versions)
      connection.setSupportAuthenticationProtocol(versions[apiKey('SaslAuthenticate')] !== undefined)
      await connection.authenticate()
      return { connection, versions }
    } catch (error) {
      await hangUp(connection)
      throw error
    }
  }
}

interface Connected {
  readonly connection: Connection
  readonly versions: Versions
}

/** Kafka's name for what went wrong, or that of the client for its own troubles. */
export function errorType(error: unknown): string {
  const { type, name, cause } = (error ?? {}) as { type?: unknown; name?: unknown; cause?: unknown }
  if (typeof type === 'string') return type
  if (error instanceof Fault && cause !== undefined) return errorType(cause)
  return typeof name === 'string' ? name : 'unknown'
}

/** Whole answers come one at a time, so nothing is left that the client would have to copy them together with. */
function hear(connection: Connection, answer: Buffer): void {
  connection.chunks = []
  connection.processData(answer)
}

async function hangUp(connection: Connection): Promise<void> {
  connection.rejectRequests(new Fault('kafka-unreachable', 'the connection was closed', { retryable: true }))
  await connection.disconnect().catch(() => undefined)
}

function addressOf(broker: string): { host: string; port: number } {
  const colon = broker.lastIndexOf(':')
  if (colon < 0) return { host: broker, port: 9092 }
  return { host: broker.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(broker.slice(colon + 1)) }
}
