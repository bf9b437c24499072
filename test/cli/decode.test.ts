import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { type DecodeArgs, decodeCommand } from '../../src/cli/decode.ts'
import { decodeOptions } from '../../src/decode/options.ts'

const kong = (status: number, changes: object = {}) =>
  JSON.stringify({
    ...{ started_at: 1791188136042, latencies: { request: 12 }, request: { id: 'r-1' }, route: { name: 'chat' } },
    ...{
      consumer: { custom_id: 'acme' },
      source: 'kong',
      response: { status, headers: { 'ratelimit-remaining': '0' } },
    },
    ...changes,
  })

const row = (line: number, status: number) =>
  `{"line":${line},"time":"2026-10-05T08:15:36.042Z","status":${status},"tenant":"acme","api":"chat",${
    status === 402
      ? '"cause":"quota_exceeded","cause_code":"ratelimit-remaining: 0","cause_source":"response.headers.ratelimit-remaining"'
      : '"cause":null,"cause_code":null,"cause_source":null'
  },"latency_ms":12,"request_id":"r-1","format":"kong"}\n`

function collector() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

async function decode(input: string | Buffer | readonly Buffer[], args: Partial<DecodeArgs> = {}) {
  const out = collector()
  const err = collector()
  const stdin = Readable.from(Array.isArray(input) ? input : [Buffer.from(input as string)])
  const code = await decodeCommand(
    {
      files: [],
      format: 'auto',
      strict: false,
      options: decodeOptions.parse({}),
      classify: classifyOptions.parse({}),
      ...args,
    },
    { stdin, stdout: out.stream, stderr: err.stream },
  )
  return { code, out: out.text(), err: err.text() }
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollwatch-decode-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('prints one object per record, with its keys in order', async () => {
  const { code, out, err } = await decode(`${kong(402)}\n${kong(200)}\n`)
  expect(out).toBe(row(1, 402) + row(2, 200))
  expect(code).toBe(0)
  expect(err).toBe('2 lines: 2 records, 1 of them 402 (quota_exceeded 1), 0 skipped, 0 unreadable\n')
})

test('prints null for what is not known', async () => {
  const { out } = await decode('{"latencies":{},"started_at":0,"response":{"status":0}}')
  expect(JSON.parse(out)).toEqual({
    ...{
      line: 1,
      time: null,
      status: null,
      tenant: null,
      api: null,
      cause: null,
      cause_code: null,
      cause_source: null,
    },
    ...{ latency_ms: null, request_id: null, format: 'kong' },
  })
})

test('reports lines that cannot be read and goes on', async () => {
  const { code, out, err } = await decode(`nonsense\n\n{"a":1}\n${kong(402)}`)
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.slice(0, 3)).toEqual([
    { line: 1, error: 'not-json', message: 'the value is no JSON' },
    { line: 2, error: 'empty', message: 'the value is empty' },
    { line: 3, error: 'unknown-format', message: expect.stringContaining('the keys a.') },
  ])
  expect(lines[3]).toMatchObject({ line: 4, status: 402 })
  expect(err).toContain('3 unreadable (not-json 1, empty 1, unknown-format 1)')
  expect(code).toBe(0)
})

test('exits 1 with strict where a line cannot be read, else 0', async () => {
  expect((await decode('nonsense', { strict: true })).code).toBe(1)
  expect((await decode(kong(402), { strict: true })).code).toBe(0)
})

test('gives the records of one line the same number', async () => {
  const { out } = await decode(`${kong(200)}\n[${kong(402)},${kong(200)}]\n${kong(402)}\n`)
  expect(out).toBe(row(1, 200) + row(2, 402) + row(2, 200) + row(3, 402))
})

test('prints nothing for messages that are no access records, but counts them', async () => {
  const { out, err } = await decode(kong(200, { response: undefined, session: { status: 200 } }), { strict: true })
  expect(out).toBe('')
  expect(err).toContain('1 skipped')
})

test('applies the rules of the operator', async () => {
  const classify = classifyOptions.parse({ rules: [{ name: 'mine', when: { api: 'chat' }, cause: 'payment_failed' }] })
  const { out } = await decode(kong(402), { classify })
  expect(JSON.parse(out)).toMatchObject({ cause: 'payment_failed', cause_code: null, cause_source: 'rule:mine' })
})

test('writes the summary as JSON when asked to', async () => {
  const { err } = await decode(`${kong(402)}\nx`, { json: true })
  expect(JSON.parse(err)).toEqual({
    ...{ lines: 2, records: 1, payment_required: 1, causes: { quota_exceeded: 1 }, counted_apart: {} },
    skipped: 0,
    ...{ unreadable: 1, failures: { 'not-json': 1 } },
  })
})

test('reads lines whatever chunks they come in, with either line end', async () => {
  const bytes = Buffer.from(`${kong(402, { note: '余额' })}\r\n${kong(200)}\r\n`)
  const expected = row(1, 402) + row(2, 200)
  for (const size of [1, 7, 1000]) {
    const chunks = []
    for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size))
    expect((await decode(chunks)).out, `chunks of ${size}`).toBe(expected)
  }
})

test('reports bytes that are no UTF-8', async () => {
  const { out } = await decode(Buffer.from([0x22, 0xff, 0x22, 0x0a]))
  expect(JSON.parse(out)).toMatchObject({ line: 1, error: 'not-utf8' })
})

test('keeps no more of a line than the limit', async () => {
  const options = decodeOptions.parse({ max_value_bytes: 1000 })
  const chunks = Array.from({ length: 100 }, () => Buffer.alloc(10_000, 'x'))
  const { out } = await decode([...chunks, Buffer.from(`\n${kong(402)}\n`)], { options })
  expect(
    out
      .split('\n')
      .slice(0, 2)
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { line: 1, error: 'too-large' },
    { line: 2, status: 402 },
  ])
})

test('reads files one after another, each with its own lines and layout', async () => {
  const [one, two] = [join(folder, 'one.ndjson'), join(folder, 'two.ndjson')]
  await writeFile(one, `${kong(402)}\n`)
  await writeFile(two, `{"status":200,"request_uri":"/a","bytes_sent":1}\n${kong(200)}`)
  const { out, err } = await decode('', { files: [one, two] })
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { line: 1, format: 'kong' },
    { line: 1, format: 'nginx' },
    { line: 2, format: 'kong' },
  ])
  expect(err).toContain('3 lines')
})

test('reads in the format asked for', async () => {
  const { out } = await decode(kong(402), { format: 'envoy' })
  expect(JSON.parse(out)).toMatchObject({ line: 1, error: 'no-status' })
})

test('throws a fault for a file or a format that is not there', async () => {
  await expect(decode('', { files: [join(folder, 'none')] })).rejects.toMatchObject({ code: 'file-unreadable' })
  await expect(decode('', { format: 'kongo' })).rejects.toMatchObject({ code: 'argument-invalid' })
})

test('waits for a slow reader instead of filling memory', async () => {
  const out = new PassThrough({ highWaterMark: 1024 })
  let given = 0
  const stdin = Readable.from(
    (function* () {
      for (; given < 1000; given++) yield Buffer.from(`${kong(200)}\n`)
    })(),
    { highWaterMark: 1 },
  )
  const running = decodeCommand(
    { files: [], format: 'auto', strict: false, options: decodeOptions.parse({}), classify: classifyOptions.parse({}) },
    { stdin, stdout: out, stderr: collector().stream },
  )
  for (let i = 0; i < 1000; i++) await Promise.resolve()
  await new Promise(setImmediate)
  expect(given).toBeLessThan(100)
  let seen = ''
  out.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
  })
  expect(await running).toBe(0)
  expect(seen.trim().split('\n').length).toBe(1000)
})

test('stops quietly when nobody reads on', async () => {
  let taken = 0
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      taken++
      done(taken > 2 ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : null)
    },
  })
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.from(`${kong(200)}\n`)
    })(),
  )
  const code = await decodeCommand(
    { files: [], format: 'auto', strict: true, options: decodeOptions.parse({}), classify: classifyOptions.parse({}) },
    { stdin: endless, stdout, stderr: collector().stream },
  )
  expect(code).toBe(0)
})
