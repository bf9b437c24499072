import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lenientJson } from '../../src/decode/lenient-json.ts'

test.each([
  ['{"a":{"b":"text that is c', { a: { b: 'text that is c' } }],
  ['{"a":[1,2,{"b":true', { a: [1, 2, { b: true }] }],
  ['{"a":"x\\u00', { a: 'x' }],
  ['{"a":"x\\', { a: 'x' }],
  ['{"a":1,"b', { a: 1 }],
  ['{"a":1,"b":', { a: 1 }],
  ['{"a","code":"x"}', { code: 'x' }],
  ['{"a":,"code":"x"}', { code: 'x' }],
  ['{"a":"line\nbreak"}', { a: 'line\nbreak' }],
  ['{"a":1}}{"b":2}', { a: 1 }],
  ['[{"a":1}', [{ a: 1 }]],
  ['', undefined],
  ['word', undefined],
])('reads %j as far as it goes', (text, expected) => {
  expect(lenientJson(text)).toEqual(expected)
})

test('reads sound JSON as JSON.parse does', () => {
  const value = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 4 }), { minKeys: 1 })
  fc.assert(
    fc.property(value, (sound) => {
      fc.pre(!JSON.stringify(sound).includes('__proto__'))
      const text = JSON.stringify(sound)
      expect(lenientJson(text)).toEqual(JSON.parse(text))
    }),
  )
})

test('keeps everything that stood before a cut', () => {
  const text = JSON.stringify({ error: { code: 'insufficient_quota', message: 'no' }, rest: 'x'.repeat(50) })
  for (let end = text.indexOf('"message"'); end < text.length; end++) {
    expect(lenientJson(text.slice(0, end))).toMatchObject({ error: { code: 'insufficient_quota' } })
  }
})
