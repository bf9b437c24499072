import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeriesMemory } from '../../src/alert/series-memory.ts'
import { addToRing, ringWidth, sumOfRing } from '../../src/alert/slot-ring.ts'
import { WatchLog } from '../../src/alert/watch-log.ts'

describe('SeriesMemory', () => {
  it('gives rows of zeros at the lowest free place, and none beyond its limit', () => {
    const memory = new SeriesMemory({ width: 2, seriesLimit: 2 })
    expect([memory.create('a'), memory.create('b'), memory.create('c')]).toEqual([0, 1, null])
    memory.set(0, 1, 7)
    memory.forget(0)
    expect(memory.placeOf('a')).toBeUndefined()
    expect(memory.create('c')).toBe(0)
    expect(memory.get(0, 1)).toBe(0)
    expect(memory.size).toBe(2)
  })

  it('is the same after it was saved and loaded, chunk by chunk', () => {
    const action = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      value: fc.double({ noNaN: true }),
      forget: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(action), fc.integer({ min: 1, max: 20_000 }), (actions, width) => {
        const memory = new SeriesMemory({ width, seriesLimit: 4 })
        for (const { key, value, forget } of actions) {
          const place = memory.placeOf(key) ?? memory.create(key)
          if (place === null) continue
          if (forget) memory.forget(place)
          else memory.set(place, width - 1, value)
        }
        const other = new SeriesMemory({ width, seriesLimit: 4 })
        for (let chunk = 0; chunk < memory.chunkCount; chunk++) {
          expect(other.loadChunk(JSON.parse(JSON.stringify(memory.saveChunk(chunk))))).toBe(true)
        }
        expect(other.keys).toEqual(memory.keys)
        for (const key of ['a', 'b', 'c', 'd', 'e']) {
          const place = memory.placeOf(key)
          expect(other.placeOf(key)).toBe(place)
          if (place !== undefined)
            expect(Object.is(other.get(place, width - 1), memory.get(place, width - 1))).toBe(true)
        }
        expect(other.create('new')).toBe(memory.create('new'))
      }),
      { numRuns: 40 },
    )
  })

  it('takes no numbers of another width', () => {
    const memory = new SeriesMemory({ width: 2, seriesLimit: 4 })
    memory.create('a')
    expect(new SeriesMemory({ width: 3, seriesLimit: 4 }).loadChunk(memory.saveChunk(0))).toBe(false)
  })
})

describe('a ring of slots', () => {
  it('sums what fell into the last slots, whatever the gaps between', () => {
    const ring = { from: 1, slots: 7, slotMs: 600_000 }
    const minute = fc.record({ wait: fc.integer({ min: 1, max: 200 }), bad: fc.nat(9), total: fc.nat(99) })
    fc.assert(
      fc.property(
        fc.array(minute, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(90),
        (minutes, slots, later) => {
          const memory = new SeriesMemory({ width: 1 + ringWidth(ring), seriesLimit: 1 })
          memory.create('a')
          let endMs = 0
          let lastMs = 0
          const all: { endMs: number; bad: number; total: number }[] = []
          for (const { wait, bad, total } of minutes) {
            endMs += wait * 60_000
            addToRing(memory, 0, ring, { bad, total, endMs, lastMs })
            all.push({ endMs, bad, total })
            lastMs = endMs
          }
          const nowMs = endMs + later * 60_000
          const slotOf = (ms: number) => Math.floor((ms - 1) / ring.slotMs)
          const inside = all.filter((one) => slotOf(one.endMs) > slotOf(nowMs) - slots)
          const sum = sumOfRing(memory, 0, ring, { spanMs: slots * ring.slotMs, endMs: nowMs, lastMs })
          expect(sum).toEqual({
            bad: inside.reduce((total, one) => total + one.bad, 0),
            total: inside.reduce((total, one) => total + one.total, 0),
          })
        },
      ),
    )
  })
})

describe('WatchLog', () => {
  it('knows what was watched, over interruptions and a restart', () => {
    const log = new WatchLog()
    expect(log.unbrokenSinceMs).toBeNull()
    log.note(0, 100)
    log.note(100, 200)
    log.note(300, 400)
    expect(log.watchedMs(50, 350)).toBe(200)
    expect(log.unbrokenSinceMs).toBe(300)
    const other = new WatchLog()
    other.load(JSON.parse(JSON.stringify(log.save())))
    other.note(400, 450)
    expect(other.watchedMs(0, 1000)).toBe(350)
  })

  it('forgets the oldest of very many interruptions', () => {
    const log = new WatchLog()
    for (let k = 0; k < 600; k++) log.note(10 * k, 10 * k + 1)
    expect(log.save()).toHaveLength(500)
    expect(log.watchedMs(0, 10_000)).toBe(500)
  })
})
