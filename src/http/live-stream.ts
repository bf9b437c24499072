import type { ServerResponse } from 'node:http'
import type { Log } from '../fault/log.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { securityHeaders } from './guard.ts'
import { Problem } from './problem.ts'

/** How often a reader hears of changes at most. */
const everyMs = 1_000
/** A line that says nothing, so that proxies and readers know the connection lives. */
const heartbeatMs = 15_000
/** A reader that takes nothing for so long is let go. */
const patienceMs = minuteMs
export const readerLimit = 500
export const readersPerCaller = 100

/** One kind of event that a reader wants to be told of. */
export interface Part {
  readonly event: string
  /** Readers of the same part share one computation. */
  readonly key: string
  /** The data as it is now, as one line of JSON, and what of it counts as a change. */
  readonly make: () => { readonly data: string; readonly essence: string }
}

interface Known {
  readonly data: string
  readonly essence: string
  readonly version: number
}

interface Reader {
  readonly caller: string
  readonly parts: readonly Part[]
  readonly response: ServerResponse
  /** The version of each event that was sent last. */
  readonly sent: Map<string, number>
  lastWriteMs: EpochMs
}

/**
 * Sends each reader the whole of what it asked for, at once and whenever that has changed, once a second at most. What a
 * slow reader could not take is not kept for it: it gets the newest state as soon as it can.
 */
export class LiveStream {
  readonly #clock: Clock
  readonly #log: Log
  readonly #readers = new Set<Reader>()
  /** By the key of the part; only those that somebody reads. */
  readonly #known = new Map<string, Known>()
  readonly #stop = new AbortController()
  #isRunning = false
  #versions = 0

  constructor(options: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = options.clock
    this.#log = options.log
  }

  get readers(): number {
    return this.#readers.size
  }

  /**
   * Makes room for one more reader.
   *
   * @returns what takes over its response
   * @throws Problem when there are too many
   */
  open(caller: string, parts: readonly Part[]): (response: ServerResponse) => void {
    const own = [...this.#readers].filter((reader) => reader.caller === caller).length
    if (own >= readersPerCaller || this.#readers.size >= readerLimit) {
      const detail = 'There are too many readers of the stream already; ask /api/v1/live now and then instead.'
      throw new Problem(own >= readersPerCaller ? 429 : 503, detail, { headers: { 'retry-after': '30' } })
    }
    return (response) => this.#attach({ caller, parts, response, sent: new Map(), lastWriteMs: this.#clock.now() })
  }

  /** Ends every stream; their readers come back when somebody listens again. */
  close(): void {
    this.#stop.abort()
    for (const { response } of this.#readers) response.end()
    this.#readers.clear()
  }

  #attach(reader: Reader): void {
    const { response, parts } = reader
    response.writeHead(200, {
      ...securityHeaders,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies of the nginx kind would hold it back until it ends.
      'x-accel-buffering': 'no',
    })
    response.write('retry: 2000\n\n')
    if (this.#stop.signal.aborted) {
      response.end()
      return
    }
    this.#readers.add(reader)
    response.on('close', () => this.#readers.delete(reader))
    response.on('error', () => this.#readers.delete(reader))
    for (const part of parts) if (!this.#known.has(part.key)) this.#make(part)
    this.#tell(reader)
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#readers.size > 0 && !this.#stop.signal.aborted) {
      await this.#clock.sleep(everyMs, this.#stop.signal)
      const parts = new Map<string, Part>()
      for (const reader of this.#readers) for (const part of reader.parts) parts.set(part.key, part)
      for (const key of this.#known.keys()) if (!parts.has(key)) this.#known.delete(key)
      for (const part of parts.values()) this.#make(part)
      for (const reader of this.#readers) this.#tell(reader)
    }
    this.#isRunning = false
    this.#known.clear()
  }

  #make(part: Part): void {
    try {
      const { data, essence } = part.make()
      if (this.#known.get(part.key)?.essence === essence) return
      this.#known.set(part.key, { data, essence, version: ++this.#versions })
    } catch (error) {
      this.#log.error(`the stream cannot tell of ${part.event}`, { error })
    }
  }

  #tell(reader: Reader): void {
    const { response, sent, parts } = reader
    const now = this.#clock.now()
    if (response.writableNeedDrain) {
      if (now - reader.lastWriteMs > patienceMs) response.destroy()
      return
    }
    for (const { event, key } of parts) {
      const known = this.#known.get(key)
      if (known === undefined || sent.get(event) === known.version) continue
      response.write(`event: ${event}\ndata: ${known.data}\n\n`)
      sent.set(event, known.version)
      reader.lastWriteMs = now
    }
    if (now - reader.lastWriteMs < heartbeatMs) return
    response.write(': still here\n\n')
    reader.lastWriteMs = now
  }
}
