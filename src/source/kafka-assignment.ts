import { MemberAssignment, MemberMetadata } from './kafka-requests.ts'
import type { KafkaMode } from './options.ts'

/** What a member of the group says of itself. */
export interface MemberFacts {
  readonly mode: KafkaMode
  /** `source.kafka.instance`; empty when it is not set. */
  readonly instance: string
  readonly host: string
  /** Whether it reads at present. In `single` mode it goes on reading when others come. */
  readonly reads: boolean
}

/** One member as the leader of the group sees it; facts are null when another program speaks, or another version. */
export interface Member {
  readonly id: string
  readonly topics: readonly string[]
  readonly facts: MemberFacts | null
}

/** What the leader tells a member. */
export interface Share {
  /** Partitions by topic. */
  readonly partitions: ReadonlyMap<string, readonly number[]>
  /** The members that read, for people. */
  readonly readers: readonly string[]
  readonly members: number
  /** Why this member reads nothing and must not; null when it may. */
  readonly refused: string | null
}

const version = 1

/**
 * The name under which the group agrees how to share. Members of another mode, of other versions and of other programs use
 * other names, and the broker lets nobody in who has no name in common with those who are there.
 */
export function protocolName(mode: KafkaMode): string {
  return `tollwatch-${version}-${mode}`
}

export function encodeMember({ topics, facts }: { topics: readonly string[]; facts: MemberFacts }): Buffer {
  return MemberMetadata.encode({ version: 0, topics, userData: Buffer.from(JSON.stringify({ v: version, ...facts })) })
}

export function decodeMember(id: string, metadata: Buffer): Member {
  const { topics, userData } = MemberMetadata.decode(metadata)
  const said = parsed(userData)
  const isOurs = said?.['v'] === version && (said['mode'] === 'single' || said['mode'] === 'keyed')
  if (!isOurs) return { id, topics, facts: null }
  const text = (key: string): string => (typeof said[key] === 'string' ? said[key].slice(0, 200) : '')
  const mode = said['mode'] === 'keyed' ? 'keyed' : 'single'
  return { id, topics, facts: { mode, instance: text('instance'), host: text('host'), reads: said['reads'] === true } }
}

export function encodeShare({ partitions, readers, members, refused }: Share): Buffer {
  const userData = Buffer.from(JSON.stringify({ v: version, readers, members, refused }))
  return MemberAssignment.encode({ version: 0, assignment: Object.fromEntries(partitions), userData })
}

export function decodeShare(assignment: Buffer): Share {
  const decoded = assignment.length === 0 ? null : MemberAssignment.decode(assignment)
  const said = parsed(decoded?.userData ?? null) ?? {}
  return {
    partitions: new Map(Object.entries(decoded?.assignment ?? {})),
    readers: Array.isArray(said['readers']) ? said['readers'].map(String) : [],
    members: typeof said['members'] === 'number' ? said['members'] : 1,
    refused: typeof said['refused'] === 'string' ? said['refused'] : null,
  }
}

/**
 * Who reads what. In `single` mode one member has all of a topic: the one that reads now, else the first by id. In `keyed`
 * mode partitions are dealt out in turn, to members that can be told apart.
 */
export function shareOut(
  mode: KafkaMode,
  members: readonly Member[],
  topics: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, Share> {
  // Those that read now come first: they keep what they have, and their name.
  const order = [...members].sort((a, b) => Number(b.facts?.reads) - Number(a.facts?.reads) || (a.id < b.id ? -1 : 1))
  const refusals = new Map(order.map((member) => [member.id, refusalOf(mode, member, order)]))
  const able = order.filter(({ id }) => refusals.get(id) === null)
  const dealt = new Map<string, Map<string, number[]>>(order.map(({ id }) => [id, new Map()]))
  let turn = 0
  for (const [topic, partitions] of [...topics].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const takers = able.filter((member) => member.topics.includes(topic))
    for (const partition of partitions) {
      const taker = mode === 'single' ? takers[0] : takers[turn++ % takers.length]
      if (taker === undefined) continue
      const own = dealt.get(taker.id)
      own?.set(topic, [...(own.get(topic) ?? []), partition])
    }
  }
  const readers = able.filter(({ id }) => dealt.get(id)?.size !== 0).map(nameOf)
  return new Map(
    order.map(({ id }) => [
      id,
      { partitions: dealt.get(id) ?? new Map(), readers, members: order.length, refused: refusals.get(id) ?? null },
    ]),
  )
}

function refusalOf(mode: KafkaMode, member: Member, order: readonly Member[]): string | null {
  if (member.facts === null) return 'it is not a Tollwatch of this version'
  if (mode === 'single') return null
  const { instance } = member.facts
  const first = order.find(({ facts }) => facts?.instance === instance)
  if (first === undefined || first === member) return null
  const name = instance === '' ? 'no name' : `the name "${instance}"`
  return `${nameOf(first)} has ${name} too; in mode keyed give each daemon its own source.kafka.instance`
}

function nameOf({ id, facts }: Member): string {
  const instance = facts?.instance ?? ''
  return `${instance === '' ? '' : `"${instance}" `}on ${facts?.host || 'an unknown host'} (${id})`
}

function parsed(bytes: Buffer | null): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes?.toString() ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
