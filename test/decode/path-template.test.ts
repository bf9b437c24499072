import fc from 'fast-check'
import { expect, test } from 'vitest'
import { labelLimit } from '../../src/decode/label.ts'
import { pathRule, templateOf } from '../../src/decode/path-template.ts'

const plain = (path: unknown) => templateOf(path, [], true)

test.each([
  ['/v1/answers', '/v1/answers'],
  ['/v1/answers/?lang=en#top', '/v1/answers'],
  ['v1//answers', '/v1/answers'],
  ['https://api.example.org:8443/v1/answers/7?x', '/v1/answers/{id}'],
  ['https://api.example.org', '/'],
  ['/', '/'],
  ['/users/42/orders/-7.5', '/users/{id}/orders/{id}'],
  ['/users/3f2504e0-4f89-41d3-9a0c-0305e82c3301', '/users/{uuid}'],
  ['/blobs/9f86d081884c7d659a2feaa0c55ad015', '/blobs/{hex}'],
  ['/days/2026-10-05/hours', '/days/{date}/hours'],
  ['/days/2026-10-05T08:15:36Z', '/days/{date}'],
  ['/hosts/203.0.113.9', '/hosts/{ip}'],
  ['/mail/jo%40example.org', '/mail/{email}'],
  ['/charges/ch_8fK2mQ7xPz', '/charges/{token}'],
  ['/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2lnbmF0dXJl', '/t/{token}'],
  [`/x/${'a'.repeat(70)}`, '/x/{token}'],
  ['/v1beta1/models/gpt-4o-2024-08-06/chat', '/v1beta1/models/gpt-4o-2024-08-06/chat'],
  ['/v2/oauth2/s3', '/v2/oauth2/s3'],
  ['/{id}/x', '/{id}/x'],
  ['/a/b/c/d/e/f/g/h/i/j/k/l/m/n', '/a/b/c/d/e/f/g/h/i/j/k/l'],
  ['-', null],
  ['', null],
  ['?q', null],
  [7, null],
])('makes of %j the API %j', (path, expected) => {
  expect(plain(path)).toBe(expected)
})

test('tries the rules of the operator first', () => {
  const rules = ['/files/**', '/shops/{shop}/items', '/v1/*'].map(pathRule)
  const api = (path: string) => templateOf(path, rules, true)
  expect(api('/files/a/b/c?x=1')).toBe('/files/**')
  expect(api('/files')).toBe('/files/**')
  expect(api('/shops/blue/items')).toBe('/shops/{shop}/items')
  expect(api('/shops/blue/items/9')).toBe('/shops/blue/items/{id}')
  expect(api('/v1/x')).toBe('/v1/*')
})

test('keeps ids where templates are off, but never the query', () => {
  expect(templateOf('/users/42?token=hush', [], false)).toBe('/users/42')
})

test('is bounded, without a query, and stable', () => {
  fc.assert(
    fc.property(fc.webPath(), fc.string({ unit: 'binary' }), (path, query) => {
      const api = plain(`${path}?${query}`)
      if (api === null) return
      expect(api.length).toBeLessThanOrEqual(labelLimit)
      expect(api).not.toContain('?')
      expect(plain(api)).toBe(api)
    }),
  )
})

test('takes time linear in the length of a path', () => {
  for (const path of ['/a1'.repeat(1e6), '1'.repeat(3e6), `/${'a-1_'.repeat(1e6)}`, '%'.repeat(3e6)]) {
    expect(plain(path)?.length).toBeLessThanOrEqual(labelLimit)
  }
})
