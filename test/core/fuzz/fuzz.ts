import { Dice } from '../../support/dice.ts'
import { type FuzzCase, fuzzCases } from './cases.ts'
import { Generator } from './generator.ts'
import { firstMs } from './packing.ts'
import { type Chunk, checked, type Round } from './round.ts'
import type { WorldOptions } from './world.ts'
import type { Mismatch } from './wrong-outcome.ts'

const strangers = fuzzCases.flatMap(({ templates }) => templates)
const hourMs = 3_600_000
/** Of so many rounds of a case one is thorough: the specification takes ten times as long as the core. */
const thoroughEvery = 10

/**
 * The first round of each case is, so that a short run has seen everything. No two records of it are changed alike; in the
 * others, some are: what was learnt of one is used on the next, and to learn takes most of the time.
 */
export function isThorough(number: number): boolean {
  return Math.floor(number / fuzzCases.length) % thoroughEvery === 0
}

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
  const generator = new Generator({ dice, one, nowMs: now, strangers, repeats: !isThorough(number) })
  const knowsArrival = dice.chance(0.8)
  const chunks: Chunk[] = []
  for (let left = size; left > 0; ) {
    const count = Math.min(left, chunkSize(dice))
    left -= count
    const entries = Array.from({ length: count }, () => ({
      value: generator.next(),
      gap: dice.chance(0.9) ? 0 : 1 + Math.floor(dice.next() * 3),
      stampMs: knowsArrival && !dice.chance(0.01) ? now - firstMs - Math.floor(dice.next() * 5_000) : -firstMs - 1,
    }))
    const heldBack = dice.chance(0.1) ? Math.floor(dice.next() * count) : 0
    chunks.push({ entries, heldBack, notAsked: dice.chance(0.05) ? Math.floor(dice.next() * 3) : 0 })
  }
  return { one, options, framing, isThorough: isThorough(number), chunks }
}

/** Few are long: a lane on which the layout changes reads what is left of its chunk anew each time. */
function chunkSize(dice: Dice): number {
  const luck = dice.next()
  const most = luck < 0.2 ? 10 : luck < 0.99 ? 100 : 500
  return 1 + Math.floor(dice.next() * most)
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
  options: { rounds: Iterable<number>; size: number; onRound?: (values: number) => boolean },
): FuzzResult {
  const { rounds, size, onRound } = options
  const shares = new Map<FuzzCase, Share>()
  let values = 0
  for (const number of rounds) {
    const round = roundOf(seed, number, size)
    const result = checked(round)
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
