import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstOffset, lastOffset, partsOf } from '../../src/history/batch-parts.ts'
import { lanesOf, type RangeCluster } from '../../src/source/kafka-range.ts'
import { readRecords } from '../../src/source/kafka-records.ts'
import { record, recordBatch } from './record-batches.ts'

const sealed = { base: 12, last: 14, count: 3, records: Buffer.alloc(9), attributes: 7 }

/** Three offsets a batch: 4 holds no record, and the batch of 12 to 14 is in a codec that nobody knows. */
function batchAt(base: number): Buffer {
  if (base === sealed.base) return recordBatch(sealed)
  const offsets = [base, base + 1, base + 2].filter((offset) => offset !== 4)
  const records = offsets.map((offset) => record(offset - base, Buffer.from(String(offset))))
  return recordBatch({ base, last: base + 2, count: records.length, records: Buffer.concat(records) })
}

/** One topic with one partition. A fetch brings the batch that holds its offset, and so many more. */
function clusterOf(own: { earliest?: number; latest?: number; id?: string | null; more?: number } = {}) {
  const { latest = 12, id = 'topic-id', more = 0 } = own
  const state = { earliest: own.earliest ?? 0, asked: 0 }
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
      const first = Math.floor(offset / 3) * 3
      const bases = Array.from({ length: 1 + more }, (_, i) => first + 3 * i).filter((base) => base < latest)
      return { ...(await readRecords(Buffer.concat(bases.map(batchAt)), offset)), high: latest }
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
  for await (const batch of lane.read(lo, hi)) found.push([batch.lo, batch.hi, [...partsOf(batch)].map(firstOffset)])
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
  expect(await batches(clusterOf().cluster, 1, 7)).toEqual([
    [1, 2, [1, 2]],
    [3, 5, [3, 5]],
    [6, 7, [6, 7]],
  ])
  expect(await batches(clusterOf({ more: 2 }).cluster, 1, 7)).toEqual([
    [1, 5, [1, 2, 3, 5]],
    [6, 7, [6, 7]],
  ])
})

test('gives each offset of any range once, in whatever batches it comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(17), fc.nat(17), fc.nat(5), async (a, b, more) => {
      const [lo, hi] = [Math.min(a, b), Math.max(a, b)]
      const lane = await laneOf(clusterOf({ latest: 18, more }).cluster)
      const found: number[] = []
      let next = lo
      for await (const batch of lane.read(lo, hi)) {
        expect(batch.lo).toBe(next)
        next = batch.hi + 1
        for (const part of partsOf(batch)) {
          expect(firstOffset(part)).toBeGreaterThanOrEqual(batch.lo)
          expect(lastOffset(part)).toBeLessThanOrEqual(batch.hi)
          for (let offset = firstOffset(part); offset <= lastOffset(part); offset++) found.push(offset)
        }
      }
      expect(next).toBe(hi + 1)
      expect(found).toEqual(Array.from({ length: 18 }, (_, i) => i).filter((at) => at >= lo && at <= hi && at !== 4))
    }),
  )
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
  await expect(read(5, 13)).rejects.toThrow('logs/0 ends before offset 13')
  await read(2, 5)
})

test('asks for the offset of a time once for all partitions', async () => {
  const { cluster, state } = clusterOf()
  const lane = await laneOf(cluster)
  expect([await lane.offsetAt(3), await lane.offsetAt(3), await lane.offsetAt(40)]).toEqual([3, 3, 12])
  expect(state.asked).toBe(2)
})
