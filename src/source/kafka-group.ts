import { Fault, messageOf } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { Clock } from '../time/clock.ts'
import {
  decodeMember,
  decodeShare,
  encodeMember,
  encodeShare,
  type MemberFacts,
  protocolName,
  type Share,
  shareOut,
} from './kafka-assignment.ts'
import type { Node } from './kafka-requests.ts'
import { errorType, KafkaWire, type Purpose } from './kafka-wire.ts'
import type { KafkaOptions } from './options.ts'

/** Our place in the group between two rebalances. */
export interface Generation extends Share {
  readonly id: number
  readonly memberId: string
}

/** Whom the member tells what happens to it. Nothing else happens until they resolve, but heartbeats go on. */
export interface GroupListener {
  /** Who we are, told at every join. */
  facts(): MemberFacts
  /** The partitions there are, asked when this member deals them out. */
  partitions(topics: readonly string[]): Promise<ReadonlyMap<string, readonly number[]>>
  /** A new generation has begun and these are our partitions. */
  assigned(generation: Generation): void
  /** The group wants to share anew: what was read should be written before it does. */
  revoking(generation: Generation): Promise<void>
  /** We were taken for dead: others may have our partitions already. */
  expelled(generation: Generation): void
  /** The group is in use by members that share in another way; `byOurs` when they are Tollwatch daemons too. */
  refused(reason: string, byOurs: boolean): void
}

const rebalanceTimeoutMs = 60_000
const longestPauseMs = 15_000
/** We are not of the group any more; only a new member id helps. */
const expulsions = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID'])
/** Errors of a commit that mean: another generation of the group owns the partition now. */
const fencing = new Set([...expulsions, 'REBALANCE_IN_PROGRESS'])

/**
 * A member of a consumer group, by the classic protocol. Heartbeats run by their own timer. Before it joins a new generation
 * it lets what was read be written, and commits carry the generation in which they were made, so that the coordinator
 * refuses those of an owner that has lost its partitions.
 */
export class KafkaMember {
  readonly #options: KafkaOptions
  readonly #wire: KafkaWire
  readonly #listener: GroupListener
  readonly #clock: Clock
  readonly #log: Log
  readonly #stop = new AbortController()
  #again = new AbortController()
  #coordinator: Node | null = null
  #memberId = ''
  #problem: string | null = 'joining the group'
  #running: Promise<void> = Promise.resolve()
  /** When members came or went lately. */
  readonly #rebalances: number[] = []

  constructor(options: KafkaOptions, parts: { listener: GroupListener; clock: Clock; log: Log }) {
    this.#options = options
    this.#wire = new KafkaWire(options, parts.log)
    this.#listener = parts.listener
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /** Why we are not in the group; null when we are. */
  get problem(): string | null {
    return this.#problem
  }

  /** How often the group was shared anew in the last five minutes. */
  get rebalances(): number {
    const since = this.#clock.now() - 5 * 60_000
    return this.#rebalances.filter((at) => at >= since).length
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Joins again soon, for the group to share anew. */
  rejoin(): void {
    this.#again.abort()
  }

  /** Leaves the group. What is under way fails. */
  async leave(): Promise<void> {
    this.#stop.abort()
    this.#again.abort()
    const memberId = this.#memberId
    if (memberId !== '' && this.#coordinator !== null) {
      const farewell = this.#ask('LeaveGroup', { memberId }, 'questions').catch(() => undefined)
      await Promise.race([farewell, this.#clock.sleep(2_000)])
    }
    await this.#wire.close()
    await this.#running
  }

  /** The committed offset of a partition with its metadata, null where there is none. */
  async committed(topic: string, partition: number): Promise<{ offset: number; metadata: string } | null> {
    return (await this.#committed(topic, [partition])).get(partition) ?? null
  }

  /** Whether the group has read any of these partitions before. */
  async hasRead(topic: string, partitions: readonly number[]): Promise<boolean> {
    return (await this.#committed(topic, partitions)).size > 0
  }

  async #committed(topic: string, partitions: readonly number[]) {
    type Answer = { responses: { partitions: { partition: number; offset: string; metadata: string | null }[] }[] }
    try {
      const topics = [{ topic, partitions: partitions.map((partition) => ({ partition })) }]
      const { responses } = await this.#ask<Answer>('OffsetFetch', { topics })
      const found = responses.flatMap((response) => response.partitions).filter(({ offset }) => Number(offset) >= 0)
      return new Map(found.map((one) => [one.partition, { offset: Number(one.offset), metadata: one.metadata ?? '' }]))
    } catch (error) {
      throw this.#unreachable('the committed offset has no answer', error)
    }
  }

  /** Commits in the generation that read. @throws Fault retryable when the outcome is unknown */
  async commit(
    { id, memberId }: Generation,
    { topic, partition, offset, metadata }: { topic: string; partition: number; offset: number; metadata: string },
  ): Promise<'committed' | 'fenced'> {
    try {
      const topics = [{ topic, partitions: [{ partition, offset: String(offset), metadata }] }]
      await this.#ask('OffsetCommit', { groupGenerationId: id, memberId, topics })
      return 'committed'
    } catch (error) {
      if (fencing.has(errorType(error))) return 'fenced'
      throw this.#unreachable('the offset commit has no answer', error)
    }
  }

  async #run(): Promise<void> {
    for (let pauseMs = 200; !this.#stop.signal.aborted; ) {
      try {
        const generation = await this.#join()
        if (this.#stop.signal.aborted) return
        this.#problem = null
        pauseMs = 200
        this.#rebalances.push(this.#clock.now())
        if (this.#rebalances.length > 1_000) this.#rebalances.shift()
        this.#listener.assigned(generation)
        await this.#belong(generation)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        const type = errorType(error)
        if (expulsions.has(type)) this.#memberId = ''
        // Others join too: there is nothing to wait for.
        if (type === 'REBALANCE_IN_PROGRESS') continue
        await this.#explain(error)
        // Spread out, so that daemons that lost the same broker do not all come back at once.
        await this.#clock.sleep(pauseMs * (0.75 + Math.random() / 2), this.#stop.signal)
        pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      }
    }
  }

  async #join(): Promise<Generation> {
    const { topic: topics, mode, session_timeout: sessionTimeout } = this.#options
    this.#again = new AbortController()
    type Joined = {
      generationId: number
      leaderId: string
      memberId: string
      members: { memberId: string; memberMetadata: Buffer }[]
    }
    const groupProtocols = [
      { name: protocolName(mode), metadata: encodeMember({ topics, facts: this.#listener.facts() }) },
    ]
    const join = () =>
      this.#ask<Joined>('JoinGroup', {
        ...{ sessionTimeout, rebalanceTimeout: rebalanceTimeoutMs, memberId: this.#memberId },
        ...{ protocolType: 'consumer', groupProtocols },
      })
    const joined = await join().catch((error: unknown) => {
      // A broker gives a new member its id first, so that one that dies while it joins leaves nothing behind.
      const { name, memberId } = error as { name?: string; memberId?: string }
      if (name !== 'KafkaJSMemberIdRequired' || memberId === undefined) throw error
      this.#memberId = memberId
      return join()
    })
    this.#memberId = joined.memberId
    const members = joined.members.map(({ memberId, memberMetadata }) => decodeMember(memberId, memberMetadata))
    const shares =
      joined.leaderId === joined.memberId
        ? shareOut(mode, members, await this.#listener.partitions([...new Set(members.flatMap((one) => one.topics))]))
        : new Map<string, Share>()
    const { memberAssignment } = await this.#ask<{ memberAssignment: Buffer }>('SyncGroup', {
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupAssignment: [...shares].map(([memberId, share]) => ({ memberId, memberAssignment: encodeShare(share) })),
    })
    return { id: joined.generationId, memberId: joined.memberId, ...decodeShare(memberAssignment) }
  }

  /** Shows signs of life until the generation ends. */
  async #belong(generation: Generation): Promise<void> {
    const end = new AbortController()
    let isExpelled = false
    let rebalance = (): void => {}
    const asked = new Promise<void>((resolve) => {
      rebalance = resolve
    })
    const beating = this.#beat(generation, end.signal, (why) => {
      isExpelled ||= why === 'expelled'
      rebalance()
    })
    // Somebody may have asked while we were joining.
    const again = this.#again.signal
    if (!again.aborted) again.addEventListener('abort', () => rebalance(), { once: true })
    if (!again.aborted) await asked
    if (!isExpelled && !this.#stop.signal.aborted) await this.#listener.revoking(generation)
    end.abort()
    await beating
    if (!isExpelled) return
    this.#memberId = ''
    this.#listener.expelled(generation)
  }

  async #beat(
    { id, memberId }: Generation,
    end: AbortSignal,
    onEnd: (why: 'rebalance' | 'expelled') => void,
  ): Promise<void> {
    const everyMs = Math.min(1_000, this.#options.session_timeout / 3)
    while (!end.aborted && !this.#stop.signal.aborted) {
      await this.#clock.sleep(everyMs, end)
      if (end.aborted || this.#stop.signal.aborted) return
      try {
        await this.#ask('Heartbeat', { groupGenerationId: id, memberId })
        this.#problem = null
      } catch (error) {
        const type = errorType(error)
        if (type === 'REBALANCE_IN_PROGRESS') onEnd('rebalance')
        else if (expulsions.has(type)) {
          onEnd('expelled')
          return
        } else if (!this.#stop.signal.aborted) await this.#explain(error)
      }
    }
  }

  /** Asks the coordinator, which is looked up anew after every trouble with it. */
  async #ask<Answer>(name: string, fields: Record<string, unknown>, purpose: Purpose = 'group'): Promise<Answer> {
    const groupId = this.#options.group
    try {
      this.#coordinator ??= await this.#findCoordinator(groupId)
      return await this.#wire.ask<Answer>(this.#coordinator, purpose, name, { groupId, ...fields })
    } catch (error) {
      const type = errorType(error)
      if (!fencing.has(type) && type !== 'KafkaJSMemberIdRequired') this.#coordinator = null
      throw error
    }
  }

  async #findCoordinator(groupId: string): Promise<Node> {
    type Answer = { coordinator: { nodeId: number; host: string; port: number } }
    const fields = { groupId, coordinatorType: 0 }
    const { coordinator } = await this.#wire.ask<Answer>(null, 'questions', 'GroupCoordinator', fields)
    return { id: coordinator.nodeId, host: coordinator.host, port: coordinator.port }
  }

  async #explain(error: unknown): Promise<void> {
    const { brokers, group } = this.#options
    const isStrange = errorType(error) === 'INCONSISTENT_GROUP_PROTOCOL'
    const problem = isStrange
      ? await this.#strangers()
      : `the group ${group} at ${brokers.join(', ')} cannot be joined: ${messageOf(error)}`
    if (problem !== this.#problem && !this.#stop.signal.aborted) this.#log.warn(`${problem}; trying again`)
    this.#problem = problem
  }

  /** Who is in the group and does not share as we do. */
  async #strangers(): Promise<string> {
    const { group, mode } = this.#options
    type Answer = { groups: { protocol: string; members: { memberId: string; clientHost: string }[] }[] }
    const described = await this.#ask<Answer>('DescribeGroups', { groupIds: [group] }).catch(() => null)
    const { protocol = '', members = [] } = described?.groups[0] ?? {}
    const names = members
      .slice(0, 5)
      .map(({ memberId, clientHost }) => `${memberId} at ${clientHost.replace(/^\//, '')}`)
    const more = members.length > names.length ? ` and ${members.length - names.length} more` : ''
    const others = names.length === 0 ? 'another program' : `${names.join(', ')}${more}`
    const isOtherMode = protocol === protocolName(mode === 'single' ? 'keyed' : 'single')
    const reason = isOtherMode
      ? `the group ${group} is in use in another mode by ${others}; set the same source.kafka.mode everywhere`
      : `the group ${group} is in use by another program or version: ${others}; stop it, or name another source.kafka.group`
    if (!this.#stop.signal.aborted) this.#listener.refused(reason, protocol.startsWith('tollwatch-'))
    return reason
  }

  #unreachable(what: string, error: unknown): Fault {
    return new Fault('kafka-unreachable', `${what}: ${messageOf(error)}`, { retryable: true, cause: error })
  }
}
