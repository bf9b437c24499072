import { connect, type Socket } from 'node:net'
import { answerSlabs } from './kafka-slabs.ts'

/*
 * Sockets that read answers of Kafka into the place where they stay. A socket gives its bytes in chunks of 64 KiB, and
 * joining those to an answer of 8 MiB costs as much again as receiving it. That place is lent by `answerSlabs`.
 */

const keepAliveMs = 60_000
/** No answer is so large: a fetch asks for 8 MiB, and a single batch that is larger comes whole. */
const largestAnswerBytes = 256 * 1024 * 1024
const lengthBytes = 4

/** Makes sockets as kafkajs asks for them; an answer is told whole, with the length that it begins with. */
export function answeringSockets(onAnswer: (answer: Buffer) => void) {
  return ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }): Socket => {
    const frame = new AnswerFrame(onAnswer)
    const callback = (bytes: number): boolean => {
      if (!frame.filled(bytes)) socket.destroy(new Error('an answer that cannot be one of Kafka'))
      return true
    }
    const socket = connect({ host, port, onread: { buffer: () => frame.room, callback } }, onConnect)
    socket.setKeepAlive(true, keepAliveMs)
    return socket
  }
}

/** Where the next bytes of a connection go. */
export class AnswerFrame {
  readonly #onAnswer: (answer: Buffer) => void
  readonly #length = Buffer.alloc(lengthBytes)
  /** Null until the length is known. */
  #answer: Buffer | null = null
  #have = 0

  constructor(onAnswer: (answer: Buffer) => void) {
    this.#onAnswer = onAnswer
  }

  /** Never empty. Bytes are put to its beginning. */
  get room(): Buffer {
    return (this.#answer ?? this.#length).subarray(this.#have)
  }

  /** So many bytes have come into the room; false where they can be no answer. */
  filled(bytes: number): boolean {
    this.#have += bytes
    if (this.#answer === null && this.#have === lengthBytes) {
      const length = this.#length.readInt32BE()
      if (length < 0 || length > largestAnswerBytes) return false
      this.#answer = answerSlabs.lend(lengthBytes + length)
      this.#length.copy(this.#answer)
    }
    if (this.#answer !== null && this.#have === this.#answer.length) {
      const answer = this.#answer
      this.#answer = null
      this.#have = 0
      this.#onAnswer(answer)
    }
    return true
  }
}
