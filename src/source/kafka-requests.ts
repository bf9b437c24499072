import protocolOf from 'kafkajs/src/consumer/assignerProtocol.js'
import Decoder from 'kafkajs/src/protocol/decoder.js'
import Encoder from 'kafkajs/src/protocol/encoder.js'
import errors from 'kafkajs/src/protocol/error.js'
import apiKeys from 'kafkajs/src/protocol/requests/apiKeys.js'
import protocol, { type KafkaCall } from 'kafkajs/src/protocol/requests/index.js'
import { Fault } from '../fault/fault.ts'

/*
 * How requests to Kafka and their answers are written, as far as kafkajs does not do it or not as we need it: metadata with
 * the ids of topics, and fetches whose records are left as they are.
 */

/** A broker as the cluster names it. */
export interface Node {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface TopicMetadata {
  readonly error: number
  readonly name: string
  /** Null when the broker is older than 2.8. */
  readonly id: string | null
  readonly partitions: readonly { readonly partition: number; readonly leader: number }[]
}

export interface Metadata {
  readonly clusterId: string
  readonly nodes: readonly Node[]
  readonly topics: readonly TopicMetadata[]
}

export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  readonly error: number
  readonly high: number
  readonly aborted: readonly { readonly producerId: bigint; readonly first: number }[]
  readonly records: Buffer
}

/** What one fetch asks of the leader of several partitions. */
export interface FetchRequest {
  readonly maxWaitMs: number
  readonly maxBytes: number
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly maxBytes: number
  }[]
}

/** By request, the versions that a broker knows. */
export type Versions = Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>>

/** The first version of the metadata that names topics by id. */
const metadataWithIds = 10
const noId = '00000000-0000-0000-0000-000000000000'

/** The error that Kafka means by a code. */
export function kafkaError(code: number): Error & { type: string } {
  return errors.createErrorFromCode(code)
}

/** Coding of what the members of a group tell each other; the same as the Java client's. */
export const { MemberMetadata, MemberAssignment } = protocolOf

export function apiKey(name: string): number {
  const key = apiKeys[name]
  if (key === undefined) throw new Error(`Kafka has no request ${name}`)
  return key
}

export function callOf(versions: Versions, name: string, fields: Record<string, unknown>): KafkaCall<unknown> {
  const definition = protocol.requests[name]
  const known = versions[apiKey(name)]
  if (definition === undefined || known === undefined) {
    throw new Fault('kafka-refused', `the broker does not know the request ${name}`, { retryable: false })
  }
  const version = Math.min(Math.max(...definition.versions.map(Number)), known.maxVersion)
  return definition.protocol({ version })(fields)
}

/** Asked before the versions are known, so in the oldest form, which every broker has. */
export function apiVersionsCall(): KafkaCall<unknown> {
  const definition = protocol.requests['ApiVersions']
  if (definition === undefined) throw new Error('the client can ask for versions')
  return definition.protocol({ version: 0 })({})
}

/** Asks how the cluster stands, with the ids of topics where the broker knows them. */
export function metadataCallOf(versions: Versions, topics: readonly string[]): KafkaCall<Metadata> {
  if ((versions[apiKey('Metadata')]?.maxVersion ?? 0) >= metadataWithIds) return metadataCall(topics)
  const call = callOf(versions, 'Metadata', { topics, allowAutoTopicCreation: false })
  return { ...call, response: { ...call.response, parse: async (decoded) => oldMetadata(decoded) } }
}

/** Fetches partitions of one leader, in this order and committed records only. */
export function fetchCallOf(versions: Versions, request: FetchRequest): KafkaCall<readonly FetchedPartition[]> {
  const topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[] = []
  for (const { topic, partition, offset, maxBytes } of request.partitions) {
    // A topic is named again when another stands between, as the Java client does it, for the order is that of the answer.
    if (topics.at(-1)?.topic !== topic) topics.push({ topic, partitions: [] })
    topics.at(-1)?.partitions.push({ partition, fetchOffset: String(offset), maxBytes })
  }
  const call = callOf(versions, 'Fetch', {
    isolationLevel: 1,
    maxWaitTime: request.maxWaitMs,
    minBytes: 1,
    maxBytes: request.maxBytes,
    topics,
  })
  const response = {
    decode: async (bytes: Buffer) => decodeFetch(new Decoder(bytes), call.request.apiVersion),
    parse: async (decoded: unknown) => decoded as readonly FetchedPartition[],
  }
  return { ...call, response }
}

/** Metadata version 10, whose header and fields are of the flexible kind: lengths are varints, and tags follow. */
function metadataCall(topics: readonly string[]): KafkaCall<Metadata> {
  const encode = async (): Promise<Encoder> => {
    // The client writes the header of old requests; the tags of the new one stand between it and the body.
    const body = new Encoder().writeUVarInt(0).writeUVarInt(topics.length + 1)
    for (const topic of topics) {
      body.writeBufferInternal(Buffer.alloc(16))
      body.writeUVarIntString(topic).writeUVarInt(0)
    }
    // Creates no topic, asks for nobody's rights.
    return body.writeBoolean(false).writeBoolean(false).writeBoolean(false).writeUVarInt(0)
  }
  return {
    request: { apiKey: apiKey('Metadata'), apiVersion: metadataWithIds, apiName: 'Metadata', encode },
    response: {
      decode: async (bytes) => decodeMetadata(new Decoder(bytes)),
      parse: async (decoded) => decoded as Metadata,
    },
  }
}

function decodeMetadata(decoder: Decoder): Metadata {
  decoder.readTaggedFields()
  decoder.readInt32()
  const nodes = decoder.readUVarIntArray((d) => {
    const node = { id: d.readInt32(), host: d.readUVarIntString() ?? '', port: d.readInt32() }
    d.readUVarIntString()
    d.readTaggedFields()
    return node
  })
  const clusterId = decoder.readUVarIntString() ?? ''
  decoder.readInt32()
  const topics = decoder.readUVarIntArray((d) => {
    const error = d.readInt16()
    const name = d.readUVarIntString() ?? ''
    const id = uuidOf(d.readBytes(16) ?? Buffer.alloc(16))
    d.readBoolean()
    const partitions = d.readUVarIntArray(decodePartition) ?? []
    d.readInt32()
    d.readTaggedFields()
    return { error, name, id: id === noId ? null : id, partitions }
  })
  return { clusterId, nodes: nodes ?? [], topics: topics ?? [] }
}

function decodePartition(decoder: Decoder): { partition: number; leader: number } {
  decoder.readInt16()
  const partition = decoder.readInt32()
  const leader = decoder.readInt32()
  decoder.readInt32()
  for (let list = 0; list < 3; list++) decoder.readUVarIntArray((d) => d.readInt32())
  decoder.readTaggedFields()
  return { partition, leader }
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

function oldMetadata(decoded: unknown): Metadata {
  const { clusterId, brokers, topicMetadata } = decoded as {
    clusterId: string | null
    brokers: { nodeId: number; host: string; port: number }[]
    topicMetadata: {
      topicErrorCode: number
      topic: string
      partitionMetadata: { partitionId: number; leader: number }[]
    }[]
  }
  return {
    clusterId: clusterId ?? '',
    nodes: brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
    topics: topicMetadata.map(({ topicErrorCode, topic, partitionMetadata }) => ({
      error: topicErrorCode,
      name: topic,
      id: null,
      partitions: partitionMetadata.map(({ partitionId, leader }) => ({ partition: partitionId, leader })),
    })),
  }
}

/** The answer to a fetch. Source of the fields by version: the protocol guide of Apache Kafka, "Fetch API". */
function decodeFetch(decoder: Decoder, version: number): readonly FetchedPartition[] {
  decoder.readInt32()
  if (version >= 7) {
    const error = decoder.readInt16()
    decoder.readInt32()
    if (error !== 0) throw kafkaError(error)
  }
  const answers = decoder.readArray((d) => {
    const topic = d.readString() ?? ''
    return d.readArray((one): FetchedPartition => {
      const partition = one.readInt32()
      const error = one.readInt16()
      const high = Number(one.readInt64())
      one.readInt64()
      if (version >= 5) one.readInt64()
      const aborted = one.readArray((a) => ({ producerId: BigInt(`${a.readInt64()}`), first: Number(a.readInt64()) }))
      if (version >= 11) one.readInt32()
      return { topic, partition, error, high, aborted, records: one.readBytes() ?? Buffer.alloc(0) }
    })
  })
  return answers.flat()
}
