import { Fault, messageOf } from '../fault/fault.ts'

/**
 * The lines of a byte stream without their line ends, as bytes: the decoder itself must see what is no UTF-8. A line
 * beyond the limit is cut one byte past it, enough for the decoder to refuse it and for memory to stay bounded.
 */
export async function* linesOf(
  chunks: AsyncIterable<unknown>,
  limit: number,
  file: string,
): AsyncGenerator<Uint8Array> {
  const pending = new PendingLine(limit)
  for await (const chunk of readable(chunks, file)) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield pending.end(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) pending.add(chunk.subarray(start))
  }
  if (pending.length > 0) yield pending.end(new Uint8Array(0))
}

async function* readable(chunks: AsyncIterable<unknown>, file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer)
  } catch (error) {
    const name = file === '-' ? 'the standard input' : file
    throw new Fault('file-unreadable', `${name} cannot be read: ${messageOf(error)}`, {
      retryable: false,
      cause: error,
    })
  }
}

class PendingLine {
  readonly #limit: number
  #pieces: Uint8Array[] = []
  length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(piece: Uint8Array): void {
    const room = this.#limit + 2 - this.length
    if (room <= 0) return
    const kept = piece.length > room ? piece.subarray(0, room) : piece
    this.#pieces.push(kept)
    this.length += kept.length
  }

  end(last: Uint8Array): Uint8Array {
    if (this.length > 0) {
      this.add(last)
      last = Buffer.concat(this.#pieces, this.length)
      this.#pieces = []
      this.length = 0
    }
    return last.at(-1) === 13 ? last.subarray(0, -1) : last
  }
}
