import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outcome } from '../../src/core/engine.ts'
import { PlainJson } from '../../src/core/plain-json.ts'
import { alone, engines } from './engines.ts'
import { broken, oddScalars } from './fuzz/odd-values.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether bytes are one JSON object in UTF-8, by the platform's own word. */
function isObject(bytes: Uint8Array): boolean {
  try {
    return /^[ \t\r\n]*\{/.test(utf8.decode(bytes)) && JSON.parse(utf8.decode(bytes)) !== null
  } catch {
    return false
  }
}

const oddText = fc.constantFrom(...broken, ...oddScalars)
const blank = fc.constantFrom('', '', '', ' ', '\n', '\t\r', ' '.repeat(20))
/** Objects in all spellings, and what is nearly one. */
const nearlyJson = fc
  .tuple(fc.array(fc.tuple(fc.string(), fc.oneof(fc.json(), oddText), blank), { maxLength: 5 }), blank, blank)
  .map(([members, before, after]) => {
    const inner = members.map(([key, value, gap]) => `${JSON.stringify(key)}${gap}:${gap}${value}${gap}`)
    return Buffer.from(`${before}{${inner.join(',')}}${after}`)
  })
const spoilt = fc
  .tuple(nearlyJson, fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.nat({ max: 2 }))
  .map(([bytes, place, put, out]) => {
    const at = place % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + out)])
  })
const anyBytes = fc.oneof(nearlyJson, spoilt)

test('PlainJson takes what JSON.parse takes, and to the last byte', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const json = new PlainJson(bytes)
      const start = json.blanks(0)
      const end = json.at(start) === 0x7b ? json.value(start) : -1
      const isWhole = end > 0 && json.blanks(end) >= bytes.length
      // Whether bytes are UTF-8 is another's to say.
      const isText = Buffer.from(utf8Or(bytes)).equals(bytes)
      if (isText) expect([bytes.toString(), isWhole]).toEqual([bytes.toString(), isObject(bytes)])
    }),
    { numRuns: 1_500 },
  )
})

function utf8Or(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

describe.each(engines)('%s', (_, make) => {
  const engine = make()
  const found = (bytes: Uint8Array, after?: Uint8Array) => {
    engine.load(alone(bytes, after))
    engine.run(0, 1)
    return engine.outcomes[0]
  }

  test('leaves to the decoder what is no JSON object in UTF-8, and nothing else but escaped keys', () => {
    fc.assert(
      fc.property(anyBytes, fc.uint8Array({ maxLength: 20 }), (bytes, after) => {
        const expected = isObject(bytes) && !hasEscapedKey(bytes) ? outcome.unknownShape : outcome.general
        expect([bytes.toString(), found(bytes, after)]).toEqual([bytes.toString(), expected])
      }),
      { numRuns: 1_500 },
    )
  })

  test('does not take what stands behind a value for a part of it', () => {
    const whole = Buffer.from('{"status":"200","tenant":"acme","time":1791188136042,"list":[1,{"a":"b"}]}')
    for (let cut = 1; cut < whole.length; cut++) {
      expect([cut, found(whole.subarray(0, cut), whole.subarray(cut))]).toEqual([cut, outcome.general])
    }
    expect(found(whole)).toBe(outcome.unknownShape)
  })

  test.each([
    ['too deep', `{"a":${'['.repeat(70)}${']'.repeat(70)}}`],
    ['an array', '[{"a":1}]'],
    ['with a byte order mark', '\ufeff{"a":1}'],
    ['two objects', '{"a":1}{"a":1}'],
    ['a key that is spelled with an escape', '{"\\u0061":1}'],
    ['a control character in a text', '{"a":"b\u0001"}'],
    ['a surrogate in bytes', Buffer.from('7b2261223a22eda080227d', 'hex')],
    ['an overlong form', Buffer.from('7b2261223a22c0af227d', 'hex')],
    ['cut within a character', Buffer.from('7b2261223a22e282227d', 'hex')],
  ])('leaves to the decoder what is %s', (_name, value) => {
    expect(found(Buffer.from(value))).toBe(outcome.general)
  })

  test('leaves to the decoder what is longer than it may be', () => {
    const short = make({ longestValue: 20, templates: true, watched: [] })
    for (const [length, expected] of [
      [20, outcome.unknownShape],
      [21, outcome.general],
    ] as const) {
      short.load(alone(Buffer.from('{"a":1}'.padEnd(length))))
      short.run(0, 1)
      expect(short.outcomes[0]).toBe(expected)
    }
  })
})

/** At the top: deeper ones are in objects that nobody looks into. */
function hasEscapedKey(bytes: Uint8Array): boolean {
  const json = new PlainJson(bytes)
  for (let p = json.blanks(json.blanks(0) + 1); json.at(p) === 0x22; ) {
    const end = json.string(p + 1)
    if (json.hasEscape) return true
    p = json.blanks(json.value(json.blanks(json.blanks(end) + 1)))
    if (json.at(p) === 0x2c) p = json.blanks(p + 1)
  }
  return false
}
