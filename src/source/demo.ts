import type { Clock } from '../time/clock.ts'
import { demoTick } from './demo-traffic.ts'
import { LedgerLane } from './ledger-lane.ts'
import type { BatchConsumer, Source } from './source.ts'

const tickMs = 1_000
/** So much traffic is there already when the demo opens, so that the first look is not at an empty page. */
const prefaceTicks = 120

/**
 * Simulated gateway traffic: one value a second, in the layout of a Kong batch. An offset is the second it belongs to,
 * and the same second always gives the same records, so an interrupted write can be repeated like that of a real source.
 */
export class DemoSource implements Source {
  readonly #seed: number
  readonly #clock: Clock
  readonly #startTick: number
  readonly #lane: LedgerLane
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(options: { seed: number; clock: Clock }) {
    this.#seed = options.seed
    this.#clock = options.clock
    this.#startTick = Math.floor(options.clock.now() / tickMs)
    const first = this.#startTick - prefaceTicks
    this.#lane = new LedgerLane({
      source: `demo:${options.seed}:${this.#startTick}`,
      label: 'demo',
      format: 'kong',
      initial: first,
      earliest: first,
    })
  }

  problems(): readonly string[] {
    return []
  }

  async start(open: () => BatchConsumer): Promise<void> {
    const consumer = open()
    const [position = this.#lane.initial] = await consumer.assigned([this.#lane])
    this.#running = this.#run(consumer, position)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async close(): Promise<void> {
    await this.stop()
  }

  async #run(consumer: BatchConsumer, position: number): Promise<void> {
    const { signal } = this.#stop
    for (let tick = position; !signal.aborted; tick++) {
      const endMs = (tick + 1) * tickMs
      if (endMs > this.#clock.now()) await this.#clock.sleep(endMs - this.#clock.now(), signal)
      await this.#lane.ready(signal)
      if (signal.aborted) return
      const bytes = demoTick(this.#seed, tick, this.#startTick)
      await consumer.take(this.#lane, { lo: tick, hi: tick, values: [{ offset: tick, bytes, arrivedMs: endMs }] })
    }
  }
}
