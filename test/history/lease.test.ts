import { describe, expect, test } from 'vitest'
import { WriterLease, withoutWriters } from '../../src/history/lease.ts'
import { MemoryState } from '../../src/history/state.ts'
import { ManualClock } from '../../src/time/clock.ts'

const world = () => ({ state: new MemoryState(), clock: new ManualClock(1_000_000) })

describe('WriterLease and withoutWriters', () => {
  test('keep maintenance away while a writer lives, and let it in once the writer has gone', async () => {
    const { state, clock } = world()
    const lease = await WriterLease.take(state, clock)
    await clock.advance(600_000)
    await expect(withoutWriters({ state, clock }, 'history forget', async () => 1)).rejects.toThrow(
      /sign of life \d+ s ago/,
    )
    await lease.release()
    expect(await withoutWriters({ state, clock }, 'history forget', async () => 1)).toBe(1)
  })

  test('let maintenance in two and a half minutes after a writer was killed', async () => {
    const { state, clock } = world()
    await WriterLease.take(state, new ManualClock(clock.now()))
    await clock.advance(150_000)
    await expect(withoutWriters({ state, clock }, 'history repair', async () => 1)).rejects.toThrow('150 s ago')
    await clock.advance(1)
    expect(await withoutWriters({ state, clock }, 'history repair', async () => 1)).toBe(1)
  })

  test('make a writer wait while maintenance is under way, however long it takes', async () => {
    const { state, clock } = world()
    let end = (): void => {}
    const work = withoutWriters(
      { state, clock },
      'history forget',
      () => new Promise<void>((resolve) => (end = resolve)),
    )
    await clock.advance(600_000)
    const refused = { code: 'store-busy', retryable: true }
    await expect(WriterLease.take(state, clock)).rejects.toMatchObject(refused)
    await expect(withoutWriters({ state, clock }, 'history repair', async () => 1)).rejects.toThrow(
      '"tollwatch history forget" is under way',
    )
    // The writer that gave way left no sign.
    expect((await state.load('writer')).size).toBe(0)
    end()
    await work
    await (await WriterLease.take(state, clock)).confirm()
  })

  test('forget maintenance that was killed', async () => {
    const { state, clock } = world()
    void withoutWriters({ state, clock: new ManualClock(clock.now()) }, 'history forget', () => new Promise(() => {}))
    await clock.advance(150_001)
    await WriterLease.take(state, clock)
  })

  test('stop a writer that slept through the beginning of maintenance', async () => {
    const { state, clock } = world()
    const own = new ManualClock(clock.now())
    const lease = await WriterLease.take(state, own)
    await lease.confirm()
    await clock.advance(200_000)
    const work = withoutWriters({ state, clock }, 'history forget', () => new Promise(() => {}))
    await clock.advance(0)
    // It wakes up: its own timer has not run, only the time has passed.
    const woken = new ManualClock(clock.now())
    own.now = () => woken.now()
    await expect(lease.confirm()).rejects.toThrow('is being changed by "tollwatch history forget"')
    void work
  })

  test('end the mark also when the work fails', async () => {
    const { state, clock } = world()
    const fails = withoutWriters({ state, clock }, 'history repair', () => Promise.reject(new Error('no')))
    await expect(fails).rejects.toThrow('no')
    await WriterLease.take(state, clock)
  })
})
