import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as times from '../../src/decode/event-time.ts'

const at = 1791188136042

test.each([
  ['2026-10-05T08:15:36.042Z', at],
  ['2026-10-05T08:15:36.042194835Z', at],
  ['2026-10-05T16:15:36.042+08:00', at],
  ['2026-10-05T02:45:36.042-0530', at],
  ['2026-10-05 08:15:36,042 Z', at],
  ['2026-10-05T08:15:36+00', at - 42],
  ['2026-10-05T08:15Z', at - 36_042],
  ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ['2026-10-05T08:15:36.042', 'bad-time'],
  ['2026-02-29T00:00:00Z', 'bad-time'],
  ['2026-04-31T00:00:00Z', 'bad-time'],
  ['2026-13-01T00:00:00Z', 'bad-time'],
  ['2026-10-05T24:15:36Z', 'bad-time'],
  ['0031-10-05T08:15:36Z', 'bad-time'],
  ['9999-12-31T23:59:59-05:00', 'bad-time'],
  ['last Monday 2026', 'bad-time'],
  [at, 'bad-time'],
  [{}, 'bad-time'],
  ['-', null],
  ['', null],
  [null, null],
])('reads the ISO time %j as %j', (value, expected) => {
  expect(times.isoTime(value)).toBe(expected)
})

test.each([
  ['05/Oct/2026:08:15:36 +0000', at - 42],
  ['[05/oct/2026:10:15:36 +0200]', at - 42],
  ['05/Foo/2026:08:15:36 +0000', 'bad-time'],
  ['05/Oct/2026 08:15:36', 'bad-time'],
  ['-', null],
])('reads the Common Log Format time %j as %j', (value, expected) => {
  expect(times.clfTime(value)).toBe(expected)
})

test.each([
  [1791188136.042, at],
  ['1791188136.042', at],
  ['0x10', 'bad-time'],
  ['1e999', 'bad-time'],
  [Number.POSITIVE_INFINITY, 'bad-time'],
  [-1, 'bad-time'],
  [0, null],
  ['', null],
  [true, 'bad-time'],
])('reads %j seconds as %j', (value, expected) => {
  expect(times.epochSeconds(value)).toBe(expected)
})

test('keeps every millisecond of epoch seconds with a fraction', () => {
  for (let ms = at; ms < at + 1000; ms++) expect(times.epochSeconds((ms / 1000).toFixed(3))).toBe(ms)
})

test('the usual way to write ISO 8601 is read as the same time with its zone written out', () => {
  const two = fc
    .oneof(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 1, max: 28 }))
    .map((n) => `${n}`.padStart(2, '0'))
  const odd = fc.constantFrom('1 ', ' 1', '-1', 'a0', '0x', '/0', ':0')
  const part = fc.oneof({ arbitrary: two, weight: 20 }, { arbitrary: odd, weight: 1 })
  const fraction = fc.constantFrom('', '.000', '.042', '.999', '.1', '.0421', '.04x', ',042')
  fc.assert(
    fc.property(
      fc.tuple(fc.constantFrom('19', '20', '99', '00'), part, part, part, part, part, part),
      fraction,
      (parts, end) => {
        const [century, year, month, day, hour, minute, second] = parts
        const text = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}${end}`
        expect(times.isoTime(`${text}Z`)).toBe(times.isoTime(`${text}+00:00`))
      },
    ),
    { numRuns: 2_000 },
  )
})
