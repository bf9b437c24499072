import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { LaneReader } from './file.ts'
import { LedgerLane } from './ledger-lane.ts'
import { LineCutter } from './lines.ts'
import type { BatchConsumer, Source } from './source.ts'

const segmentBytes = 64 * 1024 * 1024
/** Bytes on disk that history has not taken yet, beyond which pushes are refused. */
const backlogBytes = 1024 * 1024 * 1024
const chunkBytes = 256 * 1024

/**
 * Takes what is pushed over HTTP. A push is acknowledged once it is on disk in the spool; from there it is read like a
 * file, exactly once. A segment's `.commit` file holds the length that was acknowledged: after a crash what lies beyond
 * it was never promised to anyone and is cut off.
 */
export class PushSource implements Source {
  readonly #directory: string
  readonly #keepBytes: number
  readonly #clock: Clock
  readonly #log: Log
  readonly #segments = new Map<string, Segment>()
  readonly #old = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #open: (() => BatchConsumer) | null = null
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: { directory: string; keepBytes: number; clock: Clock; log: Log }) {
    this.#directory = options.directory
    this.#keepBytes = options.keepBytes
    this.#clock = options.clock
    this.#log = options.log
  }

  problems(): readonly string[] {
    return []
  }

  /** Opens the spool and reads on where the last run ended. */
  async start(openConsumer: () => BatchConsumer): Promise<void> {
    this.#open = openConsumer
    await mkdir(this.#directory, { recursive: true })
    for (const name of (await readdir(this.#directory)).sort()) {
      const match = /^([a-z-]+)\.([a-z0-9]+)\.ndjson$/.exec(name)
      if (match === null) continue
      const segment = await this.#openSegment(match[1] ?? 'auto', match[2] ?? '')
      this.#retire(segment)
    }
  }

  /**
   * Stores the lines of one push.
   *
   * @param body lines separated by newlines; one is added at the end if it is missing
   * @throws Fault `store-busy` when too much waits to be written to history
   */
  push(format: string, body: Buffer): Promise<void> {
    const turn = this.#turn.then(() => this.#store(format, body))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#turn
    await Promise.all([...this.#segments.values()].map((segment) => segment.stopped))
    await Promise.all(this.#old)
  }

  async close(): Promise<void> {
    await this.stop()
    for (const segment of this.#segments.values()) await segment.close()
  }

  async #store(format: string, body: Buffer): Promise<void> {
    if (this.#stop.signal.aborted) throw new Fault('store-busy', 'the daemon is shutting down', { retryable: true })
    let segment = this.#segments.get(format)
    if (segment === undefined || segment.length > segmentBytes) {
      if (segment !== undefined) this.#retire(segment)
      segment = await this.#openSegment(format, this.#clock.now().toString(36))
      this.#segments.set(format, segment)
    }
    if (segment.behind > backlogBytes) {
      throw new Fault(
        'store-busy',
        'history has fallen behind: too much of what was pushed still waits to be written',
        {
          retryable: true,
        },
      )
    }
    await segment.append(body.at(-1) === 0x0a ? body : Buffer.concat([body, Buffer.from('\n')]))
  }

  async #openSegment(format: string, id: string): Promise<Segment> {
    if (this.#open === null) throw new Fault('store-busy', 'the daemon is starting', { retryable: true })
    const segment = await Segment.open(join(this.#directory, `${format}.${id}.ndjson`))
    const source = `push:${format}:${id}`
    segment.read({
      consumer: this.#open(),
      lane: new LedgerLane({ source, label: `push ${format}`, format: format === 'auto' ? null : format }),
      keepBytes: this.#keepBytes,
      signal: this.#stop.signal,
      log: this.#log,
    })
    return segment
  }

  /** Nothing more is added to a segment: it goes once all of it is in history. */
  #retire(segment: Segment): void {
    const gone = segment.finish().then(() => void this.#old.delete(gone))
    this.#old.add(gone)
  }
}

class Segment {
  readonly #path: string
  readonly #file: FileHandle
  readonly #commit: FileHandle
  length: number
  #readTo = 0
  #final = false
  #wake: () => void = () => {}
  stopped: Promise<void> = Promise.resolve()

  private constructor(path: string, file: FileHandle, commit: FileHandle, length: number) {
    this.#path = path
    this.#file = file
    this.#commit = commit
    this.length = length
  }

  static async open(path: string): Promise<Segment> {
    const file = await open(path, 'a+')
    const commit = await open(`${path}.commit`, 'a+').then(async (handle) => {
      await handle.close()
      return open(`${path}.commit`, 'r+')
    })
    const mark = Buffer.alloc(8)
    const { bytesRead } = await commit.read(mark, 0, 8, 0)
    const length = bytesRead === 8 ? Number(mark.readBigUInt64BE()) : 0
    await file.truncate(length)
    return new Segment(path, file, commit, length)
  }

  get behind(): number {
    return this.length - this.#readTo
  }

  async append(body: Buffer): Promise<void> {
    await this.#file.appendFile(body)
    await this.#file.datasync()
    const mark = Buffer.alloc(8)
    mark.writeBigUInt64BE(BigInt(this.length + body.length))
    await this.#commit.write(mark, 0, 8, 0)
    await this.#commit.datasync()
    this.length += body.length
    this.#wake()
  }

  read(options: { consumer: BatchConsumer; lane: LedgerLane; keepBytes: number; signal: AbortSignal; log: Log }): void {
    this.stopped = this.#readAll(options).catch((error: unknown) => {
      options.log.error(`${options.lane.label}: the spool cannot be read: ${messageOf(error)}`)
    })
  }

  async finish(): Promise<void> {
    this.#final = true
    this.#wake()
    await this.stopped
    await this.close()
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    await this.#commit.close().catch(() => undefined)
  }

  async #readAll({
    consumer,
    lane,
    keepBytes,
    signal,
  }: {
    consumer: BatchConsumer
    lane: LedgerLane
    keepBytes: number
    signal: AbortSignal
  }): Promise<void> {
    const [position = 0] = await consumer.assigned([lane])
    const reader = new LaneReader(consumer, lane, new LineCutter(position, keepBytes))
    this.#readTo = reader.readTo
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      if (reader.readTo < this.length) {
        lane.setLag(null)
        const range = { start: reader.readTo, end: this.length - 1, highWaterMark: chunkBytes }
        await reader.read(createReadStream(this.#path, range), signal)
        this.#readTo = reader.readTo
        continue
      }
      lane.setLag(0)
      if (this.#final) {
        await consumer.ended(lane)
        await rm(this.#path, { force: true })
        await rm(`${this.#path}.commit`, { force: true })
        return
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
