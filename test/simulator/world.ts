import { ManualClock } from '../../src/time/clock.ts'
import { Dice } from '../support/dice.ts'
import { audit, type Finding, memoryFinding } from './auditor.ts'
import { Daemon } from './daemon.ts'
import { Group } from './group.ts'
import { Network, type Trace } from './network.ts'
import { type Blow, type Plan, planOf } from './plan.ts'
import { Process } from './process.ts'
import type { Safeguard } from './safeguards.ts'
import { Store } from './store.ts'
import { type PartitionLog, Topic } from './topic.ts'

/** How many tokens a table remembers: as in the schema, and too few. */
const wholeWindow = 10_000
const shortWindow = 3
/** How long a run may take to come to rest once nothing disturbs it. */
const patienceMs = 30 * 60_000
const startMs = Date.UTC(2026, 9, 5, 9, 0, 0)

/** A place where a daemon runs, one life after another. */
interface Slot {
  readonly name: string
  lives: number
  daemon: Daemon | null
}

/** What one run came to; without findings all was as it must be. */
export interface Outcome {
  readonly findings: readonly Finding[]
  readonly plan: Plan
  readonly values: number
  readonly lives: number
}

export interface RunOptions {
  /** The safeguard that is taken away. */
  readonly without?: Safeguard
  /** What happens besides what the seed has drawn. */
  readonly more?: readonly Blow[]
  /** Takes every line of what happens. */
  readonly onLine?: (line: string) => void
}

/** Lives one run of a seed from the first record to the audit. */
export async function simulate(seed: number, options: RunOptions = {}): Promise<Outcome> {
  return new World(seed, options).run()
}

/** Broker, store, clock and daemons in one process. Nothing in it depends on anything but the seed. */
export class World {
  readonly time = new ManualClock(startMs)
  readonly dice: Dice
  readonly plan: Plan
  readonly topic: Topic
  readonly group: Group
  readonly store: Store
  readonly network: Network
  readonly #options: RunOptions
  readonly #slots: Slot[]
  readonly #findings: Finding[] = []
  /** Nothing is started while something needs all daemons down. */
  #held = 0
  #blowsUnderWay = 0

  constructor(seed: number, options: RunOptions = {}) {
    this.#options = options
    this.plan = planOf(seed, options.more)
    this.dice = new Dice(seed)
    const { time, dice, trace } = this
    const without = options.without ?? null
    this.topic = new Topic(this.plan.partitions)
    const { partitions, rates, longestLateMs } = this.plan
    this.group = new Group({ time, trace, partitions, fences: without !== 'commits fenced' })
    const window = without === 'long dedup window' ? shortWindow : wholeWindow
    this.store = new Store({ dice, window, tokens: without !== 'tokens' })
    this.network = new Network({
      ...{ time, dice, rates, longestLateMs, trace },
      kill: (process) => this.#kill(process),
      freeze: (process) => this.#freeze(process),
    })
    this.#slots = Array.from({ length: this.plan.daemons }, (_, i) => ({ name: `d${i + 1}`, lives: 0, daemon: null }))
  }

  get tracing(): boolean {
    return this.#options.onLine !== undefined
  }

  readonly trace: Trace = (who, text) => {
    const { onLine } = this.#options
    if (onLine !== undefined)
      onLine(`${new Date(this.time.now()).toISOString().slice(11, 23)} ${who.padEnd(6)} ${text()}`)
  }

  get daemons(): readonly Daemon[] {
    return this.#slots.flatMap(({ daemon }) => (daemon === null || daemon.process.dead ? [] : [daemon]))
  }

  /** The name under which lanes of one incarnation of the topic are known. */
  sourceOf(topicId: number | null): string {
    return topicId === null || this.#options.without === 'topic identity'
      ? 'kafka:sim:logs'
      : `kafka:sim:logs:${topicId}`
  }

  /** The log of a lane, by its key. */
  logOf(key: string): PartitionLog | undefined {
    const [source = '', partition = ''] = key.split('/')
    const id = this.topic.incarnations.findIndex((_, index) => this.sourceOf(index + 1) === source)
    return this.topic.incarnations[id]?.[Number(partition)]
  }

  /** Asks the broker something that cannot go wrong in a way that matters; the answer takes its time. */
  async ask<Value>(process: Process, answer: () => Value): Promise<Value> {
    const value = answer()
    await process.clock.sleep(this.dice.between(1, 40))
    return value
  }

  /** A daemon has stopped by itself. */
  ended(process: Process): void {
    this.trace(process.name, () => 'has stopped')
    process.die()
    this.#restart(process)
  }

  async run(): Promise<Outcome> {
    const { faultMs, blows } = this.plan
    for (const slot of this.#slots) this.#startLater(slot, this.dice.between(0, 5_000))
    for (let p = 0; p < this.plan.partitions; p++) void this.#produce(p)
    for (const { atMs, blow } of blows) {
      void this.time.sleep(atMs).then(() => {
        this.trace('world', () => blow)
        this.#blowsUnderWay++
        return this.#strike(blow).finally(() => this.#blowsUnderWay--)
      })
    }
    await this.#pass(() => this.time.now() >= startMs + faultMs, faultMs + 1_000)
    this.network.calm = true
    this.trace('world', () => 'nothing disturbs any more')
    const landed = await this.#pass(() => this.#atRest(), patienceMs)
    const beatMs = this.time.now()
    for (const log of this.topic.logs) log.beat(beatMs)
    const rested = landed && (await this.#pass(() => this.#atRest(), patienceMs))
    // Long enough for silent lanes to leave the watermark, and for it to close the slices.
    await this.#pass(() => false, 45_000)
    if (rested) this.#findings.push(...audit(this, beatMs))
    else this.#findings.push({ kind: 'stuck', text: this.#stuck() })
    const values = this.topic.incarnations.flat().reduce((sum, { values }) => sum + values.length, 0)
    const lives = this.#slots.reduce((sum, slot) => sum + slot.lives, 0)
    return { findings: this.#findings, plan: this.plan, values, lives }
  }

  /** Lets time pass second by second. @returns whether it has come true in time */
  async #pass(until: () => boolean, longestMs: number): Promise<boolean> {
    for (let ms = 0; ms < longestMs; ms += 1_000) {
      if (until()) return true
      await this.time.advance(1_000)
      this.group.watch()
      if (ms % 5_000 === 0) this.#watchMemory()
    }
    return until()
  }

  #watchMemory(): void {
    for (const daemon of this.daemons) {
      const found = memoryFinding(this, daemon)
      if (found !== null && !this.#findings.some(({ kind }) => kind === 'memory')) this.#findings.push(found)
    }
  }

  #atRest(): boolean {
    if (this.#blowsUnderWay > 0 || this.network.underWay > 0) return false
    const daemons = this.daemons
    if (daemons.length < this.#slots.length || !daemons.every(({ process, quiet }) => process.running && quiet))
      return false
    const { settled } = this.group
    if (settled === null || !daemons.every(({ source }) => source.generation === settled)) return false
    const lanes = daemons.flatMap(({ source }) => source.lanes)
    if (lanes.length !== this.plan.partitions) return false
    return lanes.every((lane) => {
      const log = this.topic.log(lane.partition)
      return log.cut || this.store.landedTo(lane.source, lane.partition) >= log.readableEnd
    })
  }

  #stuck(): string {
    const problems = this.daemons.flatMap(({ pipeline, process }) => [
      `${process.name} ${process.running ? 'runs' : 'sleeps'}`,
      ...pipeline.problems(),
    ])
    return `not all has landed half an hour after the last fault: ${problems.join('; ')}`
  }

  async #produce(partition: number): Promise<void> {
    while (!this.network.calm) {
      await this.time.sleep(this.dice.between(0, 2 * this.plan.valueEveryMs))
      if (!this.topic.down && !this.network.calm) this.topic.log(partition).produce(this.dice, this.time.now())
    }
  }

  #startLater(slot: Slot, ms: number): void {
    void this.time.sleep(ms).then(() => {
      if (this.#held > 0) this.#startLater(slot, 1_000)
      else this.#start(slot)
    })
  }

  #start(slot: Slot): void {
    const process = new Process(`${slot.name}.${++slot.lives}`, this.time)
    const resumeAtMs = this.dice.chance(0.5) ? (slot.daemon?.lastSliceMs ?? null) : null
    // Settings may change between two lives; a range that was announced must not.
    const flushRows = Math.ceil(this.plan.flushRows * this.dice.between(0.4, 1.6))
    const without = this.#options.without ?? null
    slot.daemon = new Daemon(this, process, { plan: this.plan, without, resumeAtMs, flushRows })
    this.trace(process.name, () => 'starts')
    slot.daemon.start()
  }

  #restart(process: Process): void {
    const slot = this.#slots.find(({ daemon }) => daemon?.process === process)
    if (slot === undefined) return
    for (const text of slot.daemon?.complaints ?? []) this.#findings.push({ kind: 'daemon', text })
    this.#startLater(slot, this.dice.chance(0.5) ? this.dice.between(300, 3_000) : this.dice.between(3_000, 30_000))
  }

  #kill(process: Process): void {
    if (process.dead) return
    this.trace(process.name, () => 'dies')
    process.die()
    this.#restart(process)
  }

  #freeze(process: Process): void {
    if (!process.running) return
    const ms = this.dice.between(5_000, 45_000)
    this.trace(process.name, () => `is stopped for ${Math.round(ms / 1000)} s`)
    process.freeze()
    void this.time.sleep(ms).then(() => {
      if (process.dead) return
      this.trace(process.name, () => 'wakes')
      process.wake()
    })
  }

  async #strike(blow: Blow): Promise<void> {
    const { dice, time, topic, store } = this
    switch (blow) {
      case 'kill':
      case 'freeze':
      case 'stop': {
        const daemon = this.daemons[Math.floor(dice.between(0, this.daemons.length))]
        if (daemon === undefined || !daemon.process.running) return
        if (blow === 'kill') this.#kill(daemon.process)
        else if (blow === 'freeze') this.#freeze(daemon.process)
        else void daemon.stop()
        return
      }
      case 'store outage':
        store.down = true
        await time.sleep(dice.between(3_000, dice.chance(0.3) ? 600_000 : 60_000))
        store.down = false
        return
      case 'broker outage':
        topic.down = true
        await time.sleep(dice.between(3_000, 60_000))
        topic.down = false
        return
      case 'retention': {
        const log = topic.log(Math.floor(dice.between(0, this.plan.partitions)))
        log.earliest = Math.floor(dice.between(log.earliest, log.latest + 1))
        return
      }
      case 'expire offsets':
        return this.#whileDown('kill', () => this.group.committed.clear())
      case 'recreate topic':
        return this.#whileDown('stop', () => {
          topic.recreate()
          // Kafka forgets the offsets of a topic that is deleted, but not at once.
          if (dice.chance(0.5)) this.group.committed.clear()
        })
      case 'truncate':
        return this.#whileDown('kill', () => {
          const log = topic.log(Math.floor(dice.between(0, this.plan.partitions)))
          log.latest = Math.floor(dice.between(Math.max(log.earliest, log.latest - 15), log.latest + 1))
          log.cut = true
        })
      default:
        blow satisfies never
    }
  }

  /**
   * Brings all daemons down and does something to the broker. It is left out while a write is announced and not
   * finished: what the broker forgets of it nobody could complete (ARCHITECTURE.md, known limits).
   */
  async #whileDown(how: 'kill' | 'stop', act: () => void): Promise<void> {
    this.#held++
    for (const { process } of this.daemons) process.wake()
    for (const daemon of this.daemons) {
      if (how === 'kill') this.#kill(daemon.process)
      else void daemon.stop()
    }
    while (this.daemons.length > 0) await this.time.sleep(1_000)
    await this.time.sleep(this.dice.between(1_000, 20_000))
    if ([...this.group.committed.values()].every(({ metadata }) => !metadata.includes('"lo"'))) act()
    else this.trace('world', () => 'a write is announced: left out')
    this.#held--
  }
}
