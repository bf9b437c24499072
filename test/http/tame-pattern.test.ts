import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isTame, wildMatcher } from '../../src/http/tame-pattern.ts'

test.each([
  'acme',
  'Spike.*',
  '(acme|borealis)',
  '(acme|borealis).*',
  '[a-z]+-[0-9]+',
  'a{3}',
  '(?:ac)?me',
  '\\(a+\\)+',
  '[+*(]+',
  '',
])('takes %s', (pattern) => expect(isTame(pattern)).toBe(true))

test.each([
  '(a+)+',
  '(a|a)*b',
  '((a*)b)*',
  '(a?){40}b',
  '(.*)(.*)(.*)x',
  '(a|a)'.repeat(10),
  'a?'.repeat(20),
  'a*)(b',
  '(a)\\1',
  '(?=a)b',
  'a'.repeat(501),
  '([a-z]+)*',
  '(a{1,9}){9,}',
])('refuses %s', (pattern) => expect(isTame(pattern)).toBe(false))

test('what it takes ends soon on the longest name there is', () => {
  const piece = fc.constantFrom('a', 'b', '.', '(', ')', '|', '*', '+', '?', '{2,}', '[ab]', '(?:', '\\w')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const pattern = pieces.join('')
      if (!isTame(pattern)) return
      let expression: RegExp
      try {
        expression = new RegExp(`^(?:${pattern})$`, 's')
      } catch {
        return
      }
      // A pattern that runs away would not come back within the time limit of the test.
      expression.test(`${'a'.repeat(199)}!`)
    }),
    { numRuns: 3_000 },
  )
})

test('looks at the expressions of matchers alone', () => {
  expect(wildMatcher(['tenant="(a+)+"', 'rule=~"Spike.*"', 'no matcher'])).toBeNull()
  expect(wildMatcher(['tenant="acme"', 'api!~"(a+)+"'])).toMatch(/^api /)
})
