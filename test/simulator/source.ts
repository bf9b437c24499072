import { Fault, messageOf } from '../../src/fault/fault.ts'
import type { BatchConsumer, Coordinator } from '../../src/source/source.ts'
import type { Assignment } from './group.ts'
import { SimulatedLane } from './lane.ts'
import type { Process } from './process.ts'
import { type Safeguard, weakCoordinator } from './safeguards.ts'
import type { World } from './world.ts'

const heartbeatMs = 3_000
const revokingMs = 4_000
const longestPauseMs = 15_000

/** Our place in the group, and the number of the assignment that came with it. */
interface Owner extends Assignment {
  readonly number: number
  readonly consumer: BatchConsumer
}

/**
 * Does with the simulated broker what `KafkaSource` does with a real one, by the same steps: positions are the pipeline's,
 * each assignment makes the one before void, commits go in the generation of their assignment.
 */
export class SimulatedSource {
  /** Offsets that were handed over in this process, by lane: each counts once in the lifetime totals. */
  readonly delivered = new Map<string, Set<number>>()
  readonly #world: World
  readonly #process: Process
  readonly #without: Safeguard | null
  readonly #onFault: (text: string) => void
  /** The generation whose lanes are being read; null before the first. */
  generation: number | null = null
  #open: (() => BatchConsumer) | null = null
  #consumer: BatchConsumer | null = null
  #lanes: readonly SimulatedLane[] = []
  #assignment = 0
  #member = ''
  #members = 0
  #stopping = false

  constructor(world: World, process: Process, options: { without: Safeguard | null; onFault: (text: string) => void }) {
    this.#world = world
    this.#process = process
    this.#without = options.without
    this.#onFault = options.onFault
  }

  get lanes(): readonly SimulatedLane[] {
    return this.#lanes
  }

  start(open: () => BatchConsumer): void {
    this.#open = open
    this.#consumer = open()
    void this.#run()
  }

  stop(): void {
    this.#stopping = true
    this.#halt()
  }

  async close(): Promise<void> {
    this.#assignment++
    await this.#ask(() => this.#world.group.leave(this.#member))
    this.#world.ended(this.#process)
  }

  /** Joins, shows signs of life, and joins again whenever the group asks for it. */
  async #run(): Promise<void> {
    while (!this.#stopping) {
      if (this.#member === '') this.#member = `${this.#process.name}.${++this.#members}`
      const assignment = await this.#join(this.#member)
      void this.#assigned(assignment)
      await this.#belong(assignment)
    }
  }

  #join(member: string): Promise<Assignment> {
    const { group } = this.#world
    return new Promise((resolve) => {
      const answer = (assignment: Assignment): void => void this.#ask(() => assignment).then(resolve)
      void this.#ask(() => group.join(member, answer))
    })
  }

  async #belong({ member, generation }: Assignment): Promise<void> {
    const { group } = this.#world
    for (;;) {
      await this.#process.clock.sleep(heartbeatMs)
      const answer = await this.#ask(() => group.heartbeat(member, generation))
      if (answer === 'well') continue
      if (answer === 'unknown') {
        this.#member = ''
        this.#halt()
      } else {
        await Promise.race([this.#consumer?.revoking?.(), this.#process.clock.sleep(revokingMs)])
      }
      return
    }
  }

  async #assigned(assignment: Assignment): Promise<void> {
    const number = ++this.#assignment
    this.#halt()
    this.#lanes = []
    if (this.#without === 'old lanes dropped') this.#consumer = this.#open?.() ?? null
    if (this.#consumer === null) return
    const owner: Owner = { ...assignment, number, consumer: this.#consumer }
    for (let pauseMs = 200; number === this.#assignment; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const lanes: SimulatedLane[] = []
        for (const partition of assignment.partitions) lanes.push(await this.#lane(partition, owner))
        if (number !== this.#assignment) return
        const starts = await owner.consumer.assigned(lanes)
        if (number !== this.#assignment) return
        this.#lanes = lanes
        this.generation = assignment.generation
        for (const [index, lane] of lanes.entries()) {
          lane.begin(starts[index] ?? lane.initial)
          void this.#read(lane, owner)
        }
        return
      } catch (error) {
        if (!(error instanceof Fault)) this.#onFault(`assigned: ${messageOf(error)}`)
        if (number !== this.#assignment) return
        await this.#process.clock.sleep(pauseMs)
      }
    }
  }

  async #lane(partition: number, owner: Owner): Promise<SimulatedLane> {
    const { topic, network } = this.#world
    const what = () => `bounds of ${partition}`
    const bounds = await network.call(this.#process, 'read', what, () => {
      topic.mustBeUp()
      return topic.bounds(partition)
    })
    const known = this.#without !== 'topic identity'
    return new SimulatedLane({
      ...{ partition, ...bounds },
      source: this.#world.sourceOf(bounds.topicId),
      incarnation: {
        id: known ? String(bounds.topicId) : null,
        sourceOf: (id) => this.#world.sourceOf(id === null ? null : Number(id)),
      },
      coordinator: weakCoordinator(this.#coordinator(partition, owner), this.#without),
    })
  }

  #coordinator(partition: number, owner: Owner): Coordinator {
    const { group, network, topic } = this.#world
    const { member, generation } = owner
    return {
      read: () =>
        network.call(
          this.#process,
          'read',
          () => `committed offset of ${partition}`,
          () => {
            topic.mustBeUp()
            return group.committed.get(partition) ?? null
          },
        ),
      commit: async (offset, metadata) => {
        if (owner.number !== this.#assignment) return 'fenced'
        return network.call<'committed' | 'fenced'>(
          this.#process,
          'commit',
          () => `commit ${partition} at ${offset} ${metadata}`,
          () => {
            topic.mustBeUp()
            return group.commit({ member, generation, partition, offset, metadata }) ? 'committed' : 'fenced'
          },
        )
      },
    }
  }

  /** Fetches one partition, batch after batch. A batch covers its offsets without a gap. */
  async #read(lane: SimulatedLane, owner: Owner): Promise<void> {
    const { dice, topic } = this.#world
    while (owner.number === this.#assignment && !this.#stopping) {
      await this.#process.clock.sleep(dice.between(200, 1_500))
      if (!lane.isWanted || topic.down) continue
      const from = lane.next
      const limit = Math.floor(dice.between(1, 15))
      const answer = await this.#ask(() => topic.fetch(lane.partition, from, limit))
      if (owner.number !== this.#assignment || !lane.isWanted) continue
      if (answer === 'out of range') await this.#astray(lane, owner)
      else if (answer.next > from) await this.#deliver(lane, owner, answer)
    }
  }

  async #deliver(
    lane: SimulatedLane,
    { consumer }: Owner,
    { values, next, latest }: Exclude<ReturnType<World['topic']['fetch']>, string>,
  ): Promise<void> {
    const key = `${lane.source}/${lane.partition}`
    const known = this.delivered.get(key) ?? new Set<number>()
    this.delivered.set(key, known)
    for (const { offset } of values) known.add(offset)
    lane.high = latest
    lane.delivers(lane.next)
    await consumer.take(lane, { lo: lane.next, hi: next - 1, values })
    lane.next = next
  }

  async #astray(lane: SimulatedLane, { consumer }: Owner): Promise<void> {
    const { earliest, latest } = await this.#ask(() => this.#world.topic.bounds(lane.partition))
    if (lane.next < earliest) {
      await consumer.lost(lane, lane.next, earliest - 1)
      lane.next = earliest
    } else if (lane.next > latest) {
      consumer.beyond?.(lane, latest)
      lane.halt()
    }
  }

  #halt(): void {
    for (const lane of this.#lanes) lane.halt()
  }

  #ask<Value>(answer: () => Value): Promise<Value> {
    return this.#world.ask(this.#process, answer)
  }
}
