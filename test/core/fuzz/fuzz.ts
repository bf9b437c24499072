import { Dice } from '../../support/dice.ts'
import { type FuzzCase, fuzzCases } from './cases.ts'
import { Generator } from './generator.ts'
import { firstMs } from './packing.ts'
import { type Chunk, checked, type MakeEngine, type Mismatch, type Round, twins } from './round.ts'
import type { WorldOptions } from './world.ts'

const strangers = fuzzCases.flatMap(({ templates }) => templates)
const hourMs = 3_600_000

/** The round with this number: the same seed and number give the same values. */
export function roundOf(seed: number, number: number, size: number): Round {
  const dice = new Dice((Math.imul(seed, 0x9e3779b1) + number) >>> 0)
  const one = fuzzCases[number % fuzzCases.length] ?? dice.pick(fuzzCases)
  const now = firstMs + 600 * hourMs + Math.floor(dice.next() * 1000 * hourMs)
  const framing = dice.chance(0.4) ? 'lines' : 'records'
  const options: WorldOptions = {
    ...{ seriesLimit: dice.chance(0.2) ? 100 : 5_000, live: dice.chance(0.9), asksForQuotas: dice.chance(0.2) },
    ...{ flushRows: dice.pick([50, 500, 100_000]), now },
  }
  const generator = new Generator({ dice, one, nowMs: now, strangers })
  const knowsArrival = dice.chance(0.8)
  const chunks: Chunk[] = []
  for (let left = size; left > 0; ) {
    const count = Math.min(
      left,
      dice.chance(0.2) ? 1 + Math.floor(dice.next() * 10) : 100 + Math.floor(dice.next() * 400),
    )
    left -= count
    const entries = Array.from({ length: count }, () => ({
      value: generator.next(),
      gap: dice.chance(0.9) ? 0 : 1 + Math.floor(dice.next() * 3),
      stampMs: knowsArrival && !dice.chance(0.01) ? now - firstMs - Math.floor(dice.next() * 5_000) : -firstMs - 1,
    }))
    const heldBack = dice.chance(0.1) ? Math.floor(dice.next() * count) : 0
    chunks.push({ entries, heldBack, notAsked: dice.chance(0.05) ? Math.floor(dice.next() * 3) : 0 })
  }
  return { one, options, framing, chunks }
}

/** How much of a case the core had to do with. */
export interface Share {
  values: number
  recognised: number
}

export interface FuzzResult {
  readonly values: number
  readonly shares: ReadonlyMap<FuzzCase, Share>
  /** The first round that went wrong. */
  readonly failed: { readonly number: number; readonly mismatch: Mismatch } | null
}

/** Runs rounds one after another until one goes wrong or there were enough. */
export function fuzzed(
  seed: number,
  options: { rounds: Iterable<number>; size: number; make?: MakeEngine; onRound?: (values: number) => boolean },
): FuzzResult {
  const { rounds, size, make = twins, onRound } = options
  const shares = new Map<FuzzCase, Share>()
  let values = 0
  for (const number of rounds) {
    const round = roundOf(seed, number, size)
    const result = checked(round, make)
    const share = shares.get(round.one) ?? { values: 0, recognised: 0 }
    share.values += result.values
    share.recognised += result.recognised
    shares.set(round.one, share)
    values += result.values
    if (result.mismatch !== null) return { values, shares, failed: { number, mismatch: result.mismatch } }
    if (onRound?.(result.values) === false) break
  }
  return { values, shares, failed: null }
}
