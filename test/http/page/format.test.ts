import { describe, expect, test } from 'vitest'
import { causes } from '../../../src/classify/cause.ts'
import { causeName, colourOf } from '../../../src/http/page/causes.ts'
import { csv, shellWord } from '../../../src/http/page/csv.ts'
import { againstNormal, count, duration, percent, roundCount, share } from '../../../src/http/page/format.ts'

describe('numbers on the page', () => {
  test.each([
    [null, 'no requests'],
    [0, '0 %'],
    [0.000_01, '< 0.01 %'],
    [0.003_1, '0.31 %'],
    [0.009_96, '1.0 %'],
    [60 / 1_004, '6.0 %'],
    [0.099_6, '10 %'],
    [0.274, '27 %'],
    [0.999, '99 %'],
    [1, '100 %'],
  ])('write the share %s as %s', (ratio, text) => {
    expect(percent(ratio)).toBe(text)
  })

  test('give a count with its base', () => {
    expect(share(60, 1_004)).toBe('60 of 1,004 (6.0 %)')
    expect(share(3, 0)).toBe('3')
  })

  test.each([
    [1_004, '1,004'],
    [99_999, '99,999'],
    [123_456, '123 k'],
    [1_234_567, '1.23 M'],
  ])('round %i to %s in sentences', (value, text) => {
    expect(roundCount(value)).toBe(text)
    expect(count(value)).toBe(value.toLocaleString('en'))
  })

  test.each([
    [-5, '0 s'],
    [42_000, '42 s'],
    [180_000, '3 min'],
    [3_600_000, '1 h'],
    [7_800_000, '2 h 10 min'],
    [273_600_000, '3 d 4 h'],
  ])('write %i ms as %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  test.each([
    [55, 2.04, '27× normal'],
    [7, 5, '1.4× normal'],
    [7, 0, 'new'],
    [7, null, null],
  ])('compare %s with a normal of %s as %s', (observed, expected, text) => {
    expect(againstNormal(observed, expected)).toBe(text)
  })
})

test('every cause has a colour of its own and a readable name', () => {
  expect(new Set(causes.map(colourOf)).size).toBe(causes.length)
  for (const cause of causes) expect(causeName(cause)).not.toContain('_')
})

test('a CSV cell cannot run as a formula or leave its cell', () => {
  expect(csv([['=1+1', 'a,b', 'say "x"', 5, null]])).toBe('\'=1+1,"a,b","say ""x""",5,\r\n')
})

test.each([
  ['acme', 'acme'],
  ["o'brien", "'o'\\''brien'"],
  ['$(reboot)', "'$(reboot)'"],
])('a command quotes %s', (text, word) => {
  expect(shellWord(text)).toBe(word)
})
