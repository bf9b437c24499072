import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { Log } from '../../src/fault/log.ts'
import { silentLog } from '../../src/fault/log.ts'
import type { FetchPlace, KafkaCluster, PartitionAnswer } from '../../src/source/kafka-cluster.ts'
import { KafkaLane } from '../../src/source/kafka-lane.ts'
import { KafkaReader } from '../../src/source/kafka-reader.ts'
import { wrongChecksum } from '../../src/source/kafka-records.ts'
import type { Batch } from '../../src/source/source.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Dice } from '../support/dice.ts'
import { batchOf, damaged } from './record-batches.ts'

interface Asked {
  readonly places: readonly FetchPlace[]
  readonly limits: { readonly maxBytes: number; readonly maxBytesEach: number }
  answer(answers: readonly PartitionAnswer[]): void
  fail(error: Error): void
}

/** A broker that answers a fetch when the test says so, and a consumer that takes when the test lets it. */
function world({ lanes: count = 1, log = silentLog as Log } = {}) {
  const clock = new ManualClock(Date.UTC(2026, 9, 5))
  const asked: Asked[] = []
  const leaders = new Map<number, number>()
  const cluster = {
    leader: (_: string, partition: number) => ({ id: leaders.get(partition) ?? 1, host: 'broker.example', port: 9092 }),
    topics: async () => ({ clusterId: 'c', topics: new Map() }),
    fetchFrom: (_: unknown, places: readonly FetchPlace[], limits: Asked['limits']) =>
      new Promise<readonly PartitionAnswer[]>((answer, fail) => asked.push({ places, limits, answer, fail })),
  } as unknown as KafkaCluster
  const taken: [number, number, number][] = []
  const batches: Batch[] = []
  const hold = { gate: Promise.resolve(), onTake: (): void => undefined }
  const reader = new KafkaReader(cluster, {
    events: {
      take: async (lane, batch) => {
        taken.push([lane.partition, batch.lo, batch.hi])
        batches.push(batch)
        hold.onTake()
        await hold.gate
      },
      astray: async () => undefined,
    },
    ...{ clock, log },
  })
  const lanes = Array.from({ length: count }, (_, partition) => laneOf(reader, partition))
  return { clock, asked, taken, batches, hold, reader, lanes, leaders }
}

function laneOf(reader: KafkaReader, partition: number): KafkaLane {
  return new KafkaLane({
    ...{ clusterId: 'c', topic: 'logs', topicId: null, epoch: 0, partition, earliest: 0, latest: 10, initial: 0 },
    ...{ onResume: () => reader.wake(), read: async () => null, commit: async () => 'committed' as const },
  })
}

function begun(own: Parameters<typeof world>[0] = {}) {
  const all = world(own)
  for (const lane of all.lanes) lane.begin(0)
  all.reader.read(all.lanes)
  const [lane] = all.lanes
  if (lane === undefined) throw new Error('there is a lane')
  return { ...all, lane }
}

/** So many values of a partition, from where it was asked for. */
function brings(place: FetchPlace, count: number, high = 1_000): PartitionAnswer {
  const bytes =
    count === 0
      ? Buffer.alloc(0)
      : batchOf(
          place.offset,
          Array.from({ length: count }, () => 'value'),
        )
  return { place, high, bytes, aborted: [] }
}

/** Lets everything run that can. */
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function gate(): { promise: Promise<void>; open: () => void } {
  let open = (): void => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

/** Answers the fetch of that number with what is made of its places. */
async function answer(
  asked: readonly Asked[],
  index: number,
  of: (place: FetchPlace) => PartitionAnswer,
): Promise<void> {
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(index), { interval: 1 })
  asked[index]?.answer((asked[index]?.places ?? []).map(of))
  await settle()
}

const offsets = (asked: Asked | undefined) => asked?.places.map(({ partition, offset }) => [partition, offset])

test('knows a partition as stuck when records wait for a minute and none come, and not while it waits for us', async () => {
  const { clock, asked, taken, reader, lane } = begun()
  expect(asked).toHaveLength(1)
  await clock.advance(59_000)
  expect(reader.stuck()).toEqual([])
  await clock.advance(1_000)
  expect(reader.stuck()).toEqual([lane])

  await answer(asked, 0, (place) => brings(place, 10, 10))
  await clock.advance(60_000)
  expect(taken).toEqual([[0, 0, 9]])
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

test('fetches the next answer while one is handed over, and no more than that one', async () => {
  const { asked, taken, hold } = begun()
  const held = gate()
  hold.gate = held.promise
  await answer(asked, 0, (place) => brings(place, 5))
  expect(taken).toEqual([[0, 0, 4]])
  expect(offsets(asked[1])).toEqual([[0, 5]])
  await answer(asked, 1, (place) => brings(place, 5))
  // The second answer waits, and a third is not asked for.
  expect([taken.length, asked.length]).toEqual([1, 2])
  held.open()
  await settle()
  expect(taken).toEqual([
    [0, 0, 4],
    [0, 5, 9],
  ])
  expect(offsets(asked[2])).toEqual([[0, 10]])
})

test('drops what waits of a lane that was paused, and fetches it again when it goes on', async () => {
  const { asked, taken, hold, lane } = begun()
  const held = gate()
  hold.gate = held.promise
  await answer(asked, 0, (place) => brings(place, 5))
  await answer(asked, 1, (place) => brings(place, 5))
  lane.pause()
  held.open()
  await settle()
  expect([taken.length, asked.length]).toEqual([1, 2])
  lane.resume()
  await settle()
  expect(offsets(asked[2])).toEqual([[0, 5]])
  await answer(asked, 2, (place) => brings(place, 2))
  expect(taken).toEqual([
    [0, 0, 4],
    [0, 5, 6],
  ])
})

test('hands nothing over of lanes that were stopped, sought or taken away while it was on its way', async () => {
  const { asked, taken, reader, lanes } = begun({ lanes: 4 })
  const [halted, sought, other, left] = lanes as [KafkaLane, KafkaLane, KafkaLane, KafkaLane]
  halted.halt()
  sought.next = 7
  const anew = laneOf(reader, other.partition)
  anew.begin(3)
  reader.read([halted, sought, anew, left])
  await answer(asked, 0, (place) => brings(place, 2))
  expect(taken).toEqual([[left.partition, 0, 1]])
  expect(offsets(asked[1])?.toSorted()).toEqual([
    [sought.partition, 7],
    [anew.partition, 3],
    [left.partition, 2],
  ])
})

test('is settled when nothing is handed over any more, and hands over nothing from then on', async () => {
  const { asked, taken, hold, reader, lane } = begun()
  const held = gate()
  hold.gate = held.promise
  await answer(asked, 0, (place) => brings(place, 5))
  await answer(asked, 1, (place) => brings(place, 5))
  reader.read([])
  let isSettled = false
  const settled = reader.settled().then(() => {
    isSettled = true
  })
  await settle()
  expect(isSettled).toBe(false)
  held.open()
  await settled
  await settle()
  expect([taken.length, lane.next]).toEqual([1, 5])

  reader.read([lane])
  const more = gate()
  hold.gate = more.promise
  await answer(asked, 2, (place) => brings(place, 5))
  const stopped = reader.stop()
  more.open()
  await stopped
  // The broker hangs: nobody waits for it.
  asked[3]?.fail(new Error('the connection was closed'))
  await settle()
  expect([taken.length, asked.length]).toEqual([2, 4])
})

test('waits for what a broker brought before it takes the same lane from the one that leads it now', async () => {
  const { asked, taken, hold, reader, lane, leaders } = begun()
  const held = gate()
  hold.gate = held.promise
  await answer(asked, 0, (place) => brings(place, 5))
  leaders.set(0, 2)
  reader.wake()
  await settle()
  // The old leader was asked in advance; the new one is not asked before it is known where to begin.
  expect(asked).toHaveLength(2)
  await answer(asked, 1, (place) => ({ place, error: 'NOT_LEADER_FOR_PARTITION' }))
  held.open()
  await settle()
  expect(lane.next).toBe(5)
  reader.wake()
  await answer(asked, 2, (place) => brings(place, 5))
  expect(taken).toEqual([
    [0, 0, 4],
    [0, 5, 9],
  ])
})

test('asks once more for a batch with a wrong checksum, then passes over it and tells of it', async () => {
  const warnings: string[] = []
  const { asked, batches, lane } = begun({ log: { ...silentLog, warn: (message) => void warnings.push(message) } })
  const bad = Buffer.concat([batchOf(0, ['a']), damaged(batchOf(1, ['b', 'c'])), batchOf(3, ['d'])])
  const from = (bytes: Buffer) => (place: FetchPlace) => ({ place, high: 4, bytes, aborted: [] })
  await answer(asked, 0, from(bad))
  // What was asked for in advance began behind it.
  expect(offsets(asked[1])).toEqual([[0, 4]])
  await answer(asked, 1, (place) => brings(place, 0, 4))
  expect(offsets(asked[2])).toEqual([[0, 1]])
  await answer(asked, 2, from(bad.subarray(batchOf(0, ['a']).length)))
  await answer(asked, 3, (place) => brings(place, 0, 4))
  await answer(asked, 4, from(batchOf(3, ['d'])))
  expect(batches.map(({ lo, hi, unreadable = [] }) => [lo, hi, unreadable.map(({ reason }) => reason)])).toEqual([
    [0, 0, []],
    [1, 2, [wrongChecksum]],
    [3, 3, []],
  ])
  expect([lane.next, lane.doubted]).toEqual([4, null])
  expect(warnings).toEqual(['logs/0: the checksum of the batch at offset 1 is wrong; fetching it once more'])
})

const made = new Map<string, Buffer>()

/** A batch of one value of that size. */
function sized(at: number, bytes: number): Buffer {
  const batch = made.get(`${at} ${bytes}`) ?? batchOf(at, ['x'.repeat(bytes)])
  made.set(`${at} ${bytes}`, batch)
  return batch
}

/** A broker as the real one: it fills its answer in the order that it is asked, whole batches, up to both limits. */
function fill({ places, limits }: Asked, batchBytes: number, ends: ReadonlyMap<number, number>): PartitionAnswer[] {
  let room = limits.maxBytes
  return places.map((place) => {
    const parts: Buffer[] = []
    let own = Math.min(room, limits.maxBytesEach)
    for (let at = place.offset; at < (ends.get(place.partition) ?? 0); at++) {
      const bytes = sized(at, batchBytes)
      if (bytes.length > own) break
      own -= bytes.length
      room -= bytes.length
      parts.push(bytes)
    }
    return { place, high: ends.get(place.partition) ?? 0, bytes: Buffer.concat(parts), aborted: [] }
  })
}

test('gives every partition its turn: none has records twice before all others that have some', async () => {
  const { asked, taken } = begun({ lanes: 24 })
  // Partition 0 has no end; some are quiet for now.
  const ends = new Map(Array.from({ length: 24 }, (_, i) => [i, i === 0 ? 1_000 : i % 5 === 0 ? 0 : 6]))
  for (let turn = 0; turn < 12; turn++) {
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(turn), { interval: 1 })
    const one = asked[turn]
    if (one === undefined) break
    expect(one.limits).toEqual({ maxBytes: 8 * 1024 * 1024, maxBytesEach: 1024 * 1024 })
    one.answer(fill(one, 400_000, ends))
    await settle()
  }
  await vi.waitFor(() => expect(new Set(taken.map(([partition]) => partition)).size).toBe(20))
  const loud = [...ends].filter(([, end]) => end > 0).map(([partition]) => partition)
  // As long as all of them have more, each run of so many turns has each of them once.
  const turns = taken.map(([partition]) => partition).slice(0, 3 * loud.length)
  for (let at = 0; at < turns.length; at += loud.length) {
    expect(turns.slice(at, at + loud.length).toSorted((a, b) => a - b)).toEqual(loud)
  }
  // The quiet ones were asked for all the time, and first.
  expect(asked[11]?.places.slice(0, 4).map(({ partition }) => partition)).toEqual([5, 10, 15, 20])
})

test('hands over large answers in pieces, and lets others have their turn in between', async () => {
  const { asked, batches, hold } = begun()
  let turns = 0
  const turnsAtTake: number[] = []
  hold.onTake = () => {
    turnsAtTake.push(turns)
    setImmediate(() => turns++)
  }
  const parts = Array.from({ length: 6 }, (_, i) => batchOf(i, ['y'.repeat(600_000)]))
  await answer(asked, 0, (place) => ({ place, high: 6, bytes: Buffer.concat(parts), aborted: [] }))
  await settle()
  await settle()
  expect(batches.map(({ lo, hi }) => [lo, hi])).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ])
  expect(turnsAtTake).toEqual([0, 1, 2])
})

test('gives every offset once and in order, whatever happens in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (seed) => {
      const dice = new Dice(seed)
      const roll = () => dice.next()
      const { asked, taken, lanes, hold, reader, clock, leaders } = begun({ lanes: 3 })
      const ends = new Map(lanes.map((lane) => [lane.partition, 30]))
      let open = (): void => {}
      for (let step = 0; step < 120; step++) {
        const lane = lanes[Math.floor(roll() * lanes.length)] as KafkaLane
        const what = roll()
        if (what < 0.1) lane.pause()
        else if (what < 0.3) lane.resume()
        else if (what < 0.4) {
          const held = gate()
          open()
          hold.gate = held.promise
          open = held.open
        } else if (what < 0.5) open()
        else if (what < 0.55) leaders.set(lane.partition, roll() < 0.5 ? 1 : 2)
        else if (what < 0.6) asked.splice(0, 1)[0]?.fail(new Error('the connection was closed'))
        else if (what < 0.65) reader.read(lanes)
        else {
          const [one] = asked.splice(0, 1)
          const answers =
            one === undefined ? [] : fill({ ...one, limits: { maxBytes: 500, maxBytesEach: 300 } }, 20, ends)
          const bad = roll() < 0.1
          one?.answer(answers.map((it) => (bad ? { place: it.place, error: 'NOT_LEADER_FOR_PARTITION' } : it)))
        }
        if (roll() < 0.5) await clock.advance(Math.floor(roll() * 5_000))
        await settle()
      }
      open()
      hold.gate = Promise.resolve()
      for (const lane of lanes) {
        let next = 0
        for (const [partition, lo, hi] of taken) {
          if (partition !== lane.partition) continue
          expect(lo).toBe(next)
          next = hi + 1
        }
      }
      await reader.stop()
    }),
    { numRuns: 25 },
  )
})
