import { expect, test } from 'vitest'
import { remembered } from '../../src/decode/remembered.ts'

test('a function that remembers gives what it would give, and works it out once', () => {
  const asked: string[] = []
  const sized = remembered((text) => {
    asked.push(text)
    return text === '' ? null : text.length
  })
  expect(['quota', '', 'quota', '', 'a'].map(sized)).toEqual([5, null, 5, null, 1])
  expect(asked).toEqual(['quota', '', 'a'])
})

test('it keeps no long text, and begins anew when too many have come', () => {
  let calls = 0
  const counted = remembered((text) => text.length + 0 * ++calls)
  const long = 'x'.repeat(101)
  expect([counted(long), counted(long), calls]).toEqual([101, 101, 2])
  for (let i = 0; i < 2_100; i++) counted(`word-${i}`)
  calls = 0
  expect([counted('word-2099'), calls, counted('word-0'), calls]).toEqual([9, 0, 6, 1])
})
