import { describe, expect, it } from 'vitest'
import { Baselines, type Birth } from '../../src/alert/baseline.ts'
import { Chance } from './simulation.ts'

const minute = 60_000
const options = {
  slotMs: 5 * minute,
  halfLifeMs: 24 * 60 * minute,
  horizonsMs: [5 * minute, 60 * minute] as const,
  seriesLimit: 10,
}
const seed = { a: 2, b: 200, borrowed: 200 }

/** A series that learns by itself from this time on. */
function born(atMs: number): Birth {
  return { bornMs: atMs, seenMs: atMs, stage: 'settled' }
}

/** Feeds minutes from the first one on; closes slots as they end. */
function feed(
  baselines: Baselines,
  place: number,
  minutes: number,
  at: (minute: number) => [number, number],
  from = 0,
) {
  for (let k = from; k < from + minutes; k++) {
    const [count, exposure] = at(k)
    baselines.feed(place, count, exposure, (k + 1) * minute)
    if ((k + 1) % 5 === 0) {
      baselines.closeSlot(Math.floor(k / 5))
    }
  }
}

function rate(baselines: Baselines, place: number): number {
  return baselines.predict(place, 0, 1).mean
}

describe('Baselines', () => {
  it('does not learn from the last hour', () => {
    const baselines = new Baselines(options)
    const place = baselines.create(seed, born(-1e9)) ?? 0
    feed(baselines, place, 60, () => [50, 100])
    expect(rate(baselines, place)).toBeCloseTo(0.01, 9)
    feed(baselines, place, 60, () => [50, 100], 60)
    expect(rate(baselines, place)).toBeGreaterThan(0.015)
  })

  it('does not learn from the later half of a young life', () => {
    // 100 requests a minute: 200 to begin with, and what lies in slots that ended by half of its age.
    const known = [10, 20, 40, 60, 90, 120, 130].map((age) => {
      const baselines = new Baselines({ ...options, halfLifeMs: 1e15 })
      const place = baselines.create(seed, born(0)) ?? 0
      feed(baselines, place, age, () => [1, 100])
      return Math.round(baselines.shape(place).b / 100) - 2
    })
    // From two hours on it is the last hour that does not teach.
    expect(known).toEqual([5, 10, 20, 30, 45, 60, 70])
  })

  it('learns nothing twice on the way to its full guard', () => {
    const baselines = new Baselines({ ...options, halfLifeMs: 1e15 })
    const place = baselines.create({ a: 1, b: 100, borrowed: 0 }, born(0)) ?? 0
    feed(baselines, place, 300, (k) => [k % 7 === 0 ? 3 : 0, 10])
    expect(baselines.shape(place).b).toBeCloseTo(100 + (300 - 60) * 10, 3)
    expect(baselines.shape(place).a).toBeCloseTo(1 + Math.ceil(240 / 7) * 3, 3)
  })

  it('is told what it knows while it is young, and learns by itself once it has settled', () => {
    const baselines = new Baselines({ ...options, halfLifeMs: 1e15 })
    const place = baselines.create(seed, { bornMs: 0, seenMs: 0, stage: 'young' }) ?? 0
    feed(baselines, place, 10, () => [50, 100])
    expect(baselines.shape(place).b).toBeLessThan(201)
    baselines.reseed(place, { a: 5, b: 700, borrowed: 200 })
    baselines.settle(place, 5, 500)
    feed(baselines, place, 20, () => [1, 100], 10)
    // The slot of 5 minutes that it was told of, with the 5 that filled it up; the next ones are too young.
    expect(baselines.shape(place).b).toBeCloseTo(700 + 1000, -1)
  })

  it('finds the rate, and half of what it knew is forgotten in a half-life', () => {
    const baselines = new Baselines(options)
    const place = baselines.create({ a: 100, b: 10_000, borrowed: 0 }, born(0)) ?? 0
    feed(baselines, place, 24 * 60, () => [0, 0])
    expect(baselines.shape(place).b).toBeCloseTo(5_000, 0)
    feed(baselines, place, 3 * 24 * 60, () => [3, 1000], 24 * 60)
    expect(rate(baselines, place)).toBeCloseTo(0.003, 4)
  })

  it('caps what one slot may teach', () => {
    const [plain, burst] = [0, 10_000].map((count) => {
      const baselines = new Baselines(options)
      const place = baselines.create({ a: 1000, b: 100_000, borrowed: 0 }, born(0)) ?? 0
      feed(baselines, place, 5, () => [count, 100])
      feed(baselines, place, 60, () => [1, 100], 5)
      return baselines.shape(place).a
    })
    // 5 expected in 500 requests: the burst of 50,000 counts as 5 + 4·√(5 + 25·0.051) + 3 = 18.
    expect((burst ?? 0) - (plain ?? 0)).toBeCloseTo(18, 0)
  })

  it('is more certain the more it has seen, and never certain of nothing', () => {
    const baselines = new Baselines(options)
    const known = baselines.create({ a: 1000, b: 1e6, borrowed: 0 }, born(0)) ?? 0
    const quiet = baselines.create({ a: 0.5, b: 1e6, borrowed: 0 }, born(0)) ?? 0
    expect(baselines.predict(known, 0, 1000).spread).toBeCloseTo(0.051, 6)
    feed(baselines, quiet, 24 * 60, () => [0, 100])
    expect(baselines.shape(quiet).a).toBe(0.5)
  })

  it('fits the extra variance of batches, and none to plain Poisson counts', () => {
    const spreads = [1, 8].map((batch) => {
      const chance = new Chance(batch)
      const baselines = new Baselines(options)
      const place = baselines.create({ a: 5000, b: 5000, borrowed: 0 }, born(-1e9)) ?? 0
      for (let window = 0; window < 1000; window++) {
        const count = batch === 1 ? chance.poisson(10) : chance.batches(10, batch)
        baselines.learnSpread(place, 0, count, 10, window * 5 * minute)
        baselines.closeSlot(window)
      }
      return baselines.predict(place, 0, 10).spread
    })
    // Batches of geometric size with mean 8: variance is 15 times the mean, so 14/10 beyond Poisson; winsorised less.
    expect(spreads[0]).toBeLessThan(0.03)
    expect(spreads[1]).toBeGreaterThan(0.6)
    expect(spreads[1]).toBeLessThan(1.6)
  })

  it('does not let an incident teach how much is ordinary spread', () => {
    const baselines = new Baselines(options)
    const place = baselines.create({ a: 5000, b: 5000, borrowed: 0 }, born(-1e9)) ?? 0
    const before = baselines.predict(place, 0, 5).spread
    // An incident of half an hour: the windows before it is noticed must not make it look normal.
    for (let window = 0; window < 3; window++) {
      baselines.learnSpread(place, 0, 60, 5, window * 5 * minute)
      baselines.closeSlot(window)
    }
    expect(baselines.predict(place, 0, 5).spread).toBeCloseTo(before, 3)
    baselines.hold(place)
    baselines.release(place)
    for (let window = 3; window < 60; window++) {
      baselines.learnSpread(place, 0, 5, 5, window * 5 * minute)
      baselines.closeSlot(window)
    }
    expect(baselines.predict(place, 0, 5).spread).toBeLessThan(before + 0.01)
  })

  it('keeps still while held, and forgets nothing', () => {
    const baselines = new Baselines(options)
    const place = baselines.create({ a: 10, b: 1000, borrowed: 0 }, born(0)) ?? 0
    baselines.hold(place)
    feed(baselines, place, 600, () => [500, 1000])
    expect(baselines.shape(place)).toEqual({ a: 10, b: 1000 })
    baselines.release(place)
    // Nothing of the incident waits in the ring either.
    feed(baselines, place, 120, () => [0, 0], 600)
    expect(rate(baselines, place)).toBeCloseTo(0.01, 9)
  })

  it('lets go of the slot in which an alert came on', () => {
    const baselines = new Baselines(options)
    const place = baselines.create({ a: 10, b: 1000, borrowed: 0 }, born(-1e9)) ?? 0
    feed(baselines, place, 4, () => [500, 1000])
    baselines.hold(place)
    baselines.release(place)
    feed(baselines, place, 121, () => [0, 0], 4)
    expect(rate(baselines, place)).toBeCloseTo(0.01, 9)
  })

  it('lets the clumps of the fleet widen what is ordinary for a rare series, and only for that', () => {
    const spreads = [0, 2].map((clumping) => {
      const baselines = new Baselines(options)
      baselines.clumping = clumping
      const place = baselines.create({ a: 1000, b: 1000, borrowed: 0 }, born(0)) ?? 0
      return [0.05, 100].map((exposure) => baselines.predict(place, 0, exposure).spread)
    })
    expect(spreads[0]?.[0]).toBeCloseTo(0.051, 6)
    // 2 more with each event are a relative variance of 2 / 0.05.
    expect(spreads[1]?.[0]).toBeCloseTo(40.051, 6)
    expect(spreads[1]?.[1]).toBeCloseTo(0.071, 6)
  })

  it('gives clumps to the pool where windows hold few events', () => {
    const [rare, busy] = [0.2, 10].map((mean) => {
      const chance = new Chance(5)
      const baselines = new Baselines(options)
      const place = baselines.create({ a: mean * 288, b: 5 * 288, borrowed: 0 }, born(-1e9)) ?? 0
      for (let window = 0; window < 4000; window++) {
        const count = chance.batches(mean, 3)
        baselines.learnSpread(place, 0, count, 5, window * 5 * minute)
        baselines.feed(place, count, 5, window * 5 * minute)
        baselines.closeSlot(window)
      }
      return baselines.clumps(place, 0)
    })
    // Four more for one event, less what the cap on outliers takes away; one series tells it roughly.
    expect((rare?.excess ?? 0) / (rare?.events ?? 1)).toBeGreaterThan(1)
    expect((rare?.excess ?? 0) / (rare?.events ?? 1)).toBeLessThan(8)
    expect(busy).toBeNull()
  })

  it('adopts a level', () => {
    const baselines = new Baselines(options)
    const place = baselines.create(seed, born(0)) ?? 0
    baselines.adopt(place, 300, 1000)
    expect(rate(baselines, place)).toBeCloseTo(0.3, 9)
  })

  it('turns series away at its limit and gives freed places out again, the lowest first', () => {
    const baselines = new Baselines({ ...options, seriesLimit: 3 })
    expect([1, 2, 3, 4].map((at) => baselines.create(seed, born(at)))).toEqual([0, 1, 2, null])
    baselines.feed(1, 1, 10, 1_000_000)
    expect(baselines.forget(1000)).toEqual([0, 2])
    expect([baselines.create(seed, born(5)), baselines.create(seed, born(5))]).toEqual([0, 2])
  })

  it('never forgets a series that is held', () => {
    const baselines = new Baselines(options)
    const place = baselines.create(seed, born(0)) ?? 0
    baselines.hold(place)
    expect(baselines.forget(1e12)).toEqual([])
  })

  it('comes back from its bytes exactly', () => {
    const baselines = new Baselines(options)
    for (let k = 0; k < 4; k++) baselines.create({ ...seed, a: k + 1 / 3 }, born(k))
    feed(baselines, 1, 77, (k) => [k % 3, 10 + k])
    const copy = new Baselines(options)
    expect(copy.load(0, baselines.bytes(0, 4))).toBe(true)
    expect(copy.size).toBe(4)
    for (const one of [baselines, copy]) feed(one, 1, 200, (k) => [k % 5, 20], 77)
    expect(copy.bytes(0, 4)).toEqual(baselines.bytes(0, 4))
  })

  it('turns away bytes of another size', () => {
    expect(new Baselines(options).load(0, { numbers: new Uint8Array(7), ring: new Uint8Array(7) })).toBe(false)
  })
})
