import { expect, test } from 'vitest'
import { spanShown } from '../../../../src/http/page/chart/span-shown.ts'

const start = Date.UTC(2026, 4, 1, 12) / 1_000
const minutes = Array.from({ length: 180 }, (_, i) => start + i * 60)
const range = { from: new Date(start * 1_000).toISOString(), to: new Date((start + 180 * 60) * 1_000).toISOString() }
const from = (minute: number) => (column: number) => column >= minute

test('a range that is mostly from before the first record is cut, and says so', () => {
  const { span, begins } = spanShown(range, minutes, from(120), false)
  expect(span).toEqual([start + 180 * 60 - 66 * 60, start + 180 * 60])
  expect(begins).toBe(start + 120 * 60)
})

test('at least a twelfth of the range stays', () => {
  expect(spanShown(range, minutes, from(179), false).span[0]).toBe(start + 165 * 60)
})

test.each([
  ['a range that is mostly known', from(60), false],
  ['a span that was picked', from(170), true],
  ['a range without any data', () => false, false],
])('%s is shown as it is', (_, known, picked) => {
  expect(spanShown(range, minutes, known, picked)).toEqual({ span: [start, start + 180 * 60], begins: null })
})
