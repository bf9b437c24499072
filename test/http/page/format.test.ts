import { describe, expect, test } from 'vitest'
import { causes } from '../../../src/classify/cause.ts'
import { causeName, colourOf } from '../../../src/http/page/causes.ts'
import { csv, shellWord } from '../../../src/http/page/csv.ts'
import {
  againstNormal,
  besideNormal,
  bytes,
  change,
  clockTime,
  count,
  duration,
  percent,
  roundCount,
  share,
} from '../../../src/http/page/format.ts'

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

describe('times on the page', () => {
  const now = Date.UTC(2026, 4, 1, 12)
  const day = 86_400_000
  test('have the day in front of them when it is another, and the year when it is far', () => {
    expect(clockTime(now - 60_000, now)).toMatch(/^\d\d:\d\d$/)
    expect(clockTime(now - 3 * day, now)).toMatch(/^28 Apr \d\d:\d\d$/)
    expect(clockTime(now + 2_000 * day, now)).toMatch(/^22 Oct 2031 \d\d:\d\d$/)
    expect(clockTime(now - 365 * day, now)).toMatch(/^1 May 2025 /)
  })
})

test.each([
  [2, 1.9, 'as usual'],
  [0, 0.3, 'as usual'],
  [30, 10, '3.0× normal'],
  [3, 0.01, 'new'],
  [1, 40, 'less than usual'],
])('a row with %d where %d is normal is %s', (observed, expected, text) => {
  expect(besideNormal(observed, expected)).toBe(text)
})

test.each([
  [110, 100, '+10 %'],
  [60, 100, '−40 %'],
  [100, 100, 'the same'],
  [340, 100, '3.4×'],
  [5, 0, null],
])('%d after %d is a change of %s', (now, before, text) => {
  expect(change(now, before)).toBe(text)
})

test.each([
  [0, '0 B'],
  [2_048, '2 KiB'],
  [432_013_312, '412 MiB'],
])('%d bytes are %s', (value, text) => {
  expect(bytes(value)).toBe(text)
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
