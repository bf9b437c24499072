import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatenated } from '../../src/decode/concatenated.ts'
import { decodeAll } from './decoding.ts'

test('takes any objects apart again, with or without blanks between', () => {
  const blanks = fc.constantFrom('', ' ', '\n', '\r\n', '\t ')
  fc.assert(
    fc.property(fc.array(fc.object(), { minLength: 2, maxLength: 6 }), blanks, (objects, between) => {
      const pieces = concatenated(objects.map((object) => JSON.stringify(object)).join(between)) ?? []
      expect(pieces.map((piece) => JSON.parse(piece.trim()))).toEqual(JSON.parse(JSON.stringify(objects)))
    }),
  )
})

test.each([
  ['one object', '{"a":1}'],
  ['an object that is cut', '{"a":{"b":1}'],
  ['braces in a text', '{"a":"}{"'],
  ['an escaped quote before braces', '{"a":"\\"}{"'],
  ['other text behind an object', '{"a":1} and more'],
  ['an array', '[{"a":1}][{"a":1}]'],
  ['no JSON', 'GET / HTTP/1.1'],
  ['nothing', ''],
])('leaves %s alone', (_, text) => {
  expect(concatenated(text)).toBe(null)
})

test('keeps what comes before an object that is cut', () => {
  expect(concatenated('{"a":1}{"b":2}{"c":')).toEqual(['{"a":1}', '{"b":2}', '{"c":'])
})

test('reads half a megabyte of opening braces at once', () => {
  expect(concatenated('{'.repeat(500_000))).toBe(null)
  expect(decodeAll({}, '{"a":1}'.repeat(2) + '{'.repeat(500_000))).toHaveLength(3)
})

test('counts what lies beyond the limit of entries', () => {
  const all = decodeAll({ format: 'kong' }, '{}'.repeat(100_002))
  expect(all).toHaveLength(100_001)
  expect(all.at(-1)).toMatchObject({ failure: 'too-large', message: expect.stringContaining('2 were not') })
})
