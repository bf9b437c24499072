import { describe, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { kindOf } from '../../src/classify/watch.ts'
import { bestEngine, Recognisers } from '../../src/core/recognisers.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { unpacked } from '../../src/source/packed.ts'
import type { Packed, RawValue } from '../../src/source/source.ts'
import type { FuzzCase } from '../core/fuzz/cases.ts'
import { type Entry, packedRecords } from '../core/fuzz/packing.ts'
import { engineOptionsOf, World, type WorldOptions } from '../core/fuzz/world.ts'
import { kong } from '../decode/gateway-records.ts'

const now = 1_791_188_200_000
const stampMs = now - 1_790_000_000_000
const forEver = Number.POSITIVE_INFINITY

const one: FuzzCase = {
  ...{ name: 'test', format: null, templates: [], isPlain: true },
  ...{ decode: decodeOptions.parse({}), classify: classifyOptions.parse({}) },
}

function worldOf(changes: Partial<WorldOptions> = {}): World {
  const options = { seriesLimit: 1_000, live: true, asksForQuotas: false, flushRows: 1_000_000, now, ...changes }
  const isSpecial = (record: Parameters<typeof kindOf>[0]) => kindOf(record, one.classify) !== null
  return new World(one, options, new Recognisers({ ...engineOptionsOf(one), isSpecial, makeEngine: bestEngine }))
}

function entry(value: object | string | null, gap = 0): Entry {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return { value: value === null ? null : Buffer.from(text), gap, stampMs }
}

const at = (ms: number, more: object = {}) => ({ ...kong, started_at: now + ms, ...more })
const refused = { response: { status: 402, headers: {} } }

/** What comes in one chunk after the lane has come to know its layout. */
const chunks: readonly [name: string, entries: readonly Entry[]][] = [
  ['plain records', [entry(at(0)), entry(at(-5_000)), entry(at(-20_000))]],
  ['a refused one between plain ones', [entry(at(0)), entry(at(0, refused)), entry(at(1))]],
  [
    'a tombstone, an empty value and one that is no JSON',
    [entry(at(0)), entry(null), entry(''), entry('{'), entry(at(1))],
  ],
  ['gaps in the offsets', [entry(at(0), 3), entry(at(0, refused), 1), entry(at(1), 7)]],
  [
    'times of clocks that run ahead',
    [entry(at(30_000)), entry(at(90_000)), entry(at(7_200_000)), entry(at(20 * 3_600_000))],
  ],
  [
    'times that are long gone',
    [entry(at(-3_600_000)), entry(at(-40 * 86_400_000)), entry(at(-91 * 86_400_000)), entry(at(0))],
  ],
  ['a time before 2010', [entry(at(0)), entry(at(0, { started_at: 1_200_000_000_000 }))]],
  ['records without a time', [entry(at(0)), entry(at(0, { started_at: null })), entry(at(0, { started_at: '' }))]],
  ['messages that are none', [entry(at(0)), entry({ ...at(0), response: undefined, session: {} }), entry(at(0))]],
  ['several records in one value', [entry(at(0)), entry(JSON.stringify([at(1), at(2, refused)])), entry(at(3))]],
]

describe('packed values', () => {
  test.each(chunks)('come to the same as values one by one: %s', (_name, entries) => {
    for (const live of [true, false]) {
      const [packed, plain] = [worldOf({ live }), worldOf({ live })]
      const known = packedRecords([entry(at(0)), entry(at(0)), entry(at(0, { started_at: null }))], 0, 0)
      let offset = 0
      for (const { packed: input, next } of [known, packedRecords(entries, known.next, 0)]) {
        packed.packed.take(packed.lane, input, packed.context(forEver))
        for (const value of valuesOf(input)) take(plain, value)
        for (const world of [packed, plain]) world.advance()
        expect(packed.state()).toBe(plain.state())
        offset = next
      }
      expect(packed.lane.builder.next).toBe(offset)
      expect(packed.end()).toBe(plain.end())
    }
  })

  test('beyond the last offset are left, and taken the next time', () => {
    const [packed, plain] = [worldOf(), worldOf()]
    const { packed: input, offsets } = packedRecords(
      [at(0), at(1), at(2, refused), at(3), at(4)].map((value) => entry(value)),
      0,
      0,
    )
    for (const last of [offsets[1] ?? 0, offsets[2] ?? 0, forEver]) {
      packed.packed.take(packed.lane, input, packed.context(last))
      expect(packed.lane.builder.next).toBe(Math.min(last, offsets.at(-1) ?? 0) + 1)
    }
    for (const value of valuesOf(input)) take(plain, value)
    expect(packed.end()).toBe(plain.end())
  })

  test('are cut into ranges where they would be one by one', () => {
    const [packed, plain] = [worldOf({ flushRows: 3 }), worldOf({ flushRows: 3 })]
    const values = Array.from({ length: 40 }, (_item, i) => entry(at(-i * 7_000, i % 9 === 0 ? refused : {})))
    const { packed: input } = packedRecords(values, 0, 0)
    packed.packed.take(packed.lane, input, packed.context(forEver))
    for (const value of valuesOf(input)) take(plain, value)
    expect(packed.state()).toBe(plain.state())
    expect(packed.end()).toBe(plain.end())
  })

  test('that come once more after a rebalance count in the lifetime totals once', () => {
    const world = worldOf()
    const { packed: input } = packedRecords(
      [at(0), at(1), at(2), at(3)].map((value) => entry(value)),
      0,
      0,
    )
    world.packed.take(world.lane, input, world.context(forEver))
    world.lane.builder.next = 0
    world.packed.take(world.lane, input, world.context(forEver))
    const { lifetime, totals } = JSON.parse(world.end()) as { lifetime: string[]; totals: string[] }
    expect(lifetime.map((row) => JSON.parse(row))).toMatchObject([{ requests: 4 }])
    expect(totals.map((row) => JSON.parse(row))).toMatchObject([{ requests: 8 }])
  })

  test('of more series than there is room for fold as they do one by one', () => {
    const [packed, plain] = [worldOf({ seriesLimit: 4 }), worldOf({ seriesLimit: 4 })]
    const names = Array.from({ length: 60 }, (_item, i) => at(i, { route: { name: `route-${i % 11}` } }))
    const { packed: input } = packedRecords(
      names.map((value) => entry(value)),
      0,
      0,
    )
    packed.packed.take(packed.lane, input, packed.context(forEver))
    for (const value of valuesOf(input)) take(plain, value)
    expect(packed.end()).toBe(plain.end())
  })

  test('are asked for quotas once in ten seconds, and only where they speak of them', () => {
    const world = worldOf({ asksForQuotas: true })
    const quota = {
      response: { status: 200, headers: { 'x-ratelimit-limit-month': '100', 'x-ratelimit-remaining-month': '7' } },
    }
    const take = (offset: number, ...values: readonly object[]) => {
      const { packed: input } = packedRecords(
        values.map((value) => entry(value)),
        offset,
        0,
      )
      world.packed.take(world.lane, input, world.context(forEver))
    }
    take(0, at(-1), at(-1), at(-1))
    world.quotas.clear()
    const before = world.decoded
    take(10, at(10_000, { ...quota, route: { name: 'metered' } }), at(10_000, { route: { name: 'free' } }))
    take(20, ...Array.from({ length: 20 }, () => at(10_001, { ...quota, route: { name: 'metered' } })))
    expect([...world.quotas]).toEqual([JSON.stringify(['cust_77', 'metered'])])
    expect(world.decoded - before).toBe(1)
  })

  test('that cannot be taken apart are told as such', () => {
    const world = worldOf()
    const { packed: input } = packedRecords([entry(at(0)), entry(at(1))], 0, 0)
    world.packed.take(world.lane, input, world.context(forEver))
    const broken: Packed = { ...input, bytes: input.bytes.subarray(0, 40) }
    const framing = { ...input.framing, base: 2, last: 9, from: 2 } as Packed['framing']
    const told = world.packed.take(world.lane, { ...broken, framing }, world.context(forEver))
    expect(told).toMatchObject({ lo: 2, hi: 9, bytes: 40 })
    expect(world.lane.builder.next).toBe(2)
  })
})

function valuesOf(packed: Packed): readonly RawValue[] {
  const values = unpacked(packed)
  if ('reason' in values) throw new Error(values.reason)
  return values
}

function take(world: World, value: RawValue): void {
  const context = world.context(forEver)
  world.intake.take(world.lane, value, context)
  world.lane.builder.next = value.offset + 1
  context.taken()
}
