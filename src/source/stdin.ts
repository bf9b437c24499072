import type { Readable } from 'node:stream'
import type { Clock } from '../time/clock.ts'
import { LaneReader } from './file.ts'
import { LedgerLane } from './ledger-lane.ts'
import { LineCutter } from './lines.ts'
import type { BatchConsumer, Source } from './source.ts'

/** Reads lines from standard input. They cannot be read a second time, so each run is an input of its own. */
export class StdinSource implements Source {
  readonly #stream: Readable
  readonly #keepBytes: number
  readonly #lane: LedgerLane
  readonly #stop = new AbortController()
  #reading: Promise<void> = Promise.resolve()

  constructor(stream: Readable, options: { keepBytes: number; clock: Clock }) {
    this.#stream = stream
    this.#keepBytes = options.keepBytes
    this.#lane = new LedgerLane({ source: `stdin:${options.clock.now()}`, label: 'stdin' })
  }

  problems(): readonly string[] {
    return []
  }

  async start(open: () => BatchConsumer): Promise<void> {
    const consumer = open()
    const [position = 0] = await consumer.assigned([this.#lane])
    const reader = new LaneReader(consumer, this.#lane, new LineCutter(position, this.#keepBytes))
    this.#reading = reader.read(this.#stream, this.#stop.signal).then(async () => {
      if (this.#stop.signal.aborted) return
      await reader.finish()
      this.#lane.setLag(0)
      await consumer.ended(this.#lane)
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#stream.destroy()
    await this.#reading.catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.stop()
  }
}
