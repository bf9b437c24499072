import assert from 'node:assert/strict'
import { join } from 'node:path'
import { messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { EpochMs } from '../time/clock.ts'
import { LaneReader } from './file.ts'
import { LedgerLane } from './ledger-lane.ts'
import { LineCutter } from './lines.ts'
import type { BatchConsumer } from './source.ts'
import { SpoolFile } from './spool-file.ts'

/** Raw values hold bodies and credentials: a file that has begun longer ago than this is left as soon as it can be. */
const fileAgeMs = 10_000

/** What is pushed in one layout during one run of the daemon. */
export interface LaneName {
  readonly format: string
  /** Never given twice: the ledger remembers for years how far a lane was. */
  readonly id: string
}

interface ReadOptions {
  /** Longest line kept whole. */
  readonly keepBytes: number
  readonly signal: AbortSignal
  readonly log: Log
}

/**
 * A lane that is fed by pushes and kept in files, one after another; offsets go on from file to file. At most two files
 * are there: while the older one waits to be in history, the newer one takes all that comes.
 *
 *  1. a new file begins where the last one ends. Dying here: it is empty, or there, and is read after the other.
 *  2. what was read of the old file lands, with its entry in the ledger. Dying here: it is not read again.
 *  3. the old file goes. Dying here: the lane begins with the new one, and what is below it is in the ledger.
 *
 * The last file of a lane goes only after `ended`, so that nothing of the lane is left anywhere when it is gone.
 */
export class PushLane {
  readonly #directory: string
  readonly #name: LaneName
  readonly #files: SpoolFile[]
  readonly #lane: LedgerLane
  #final = false
  #wake: () => void = () => {}
  #reading: Promise<void> = Promise.resolve()

  private constructor(directory: string, name: LaneName, files: SpoolFile[]) {
    const { format, id } = name
    const begin = files[0]?.base ?? 0
    this.#directory = directory
    this.#name = name
    this.#files = files
    this.#lane = new LedgerLane({
      source: `push:${format}:${id}`,
      label: `push ${format}`,
      format: format === 'auto' ? null : format,
      earliest: begin,
      initial: begin,
    })
  }

  /** @param bases where the files that are there begin, ascending; none for a new lane */
  static async open(directory: string, name: LaneName, bases: readonly number[]): Promise<PushLane> {
    const files: SpoolFile[] = []
    for (const base of bases.length === 0 ? [0] : bases) files.push(await openFile(directory, name, base))
    return new PushLane(directory, name, files)
  }

  /** Bytes on disk that history has not taken yet. */
  get waiting(): number {
    return Math.max(0, (this.#newest?.end ?? 0) - this.#lane.landedTo)
  }

  /** Hands the lines to the consumer, those to come too, until the signal aborts. */
  read(consumer: BatchConsumer, options: ReadOptions): void {
    this.#reading = this.#readAll(consumer, options).catch((error: unknown) => {
      options.log.error(`${this.#lane.label}: the spool cannot be read: ${messageOf(error)}`)
    })
  }

  /** Resolves when reading has come to its end. */
  stopped(): Promise<void> {
    return this.#reading
  }

  /** Resolves when the bytes are safe. Only one at a time. */
  async append(bytes: Buffer, now: EpochMs): Promise<void> {
    const file = this.#newest
    assert(file !== undefined && !this.#final, 'a lane that takes pushes has a file')
    await file.append(bytes, now)
    this.#wake()
  }

  /** Begins a new file where the last one is old enough, and takes away what is in history. Not while it is appended to. */
  async tidy(now: EpochMs): Promise<void> {
    const filledMs = this.#newest?.filledMs ?? null
    await this.#turnOver(filledMs !== null && now - filledMs >= fileAgeMs)
  }

  /**
   * Nothing more comes: once all of it is in history, the lane goes.
   *
   * @returns whether it is gone; false when reading was stopped before
   */
  async finish(): Promise<boolean> {
    this.#final = true
    this.#wake()
    await this.#reading
    return this.#files.length === 0
  }

  /** After all reading and landing has come to its end: leaves nothing behind that is in history. */
  async close(): Promise<void> {
    await this.#turnOver(this.waiting === 0 && this.#newest?.isEmpty === false)
    for (const file of this.#files) await file.close()
  }

  get #newest(): SpoolFile | undefined {
    return this.#files.at(-1)
  }

  async #turnOver(begin: boolean): Promise<void> {
    await this.#removeLanded()
    const [only, second] = this.#files
    // While history is away the second file takes everything, or there would be another every few seconds.
    if (begin && only !== undefined && second === undefined) {
      this.#files.push(await openFile(this.#directory, this.#name, only.end))
      await this.#removeLanded()
    }
  }

  async #removeLanded(): Promise<void> {
    for (let oldest = this.#files[0]; oldest !== undefined && this.#files.length > 1; oldest = this.#files[0]) {
      if (oldest.end > this.#lane.landedTo) return
      this.#files.shift()
      await oldest.remove()
    }
  }

  async #readAll(consumer: BatchConsumer, { keepBytes, signal }: ReadOptions): Promise<void> {
    const lane = this.#lane
    const [position = 0] = await consumer.assigned([lane])
    lane.landed(position)
    const reader = new LaneReader(consumer, lane, new LineCutter(position, keepBytes))
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    while (!signal.aborted) {
      const file = this.#files.find(({ end }) => end > reader.readTo)
      if (file !== undefined) {
        lane.setLag(null)
        await reader.read(file.read(reader.readTo), signal)
        continue
      }
      lane.setLag(0)
      if (this.#final) {
        await consumer.ended(lane)
        for (const one of this.#files.splice(0)) await one.remove()
        return
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

function openFile(directory: string, { format, id }: LaneName, base: number): Promise<SpoolFile> {
  // A lane's first file has no number in its name: version 0.1 had no other.
  const name = base === 0 ? `${format}.${id}` : `${format}.${id}.${base}`
  return SpoolFile.open(join(directory, `${name}.ndjson`), base)
}

/** What a file of the spool is, by its name; null for any other file. */
export function spoolFileNamed(name: string): (LaneName & { readonly base: number }) | null {
  const match = /^([a-z-]+)\.([a-z0-9]+)(?:\.(\d+))?\.ndjson$/.exec(name)
  if (match === null) return null
  return { format: match[1] ?? '', id: match[2] ?? '', base: Number(match[3] ?? 0) }
}
