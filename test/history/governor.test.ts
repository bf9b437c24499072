import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Database, singlePlace } from '../../src/history/database.ts'
import { InsertGovernor, nextPause } from '../../src/history/governor.ts'
import { ManualClock } from '../../src/time/clock.ts'

describe('nextPause', () => {
  test('doubles above 300 parts, halves below 100, stays in between', () => {
    const run = (parts: number, from: number, times: number): number[] => {
      const pauses = [from]
      for (let i = 0; i < times; i++) pauses.push(nextPause(pauses.at(-1) ?? 0, parts))
      return pauses
    }
    expect(run(301, 0, 6)).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000])
    expect(run(300, 4_000, 2)).toEqual([4_000, 4_000, 4_000])
    expect(run(100, 4_000, 1)).toEqual([4_000, 4_000])
    expect(run(99, 16_000, 6)).toEqual([16_000, 8_000, 4_000, 2_000, 1_000, 0, 0])
  })

  test('is never negative, never above 16 s, and falls back to nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000)), (looks) => {
        let pause = 0
        for (const parts of looks) {
          pause = nextPause(pause, parts)
          expect(pause).toBeGreaterThanOrEqual(0)
          expect(pause).toBeLessThanOrEqual(16_000)
        }
        for (let i = 0; i < 6; i++) pause = nextPause(pause, 0)
        expect(pause).toBe(0)
      }),
    )
  })
})

describe('InsertGovernor', () => {
  function world(parts: () => number | Error) {
    let looks = 0
    const database: Database = {
      place: singlePlace,
      command: async () => {},
      insert: async () => {},
      close: async () => {},
      query: async <Row>() => {
        looks++
        const most = parts()
        if (most instanceof Error) throw most
        return [{ most } as Row]
      },
    }
    const clock = new ManualClock(0)
    return { governor: new InsertGovernor(database, clock), clock, looks: () => looks }
  }

  test('looks every ten seconds and makes inserts wait while there are too many parts', async () => {
    let parts = 0
    const { governor, clock, looks } = world(() => parts)
    await governor.wait()
    await governor.wait()
    expect(looks()).toBe(1)
    parts = 500
    await clock.advance(10_000)
    let waited = false
    const waiting = governor.wait().then(() => {
      waited = true
    })
    await clock.advance(0)
    await clock.advance(999)
    expect([waited, looks()]).toEqual([false, 2])
    await clock.advance(1)
    await waiting
    parts = 50
    await clock.advance(10_000)
    await governor.wait()
  })

  test('lets everybody go when it is closed, and does not mind a store that is away', async () => {
    const { governor, clock } = world(() => 500)
    const waiting = governor.wait()
    await clock.advance(0)
    governor.close()
    await waiting
    await world(() => new Error('away')).governor.wait()
  })
})
