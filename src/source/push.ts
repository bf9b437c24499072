import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import { type LaneName, PushLane, spoolFileNamed } from './push-lane.ts'
import type { BatchConsumer, Source } from './source.ts'
import { markOf } from './spool-file.ts'

/** Bytes on disk that history has not taken yet, beyond which pushes are refused. */
const backlogBytes = 1024 * 1024 * 1024
const tidyEveryMs = 1_000

/**
 * Takes what is pushed over HTTP. A push is acknowledged once it is on disk in the spool; from there it is read like a
 * file, exactly once, and goes when it is in history. Each layout has a lane of its own, for one run of the daemon.
 */
export class PushSource implements Source {
  readonly #directory: string
  readonly #keepBytes: number
  readonly #backlogBytes: number
  readonly #clock: Clock
  readonly #log: Log
  /** The lanes of this run, by layout, and beside them those of earlier runs until they are gone. */
  readonly #lanes = new Map<string, PushLane>()
  readonly #earlier = new Map<PushLane, Promise<void>>()
  readonly #stop = new AbortController()
  #open: (() => BatchConsumer) | null = null
  /** Pushes and the tidying of their files happen one after another. */
  #turn: Promise<unknown> = Promise.resolve()
  #tidying: Promise<void> = Promise.resolve()

  constructor(options: { directory: string; keepBytes: number; clock: Clock; log: Log; backlogBytes?: number }) {
    this.#directory = options.directory
    this.#keepBytes = options.keepBytes
    this.#backlogBytes = options.backlogBytes ?? backlogBytes
    this.#clock = options.clock
    this.#log = options.log
  }

  problems(): readonly string[] {
    return []
  }

  /** Opens the spool and reads on where the last run ended. */
  async start(openConsumer: () => BatchConsumer): Promise<void> {
    await mkdir(this.#directory, { recursive: true })
    for (const { name, bases } of await this.#found()) {
      const lane = await this.#openLane(openConsumer, name, bases)
      this.#earlier.set(
        lane,
        lane.finish().then((gone) => {
          if (gone) this.#earlier.delete(lane)
        }),
      )
    }
    this.#open = openConsumer
    this.#tidying = this.#tidy()
  }

  /**
   * Stores the lines of one push.
   *
   * @param body lines separated by newlines; one is added at the end if it is missing
   * @throws Fault `store-busy` when too much waits to be written to history
   */
  push(format: string, body: Buffer): Promise<void> {
    return this.#inTurn(() => this.#store(format, body))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#tidying
    await this.#turn
    for (const lane of this.#lanes.values()) await lane.stopped()
    for (const gone of this.#earlier.values()) await gone
  }

  async close(): Promise<void> {
    await this.stop()
    for (const lane of this.#all()) await lane.close()
  }

  #all(): readonly PushLane[] {
    return [...this.#lanes.values(), ...this.#earlier.keys()]
  }

  #inTurn<Value>(act: () => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #store(format: string, body: Buffer): Promise<void> {
    if (this.#stop.signal.aborted) throw busy('the daemon is shutting down')
    if (this.#open === null) throw busy('the daemon is starting')
    if (this.#all().reduce((sum, lane) => sum + lane.waiting, 0) > this.#backlogBytes) {
      throw busy('history has fallen behind: too much of what was pushed still waits to be written')
    }
    const lane = this.#lanes.get(format) ?? (await this.#openLane(this.#open, this.#newName(format), []))
    this.#lanes.set(format, lane)
    await lane.append(body.at(-1) === 0x0a ? body : Buffer.concat([body, Buffer.from('\n')]), this.#clock.now())
  }

  /** The clock alone could give a name twice, when it is set back. */
  #newName(format: string): LaneName {
    return { format, id: `${this.#clock.now().toString(36)}${randomBytes(6).toString('hex')}` }
  }

  async #openLane(openConsumer: () => BatchConsumer, name: LaneName, bases: readonly number[]): Promise<PushLane> {
    const lane = await PushLane.open(this.#directory, name, bases)
    lane.read(openConsumer(), { keepBytes: this.#keepBytes, signal: this.#stop.signal, log: this.#log })
    return lane
  }

  /** The lanes of earlier runs, oldest first, each with where its files begin. */
  async #found(): Promise<readonly { readonly name: LaneName; readonly bases: readonly number[] }[]> {
    const names = (await readdir(this.#directory)).sort()
    const lanes = new Map<string, { name: LaneName; bases: number[] }>()
    for (const { format, id, base } of names.flatMap((name) => spoolFileNamed(name) ?? [])) {
      const lane = lanes.get(`${format}.${id}`) ?? { name: { format, id }, bases: [] }
      lanes.set(`${format}.${id}`, lane)
      lane.bases.push(base)
    }
    for (const { bases } of lanes.values()) bases.sort((a, b) => a - b)
    // The last run died while it removed these.
    const marks = new Set(names.map(markOf))
    for (const name of names) {
      if (name.endsWith(markOf('.ndjson')) && !marks.has(name)) await rm(join(this.#directory, name), { force: true })
    }
    return [...lanes.values()]
  }

  async #tidy(): Promise<void> {
    let problem = ''
    for (;;) {
      await this.#clock.sleep(tidyEveryMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      try {
        for (const lane of this.#lanes.values()) await this.#inTurn(() => lane.tidy(this.#clock.now()))
        problem = ''
      } catch (error) {
        const text = `push: what is in history cannot be taken off the disk: ${messageOf(error)}`
        if (text !== problem) this.#log.error(text)
        problem = text
      }
    }
  }
}

function busy(message: string): Fault {
  return new Fault('store-busy', message, { retryable: true })
}
