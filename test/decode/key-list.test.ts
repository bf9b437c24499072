import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatNamed } from '../../src/decode/formats.ts'
import { valueAt } from '../../src/decode/json.ts'
import { byKeys, keysOf } from '../../src/decode/key-list.ts'
import { namesOf } from '../../src/decode/names.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { settingsFor } from '../../src/decode/settings.ts'
import { watchedObject } from '../../src/decode/watched.ts'

const parsed = (text: string) => JSON.parse(text) as { readonly [key: string]: unknown }

describe('the keys of an object', () => {
  test('are the same list for objects with the same keys in the same order, whatever their values', () => {
    const list = keysOf(parsed('{"status":402,"uri":"/v1"}'))
    expect(list?.keys).toEqual(['status', 'uri'])
    expect(keysOf(parsed('{"status":null,"uri":{}}'))).toBe(list)
    for (const other of ['{"uri":1,"status":1}', '{"status":1}', '{"status":1,"uri":1,"id":1}', '{}'])
      expect(keysOf(parsed(other))).not.toBe(list)
  })

  test('are those that Object.keys gives, also when many other objects came between', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.nat(), { maxKeys: 8 })), (entries) => {
        for (const entry of [...entries, ...entries]) expect(keysOf(entry)?.keys).toEqual(Object.keys(entry))
      }),
    )
    for (let i = 0; i < 12_000; i++) keysOf({ [`flood-${i}`]: i })
    expect(keysOf({ status: 1, uri: 2 })?.keys).toEqual(['status', 'uri'])
  })

  test('are not told where they are too many or too long, nor of a watched object', () => {
    expect(keysOf(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i])))).toBeNull()
    expect(keysOf({ ['k'.repeat(101)]: 1 })).toBeNull()
    const watched = watchedObject({ status: 402 })
    expect(keysOf(watched.entry)).toBeNull()
    expect(watched.beyond()).toBe(false)
  })

  test('give what follows from them once for each list', () => {
    let calls = 0
    const counted = byKeys(({ keys }) => ({ call: ++calls, keys }))
    const lists = ['{"a":1}', '{"b":1}', '{"a":2}', '{"b":2}'].map((text) => keysOf(parsed(text)))
    const given = lists.map((list) => (list === null ? null : counted(list)))
    expect(given).toEqual([1, 2, 1, 2].map((call) => ({ call, keys: [call === 1 ? 'a' : 'b'] })))
  })
})

describe('names that are looked for only where the keys allow it', () => {
  const options = decodeOptions.parse({ tenant: { any: ['who.org.id', 'who.org'] }, api: { any: 'x.y' } })
  const keys = ['tenant', 'tenant.id', 'account_id', 'consumer', 'who', 'who.org', 'x', 'x.y', 'route', 'service']
  const inner = fc.dictionary(
    fc.constantFrom('id', 'org', 'org.id', 'y', 'username', 'name'),
    fc.constantFrom('', 'a', 7),
  )
  const entry = fc.dictionary(fc.constantFrom(...keys), fc.oneof(inner, fc.constantFrom(null, '-', 'acme', 3, [])), {
    noNullPrototype: true,
  })

  test.each(['kong', 'apisix', 'nginx'] as const)('are the same ones for %s', (name) => {
    const settings = settingsFor(formatNamed(name), options)
    fc.assert(
      fc.property(entry, (one) => {
        const [everywhere, among] = [null, keysOf(one)].map((keys) =>
          namesOf((place) => valueAt(one, place), settings, keys),
        )
        expect([among?.tenant, among?.api]).toEqual([everywhere?.tenant, everywhere?.api])
      }),
    )
  })
})
