import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Lane } from '../source/source.ts'
import type { Clock } from '../time/clock.ts'
import type { RangeStore } from './history.ts'
import { outageOf } from './outage.ts'
import type { Range } from './range.ts'
import type { StateStore } from './state.ts'

/** What a lane announces before it writes: exactly these offsets are about to land. */
export interface Intent {
  readonly v: 1
  readonly epoch: number
  readonly lo: number
  readonly hi: number
  /** Hash of the settings that decide what a record becomes. */
  readonly cfg: string
  /** Which of the inputs of this name the offsets are of; missing where they are not told apart, and in older formats. */
  readonly topic?: string
}

/** An intent that was not finished, with the source name that is in the tokens of what had landed of it. */
export interface Pending extends Intent {
  readonly source: string
}

export interface Position {
  /** Next offset that has not landed; null when nothing is known of the lane. */
  readonly next: number | null
  /** A range that may have landed in part: it must land again, exactly as it was cut, before anything else. */
  readonly pending: Pending | null
  /** The input that had this name before and is gone, where the one there is now has just been found. */
  readonly gone?: { readonly id: string; readonly pending: Pending | null }
}

/** Where the store keeps which input had a name last, lane by lane. */
const incarnationKind = 'incarnation'

const firstPauseMs = 200
const longestPauseMs = 15_000

/**
 * Writes the ranges of one lane, each exactly once, whatever dies in between:
 *
 *  1. intent: the coordinator stores offset `lo` and the range. Dying here: the range is read again, nothing was written.
 *  2. land: rollups with the ledger entry, events, dead letters, each under a token made of the range. Dying here: the
 *     next owner finds the intent, reads exactly `[lo, hi]` again and repeats the inserts; what had landed is dropped.
 *  3. commit `hi + 1`. Dying before it: as above, every insert is dropped.
 *
 * A coordinator (a consumer group) refuses an owner that lost the lane, in step 1 and before anything is written. Where
 * there is none, intents live in the store's state and the ledger is the position.
 */
export class LaneWriter {
  readonly lane: Lane
  readonly #history: RangeStore
  readonly #clock: Clock
  readonly #log: Log
  readonly #epoch: number
  readonly #stop = new AbortController()
  readonly #queue: Range[] = []
  #running = false
  #working: Promise<void> = Promise.resolve()
  #oldestMs: number | null = null
  #problem: string | null = null
  #onLanded: (range: Range, seconds: number) => void

  constructor(
    lane: Lane,
    options: {
      history: RangeStore
      clock: Clock
      log: Log
      epoch: number
      onLanded: (range: Range, seconds: number) => void
    },
  ) {
    this.lane = lane
    this.#history = options.history
    this.#clock = options.clock
    this.#log = options.log
    this.#epoch = options.epoch
    this.#onLanded = options.onLanded
  }

  /** True once another owner has the lane, or after `fence`: nothing is written any more. */
  get fenced(): boolean {
    return this.#stop.signal.aborted
  }

  /** Why the oldest range waits; null while all goes well. */
  get problem(): string | null {
    return this.#problem
  }

  /** Rows waiting to be written. */
  get waiting(): number {
    return this.#queue.reduce((sum, range) => sum + range.rollups.length + range.events.length, 0)
  }

  get busy(): boolean {
    return this.#running
  }

  /** When the oldest range that still waits was handed over; null when none waits. */
  get oldestMs(): number | null {
    return this.#oldestMs
  }

  /** Where the lane stands. @throws Fault retryable while coordinator or store are away */
  async position(): Promise<Position> {
    const { coordinator, source, partition } = this.lane
    if (coordinator === null) {
      const intents = await this.#history.state.load('intent')
      const intent = parseIntent(intents.get(this.#key) ?? '')
      return {
        next: await this.#history.position(source, partition),
        pending: intent === null ? null : { ...intent, source },
      }
    }
    const landed = await this.#history.position(source, partition)
    const committed = await coordinator.read()
    const told = committed === null ? null : parseMetadata(committed.metadata)
    const id = this.lane.incarnation?.id ?? null
    if (id !== null && told?.topic !== undefined && told.topic !== id) return this.#after(told.topic, landed, told)
    // No offset (offsets expire), or that of an epoch which was given up: the ledger of this epoch decides.
    if (committed === null || (told?.epoch ?? this.#epoch) !== this.#epoch) return this.#byLedger(landed)
    const named = id === null || told?.topic !== undefined ? source : this.#sourceOf(null)
    const intent = parseIntent(committed.metadata)
    if (intent !== null) return { next: committed.offset, pending: { ...intent, source: named } }
    // An offset that somebody set back by hand must not make landed records count twice: that takes a new epoch.
    const before = named === source ? null : await this.#history.position(named, partition)
    return { next: Math.max(committed.offset, landed ?? 0, before ?? 0), pending: null }
  }

  /**
   * Notes where a lane begins of which nothing was known, so that a start before anything has landed begins there too, and
   * which input of its name it is.
   */
  async anchor(next: number): Promise<void> {
    const { coordinator, incarnation } = this.lane
    if (coordinator === null) return
    await this.#commit(next, this.lane.source)
    if (incarnation === undefined || incarnation.id === null || this.fenced) return
    await this.#history.state.put([{ kind: incarnationKind, key: this.#nameKey, value: incarnation.id }])
  }

  write(range: Range): void {
    if (this.fenced) return
    this.#queue.push(range)
    this.#oldestMs ??= this.#clock.now()
    if (!this.#running) this.#working = this.#work()
  }

  /** Resolves once everything handed over has landed, or the lane is fenced. */
  async drained(): Promise<void> {
    while (this.#running) await this.#working
  }

  /** Stops writing: the lane belongs to somebody else now. An insert on its way is harmless, its token repeats. */
  fence(): void {
    this.#stop.abort()
    this.#queue.length = 0
    this.#oldestMs = null
  }

  /** After a drain: the lane needs no settling at the next start. */
  async rest(): Promise<void> {
    if (this.lane.coordinator === null && !this.fenced) {
      await this.#history.state.put([{ kind: 'intent', key: this.#key, value: null }])
    }
  }

  get #key(): string {
    return `${this.lane.source}/${this.lane.partition}`
  }

  /** The same for every input of this name. */
  get #nameKey(): string {
    return `${this.#sourceOf(null)}/${this.lane.partition}`
  }

  #sourceOf(id: string | null): string {
    return this.lane.incarnation?.sourceOf(id) ?? this.lane.source
  }

  /** The committed offset is of an input that is gone. What it had announced can no longer be read. */
  #after(id: string, landed: number | null, told: Partial<Intent>): Position {
    const intent = told.epoch === this.#epoch ? intentOf(told) : null
    const pending = intent === null ? null : { ...intent, source: this.#sourceOf(id) }
    return { next: landed, pending: null, ...(landed === null ? { gone: { id, pending } } : {}) }
  }

  /** The id that another lane of this name had, where it was another one: a new topic may have more lanes than the old. */
  #siblingOf(known: ReadonlyMap<string, string>, id: string): string | undefined {
    const name = `${this.#sourceOf(null)}/`
    return [...known].find(([key, before]) => key.startsWith(name) && before !== id)?.[1]
  }

  /** Kafka forgets offsets, at once when a topic is deleted; the store remembers which one it was. */
  async #byLedger(landed: number | null): Promise<Position> {
    const { incarnation, partition } = this.lane
    if (landed !== null || incarnation === undefined || incarnation.id === null) return { next: landed, pending: null }
    const known = await this.#history.state.load(incarnationKind)
    const before = known.get(this.#nameKey) ?? this.#siblingOf(known, incarnation.id)
    if (before !== undefined && before !== incarnation.id) return this.#after(before, landed, {})
    // What an older version wrote, before ids were part of the name.
    return { next: await this.#history.position(incarnation.sourceOf(null), partition), pending: null }
  }

  async #work(): Promise<void> {
    this.#running = true
    try {
      for (let range = this.#queue[0]; range !== undefined; range = this.#queue[0]) {
        const startedMs = this.#clock.now()
        await this.#writeOne(range)
        if (this.fenced) return
        this.#queue.shift()
        this.#oldestMs = this.#queue.length === 0 ? null : startedMs
        this.#onLanded(range, (this.#clock.now() - startedMs) / 1000)
      }
    } finally {
      // In the same breath as the last look at the queue: a range handed over in between would wait for ever.
      this.#running = false
    }
  }

  async #writeOne(range: Range): Promise<void> {
    const { lo, hi, source, configHash: cfg } = range
    const intent: Intent = { v: 1, epoch: this.#epoch, lo, hi, cfg, ...this.#topic(source) }
    await this.#untilDone(() => this.#announce(intent))
    await this.#untilDone(() => this.#history.land(range))
    await this.#untilDone(() => this.#commit(hi + 1, this.lane.source))
  }

  /** Which input the offsets are of. A range under the name from before ids keeps the older form until it has landed. */
  #topic(source: string): { topic?: string } {
    const id = this.lane.incarnation?.id ?? null
    return id === null || source !== this.lane.source ? {} : { topic: id }
  }

  async #announce(intent: Intent): Promise<void> {
    const { coordinator } = this.lane
    if (coordinator === null) {
      await this.#history.state.put([{ kind: 'intent', key: this.#key, value: JSON.stringify(intent) }])
    } else if ((await coordinator.commit(intent.lo, JSON.stringify(intent))) === 'fenced') {
      this.fence()
    }
  }

  async #commit(next: number, source: string): Promise<void> {
    const { coordinator } = this.lane
    const metadata = JSON.stringify({ v: 1, epoch: this.#epoch, ...this.#topic(source) })
    if (coordinator !== null && (await coordinator.commit(next, metadata)) === 'fenced') this.fence()
  }

  /** Repeats a step until it succeeds: there is no number of tries after which data may be dropped. */
  async #untilDone(step: () => Promise<void>): Promise<void> {
    for (let pauseMs = firstPauseMs; !this.fenced; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await step()
        if (this.#problem !== null) this.#log.info(`${this.lane.label}: writing again`)
        this.#problem = null
        return
      } catch (error) {
        const text = messageOf(error)
        if (text !== this.#problem) {
          const fields = { code: error instanceof Fault ? error.code : 'bug', outage: outageOf(error) }
          this.#log.error(`${this.lane.label}: cannot write to history, trying again: ${text}`, fields)
        }
        this.#problem = text
        await this.#clock.sleep(pauseMs, this.#stop.signal)
      }
    }
  }
}

/** Writes that were announced by lanes without a coordinator and may not have finished, by the lane's source. */
export async function storedIntents(state: StateStore): Promise<{ source: string; hi: number }[]> {
  return [...(await state.load('intent'))].flatMap(([key, text]) => {
    const intent = parseIntent(text)
    return intent === null ? [] : [{ source: key.slice(0, key.lastIndexOf('/')), hi: intent.hi }]
  })
}

/** The intent in a commit's metadata; null when nothing is pending. */
function parseIntent(text: string): Intent | null {
  return intentOf(parseMetadata(text) ?? {})
}

function intentOf({ epoch = 0, lo, hi, cfg = '' }: Partial<Intent>): Intent | null {
  return lo === undefined || hi === undefined || hi < lo ? null : { v: 1, epoch, lo, hi, cfg }
}

/** Reads the metadata of a commit; null when it is not of ours. */
function parseMetadata(text: string): Partial<Intent> | null {
  try {
    const value = JSON.parse(text) as Partial<Intent> | null
    return value?.v === 1 ? value : null
  } catch {
    return null
  }
}
