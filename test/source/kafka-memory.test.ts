import { expect, test, vi } from 'vitest'
import { Arrivals, buildPipeline, NoHistory } from '../../bench/daemon.ts'
import { codecs, recordBatch } from '../../bench/record-batch.ts'
import { makeRecords } from '../../bench/records.ts'
import { silentLog } from '../../src/fault/log.ts'
import type { Range } from '../../src/history/range.ts'
import type { FetchPlace, KafkaCluster, PartitionAnswer } from '../../src/source/kafka-cluster.ts'
import { KafkaLane } from '../../src/source/kafka-lane.ts'
import { KafkaReader } from '../../src/source/kafka-reader.ts'
import { answerSlabs, Slabs } from '../../src/source/kafka-slabs.ts'
import { AnswerFrame } from '../../src/source/kafka-socket.ts'
import type { BatchConsumer, Coordinator } from '../../src/source/source.ts'
import { systemClock } from '../../src/time/clock.ts'

const batchRecords = 100
const batches = 60
const lanes = 3
const mebibyte = 1024 * 1024

/** Batches of a partition in every codec by turns, by the offset they begin at. */
function partitionOf(partition: number) {
  const made = makeRecords({
    ...{ shape: 'kong', count: batchRecords * batches, seed: partition + 1, density: 1_000 },
    startMs: Date.now() - 60_000,
  })
  const parts = Array.from({ length: batches }, (_, i) => {
    const [from, to] = [i * batchRecords, (i + 1) * batchRecords]
    const part = { values: made.values.slice(from, to), timesMs: made.timesMs.slice(from, to) }
    return recordBatch({ ...part, base: from, codec: codecs[(i + partition) % codecs.length] ?? 'none' })
  })
  return { parts, refused: made.refused }
}

/** What comes of a broker through a socket: an answer with the batches of all partitions one behind the other. */
function answerOf(contents: readonly Buffer[]): readonly Buffer[] {
  const sent = Buffer.concat([Buffer.alloc(4), ...contents])
  sent.writeInt32BE(sent.length - 4)
  let answer: Buffer = Buffer.alloc(0)
  const frame = new AnswerFrame((whole) => {
    answer = whole
  })
  for (let at = 0; at < sent.length; ) {
    const came = sent.copy(frame.room, 0, at, Math.min(sent.length, at + 65_536))
    frame.filled(came)
    at += came
  }
  let at = 4
  return contents.map(({ length }) => {
    at += length
    return answer.subarray(at - length, at)
  })
}

test('counts every record once although all memory is overwritten once a batch was taken', async () => {
  const partitions = Array.from({ length: lanes }, (_, partition) => partitionOf(partition))
  const slabs = new Set<ArrayBufferLike>()
  let answers = 0
  const fetchFrom = async (_: unknown, places: readonly FetchPlace[]): Promise<readonly PartitionAnswer[]> => {
    const contents = places.map(({ partition, offset }) => {
      const at = offset / batchRecords
      return Buffer.concat(partitions[partition]?.parts.slice(at, at + 8) ?? [])
    })
    // A broker that has nothing more waits; what was asked in vain is never answered here.
    if (contents.every((bytes) => bytes.length === 0)) return new Promise(() => undefined)
    const bytes = answerOf(contents)
    answers++
    for (const one of bytes) slabs.add(one.buffer)
    return places.map((place, i) => ({
      ...{ place, high: batches * batchRecords, aborted: [] },
      bytes: bytes[i] ?? Buffer.alloc(0),
    }))
  }
  const cluster = {
    fetchFrom,
    leader: () => ({ id: 1, host: 'broker.example', port: 9092 }),
  } as unknown as KafkaCluster

  // The first partition begins with a range that a crash interrupted, so the others are held back meanwhile.
  const lastOfInterrupted = 249
  let othersWereTaken = (): void => {}
  const untilOthersWereTaken = new Promise<void>((resolve) => {
    othersWereTaken = resolve
  })
  class SlowHistory extends NoHistory {
    override async land(range: Range): Promise<void> {
      await untilOthersWereTaken
      await super.land(range)
    }
  }
  const history = new SlowHistory()
  const events = new Arrivals()
  const pipeline = buildPipeline({ history, events })
  const consumer: BatchConsumer = pipeline.consumer()
  const taken: [number, number][] = []
  const reader = new KafkaReader(cluster, {
    events: {
      take: async (lane, batch) => {
        await consumer.take(lane as KafkaLane, batch)
        taken.push([lane.partition, batch.lo])
        for (const { bytes } of batch.packed ?? []) bytes.fill(0x7b)
        if (new Set(taken.map(([partition]) => partition)).size === lanes) othersWereTaken()
      },
      astray: async () => undefined,
    },
    ...{ clock: systemClock, log: silentLog },
  })
  const intent = JSON.stringify({ v: 1, epoch: 0, lo: 0, hi: lastOfInterrupted, cfg: 'x' })
  const own = partitions.map((_, partition) => {
    const read: Coordinator['read'] = async () => (partition === 0 ? { offset: 0, metadata: intent } : null)
    return new KafkaLane({
      ...{ clusterId: 'c', topic: 'logs', topicId: null, epoch: 0, partition, earliest: 0, initial: 0, latest: 6_000 },
      ...{ onResume: () => reader.wake(), read, commit: async () => 'committed' as const },
    })
  })
  const starts = await consumer.assigned(own)
  for (const [i, lane] of own.entries()) lane.begin(starts[i] ?? 0)
  reader.read(own)
  const ends = own.map(() => batches * batchRecords)
  await vi.waitFor(() => expect(own.map(({ next }) => next)).toEqual(ends), { interval: 5, timeout: 10_000 })
  await reader.stop()
  pipeline.tick()
  expect(await pipeline.drain()).toBe(true)

  expect(events.other).toBe(0)
  expect(history.requests).toBe(lanes * batches * batchRecords)
  expect(history.refused).toBe(partitions.reduce((sum, { refused }) => sum + refused, 0))
  // All of them had something held, and the answers came into the same memory.
  expect(taken.slice(0, lanes).map(([partition]) => partition)).toEqual([0, 1, 2])
  expect(answers).toBeGreaterThan(6)
  expect(slabs.size).toBeLessThanOrEqual(4)
})

test('lends memory that was given back, and none that was not', () => {
  const slabs = new Slabs(4 * mebibyte)
  const first = slabs.lend(mebibyte / 2)
  expect(slabs.lend(mebibyte / 2).buffer === first.buffer).toBe(false)
  slabs.takeBack(first.subarray(100, 200))
  // A second time it is not his to give.
  slabs.takeBack(first)
  const again = slabs.lend(700_000)
  expect([again.buffer === first.buffer, again.length]).toEqual([true, 700_000])
  expect(slabs.lend(700_000).buffer === first.buffer).toBe(false)
  const strange = Buffer.allocUnsafeSlow(mebibyte)
  slabs.takeBack(strange)
  expect(slabs.lend(mebibyte).buffer === strange.buffer).toBe(false)
})

test('keeps no more memory than it may, the largest first', () => {
  const slabs = new Slabs(4 * mebibyte)
  const lent = [1, 3, 1].map((size) => slabs.lend(size * mebibyte))
  for (const one of lent) slabs.takeBack(one)
  const kept = new Set(lent.map(({ buffer }) => buffer))
  const found = [3, 1, 1].map((size) => kept.has(slabs.lend(size * mebibyte).buffer))
  expect(found).toEqual([true, true, false])
})

test('lends small and very large memory once', () => {
  const slabs = new Slabs(100 * mebibyte)
  for (const bytes of [100, 20 * mebibyte]) {
    const one = slabs.lend(bytes)
    expect(one.length).toBe(bytes)
    slabs.takeBack(one)
    const other = slabs.lend(bytes)
    expect(other.buffer === one.buffer && other.byteOffset === one.byteOffset).toBe(false)
  }
})

test('is lent what an answer takes', () => {
  const [bytes = Buffer.alloc(0)] = answerOf([Buffer.alloc(mebibyte)])
  answerSlabs.takeBack(bytes)
  const [again] = answerOf([Buffer.alloc(mebibyte)])
  expect(again?.buffer === bytes.buffer).toBe(true)
})
