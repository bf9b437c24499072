import { expect, test } from 'vitest'
import { sparkPoints } from '../../../src/http/page/spark-points.ts'

test('the highest value touches the top and zero lies at the bottom', () => {
  expect(sparkPoints([0, 4, 2], { width: 100, height: 22 })).toBe('0,21 50,1 100,11')
})

test('a series of nothing is a flat line', () => {
  expect(sparkPoints([0, 0], { width: 100, height: 22 })).toBe('0,21 100,21')
})
