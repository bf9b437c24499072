import { randomUUID } from 'node:crypto'
import { Fault } from '../fault/fault.ts'
import type { Clock, EpochMs } from '../time/clock.ts'
import type { StateStore } from './state.ts'

/*
 * Who may change history on a server. Writers leave a sign of life; maintenance leaves a mark and then looks for signs
 * of life. A writer leaves its sign first and then looks for the mark. Whatever the order of the four steps, at least
 * one of the two sees the other and gives way. The embedded store needs none of this: one process has its directory.
 */

const writerKind = 'writer'
const markKind = 'maintenance'
const markKey = 'mark'

const renewMs = 30_000
/** A writer that was held up for longer (a suspended process) looks for the mark again before it writes. */
const doubtMs = 60_000
/** After this long without a sign, a writer or a maintenance is dead. Longer than an insert may take. */
const deadMs = 150_000

interface Sign {
  readonly atMs: EpochMs
}

interface Mark extends Sign {
  readonly id: string
  readonly what: string
}

/** A writer's sign of life, from `take` to `release`. */
export class WriterLease {
  readonly #state: StateStore
  readonly #clock: Clock
  readonly #id = randomUUID()
  readonly #stop = new AbortController()
  #signedMs: EpochMs = Number.NEGATIVE_INFINITY

  private constructor(state: StateStore, clock: Clock) {
    this.#state = state
    this.#clock = clock
  }

  /** @throws Fault `store-busy`, retryable, while maintenance is under way */
  static async take(state: StateStore, clock: Clock): Promise<WriterLease> {
    const lease = new WriterLease(state, clock)
    await lease.#sign()
    void lease.#keep()
    return lease
  }

  /** To be awaited before each write. @throws Fault `store-busy`, retryable, while maintenance is under way */
  async confirm(): Promise<void> {
    if (this.#clock.now() - this.#signedMs > doubtMs) await this.#sign()
  }

  async release(): Promise<void> {
    this.#stop.abort()
    await this.#state.put([{ kind: writerKind, key: this.#id, value: null }])
  }

  async #sign(): Promise<void> {
    const atMs = this.#clock.now()
    await this.#state.put([{ kind: writerKind, key: this.#id, value: JSON.stringify({ atMs } satisfies Sign) }])
    const mark = await liveMark(this.#state, atMs)
    if (mark !== null) {
      await this.#state.put([{ kind: writerKind, key: this.#id, value: null }])
      throw busy(`history is being changed by "tollwatch ${mark.what}": writing goes on when that has ended`)
    }
    this.#signedMs = atMs
  }

  async #keep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#clock.sleep(renewMs, this.#stop.signal)
      // While the store is away nobody else can change it either; `confirm` looks again before the next write.
      if (!this.#stop.signal.aborted) await this.#sign().catch(() => undefined)
    }
  }
}

/**
 * Runs `work` while nobody writes.
 *
 * @param what the command, for those who are kept waiting
 * @throws Fault `store-busy` when a daemon writes, or other maintenance is under way
 */
export async function withoutWriters<Result>(
  { state, clock }: { state: StateStore; clock: Clock },
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const mark = { id: randomUUID(), what }
  const sign = () =>
    state.put([{ kind: markKind, key: markKey, value: JSON.stringify({ ...mark, atMs: clock.now() } satisfies Mark) }])
  const other = await liveMark(state, clock.now())
  if (other !== null) throw busy(`"tollwatch ${other.what}" is under way; wait until it has ended`)
  await sign()
  const stop = new AbortController()
  try {
    await refuseBesideWriters(state, clock.now())
    void keepSigning(sign, clock, stop.signal)
    return await work()
  } finally {
    stop.abort()
    await state.put([{ kind: markKind, key: markKey, value: null }])
  }
}

async function keepSigning(sign: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(renewMs, signal)
    if (!signal.aborted) await sign().catch(() => undefined)
  }
}

async function refuseBesideWriters(state: StateStore, nowMs: EpochMs): Promise<void> {
  const signs = [...(await state.load(writerKind)).values()].map((text) => (JSON.parse(text) as Sign).atMs)
  const newest = Math.max(...signs)
  if (signs.length === 0 || nowMs - newest > deadMs) return
  const ago = Math.max(0, Math.round((nowMs - newest) / 1000))
  throw busy(
    `a daemon or a replay gave a sign of life ${ago} s ago: stop it first (after a crash, wait ${deadMs / 1000} s); what it has not read stays in its source`,
  )
}

async function liveMark(state: StateStore, nowMs: EpochMs): Promise<Mark | null> {
  const text = (await state.load(markKind)).get(markKey)
  if (text === undefined) return null
  const mark = JSON.parse(text) as Mark
  return nowMs - mark.atMs > deadMs ? null : mark
}

function busy(message: string): Fault {
  return new Fault('store-busy', message, { retryable: true })
}
