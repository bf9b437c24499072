import { Fault } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { EpochMs } from '../time/clock.ts'
import { KafkaCluster, kafkaSourceName } from './kafka-cluster.ts'
import type { Records } from './kafka-records.ts'
import type { KafkaOptions } from './options.ts'
import { isUnreadable, unpacked } from './packed.ts'
import type { Batch, Packed, RecordFraming, Unreadable } from './source.ts'

/** A lane whose offsets can be read again, each time with the same values, beside whoever follows it. */
export interface RereadableLane {
  /** As the daemon names it. */
  readonly source: string
  /** Names that earlier versions gave the same input. */
  readonly formerSources: readonly string[]
  readonly partition: number
  /** For people: `gateway-logs/3`. */
  readonly label: string
  /** Lowest offset that could be read, and the one past the highest, when the lane was opened. */
  readonly earliest: number
  readonly latest: number
  /** The first offset whose record came at a time or later; `latest` where there is none. */
  offsetAt(timeMs: EpochMs): Promise<number>
  /**
   * All values from `lo` to `hi`, in order and without a hole between the batches.
   *
   * @throws Fault `offset-out-of-range` when some of it is not there any more; `kafka-unreachable`, retryable
   */
  read(lo: number, hi: number): AsyncIterable<Batch>
}

/** Topics of a cluster, opened to be read again outside any consumer group. */
export interface RereadableTopics {
  readonly lanes: readonly RereadableLane[]
  close(): Promise<void>
}

/** What this needs of a cluster. */
export type RangeCluster = Pick<KafkaCluster, 'topics' | 'bounds' | 'offsetsAt' | 'fetch'>

const fetchBytes = 4 * 1024 * 1024

/**
 * Connects and looks up the topics' partitions.
 *
 * @throws Fault `kafka-unreachable` or `kafka-refused`
 */
export async function openTopics(
  options: KafkaOptions,
  context: { epoch: number; log: Log },
): Promise<RereadableTopics> {
  const cluster = new KafkaCluster(options, context.log)
  try {
    await cluster.connect()
    const lanes = await lanesOf(cluster, options.topic, context.epoch)
    return { lanes, close: () => cluster.close() }
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** The partitions of the topics, each with its bounds as they are now. */
export async function lanesOf(
  cluster: RangeCluster,
  names: readonly string[],
  epoch: number,
): Promise<readonly RereadableLane[]> {
  const { clusterId, topics } = await cluster.topics(names)
  const lanes: RereadableLane[] = []
  for (const topic of names) {
    const found = topics.get(topic)
    if (found === undefined) {
      const message = `there is no topic ${topic}; mend source.kafka.topic or --topic`
      throw new Fault('kafka-refused', message, { retryable: false })
    }
    const source = kafkaSourceName({ clusterId, topic, topicId: found.id, epoch })
    const bounds = await cluster.bounds(topic)
    const offsets = new Map<EpochMs, Promise<ReadonlyMap<number, number>>>()
    for (const partition of found.partitions) {
      const { earliest, latest } = bounds.get(partition) ?? { earliest: 0, latest: 0 }
      const formerSources = [kafkaSourceName({ clusterId, topic, topicId: null, epoch })].filter((it) => it !== source)
      lanes.push({
        ...{ source, formerSources, partition, label: `${topic}/${partition}`, earliest, latest },
        offsetAt: async (timeMs) => {
          const asked = offsets.get(timeMs) ?? cluster.offsetsAt(topic, timeMs)
          offsets.set(timeMs, asked)
          return (await asked).get(partition) ?? latest
        },
        read: (lo, hi) => readRange(cluster, { topic, partition }, { lo, hi }),
      })
    }
  }
  return lanes
}

async function* readRange(
  cluster: RangeCluster,
  { topic, partition }: { topic: string; partition: number },
  { lo, hi }: { lo: number; hi: number },
): AsyncGenerator<Batch> {
  for (let at = lo; at <= hi; ) {
    const records = await cluster.fetch({ topic, partition, offset: at, maxBytes: fetchBytes })
    if (records.next <= at) throw outOfRange(`${topic}/${partition} ends before offset ${hi}`)
    yield* batchesOf(records, at, hi)
    at = records.next
  }
  // Offsets without a record are skipped, and deleted ones look the same: only the bounds tell.
  const { earliest = 0 } = (await cluster.bounds(topic)).get(partition) ?? {}
  if (earliest > lo) throw outOfRange(`${topic}/${partition}: Kafka deleted offsets up to ${earliest - 1} meanwhile`)
}

/** What a fetch brought up to `hi`. The record batch that goes beyond it is taken apart and cut there. */
function* batchesOf({ packed, next, unreadable }: Records, lo: number, hi: number): Generator<Batch> {
  const last = Math.min(hi, next - 1)
  const isBeyond = ({ framing }: Packed) => framing.kind === 'records' && framing.last > last
  const beyond = packed.find(isBeyond)
  const whole = packed.filter((one) => !isBeyond(one))
  const missing = unreadable.flatMap((part) => (part.lo > last ? [] : [{ ...part, hi: Math.min(part.hi, last) }]))
  const cut = beyond === undefined ? last + 1 : Math.max(lo, (beyond.framing as RecordFraming).base)
  if (beyond === undefined || cut > last) {
    yield { lo, hi: last, values: [], packed: whole, unreadable: missing }
    return
  }
  if (cut > lo) {
    yield { lo, hi: cut - 1, values: [], packed: whole, unreadable: missing.filter((part) => part.lo < cut) }
  }
  const rest = unpacked(beyond)
  const after: Unreadable[] = missing.filter((part) => part.lo >= cut)
  if (isUnreadable(rest)) yield { lo: cut, hi: last, values: [], unreadable: [{ ...rest, hi: last }, ...after] }
  else yield { lo: cut, hi: last, values: rest.filter(({ offset }) => offset <= last), unreadable: after }
}

function outOfRange(message: string): Fault {
  return new Fault('offset-out-of-range', message, { retryable: false })
}
