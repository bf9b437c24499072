import { expect, test } from 'vitest'
import { DemoSource } from '../../src/source/demo.ts'
import type { BatchConsumer, RawValue } from '../../src/source/source.ts'
import { ManualClock } from '../../src/time/clock.ts'

/** Keeps what each input delivered, and begins where it is told. */
class Taken {
  readonly values = new Map<string, RawValue[]>()
  readonly ended: string[] = []
  readonly #from: ReadonlyMap<string, number>

  constructor(from: ReadonlyMap<string, number> = new Map()) {
    this.#from = from
  }

  consumer = (): BatchConsumer => ({
    assigned: async (lanes) => lanes.map((lane) => this.#from.get(lane.source) ?? lane.initial),
    take: async (lane, batch) => {
      this.values.set(lane.source, [...(this.values.get(lane.source) ?? []), ...batch.values])
    },
    lost: async () => {},
    ended: async (lane) => void this.ended.push(lane.source),
  })
}

test('makes again, byte for byte, what an earlier run announced and did not finish', async () => {
  const clock = new ManualClock(Date.UTC(2026, 9, 5, 8, 0, 0))
  const first = new Taken()
  const demo = new DemoSource({ seed: 7, clock })
  await demo.start(first.consumer)
  await clock.advance(90_000)
  await demo.stop()
  const [source, values] = [...first.values][0] ?? ['', []]
  expect(values.length).toBeGreaterThan(10)
  const cut = values.slice(3, 9)
  const lo = cut[0]?.offset ?? 0
  const hi = cut.at(-1)?.offset ?? 0

  await clock.advance(3_600_000)
  const second = new Taken(new Map([[source, lo]]))
  const later = new DemoSource({ seed: 7, clock, interrupted: [{ source, hi }] })
  await later.start(second.consumer)
  await later.stop()
  expect(second.values.get(source)).toEqual(cut)
  expect(second.ended).toEqual([source])
})
