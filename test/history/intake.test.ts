import { beforeEach, describe, expect, test } from 'vitest'
import type { RefusalKind } from '../../src/classify/watch.ts'
import type { RangeStore } from '../../src/history/history.ts'
import type { Judgement, Reading } from '../../src/history/intake.ts'
import type { Range } from '../../src/history/range.ts'
import { MemoryState } from '../../src/history/state.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { LedgerLane } from '../../src/source/ledger-lane.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { Counted, plainReading, standardOptions } from '../pipeline/fake-world.ts'

const noon = Date.UTC(2026, 4, 1, 12)

/** Reads a record's kind where the tests' layout has its cause. */
const reading: Reading = {
  ...plainReading,
  judge: ({ plan }): Judgement =>
    plan === null ? null : { kind: plan as RefusalKind, cause: 'unknown', causeCode: '', causeSource: '' },
}

describe('Refusals that are kept apart', () => {
  const kinds = ['payment_required', 'challenge', 'equivalent', null, 'challenge', 'upstream_402'] as const
  const values = kinds.map((kind, offset) => {
    const record = { t: noon + offset, tenant: 'acme', api: 'chat', ...(kind === null ? {} : { cause: kind }) }
    return { offset, bytes: Buffer.from(JSON.stringify(record)), arrivedMs: noon + offset }
  })
  const batch = { lo: 0, hi: values.length - 1, values }

  let events: Counted
  let lifetime: Lifetime
  let landed: Range[]
  let state: MemoryState
  let pipeline: Pipeline
  beforeEach(() => {
    events = new Counted()
    lifetime = new Lifetime(10)
    landed = []
    state = new MemoryState()
    const history: RangeStore = {
      state,
      land: async (range) => void landed.push(range),
      position: async () => null,
      holds: async () => false,
      windowRows: async () => [],
    }
    const clock = new ManualClock(noon + 1_000)
    pipeline = new Pipeline({ ...standardOptions, history, reading, clock, events, lifetime })
  })

  const lane = () => new LedgerLane({ source: 'test', label: 'test' })

  test('are counted by their kind, and neither in the windows nor in the totals', async () => {
    const [consumer, one] = [pipeline.consumer(), lane()]
    await consumer.assigned([one])
    await consumer.take(one, batch)
    await consumer.ended(one)
    expect(Object.fromEntries(events.apart)).toEqual({ challenge: 2, equivalent: 1, upstream_402: 1 })
    expect(lifetime.totals()).toMatchObject([{ requests: 6, paymentRequired: 1 }])
    expect(pipeline.view?.totals(noon, noon + 10_000)).toMatchObject([{ requests: 6, paymentRequired: 1 }])
    expect(landed.map(({ paymentRequired, events }) => [paymentRequired, events.length])).toEqual([[1, 5]])
  })

  test('are counted once when the lane comes back and delivers them again', async () => {
    const consumer = pipeline.consumer()
    for (const one of [lane(), lane()]) {
      await consumer.assigned([one])
      await consumer.take(one, batch)
    }
    expect(events.apart.get('challenge')).toBe(2)
    expect(lifetime.totals()).toMatchObject([{ requests: 6, paymentRequired: 1 }])
  })

  test('are not counted when a range that a crash interrupted lands again: that was done before the crash', async () => {
    const intent = JSON.stringify({ v: 1, epoch: 0, lo: 0, hi: 2, cfg: 'test' })
    await state.put([{ kind: 'intent', key: 'test/0', value: intent }])
    const [consumer, one] = [pipeline.consumer(), lane()]
    await consumer.assigned([one])
    await consumer.take(one, batch)
    await consumer.ended(one)
    expect(Object.fromEntries(events.apart)).toEqual({ challenge: 1, upstream_402: 1 })
    expect(landed.map(({ lo, hi, events }) => [lo, hi, events.length])).toEqual([
      [0, 2, 3],
      [3, 5, 2],
    ])
  })
})
