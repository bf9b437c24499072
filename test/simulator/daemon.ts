import { silentLog } from '../../src/fault/log.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { standardOptions } from '../pipeline/fake-world.ts'
import type { Plan } from './plan.ts'
import type { Process } from './process.ts'
import { quickReading } from './reading.ts'
import { type Safeguard, weakStore } from './safeguards.ts'
import { SimulatedSource } from './source.ts'
import type { World } from './world.ts'

/** Bytes the pipeline takes one waiting row for. */
const rowBytes = 600
const drainMs = 25_000

/** One life of one Tollwatch daemon: the real pipeline on a simulated source, until it is killed or stopped. */
export class Daemon {
  readonly process: Process
  readonly pipeline: Pipeline
  readonly source: SimulatedSource
  readonly lifetime = new Lifetime(100)
  /** What went wrong inside, to be reported by the auditor. */
  readonly complaints: string[] = []
  lastSliceMs: number | null

  constructor(
    world: World,
    process: Process,
    options: { plan: Plan; without: Safeguard | null; resumeAtMs: number | null; flushRows: number },
  ) {
    const { plan, without } = options
    this.process = process
    this.lastSliceMs = options.resumeAtMs
    this.pipeline = new Pipeline({
      ...standardOptions,
      reading: quickReading,
      history: weakStore(world.store.for(process, world.network), without),
      clock: process.clock,
      log: world.tracing
        ? {
            ...silentLog,
            info: (message) => world.trace(process.name, () => message),
            warn: (message) => world.trace(process.name, () => message),
            error: (message) => world.trace(process.name, () => message),
          }
        : silentLog,
      lifetime: this.lifetime,
      flushRows: options.flushRows,
      flushIntervalMs: plan.flushIntervalMs,
      memoryLimitBytes: plan.memoryRows * rowBytes,
      resumeAtMs: options.resumeAtMs,
      onSlice: (endMs) => {
        if (this.lastSliceMs !== null && endMs <= this.lastSliceMs) this.complaints.push('a slice closed twice')
        this.lastSliceMs = endMs
      },
    })
    this.source = new SimulatedSource(world, this.process, {
      without,
      onFault: (text) => this.complaints.push(text),
    })
  }

  start(): void {
    const { source, pipeline } = this
    source.start(() => pipeline.consumer())
    void this.#tick()
  }

  /** Stops as on SIGTERM: reads no more, lands what it has if there is time, leaves the group. */
  async stop(): Promise<void> {
    this.source.stop()
    const late = this.process.clock.sleep(drainMs).then(() => 'late' as const)
    if ((await Promise.race([this.pipeline.drain(), late])) === 'late') this.pipeline.abandon()
    await this.source.close()
  }

  /** Nothing waits to be written, as far as this daemon knows. */
  get quiet(): boolean {
    return this.pipeline.oldestUnwrittenMs === null
  }

  async #tick(): Promise<void> {
    for (;;) {
      await this.process.clock.sleep(1_000)
      this.pipeline.tick()
    }
  }
}
