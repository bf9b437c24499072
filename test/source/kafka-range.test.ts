import { expect, test } from 'vitest'
import { lanesOf, type RangeCluster } from '../../src/source/kafka-range.ts'

/** One topic with one partition: offset 4 holds no record, and a fetch gives at most three values. */
function clusterOf(own: { earliest?: number; latest?: number; id?: string | null } = {}) {
  const { latest = 10, id = 'topic-id' } = own
  const state = { earliest: own.earliest ?? 0, fetched: [] as number[], asked: 0 }
  const cluster: RangeCluster = {
    topics: async (names) => ({
      clusterId: 'here',
      topics: new Map(names.filter((name) => name === 'logs').map((name) => [name, { id, partitions: [0] }])),
    }),
    bounds: async () => new Map([[0, { earliest: state.earliest, latest }]]),
    offsetsAt: async (_, timeMs) => {
      state.asked++
      return new Map([[0, Math.min(latest, timeMs)]])
    },
    fetch: async ({ offset }) => {
      state.fetched.push(offset)
      const next = Math.min(latest, offset + 3)
      const values = Array.from({ length: next - offset }, (_, i) => offset + i)
        .filter((at) => at !== 4)
        .map((at) => ({ offset: at, bytes: Buffer.from(String(at)), arrivedMs: at }))
      return { values, next, high: latest, unreadable: [] }
    },
  }
  return { cluster, state }
}

async function laneOf(cluster: RangeCluster) {
  const [lane] = await lanesOf(cluster, ['logs'], 0)
  if (lane === undefined) throw new Error('there is a partition')
  return lane
}

async function batches(cluster: RangeCluster, lo: number, hi: number) {
  const found: [number, number, number[]][] = []
  const lane = await laneOf(cluster)
  for await (const batch of lane.read(lo, hi))
    found.push([batch.lo, batch.hi, batch.values.map(({ offset }) => offset)])
  return found
}

test('names a lane as the daemon does, and as earlier versions did', async () => {
  const lane = await laneOf(clusterOf().cluster)
  expect([lane.source, lane.formerSources, lane.label]).toEqual([
    'kafka:here:logs:topic-id',
    ['kafka:here:logs'],
    'logs/0',
  ])
  const old = await laneOf(clusterOf({ id: null }).cluster)
  expect([old.source, old.formerSources]).toEqual(['kafka:here:logs', []])
  await expect(lanesOf(clusterOf().cluster, ['nothing'], 0)).rejects.toThrow('there is no topic nothing')
})

test('reads exactly the offsets asked for, without a hole between the batches', async () => {
  expect(await batches(clusterOf().cluster, 1, 8)).toEqual([
    [1, 3, [1, 2, 3]],
    [4, 6, [5, 6]],
    [7, 8, [7, 8]],
  ])
})

test('does not take offsets that were deleted, or are not there yet, for empty ones', async () => {
  const { cluster, state } = clusterOf()
  const lane = await laneOf(cluster)
  state.earliest = 2
  const read = async (lo: number, hi: number) => {
    for await (const _ of lane.read(lo, hi)) {
      // Only how it ends counts.
    }
  }
  await expect(read(1, 5)).rejects.toThrow('Kafka deleted offsets up to 1 meanwhile')
  await expect(read(5, 12)).rejects.toThrow('logs/0 ends before offset 12')
  await read(2, 5)
})

test('asks for the offset of a time once for all partitions', async () => {
  const { cluster, state } = clusterOf()
  const lane = await laneOf(cluster)
  expect([await lane.offsetAt(3), await lane.offsetAt(3), await lane.offsetAt(40)]).toEqual([3, 3, 10])
  expect(state.asked).toBe(2)
})
