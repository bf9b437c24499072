import { causes } from '../../src/classify/cause.ts'
import { Fault } from '../../src/fault/fault.ts'
import { silentLog } from '../../src/fault/log.ts'
import type { RangeStore } from '../../src/history/history.ts'
import type { Range } from '../../src/history/range.ts'
import type { ReloadedRow } from '../../src/history/reload.ts'
import { MemoryState } from '../../src/history/state.ts'
import { Pipeline } from '../../src/pipeline.ts'
import type { Coordinator, Lane } from '../../src/source/source.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { sliceMs } from '../../src/window/view.ts'
import { encode, type PlainRecord, standardOptions } from './fake-world.ts'

/** Numbers from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The process dies here: nothing after it runs. */
class Death extends Error {}

/** What can be taken away, to see that the audit notices. */
export interface Safeguards {
  readonly intents: boolean
  readonly tokens: boolean
}

/**
 * A broker, a store and a clock in one process. Every step of the outside world may lose its answer, fail, or be the
 * last thing the process does; the store applies an insert to its tables one after another, and a death may fall
 * between two of them.
 */
export class World {
  readonly #random: () => number
  readonly #safeguards: Safeguards
  readonly clock = new ManualClock(Date.UTC(2026, 9, 5, 9, 0, 0))
  readonly log: PlainRecord[] = []
  #committed: { offset: number; metadata: string } | null = null
  #generation = 0
  readonly #tables = {
    rollups: new Map<string, number>(),
    ledger: new Map<string, number>(),
    events: new Map<string, number>(),
  }
  readonly #tokens = new Set<string>()
  readonly #rows: ReloadedRow[] = []
  readonly ledger: { lo: number; hi: number }[] = []

  constructor(seed: number, safeguards: Safeguards = { intents: true, tokens: true }) {
    this.#random = random(seed)
    this.#safeguards = safeguards
    const start = this.clock.now() - 20 * 60_000
    const count = 40 + Math.floor(this.#random() * 60)
    for (let i = 0; i < count; i++) {
      const refused =
        this.#random() < 0.2 ? { cause: causes[Math.floor(this.#random() * 3)] as PlainRecord['cause'] } : {}
      const tenant = `t${Math.floor(this.#random() * 3)}`
      this.log.push({ t: start + i * 1_500, tenant, api: 'chat', ...(refused as { cause: 'unknown' }) })
    }
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  /** Lives until it dies or has landed all; returns whether all has landed. */
  async live(life: { deaths: number }): Promise<{ done: boolean; pipeline: Pipeline }> {
    const generation = ++this.#generation
    const alive = { value: true }
    const step = async <Value>(apply: () => Value): Promise<Value> => {
      await Promise.resolve()
      // A dead process does nothing more; a zombie of an older generation may still try.
      if (!alive.value) return new Promise<never>(() => {})
      const dies = life.deaths > 0 && this.chance(0.08)
      if (dies && this.chance(0.5)) return this.#die(alive, life)
      const value = apply()
      if (dies) return this.#die(alive, life)
      if (this.chance(0.08)) throw new Fault('store-unreachable', 'the answer was lost', { retryable: true })
      return value
    }
    const store = this.#store(step, alive, life)
    const coordinator = this.#coordinator(step, generation)
    const pipeline = new Pipeline({
      ...{ ...standardOptions, log: silentLog, flushRows: 1 + this.below(30), lifetime: new Lifetime(100) },
      ...{ history: store, clock: this.clock },
    })
    const consumer = pipeline.consumer()
    const lane = new SimulatedLane(coordinator, this.log.length)
    const died = new Promise<'died'>((resolve) => {
      this.#onDeath = () => resolve('died')
    })
    const run = async (): Promise<'done'> => {
      const [start = 0] = await consumer.assigned([lane])
      for (let at = start; at < this.log.length; ) {
        await lane.ready()
        const end = Math.min(this.log.length, at + 1 + this.below(12))
        const values = this.log
          .slice(at, end)
          .map((record, i) => ({ offset: at + i, bytes: encode(record), arrivedMs: record.t }))
        await consumer.take(lane, { lo: at, hi: end - 1, values })
        lane.next = end
        if (this.chance(0.3)) pipeline.tick()
        at = end
      }
      await consumer.ended(lane)
      return 'done'
    }
    const outcome = run()
    outcome.catch(() => undefined)
    const ended = await this.#race(outcome, died)
    alive.value = false
    return { done: ended === 'done', pipeline }
  }

  #onDeath: () => void = () => {}

  /** Lets simulated time pass while the pipeline waits to try again. */
  async #race(outcome: Promise<'done'>, died: Promise<'died'>): Promise<'done' | 'died'> {
    let ended: 'done' | 'died' | null = null
    void Promise.race([outcome, died]).then((value) => {
      ended = value
    })
    for (let i = 0; i < 5_000 && ended === null; i++) await this.clock.advance(500)
    if (ended === null) throw new Error('the simulated process is stuck')
    return ended
  }

  #die(alive: { value: boolean }, life: { deaths: number }): Promise<never> {
    alive.value = false
    life.deaths--
    this.#onDeath()
    return new Promise<never>(() => {})
  }

  #coordinator(step: <Value>(apply: () => Value) => Promise<Value>, generation: number): Coordinator {
    return {
      read: () => step(() => this.#committed),
      commit: (offset, metadata) =>
        step(() => {
          if (generation !== this.#generation) return 'fenced' as const
          this.#committed = { offset, metadata: this.#safeguards.intents ? metadata : '' }
          return 'committed' as const
        }),
    }
  }

  #store(
    step: <Value>(apply: () => Value) => Promise<Value>,
    alive: { value: boolean },
    life: { deaths: number },
  ): RangeStore {
    return {
      state: new MemoryState(),
      land: async (range) => {
        // One insert reaches its tables one by one; a death between two leaves them apart.
        for (const table of ['rollups', 'ledger', 'events'] as const) await step(() => this.#insert(table, range))
        if (!alive.value) throw new Death(String(life.deaths))
      },
      position: () => step(() => null),
      holds: () => step(() => false),
      windowRows: () => step(() => [...this.#rows]),
    }
  }

  #insert(table: 'rollups' | 'ledger' | 'events', range: Range): void {
    const token = `${table} ${range.lo}-${range.hi}`
    if (this.#safeguards.tokens && this.#tokens.has(token)) return
    this.#tokens.add(token)
    const rows = this.#tables[table]
    const add = (key: string, count: number) => rows.set(key, (rows.get(key) ?? 0) + count)
    if (table === 'ledger') {
      this.ledger.push({ lo: range.lo, hi: range.hi })
      add('records', range.requests)
    } else if (table === 'events') {
      for (const event of range.events) add(`${event.tenant} ${event.cause}`, 1)
    } else {
      for (const row of range.rollups) {
        add(`${row.tenant} ${row.cause}`, row.requests + row.paymentRequired)
        const cause = row.cause === '' ? -1 : causes.indexOf(row.cause)
        this.#rows.push({
          slice: row.slice,
          tenant: row.tenant,
          api: row.api,
          cause,
          requests: row.requests,
          paymentRequired: row.paymentRequired,
        })
      }
    }
  }

  /** What history and the windows say against what is true; empty when all agree. */
  audit(pipeline: Pipeline): string[] {
    const problems: string[] = []
    const truth = new Map<string, number>()
    for (const record of this.log) {
      for (const cause of record.cause === undefined ? [''] : ['', record.cause]) {
        const key = `${record.tenant} ${cause}`
        truth.set(key, (truth.get(key) ?? 0) + 1)
      }
    }
    const refused = new Map([...truth].filter(([key]) => !key.endsWith(' ')))
    if (!same(this.#tables.rollups, truth)) problems.push('the rollups are wrong')
    if (!same(this.#tables.events, refused)) problems.push('the events are wrong')
    if (this.#tables.ledger.get('records') !== this.log.length) problems.push('the ledger is wrong')
    const ranges = [...this.ledger].sort((a, b) => a.lo - b.lo)
    ranges.forEach((range, i) => {
      if (range.lo !== (ranges[i - 1]?.hi ?? -1) + 1) problems.push(`offset ${range.lo} follows ${ranges[i - 1]?.hi}`)
    })
    const view = pipeline.view
    const first = this.log[0]?.t ?? 0
    const last = this.log.at(-1)?.t ?? 0
    const from = Math.floor(first / sliceMs) * sliceMs
    const counted = new Map<string, number>()
    for (const row of view?.totals(from, (Math.floor(last / sliceMs) + 1) * sliceMs) ?? []) {
      counted.set(`${row.tenant} `, row.requests)
      for (const { cause, count } of row.causes) counted.set(`${row.tenant} ${cause}`, count)
    }
    if (!same(counted, truth)) problems.push('the windows are wrong')
    return problems
  }
}

class SimulatedLane implements Lane {
  readonly source = 'simulated'
  readonly partition = 0
  readonly label = 'simulated/0'
  readonly format = null
  readonly earliest = 0
  readonly initial = 0
  readonly latest: number
  readonly coordinator: Coordinator
  next = 0
  #paused: Promise<void> | null = null
  #wake: () => void = () => {}

  constructor(coordinator: Coordinator, latest: number) {
    this.coordinator = coordinator
    this.latest = latest
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  resume(): void {
    this.#wake()
    this.#paused = null
  }

  async ready(): Promise<void> {
    if (this.#paused !== null) await this.#paused
  }

  lag(): number {
    return this.latest - this.next
  }
}

function same(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([key, count]) => b.get(key) === count)
}
