import { expect, test } from 'vitest'
import { fuzzCases } from './fuzz/cases.ts'
import { fuzzed } from './fuzz/fuzz.ts'
import { told } from './fuzz/told.ts'

const wanted = process.env['TOLLWATCH_SEED'] ?? '402'
const seed = wanted === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(wanted)
const cases = [...fuzzCases.keys()]

// The first round of each case is read by the specification too; the second is not, and may be longer.
test.each([
  ['the core and its specification read', cases, 300],
  ['the core reads', cases.map((number) => number + fuzzCases.length), 900],
])(`%s made-up values as the decoder does (seed ${seed})`, { timeout: 120_000 }, (_name, rounds, size) => {
  const { failed, values, shares } = fuzzed(seed, { rounds, size })
  if (failed !== null) expect.fail(told({ seed, number: failed.number, size, mismatch: failed.mismatch }))
  expect(values).toBeGreaterThan(0.98 * size * fuzzCases.length)
  let recognised = 0
  // Otherwise nothing was compared but the decoder with itself.
  for (const [{ name, isPlain }, share] of shares) {
    if (isPlain) expect([name, share.recognised]).not.toEqual([name, 0])
    recognised += share.recognised
  }
  expect(recognised / values).toBeGreaterThan(0.5)
})
