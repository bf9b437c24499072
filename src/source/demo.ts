import type { Clock } from '../time/clock.ts'
import { demoTick } from './demo-traffic.ts'
import { LedgerLane } from './ledger-lane.ts'
import type { BatchConsumer, Source } from './source.ts'

const tickMs = 1_000
/** So much traffic is there already when the demo opens, so that the first look is not at an empty page. */
const prefaceTicks = 120

/** A write that an earlier run of the demo left unfinished. */
export interface Interrupted {
  readonly source: string
  readonly hi: number
}

/**
 * Simulated gateway traffic: one value a second, in the layout of a Kong batch. An offset is the second it belongs to,
 * and the same second always gives the same records, so an interrupted write can be repeated like that of a real source.
 */
export class DemoSource implements Source {
  readonly #seed: number
  readonly #clock: Clock
  readonly #startTick: number
  readonly #lane: LedgerLane
  readonly #interrupted: readonly Interrupted[]
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(options: { seed: number; clock: Clock; interrupted?: readonly Interrupted[] }) {
    this.#interrupted = options.interrupted ?? []
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
    for (const one of this.#interrupted) await this.#complete(open(), one)
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

  /** Each run is an input of its own; what an earlier one announced and did not finish is made again. */
  async #complete(consumer: BatchConsumer, { source, hi }: Interrupted): Promise<void> {
    const [, seed, startTick] = source.split(':').map(Number)
    if (seed === undefined || startTick === undefined || Number.isNaN(seed + startTick)) return
    const lane = new LedgerLane({ source, label: 'demo', format: 'kong', initial: hi + 1 })
    const [from = hi + 1] = await consumer.assigned([lane])
    for (let tick = from; tick <= hi; tick++) {
      const value = { offset: tick, bytes: demoTick(seed, tick, startTick), arrivedMs: (tick + 1) * tickMs }
      await consumer.take(lane, { lo: tick, hi: tick, values: [value] })
    }
    await consumer.ended(lane)
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
