import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { plainTime } from '../../src/core/plain-time.ts'
import { notations, type TimeNotation } from '../../src/decode/event-time.ts'
import { oddTimes } from './fuzz/odd-values.ts'

const named = Object.entries(notations) as [string, TimeNotation][]

/** What the decoder reads where the core reads a raw JSON value plainly; null where the core leaves it alone. */
function read(raw: string, notation: TimeNotation): { plain: number; decoded: unknown } | null {
  const isText = raw.startsWith('"')
  const plain = plainTime(isText ? raw.slice(1, -1) : raw, isText, notation)
  return plain === null ? null : { plain, decoded: notation.read(JSON.parse(raw)) }
}

const digits = (from: number, to: number) =>
  fc.integer({ min: from, max: to }).map((value) => String(value).padStart(String(to).length, '0'))
const fraction = fc.oneof(
  fc.constant(''),
  fc.stringMatching(/^[0-9]{1,12}$/).map((text) => `.${text}`),
)
const isoText = fc
  .tuple(digits(1999, 2100), digits(0, 13), digits(0, 32), digits(0, 25), digits(0, 61), digits(0, 61), fraction)
  .chain(([year, month, day, hour, minute, second, part]) =>
    fc
      .constantFrom('Z', 'z', '', '+02:00', '-02:30', '+0200', '+02', '+23:59', '-24:00')
      .map((zone) => `"${year}-${month}-${day}T${hour}:${minute}:${second}${part}${zone}"`),
  )
const clfText = fc
  .tuple(
    digits(0, 32),
    fc.constantFrom('Jan', 'feb', 'APR', 'Dec', 'Okt'),
    digits(1999, 2100),
    digits(0, 25),
    digits(0, 61),
    digits(0, 61),
  )
  .chain(([day, month, year, hour, minute, second]) =>
    fc
      .constantFrom('+0000', '-0230', '+9999', '+02:00')
      .map((zone) => `"${day}/${month}/${year}:${hour}:${minute}:${second} ${zone}"`),
  )
const count = fc
  .tuple(fc.integer({ min: 0, max: 4_100_000_000 }), fraction, fc.stringMatching(/^[0-9]{0,10}$/), fc.boolean())
  .map(([whole, part, more, isText]) => (isText ? `"${whole}${more}${part}"` : `${whole}${more}${part}`))
const anyTime = fc.oneof(
  isoText,
  clfText,
  count,
  fc.constantFrom(...oddTimes.filter((raw) => /^["\d]/.test(raw) && isJson(raw))),
)

function isJson(raw: string): boolean {
  try {
    JSON.parse(raw)
    return true
  } catch {
    return false
  }
}

describe.each(named)('a time in the notation %s', (_, notation) => {
  test('is what the decoder says, or is left to it', () => {
    fc.assert(
      fc.property(anyTime, (raw) => {
        const found = read(raw, notation)
        if (found !== null) expect([raw, found.plain]).toEqual([raw, found.decoded])
      }),
      { numRuns: 1_000 },
    )
  })
})

const ms = 1_791_188_136_042
test.each([
  ['ms', String(ms)],
  ['ms', `"${ms}"`],
  ['s', '1791188136'],
  ['s', '1791188136.042'],
  ['s', '"1791188136.042519"'],
  ['us', `${ms}519`],
  ['us', `"${ms}519"`],
  ['ns', `"${ms}519000"`],
  ['iso', '"2026-10-05T08:15:36.042Z"'],
  ['iso', '"2026-10-05T08:15:36.042519731Z"'],
  ['isoOrUtc', '"2026-10-05T10:15:36.042+02:00"'],
  ['clf', '"05/Oct/2026:08:15:36 +0000"'],
  ['sIsoOrClf', '"05/Oct/2026:10:15:36 +0200"'],
] as const)('that gateways write in the notation %s is plain: %s', (name, raw) => {
  const found = read(raw, notations[name])
  expect(Math.floor((found?.plain ?? 0) / 1000)).toBe(Math.floor(ms / 1000))
  expect(found?.plain).toBe(found?.decoded)
})

test.each(['"2026-10-05T08:15:60Z"', '"2026-02-29T08:15:36Z"', '"2026-10-05T08:15:36"', `"${ms}"`, '179118813604'])(
  'that may mean something else is left to the decoder: %s',
  (raw) => {
    expect(read(raw, notations.iso)).toBe(null)
  },
)
