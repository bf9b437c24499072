import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sketchOf } from '../../src/decode/sketch.ts'

const sketch = (text: string, maxChars?: number) => sketchOf(Buffer.from(text), maxChars)

describe('a sketch', () => {
  test.each([
    ['{"status":402,"time_iso8601":"2026-10-05T08:15Z"}', '{"status":000,"time_iso8601":"0000-00-00A00:00A"}'],
    ['{"user":{"name":"Jo Müller","admin":true,"x":null}}', '{"user":{"name":"Aa A?aaaa","admin":true,"x":null}}'],
    ['{"sk_live_4eC39HqLyj":1}', '{"aa_aaaa_0aA00AaAaa":0}'],
    [`{"a":"${'x'.repeat(99)}"}`, `{"a":"${'a'.repeat(24)}.."}`],
    ['GET /v1/x?key=hush 200', 'AAA /a0/a?aaa=aaaa 000'],
    ['{"upstream_status":,"hush":1', '{"upstream_status":,"aaaa":0'],
    ['{"message":"cut off in the mid', '{"message":"aaa aaa aa aaa aaa'],
    ['"{\\"status\\":402}"', '"{"status":000}"'],
    ['', ''],
  ])('of %j is %j', (text, expected) => {
    expect(sketch(text)).toBe(expected)
  })

  test('of nothing is empty', () => {
    expect(sketchOf(null)).toBe('')
  })

  test('of binary is printable', () => {
    expect(sketchOf(Buffer.from([0, 1, 255, 254, 0x61, 10, 0xe4]))).toMatch(/^[ -~]*$/)
  })

  test('has at most as many characters as asked for, and takes large values', () => {
    expect(sketch(`[${'{"status":200},'.repeat(1e6)}`, 50).length).toBe(50)
    for (const text of ['"'.repeat(5e6), '\\'.repeat(5e6), '{'.repeat(5e6), `"${' '.repeat(5e6)}`]) {
      expect(sketch(text).length).toBeLessThanOrEqual(1024)
    }
  })
})

// Long enough not to appear by chance, with letters, digits and beyond.
const secret = fc.stringMatching(/^[A-Za-z0-9]{3,6}[0-9][A-Za-z][0-9][A-Za-zäß]{3,12}$/)
const password = fc.stringMatching(/^[a-z]{3,9}( |-)[a-z]{4,9}$/)
const field = fc.constantFrom('status', 'message', 'response_body', 'token', 'Authorization', 'time')

const nested: fc.Memo<unknown> = fc.memo((depth) =>
  depth <= 1
    ? fc.oneof<fc.Arbitrary<unknown>[]>(
        fc.constant('$SECRET'),
        fc.integer(),
        fc.constant(null),
        fc.constant('Bearer $SECRET'),
      )
    : fc.oneof<fc.Arbitrary<unknown>[]>(
        fc.array(nested(), { maxLength: 3 }),
        fc.dictionary(field, nested(), { maxKeys: 4 }),
      ),
)

function leaks(shown: string, hidden: string): boolean {
  // Parts count too: half a secret is one. One that is its own mask cannot be told from it.
  return hidden.split(/[ -]/).some((part) => part.length >= 4 && !/^[aA0]+$/.test(part) && shown.includes(part))
}

describe('no secret survives', () => {
  test('in the values of JSON', () => {
    fc.assert(
      fc.property(nested(3), fc.oneof(secret, password), (value, hidden) => {
        const text = JSON.stringify(value).replaceAll('$SECRET', hidden)
        expect(leaks(sketch(text, 4096), hidden)).toBe(false)
        expect(leaks(sketch(JSON.stringify(text), 4096), hidden)).toBe(false)
      }),
    )
  })

  test('in JSON that was cut or damaged anywhere', () => {
    const damage = fc.record({
      at: fc.nat(),
      remove: fc.nat(3),
      insert: fc.constantFrom('', '"', ':', ',', '{', '\\', '}', '":"'),
    })
    fc.assert(
      fc.property(
        nested(3),
        fc.oneof(secret, password),
        fc.array(damage, { maxLength: 4 }),
        fc.nat(),
        (value, hidden, damages, cut) => {
          let text = JSON.stringify({ status: 1, hidden: '$SECRET', deep: value }).replaceAll('$SECRET', hidden)
          for (const { at, remove, insert } of damages) {
            const place = at % text.length
            text = text.slice(0, place) + insert + text.slice(place + remove)
          }
          text = text.slice(0, (cut % text.length) + 1)
          // Damage may leave sound JSON in which a value has become a key; a key of plain letters is then a field name.
          fc.pre(!isSound(text))
          expect(leaks(sketch(text, 4096), hidden)).toBe(false)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('in keys that look made by a machine', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z0-9][a-z0-9]{4}[0-9][A-Z][0-9][A-Z][a-z0-9]{8,30}$/),
        fc.boolean(),
        (hidden, sound) => {
          const text = `{"${hidden}":1${sound ? '}' : ''}`
          expect(leaks(sketch(text), hidden)).toBe(false)
        },
      ),
    )
  })

  test('in text that is no JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(secret, password),
        fc.string({ maxLength: 40 }),
        fc.string({ maxLength: 40 }),
        (hidden, before, after) => {
          const text = `GET /${before} key=${hidden} "${hidden}" ${after}`
          fc.pre(!isSound(text))
          expect(leaks(sketch(text, 4096), hidden)).toBe(false)
        },
      ),
    )
  })

  test('in bytes', () => {
    fc.assert(
      fc.property(secret, fc.uint8Array({ maxLength: 60 }), (hidden, bytes) => {
        const value = Buffer.concat([bytes, Buffer.from(hidden), bytes])
        expect(leaks(sketchOf(value, 4096), hidden)).toBe(false)
      }),
    )
  })
})

function isSound(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
