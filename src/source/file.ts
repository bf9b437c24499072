import { createReadStream, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { type FileBook, identify } from './file-identity.ts'
import { LedgerLane } from './ledger-lane.ts'
import { LineCutter } from './lines.ts'
import type { Batch, BatchConsumer, Source } from './source.ts'

const pollMs = 250
/** Lines are counted so many bytes at a time: few calls, and the process is not kept from anything else for long. */
const chunkBytes = 1024 * 1024

/**
 * Reads files line by line; offsets are bytes. The ledger knows a file by its beginning, so reading the same file again
 * goes on where it ended. With `follow` it waits at the end for more, and reads on in the new file after a rotation.
 */
export class FileSource implements Source {
  readonly #paths: readonly string[]
  readonly #follow: boolean
  readonly #keepBytes: number
  readonly #book: FileBook
  readonly #clock: Clock
  readonly #log: Log
  readonly #stop = new AbortController()
  readonly #onProgress: (path: string, bytes: number) => void
  #reading: Promise<void> = Promise.resolve()
  #problem: string | null = null

  constructor(options: {
    paths: readonly string[]
    follow: boolean
    /** Longest line kept whole. */
    keepBytes: number
    book: FileBook
    clock: Clock
    log: Log
    onProgress?: (path: string, bytes: number) => void
  }) {
    this.#paths = options.paths
    this.#follow = options.follow
    this.#keepBytes = options.keepBytes
    this.#book = options.book
    this.#clock = options.clock
    this.#log = options.log
    this.#onProgress = options.onProgress ?? (() => {})
  }

  problems(): readonly string[] {
    return this.#problem === null ? [] : [this.#problem]
  }

  async start(openConsumer: () => BatchConsumer): Promise<void> {
    if (!this.#follow) for (const path of this.#paths) requireReadable(path)
    this.#reading = this.#readAll(openConsumer).catch((error: unknown) => {
      this.#problem = messageOf(error)
      this.#log.error(`files: ${this.#problem}`)
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#reading
  }

  async close(): Promise<void> {
    await this.stop()
  }

  /** Resolves when every file has been read to its end and landed; never while following. */
  finished(): Promise<void> {
    return this.#reading
  }

  async #readAll(openConsumer: () => BatchConsumer): Promise<void> {
    if (this.#follow) {
      await Promise.all(this.#paths.map((path) => this.#followPath(openConsumer(), path)))
      return
    }
    for (const path of this.#paths) {
      if (!this.#stop.signal.aborted) await this.#readOnce(openConsumer(), path)
    }
  }

  async #readOnce(consumer: BatchConsumer, path: string): Promise<void> {
    const lane = await this.#open(path, () => openContent(path, 0))
    const [position = 0] = await consumer.assigned([lane])
    const reader = new LaneReader(consumer, lane, new LineCutter(position, this.#keepBytes))
    await reader.read(openContent(path, position), this.#stop.signal, (bytes) => this.#onProgress(path, bytes))
    if (this.#stop.signal.aborted) return
    await reader.finish()
    lane.setLag(0)
    await consumer.ended(lane)
  }

  async #followPath(consumer: BatchConsumer, path: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const file = await this.#awaitFile(path)
      if (file === null) return
      try {
        const lane = await this.#open(path, () => contentOf(file, 0))
        const [position = 0] = await consumer.assigned([lane])
        const reader = new LaneReader(consumer, lane, new LineCutter(position, this.#keepBytes))
        await this.#followFile({ path, file, lane, reader })
        if (this.#stop.signal.aborted) return
        await reader.finish()
        await consumer.ended(lane)
        this.#log.info(`${path} was rotated, reading on in the new file`)
      } finally {
        await file.close()
      }
    }
  }

  /** Reads until the path names another file, or this one was cut, and nothing is left in it. */
  async #followFile(one: { path: string; file: FileHandle; lane: LedgerLane; reader: LaneReader }): Promise<void> {
    const { path, file, lane, reader } = one
    const { ino } = await file.stat()
    while (!this.#stop.signal.aborted) {
      // Looked at before the read: what is written between the two still belongs to this file.
      const there = statOrNull(path)
      const before = reader.readTo
      await reader.read(contentOf(file, reader.readTo), this.#stop.signal)
      const progressed = reader.readTo !== before
      lane.setLag(progressed ? null : 0)
      if (progressed) continue
      if (there === null || there.ino !== ino || there.size < reader.readTo) return
      await this.#clock.sleep(pollMs, this.#stop.signal)
    }
  }

  /** Opens the file once it is there and has something in it; null when stopped before. */
  async #awaitFile(path: string): Promise<FileHandle | null> {
    while (!this.#stop.signal.aborted) {
      const found = statOrNull(path)
      this.#problem = found === null ? `${path} does not exist yet` : null
      if (found !== null && found.size > 0) return open(path, 'r')
      await this.#clock.sleep(pollMs, this.#stop.signal)
    }
    return null
  }

  async #open(path: string, read: () => Readable): Promise<LedgerLane> {
    const identity = await identify(read, this.#book)
    return new LedgerLane({ source: `file:${identity}`, label: basename(path) })
  }
}

/** Feeds the lines of one lane to the consumer. */
export class LaneReader {
  /** Offset after the last byte read, complete line or not. */
  readTo: number
  readonly #consumer: BatchConsumer
  readonly #lane: LedgerLane
  readonly #cutter: LineCutter

  constructor(consumer: BatchConsumer, lane: LedgerLane, cutter: LineCutter) {
    this.#consumer = consumer
    this.#lane = lane
    this.#cutter = cutter
    this.readTo = cutter.position
  }

  async read(stream: Readable, signal: AbortSignal, onProgress?: (bytes: number) => void): Promise<void> {
    try {
      for await (const chunk of stream) {
        await this.#lane.ready(signal)
        if (signal.aborted) return
        this.readTo += (chunk as Buffer).length
        await this.#hand(this.#cutter.push(chunk as Buffer))
        onProgress?.((chunk as Buffer).length)
      }
    } finally {
      stream.destroy()
    }
  }

  /** Hands over a last line that has no newline. */
  async finish(): Promise<void> {
    await this.#hand(this.#cutter.end())
  }

  async #hand(batches: readonly Batch[]): Promise<void> {
    for (const batch of batches) await this.#consumer.take(this.#lane, batch)
  }
}

/** An open file stays the same file also after its name was given to another. */
function contentOf(file: FileHandle, from: number): Readable {
  return Readable.from(chunksOf(file, from))
}

async function* chunksOf(file: FileHandle, from: number): AsyncGenerator<Buffer> {
  for (let at = from; ; ) {
    // Nothing is set aside for what is not there: while following there is nearly always nothing.
    const there = Math.min(chunkBytes, (await file.stat()).size - at)
    if (there <= 0) return
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(there), 0, there, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

function openContent(path: string, from: number): Readable {
  if (!path.endsWith('.gz')) return createReadStream(path, { start: from, highWaterMark: chunkBytes })
  const gunzip = createReadStream(path, { highWaterMark: chunkBytes / 4 }).pipe(createGunzip({ chunkSize: chunkBytes }))
  return from === 0 ? gunzip : skipping(gunzip, from)
}

/** Positions in a compressed file count unpacked bytes, so what has landed is unpacked again and left out. */
function skipping(stream: Readable, bytes: number): Readable {
  let left = bytes
  return stream.map((chunk: Buffer) => {
    const rest = chunk.subarray(Math.min(left, chunk.length))
    left -= chunk.length - rest.length
    return rest
  })
}

function requireReadable(path: string): void {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a file')
    createReadStream(path)
      .on('error', () => undefined)
      .destroy()
  } catch (error) {
    throw new Fault('file-unreadable', `${path} cannot be read: ${messageOf(error)}`, {
      retryable: false,
      cause: error,
    })
  }
}

function statOrNull(path: string): { ino: number; size: number } | null {
  try {
    return statSync(path)
  } catch {
    return null
  }
}
