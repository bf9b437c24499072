import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createDecoder } from '../../src/decode/create.ts'
import { type Decoded, formatNames } from '../../src/decode/decode.ts'
import { formatNamed } from '../../src/decode/formats.ts'
import { entryLimit } from '../../src/decode/open.ts'
import { decodeOptions } from '../../src/decode/options.ts'
import { decodeAll, recordOf } from './decoding.ts'

const kong = (status: number) => ({ latencies: { request: 1 }, started_at: 1791188136042, response: { status } })
const short = (entries: readonly Decoded[]) =>
  entries.map((entry) =>
    entry.kind === 'record' ? entry.record.status : entry.kind === 'unreadable' ? entry.failure : entry.reason,
  )

describe('opening a value', () => {
  test.each([
    ['one object', JSON.stringify(kong(402)), [402]],
    ['an array', JSON.stringify([kong(402), kong(200)]), [402, 200]],
    ['lines', `${JSON.stringify(kong(402))}\n\n${JSON.stringify(kong(200))}\r\n`, [402, 200]],
    [
      'lines with a broken one',
      `${JSON.stringify(kong(402))}\n{"a":\n${JSON.stringify(kong(200))}`,
      [402, 'not-json', 200],
    ],
    ['lines of arrays', `${JSON.stringify([kong(402), kong(200)])}\n${JSON.stringify([kong(201)])}`, [402, 200, 201]],
    ['a string of JSON', JSON.stringify(JSON.stringify(kong(402))), [402]],
    ['a string of an array of strings', JSON.stringify(JSON.stringify([JSON.stringify(kong(402))])), [402]],
    ['a string of lines', JSON.stringify(`${JSON.stringify(kong(402))}\n${JSON.stringify(kong(200))}`), [402, 200]],
    ['a byte order mark', `\ufeff${JSON.stringify(kong(402))}`, [402]],
    ['printed over several lines', JSON.stringify(kong(402), null, 2), [402]],
    ['printed over several lines and cut', JSON.stringify([kong(402), kong(200)], null, 2).slice(0, -9), ['not-json']],
    ['a wrapper of Filebeat', { '@timestamp': 'x', '@metadata': {}, message: JSON.stringify(kong(402)) }, [402]],
    ['a wrapper of Docker', { log: `${JSON.stringify(kong(402))}\n`, stream: 'stdout', time: 'x' }, [402]],
    ['a wrapper of Kafka Connect', { schema: {}, payload: kong(402) }, [402]],
    ['a wrapper around something unreadable', { message: 'GET /', source_type: 'file' }, ['not-json']],
    ['an empty array', '[]', ['empty']],
    ['blanks', ' \n ', ['empty']],
    ['an empty string', '""', ['empty']],
    ['a number', '402', ['not-a-record']],
    ['null', 'null', ['not-a-record']],
    [
      'entries of all kinds',
      [kong(402), null, 3, [kong(200)], ''],
      [402, 'not-a-record', 'not-a-record', 200, 'empty'],
    ],
    ['text', 'hello', ['not-json']],
    ['cut JSON', JSON.stringify(kong(402)).slice(0, 40), ['not-json']],
  ])('reads %s', (_, value, expected) => {
    const decoded = decodeAll({}, value)
    expect(short(decoded)).toEqual(expected)
    expect(decoded.map((entry) => entry.index)).toEqual(decoded.map((_, i) => i))
  })

  test('answers empty to null and to no bytes', () => {
    const decoder = createDecoder(decodeOptions.parse({}))
    expect(short(decoder.decode(null))).toEqual(['empty'])
    expect(short(decoder.decode(new Uint8Array(0)))).toEqual(['empty'])
  })

  test('refuses a value beyond the limit without reading it', () => {
    const value = JSON.stringify(kong(402))
    expect(short(decodeAll({ max_value_bytes: value.length }, value))).toEqual([402])
    expect(short(decodeAll({ max_value_bytes: value.length - 1 }, value))).toEqual(['too-large'])
  })

  test('refuses what is no UTF-8 and reads on', () => {
    const decoder = createDecoder(decodeOptions.parse({}))
    expect(short(decoder.decode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])))).toEqual(['not-utf8'])
    expect(short(decoder.decode(Buffer.from(JSON.stringify(kong(402)))))).toEqual([402])
  })

  test.each([
    ['an array', `[${'0,'.repeat(entryLimit + 24)}0]`],
    ['nested arrays, unopened ones as one each,', `[${'[0,0],'.repeat(entryLimit / 2 + 24)}0]`],
    ['lines', `{}\n${'{}\n'.repeat(entryLimit + 24)}`],
  ])('reads a bounded number of entries of %s and says how many it left', (_, value) => {
    const decoded = decodeAll({ format: 'kong' }, value)
    expect(decoded.length).toBe(entryLimit + 1)
    expect(decoded.at(-1)).toMatchObject({
      index: entryLimit,
      failure: 'too-large',
      message: expect.stringContaining('25 were not'),
    })
  })

  test('takes a million entries and a million levels', () => {
    expect(decodeAll({}, `[${'{},'.repeat(999_999)}{}]`).length).toBe(entryLimit + 1)
    expect(short(decodeAll({}, `${'['.repeat(1e6)}${']'.repeat(1e6)}`))).toEqual(['not-a-record'])
    expect(short(decodeAll({}, `${'{"a":'.repeat(1e6)}1${'}'.repeat(1e6)}`))).toEqual(['unknown-format'])
    expect(short(decodeAll({}, '['.repeat(1e6)))).toEqual(['not-json'])
  })
})

describe('a zipped value', () => {
  const lines = `${JSON.stringify(kong(402))}\n${JSON.stringify(kong(200))}`

  test('is unzipped', () => {
    expect(short(decodeAll({}, gzipSync(lines)))).toEqual([402, 200])
  })

  test('cannot take more memory than a value may', () => {
    expect(short(decodeAll({ max_value_bytes: 10_000 }, gzipSync(' '.repeat(1e6))))).toEqual(['too-large'])
  })

  test('that is cut is unreadable', () => {
    expect(short(decodeAll({}, gzipSync(lines).subarray(0, 30)))).toEqual(['not-utf8'])
  })
})

describe('formats', () => {
  test.each(formatNames)('%s has a reader', (name) => {
    expect(formatNamed(name).name).toBe(name)
  })
})

describe('places of the operator', () => {
  const value = {
    ...kong(402),
    route: { name: 'r' },
    consumer: { username: 'u' },
    x: { org: 'acme', app: 'https://h/v1/9?k=1' },
  }

  test('win over the defaults', () => {
    const record = recordOf({ tenant: { kong: ['x.nothing', 'x.org'] }, api: { any: 'x.app' } }, value)
    expect(record).toMatchObject({ tenant: 'acme', api: '/v1/{id}' })
  })

  test('leave the defaults where they hold nothing', () => {
    expect(recordOf({ tenant: { kong: 'x.nothing' }, api: { nginx: 'x.app' } }, value)).toMatchObject({
      tenant: 'u',
      api: 'r',
    })
  })

  test('end the search where the list ends with none', () => {
    const settings = { tenant: { kong: ['x.nothing', 'none'], any: 'x.org' }, api: { kong: 'none' } }
    expect(recordOf(settings, value)).toMatchObject({ tenant: null, api: null })
  })

  test('are told with every record', () => {
    expect(recordOf({ tenant: { any: 'x.org' } }, value).origin()).toEqual({
      service: null,
      tenantPlace: 'x.org',
      apiPlace: 'route.name',
    })
  })

  test('are refused where they are no formats or paths', () => {
    expect(decodeOptions.safeParse({ tenant: { kongo: ['a'] } }).success).toBe(false)
    expect(decodeOptions.safeParse({ tenant: { kong: [''] } }).success).toBe(false)
    expect(decodeOptions.safeParse({ tenant: { kong: 'a.b.c.d.e.f.g.h.i' } }).success).toBe(false)
    expect(decodeOptions.safeParse({ formatt: 'kong' }).success).toBe(false)
  })
})
