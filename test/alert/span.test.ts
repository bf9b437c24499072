import { expect, it } from 'vitest'
import { spanText } from '../../src/alert/span.ts'

it.each([
  [-5, '0 s'],
  [40_000, '40 s'],
  [59_600, '1 min'],
  [80_000, '1 min'],
  [300_000, '5 min'],
  [1_180_000, '20 min'],
  [3_570_000, '1 h'],
  [4_800_000, '1 h 20 min'],
  [86_370_000, '1 d'],
  [93_600_000, '1 d 2 h'],
  [Number.NaN, 'an unknown time'],
])('writes %d ms as %s', (ms, text) => expect(spanText(ms)).toBe(text))
