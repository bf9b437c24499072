import { type Cause, causes } from '../../src/classify/cause.ts'
import { Fault } from '../../src/fault/fault.ts'
import { sliceMs } from '../../src/window/view.ts'
import { encode, type PlainRecord } from '../pipeline/fake-world.ts'
import type { Dice } from '../support/dice.ts'

/** What one entry of a value must become, worked out apart from the code under test. */
export type Truth =
  | { readonly kind: 'counted'; readonly slice: number; readonly tenant: string; readonly cause: Cause | '' }
  | { readonly kind: 'letter' }

export interface StoredValue {
  readonly offset: number
  readonly bytes: Uint8Array | null
  readonly arrivedMs: number
  /** By index of the entry. */
  readonly entries: readonly Truth[]
}

const tenants = ['acme', 'globex', 'initech'] as const
export const api = 'chat'
const hourMs = 3_600_000

/** One partition of one incarnation of the topic. Values that were written stay known to the auditor when they are deleted. */
export class PartitionLog {
  readonly values: (StoredValue | null)[] = []
  earliest = 0
  latest = 0
  /** An unclean election has cut it: nothing is written to it any more, for offsets would come twice. */
  cut = false

  /** Appends one value; before it now and then offsets without any, as compaction and control records leave them. */
  produce(dice: Dice, now: number): void {
    if (this.cut) return
    if (dice.chance(0.04)) {
      this.values.push(null)
      if (dice.chance(0.3)) this.values.push(null)
    }
    this.values.push(newValue(dice, this.values.length, now))
    this.latest = this.values.length
  }

  /** Appends one plain request of this moment. */
  beat(now: number): void {
    if (this.cut) return
    const record = { t: now, tenant: tenants[0], api }
    const offset = this.values.length
    this.values.push({ offset, bytes: encode(record), arrivedMs: now, entries: [truthOf(record, now)] })
    this.latest = this.values.length
  }

  /** Values from an offset on, and the offset after all that was looked through. */
  read(from: number, limit: number): { values: StoredValue[]; next: number } {
    const values: StoredValue[] = []
    let next = from
    for (; next < this.latest && values.length < limit; next++) {
      const value = this.values[next]
      if (value !== null && value !== undefined) values.push(value)
    }
    return { values, next }
  }

  /** One past the newest value that can be read; -1 where there is none. */
  get readableEnd(): number {
    for (let offset = this.latest - 1; offset >= this.earliest; offset--) if (this.values[offset]) return offset + 1
    return -1
  }
}

function newValue(dice: Dice, offset: number, now: number): StoredValue {
  if (dice.chance(0.04)) return { offset, bytes: null, arrivedMs: now, entries: [{ kind: 'letter' }] }
  if (dice.chance(0.05)) {
    return { offset, bytes: Buffer.from('{"half'), arrivedMs: now, entries: [{ kind: 'letter' }] }
  }
  const records = Array.from({ length: dice.chance(0.2) ? 1 + Math.floor(dice.between(1, 4)) : 1 }, () =>
    newRecord(dice, now),
  )
  return {
    ...{ offset, arrivedMs: now, bytes: encode(records.length === 1 ? (records[0] as PlainRecord) : records) },
    entries: records.map((record) => truthOf(record, now)),
  }
}

function newRecord(dice: Dice, now: number): PlainRecord {
  const refused = dice.chance(0.2) ? { cause: causes[Math.floor(dice.between(0, 3))] as Cause } : {}
  return { t: Math.floor(stamp(dice, now)), tenant: dice.pick(tenants), api, ...refused }
}

function stamp(dice: Dice, now: number): number {
  const drawn = dice.next()
  if (drawn < 0.8) return now - dice.between(0, 3_000)
  if (drawn < 0.88) return now - dice.between(10_000, 300_000)
  if (drawn < 0.92) return now - dice.between(300_000, 2 * hourMs)
  if (drawn < 0.95) return now + dice.between(0, 50_000)
  if (drawn < 0.98) return now + dice.between(120_000, 10 * hourMs)
  return drawn < 0.99 ? now + 20 * hourMs : now - 100 * 24 * hourMs
}

/** The rules of event time once more: too far off is a dead letter, more than a minute ahead counts at the arrival. */
function truthOf({ t, tenant, cause }: PlainRecord, arrivedMs: number): Truth {
  if (t > arrivedMs + 16 * hourMs || t < arrivedMs - 90 * 24 * hourMs) return { kind: 'letter' }
  const time = t > arrivedMs + 60_000 ? arrivedMs : t
  return { kind: 'counted', slice: Math.floor(time / sliceMs), tenant, cause: cause ?? '' }
}

/** The topic on its broker. Made anew it has another id and begins at offset 0. */
export class Topic {
  down = false
  /** Every incarnation, by id from 1 up. */
  readonly incarnations: PartitionLog[][] = []
  readonly #partitions: number

  constructor(partitions: number) {
    this.#partitions = partitions
    this.recreate()
  }

  get id(): number {
    return this.incarnations.length
  }

  get logs(): readonly PartitionLog[] {
    return this.incarnations.at(-1) ?? []
  }

  recreate(): void {
    this.incarnations.push(Array.from({ length: this.#partitions }, () => new PartitionLog()))
  }

  log(partition: number): PartitionLog {
    const log = this.logs[partition]
    if (log === undefined) throw new Error(`there is no partition ${partition}`)
    return log
  }

  mustBeUp(): void {
    if (this.down) throw new Fault('kafka-unreachable', 'the broker is down', { retryable: true })
  }

  bounds(partition: number): { earliest: number; latest: number; topicId: number } {
    const { earliest, latest } = this.log(partition)
    return { earliest, latest, topicId: this.id }
  }

  fetch(
    partition: number,
    from: number,
    limit: number,
  ): { values: StoredValue[]; next: number; latest: number } | 'out of range' {
    const log = this.log(partition)
    if (from < log.earliest || from > log.latest) return 'out of range'
    return { ...log.read(from, limit), latest: log.latest }
  }
}
