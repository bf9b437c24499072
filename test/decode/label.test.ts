import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelLimit, labelOf } from '../../src/decode/label.ts'

test.each([
  ['acme', 'acme'],
  ['  acme corp ', 'acme corp'],
  ['a\u0000b\r\nc', 'a b c'],
  ['\u202eacme', 'acme'],
  ['\ud800x', '\ufffdx'],
  ['余额', '余额'],
  [42, '42'],
  [0, '0'],
  ['', null],
  [' - ', null],
  ['-', null],
  ['N/A', null],
  ['UNKNOWN', null],
  ['\u0007', null],
  [null, null],
  [undefined, null],
  [true, null],
  [{}, null],
  [['a'], null],
  [Number.NaN, null],
])('makes of %j the label %j', (value, expected) => {
  expect(labelOf(value)).toBe(expected)
})

test('gives short, trimmed, well-formed text without control characters, and the same again', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.string({ maxLength: 400 })), (text) => {
      const label = labelOf(text)
      if (label === null) return
      expect(label.length).toBeLessThanOrEqual(labelLimit)
      expect(label).toBe(label.trim())
      expect(label).not.toMatch(/[\p{Cc}\p{Surrogate}]/u)
      expect(labelOf(label)).toBe(label)
    }),
  )
})
