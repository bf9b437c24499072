import { expect, test } from 'vitest'
import { clusters } from '../../../../src/http/page/chart/marks.ts'

test('marks that are close are one with a number', () => {
  expect(clusters([100, 5, 0, 20, 26], 26)).toEqual([
    { at: 0, count: 3 },
    { at: 26, count: 1 },
    { at: 100, count: 1 },
  ])
})
