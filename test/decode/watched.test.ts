import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dottedPath, isObject, type JsonObject, objectsIn, valueAt } from '../../src/decode/json.ts'
import { type Watched, watchedObject } from '../../src/decode/watched.ts'

/** Whether the same thing is handed out both times. */
function same(look: () => unknown): boolean {
  const first = look()
  return look() === first
}

/** `a.b=` for a value that was handed out, `a.b?` for a presence that was asked. */
function notesOf(watched: Watched): readonly string[] {
  return watched.looks().map(({ path, value }) => `${path.join('.')}${value ? '=' : '?'}`)
}

function read(text: string, look: (entry: JsonObject) => unknown): Watched & { readonly result: unknown } {
  const watched = watchedObject(JSON.parse(text) as JsonObject)
  return { ...watched, result: look(watched.entry) }
}

const text = '{"a":{"b":[1,{"c":2}],"d":null},"e":"x","f":{}}'

describe('a watched object', () => {
  test('notes each place once, in the order of the first look', () => {
    const watched = read(text, (entry) => [entry['e'], entry['nothing'], entry['e'], 'f' in entry])
    expect(watched.result).toEqual(['x', undefined, 'x', true])
    expect(notesOf(watched)).toEqual(['e=', 'nothing=', 'f?'])
  })

  test('tells a value that was handed out from a presence that was asked', () => {
    const watched = read(text, (entry) => [
      'e' in entry,
      Object.hasOwn(entry, 'a'),
      'no' in entry,
      Object.hasOwn(entry, 'n'),
    ])
    expect(watched.result).toEqual([true, true, false, false])
    expect(notesOf(watched)).toEqual(['e?', 'a?', 'no?', 'n?'])
  })

  test('keeps that a value was handed out, whatever was asked before and after', () => {
    expect(notesOf(read(text, (entry) => ['e' in entry, entry['e'], 'e' in entry]))).toEqual(['e='])
  })

  test('hands out the objects inside as watched ones, each always the same', () => {
    const watched = read(text, (entry) => [
      same(() => entry['a']),
      isObject(entry['a']),
      valueAt(entry, dottedPath('a.d')),
    ])
    expect(watched.result).toEqual([true, true, null])
    // The first is the key that has a dot itself, the last the key inside.
    expect(watched.looks()).toEqual([
      { path: ['a'], value: true },
      { path: ['a.d'], value: false },
      { path: ['a', 'd'], value: true },
    ])
  })

  test('lets an array say what it is, and counts what is inside as beyond', () => {
    const array = (entry: JsonObject) => (entry['a'] as JsonObject)['b']
    const told = read(text, (entry) => [Array.isArray(array(entry)), typeof array(entry), same(() => array(entry))])
    expect(told.result).toEqual([true, 'object', true])
    expect([notesOf(told), told.beyond()]).toEqual([['a=', 'a.b='], false])
    const inside: readonly ((items: readonly unknown[]) => unknown)[] = [
      (items) => items[0],
      (items) => items.length,
      (items) => 7 in items,
      (items) => Object.hasOwn(items, 0),
      (items) => Object.keys(items),
      (items) => [...items],
      (items) => JSON.stringify(items),
    ]
    for (const look of inside) {
      const watched = read(text, (entry) => look(array(entry) as readonly unknown[]))
      expect(watched.beyond()).toBe(true)
      expect(watched.result).toEqual(look([1, { c: 2 }]))
    }
  })

  test.each<[string, (entry: JsonObject) => unknown]>([
    ['Object.keys', (entry) => Object.keys(entry)],
    ['a loop', (entry) => loop(entry)],
    ['a spread', (entry) => ({ ...entry })],
    ['JSON.stringify', (entry) => JSON.stringify(entry)],
    ['all keys of an object inside', (entry) => Object.keys(entry['a'] as JsonObject)],
  ])('counts %s as beyond, and answers it', (_, look) => {
    const watched = read(text, look)
    expect(watched.beyond()).toBe(true)
    expect(watched.result).toEqual(look(JSON.parse(text) as JsonObject))
  })

  test('is not confused by what stands on the prototype', () => {
    const watched = read('{"hasOwnProperty":3}', (entry) => [
      ...['toString' in entry, typeof entry['toString'], Object.hasOwn(entry, 'toString'), entry['hasOwnProperty']],
      ...[String(entry), entry instanceof Object, Reflect.get(entry, '__proto__') === Object.prototype],
    ])
    expect(watched.result).toEqual([true, 'function', false, 3, '[object Object]', true, true])
    expect(notesOf(watched).slice(0, 2)).toEqual(['toString=', 'hasOwnProperty='])
    expect(watched.beyond()).toBe(false)
    const own = read('{"__proto__":{"a":1},"constructor":2}', (entry) => [
      ...[valueAt(entry, dottedPath('__proto__.a')), entry['constructor'], Object.hasOwn(entry, '__proto__')],
    ])
    expect(own.result).toEqual([1, 2, true])
    expect(notesOf(own)).toEqual(['__proto__.a?', '__proto__=', '__proto__.a=', 'constructor='])
  })

  test('takes symbols for no places', () => {
    const watched = read(text, (entry) => [Symbol.iterator in entry, Reflect.get(entry, Symbol.toStringTag)])
    expect(watched.result).toEqual([false, undefined])
    expect(notesOf(watched)).toEqual([])
  })

  test('notes the value of a descriptor when it is taken', () => {
    const watched = watchedObject({ a: 1 })
    const descriptor = Object.getOwnPropertyDescriptor(watched.entry, 'a')
    expect(notesOf(watched)).toEqual(['a?'])
    expect(descriptor?.get?.()).toBe(1)
    expect(notesOf(watched)).toEqual(['a='])
  })

  test('cannot be changed', () => {
    const root = { a: 1, b: [1] }
    const { entry } = watchedObject(root)
    const writable = entry as Record<string, unknown>
    expect(() => Object.assign(writable, { a: 2 })).toThrow(TypeError)
    expect(() => delete writable['a']).toThrow(TypeError)
    expect(() => Object.defineProperty(writable, 'c', { value: 1 })).toThrow(TypeError)
    expect(() => (writable['b'] as number[]).push(2)).toThrow(TypeError)
    expect(root).toEqual({ a: 1, b: [1] })
  })
})

function loop(entry: JsonObject): readonly string[] {
  const keys: string[] = []
  for (const key in entry) keys.push(key)
  return keys
}

describe('to ask which members are objects', () => {
  test('is noted as that, with a look at each that is one', () => {
    const watched = read(text, (entry) => [objectsIn(entry), objectsIn(entry)[0]?.[1] === entry['a']])
    expect(watched.result).toEqual([[...objectsIn(JSON.parse(text) as JsonObject)], true])
    const inside = read(text, (entry) => objectsIn(entry).map(([key, value]) => [key, objectsIn(value).length]))
    expect(inside.result).toEqual([
      ['a', 0],
      ['f', 0],
    ])
    expect(notesOf(inside)).toEqual(['a=', 'f='])
    expect(inside.objectsAsked()).toEqual([[], ['a'], ['f']])
    expect(inside.beyond()).toBe(false)
  })

  test('is noted once', () => {
    expect(read(text, (entry) => [objectsIn(entry), objectsIn(entry)]).objectsAsked()).toEqual([[]])
  })
})

test('any path of any object leads to the same value', () => {
  const key = fc.constantFrom('a', 'b', 'a.b', '__proto__', 'constructor', '0', '')
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 0 }),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(key, tie('node'), { maxKeys: 4 }),
    ),
  })).node
  const paths = fc.array(fc.array(key, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 5 }), paths, (made, asked) => {
      const root = JSON.parse(JSON.stringify(made)) as JsonObject
      const watched = watchedObject(root)
      for (const keys of asked) {
        const path = dottedPath(keys.join('.'))
        const [found, expected] = [valueAt(watched.entry, path), valueAt(root, path)]
        expect(JSON.stringify(found)).toBe(JSON.stringify(expected))
        expect([typeof found, Array.isArray(found)]).toEqual([typeof expected, Array.isArray(expected)])
      }
    }),
  )
})
