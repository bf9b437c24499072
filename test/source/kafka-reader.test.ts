import { expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import type { FetchPlace, KafkaCluster, PartitionAnswer } from '../../src/source/kafka-cluster.ts'
import { KafkaLane } from '../../src/source/kafka-lane.ts'
import { KafkaReader } from '../../src/source/kafka-reader.ts'
import { ManualClock } from '../../src/time/clock.ts'

type Answer = (answers: readonly PartitionAnswer[]) => void

/** A broker that answers a fetch when the test says so. */
function world() {
  const clock = new ManualClock(Date.UTC(2026, 9, 5))
  const asked: { places: readonly FetchPlace[]; answer: Answer }[] = []
  const leader = { id: 1, host: 'broker.example', port: 9092 }
  const cluster = {
    leader: () => leader,
    topics: async () => ({ clusterId: 'c', topics: new Map() }),
    fetchFrom: (_: unknown, places: readonly FetchPlace[]) =>
      new Promise<readonly PartitionAnswer[]>((answer) => asked.push({ places, answer })),
  } as unknown as KafkaCluster
  const taken: [number, number][] = []
  const reader = new KafkaReader(cluster, {
    events: { take: async (_, { lo, hi }) => void taken.push([lo, hi]), astray: async () => undefined },
    ...{ clock, log: silentLog },
  })
  const lane = new KafkaLane({
    ...{ clusterId: 'c', topic: 'logs', topicId: null, epoch: 0, partition: 0, earliest: 0, latest: 10, initial: 0 },
    ...{ onResume: () => reader.wake(), read: async () => null, commit: async () => 'committed' },
  })
  return { clock, asked, taken, reader, lane }
}

test('knows a partition as stuck when records wait for a minute and none come, and not while it waits for us', async () => {
  const { clock, asked, taken, reader, lane } = world()
  reader.read([lane])
  lane.begin(0)
  expect(asked).toHaveLength(1)
  await clock.advance(59_000)
  expect(reader.stuck()).toEqual([])
  await clock.advance(1_000)
  expect(reader.stuck()).toEqual([lane])

  const records = { values: [], next: 10, unreadable: [] }
  asked[0]?.answer([{ place: { topic: 'logs', partition: 0, offset: 0 }, high: 10, records }])
  await clock.advance(60_000)
  expect(taken).toEqual([[0, 9]])
  expect(reader.stuck()).toEqual([])

  // More has come, but history has asked for a pause.
  lane.high = 20
  lane.pause()
  await clock.advance(120_000)
  expect(reader.stuck()).toEqual([])
  lane.resume()
  await clock.advance(60_000)
  expect(reader.stuck()).toEqual([lane])
})
