import { describe, expect, it } from 'vitest'
import { formatMatcher, matchesAll, parseMatcher } from '../../src/alert/matcher.ts'

function matcher(text: string) {
  const parsed = parseMatcher(text)
  if (!parsed.ok) throw new Error(parsed.message)
  return parsed.matcher
}

describe('parseMatcher', () => {
  it.each([
    ['cause="quota_exceeded"', 'quota_exceeded', true],
    ['cause="quota_exceeded"', 'quota', false],
    ['cause!="unknown"', 'quota_exceeded', true],
    ['cause!="unknown"', 'unknown', false],
    ['cause=~"quota.*|card"', 'quota_exceeded', true],
    ['cause=~"quota"', 'quota_exceeded', false],
    ['cause!~"quota.*"', 'quota_exceeded', false],
    ['cause!~"quota.*"', 'card', true],
    [' cause = quota ', 'quota', true],
    ['tenant="a \\"b\\" \\\\ \\n"', 'a "b" \\ \n', true],
    ['cause=""', '', true],
    ['cause=~"a|b"', 'ab', false],
  ])('%s on %j', (text, value, passes) => {
    expect(matcher(text).test(value)).toBe(passes)
  })

  it.each(['', 'cause', 'cause==x', 'cause="a', '1a="b"', 'cause=~"("', 'a="b",c="d"', '{a="b"}'])(
    'turns %j away with a fix',
    (text) => {
      expect(parseMatcher(text)).toMatchObject({ ok: false, fix: expect.stringMatching(/./) })
    },
  )

  it('takes a missing label for the empty text', () => {
    expect(matchesAll([matcher('api=""')], { tenant: 'a' })).toBe(true)
    expect(matchesAll([matcher('api!=""')], { tenant: 'a' })).toBe(false)
  })

  it('is written the one way', () => {
    expect(formatMatcher(matcher(' api =~ "x\\"y" '))).toBe('api=~"x\\"y"')
  })
})
