import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectation, factor, odds, percent, share, sparkline, timeOfDay } from '../../src/notify/figures.ts'
import { clip, clipWords, nameText, plainText } from '../../src/notify/plain-text.ts'
import { eleven, hour } from './sample.ts'

test.each([
  [share(60, 1_004), '60 of 1,004 requests (6.0 %)'],
  [share(3, 7), '3 of 7 requests'],
  [share(5, 0), '5 requests'],
  [percent(0), '0 %'],
  [percent(0.0031), '0.31 %'],
  [percent(0.00001), '<0.01 %'],
  [percent(0.273), '27.3 %'],
  [percent(2.5), '250 %'],
  [expectation(2.2), '2.2'],
  [expectation(0.001), 'less than 0.01'],
  [expectation(1_234.5), '1,235'],
  [factor(60, 2.2, 'x'), '27x'],
  [factor(6, 2, '×'), '3×'],
  [factor(1, 5, '×'), '0.2×'],
  [factor(5_000, 1, '×'), 'over 1,000×'],
  [factor(5, 0, '×'), null],
  [odds(1 / 37e6), 'about 1 in 37 million'],
  [odds(0.004), 'about 1 in 250'],
  [odds(1e-12), 'less than 1 in 1 billion'],
  [odds(Number.NaN), 'less than 1 in 1 billion'],
  [timeOfDay(eleven, 'UTC', eleven), '11:04 UTC'],
  [timeOfDay(eleven, 'UTC', eleven + 24 * hour), '2026-03-02 11:04 UTC'],
  [timeOfDay(eleven, 'Europe/Berlin', eleven), '12:04 CET (11:04 UTC)'],
  [sparkline([0, 1, 2, Number.NaN, 7]), '▁▂▃ █'],
  [sparkline([0, 0]), '▁▁'],
])('%j', (got, wanted) => {
  expect(got).toBe(wanted)
})

describe('texts of strangers', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 })

  test('become one line without anything invisible that acts', () => {
    fc.assert(
      fc.property(text, (given) => {
        const line = plainText(given, 80)
        expect(line).not.toMatch(/[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
        expect(line.length).toBeLessThanOrEqual(80)
        expect(line).toBe(line.trim())
      }),
    )
  })

  test('are never cut inside a character', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 50 }), (given, limit) => {
        const kept = clip(plainText(given, 400), limit)
        expect(kept.length).toBeLessThanOrEqual(limit)
        expect(kept).not.toMatch(/\p{Cs}/u)
      }),
    )
  })

  test('end with a whole word where they are sentences', () => {
    expect(clipWords('acme is refused: 60 of 1,004', 40)).toBe('acme is refused: 60 of 1,004')
    expect(clipWords('acme is refused: 60 of 1,004', 25)).toBe('acme is refused: 60 of…')
    expect(clipWords('acme is refused: 60 of 1,004', 18)).toBe('acme is refused…')
    expect(clipWords('acme is refused (60 of 1,004 requests)', 30)).toBe('acme is refused…')
    expect(clipWords('x'.repeat(30), 10)).toBe(`${'x'.repeat(9)}…`)
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 50 }), (given, limit) => {
        const kept = clipWords(plainText(given, 400), limit)
        expect(kept.length).toBeLessThanOrEqual(limit)
        expect(kept).not.toMatch(/\p{Cs}/u)
      }),
    )
  })

  test('that run from right to left keep to themselves', () => {
    expect(nameText('שלום')).toBe('\u2068שלום\u2069')
    expect(nameText('acme')).toBe('acme')
    expect(nameText('acme\u202Egnp')).toBe('acme gnp')
  })
})
