/*
 * The inner modules of kafkajs that kafka-wire.ts uses. The package is frozen at 2.2.4 and has no `exports` map, so they
 * can be named and will not move; it describes only its outer API in types.
 */

declare module 'kafkajs/src/network/connection.js' {
  import type { KafkaCall } from 'kafkajs/src/protocol/requests/index.js'

  /** One connection to one broker. */
  export default class Connection {
    constructor(options: Record<string, unknown>)
    /** What came and was not a whole answer yet. */
    chunks: Buffer[]
    /** Takes bytes that came. */
    processData(bytes: Buffer): void
    isConnected(): boolean
    connect(): Promise<unknown>
    setVersions(versions: unknown): void
    setSupportAuthenticationProtocol(isSupported: boolean): void
    authenticate(): Promise<void>
    send<Answer>(call: KafkaCall<Answer>): Promise<Answer>
    rejectRequests(error: Error): void
    disconnect(): Promise<unknown>
  }
}

declare module 'kafkajs/src/network/socketFactory.js' {
  export default function socketFactory(): unknown
}

declare module 'kafkajs/src/loggers/index.js' {
  interface Entry {
    readonly log: { readonly message: string }
  }
  const loggers: {
    createLogger(options: { level: number; logCreator: (level: number) => (entry: Entry) => void }): unknown
    LEVELS: { WARN: number }
  }
  export default loggers
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>
  export default apiKeys
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type Encoder from 'kafkajs/src/protocol/encoder.js'

  /** A request with what reads its answer: `decode` the bytes, `parse` looks for error codes. */
  export interface KafkaCall<Answer> {
    readonly request: {
      readonly apiKey: number
      readonly apiVersion: number
      readonly apiName: string
      encode(): Promise<Encoder>
    }
    readonly response: { decode(bytes: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<Answer> }
    readonly requestTimeout?: number
    readonly logResponseError?: boolean
  }
  interface Definition {
    readonly versions: readonly string[]
    protocol(of: { version: number }): (fields: Record<string, unknown>) => KafkaCall<unknown>
  }
  const protocol: { requests: Readonly<Record<string, Definition>> }
  export default protocol
}

declare module 'kafkajs/src/protocol/error.js' {
  const errors: { createErrorFromCode(code: number): Error & { type: string } }
  export default errors
}

declare module 'kafkajs/src/protocol/encoder.js' {
  export default class Encoder {
    readonly buffer: Buffer
    writeInt8(value: number): this
    writeInt16(value: number): this
    writeInt32(value: number): this
    writeBoolean(value: boolean): this
    writeUVarInt(value: number): this
    writeUVarIntString(value: string): this
    writeBufferInternal(value: Buffer): void
  }
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(bytes: Buffer)
    readInt16(): number
    readInt32(): number
    readInt64(): { toString(): string }
    readBoolean(): boolean
    readString(): string | null
    readBytes(length?: number): Buffer | null
    readArray<Item>(read: (decoder: Decoder) => Item): Item[]
    readUVarIntString(): string | null
    readUVarIntArray<Item>(read: (decoder: Decoder) => Item): Item[] | null
    readTaggedFields(): unknown
  }
}

declare module 'kafkajs/src/consumer/assignerProtocol.js' {
  const protocol: {
    MemberMetadata: {
      encode(of: { version: number; topics: readonly string[]; userData: Buffer }): Buffer
      decode(bytes: Buffer): { version: number; topics: string[]; userData: Buffer | null }
    }
    MemberAssignment: {
      encode(of: { version: number; assignment: Readonly<Record<string, readonly number[]>>; userData: Buffer }): Buffer
      decode(bytes: Buffer): { assignment: Record<string, number[]>; userData: Buffer | null } | null
    }
  }
  export default protocol
}
