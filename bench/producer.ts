import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const produceKey = 0
/** The oldest one for batches of magic 2, which all brokers know. */
const produceVersion = 3
const timeoutMs = 30_000
/** Requests that may wait for their answers. */
const inFlight = 4

/** A batch and where it belongs. */
export interface Load {
  readonly partition: number
  readonly batch: Buffer
}

/**
 * Sends record batches that are encoded already to the one broker there is: a client that encodes message by message
 * would be slower than what is to be measured. The batches may change once `send` has resolved.
 */
export class BatchProducer {
  readonly #socket: Socket
  readonly #topic: string
  readonly #waiting = new Map<number, (error: number) => void>()
  #correlation = 0
  #received: Buffer = Buffer.alloc(0)
  #failure: Error | null = null

  private constructor(socket: Socket, topic: string) {
    this.#socket = socket
    this.#topic = topic
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the broker has closed the connection')))
  }

  static async open(brokers: string, topic: string): Promise<BatchProducer> {
    const [host, port] = brokers.split(':')
    const socket = connect(Number(port), host)
    socket.setNoDelay(true)
    await once(socket, 'connect')
    return new BatchProducer(socket, topic)
  }

  /** Hands the batches over, in one request. Resolves when another request may be sent, not when they are stored. */
  async send(loads: readonly Load[]): Promise<void> {
    while (this.#waiting.size >= inFlight) await this.#answered()
    if (this.#failure !== null) throw this.#failure
    const correlation = this.#correlation++
    this.#waiting.set(correlation, (error) => {
      if (error !== 0) this.#fail(new Error(`the broker refused a batch with error ${error}`))
    })
    // The kernel, or this copy, has the bytes when the templates are used again.
    if (!this.#socket.write(request(this.#topic, correlation, loads))) await once(this.#socket, 'drain')
  }

  /** Resolves once the broker has everything. */
  async flushed(): Promise<void> {
    while (this.#waiting.size > 0 && this.#failure === null) await this.#answered()
    if (this.#failure !== null) throw this.#failure
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => this.#socket.once('data', () => resolve()))
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
      const size = this.#received.readInt32BE(0)
      const answer = this.#received.subarray(4, 4 + size)
      this.#received = this.#received.subarray(4 + size)
      const correlation = answer.readInt32BE(0)
      this.#waiting.get(correlation)?.(errorIn(answer))
      this.#waiting.delete(correlation)
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#waiting.clear()
    this.#socket.emit('data', Buffer.alloc(0))
  }
}

/** Source: Apache Kafka, "Protocol guide", Produce request of version 3. */
function request(topic: string, correlation: number, loads: readonly Load[]): Buffer {
  const name = Buffer.from(topic)
  const head = Buffer.alloc(32 + name.length)
  let at = 4
  at = head.writeInt16BE(produceKey, at)
  at = head.writeInt16BE(produceVersion, at)
  at = head.writeInt32BE(correlation, at)
  // Neither a client id nor a transaction.
  at = head.writeInt16BE(-1, at)
  at = head.writeInt16BE(-1, at)
  // Acknowledged by the leader.
  at = head.writeInt16BE(1, at)
  at = head.writeInt32BE(timeoutMs, at)
  at = head.writeInt32BE(1, at)
  at = head.writeInt16BE(name.length, at)
  at += name.copy(head, at)
  head.writeInt32BE(loads.length, at)
  const parts: Buffer[] = [head]
  for (const { partition, batch } of loads) {
    const place = Buffer.alloc(8)
    place.writeInt32BE(partition, 0)
    place.writeInt32BE(batch.length, 4)
    parts.push(place, batch)
  }
  const whole = Buffer.concat(parts)
  whole.writeInt32BE(whole.length - 4, 0)
  return whole
}

/** The first error code of an answer; 0 when there is none. */
function errorIn(answer: Buffer): number {
  let at = 8
  at += 2 + answer.readInt16BE(at)
  const partitions = answer.readInt32BE(at)
  at += 4
  for (let i = 0; i < partitions; i++, at += 22) {
    const error = answer.readInt16BE(at + 4)
    if (error !== 0) return error
  }
  return 0
}
