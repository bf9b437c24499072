import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { HttpDeps } from '../../../src/http/deps.ts'
import { type Client, startServer } from '../support/client.ts'

let client: Client | undefined
afterEach(() => client?.close())

const lines = '{"a":1}\nnot json\n{"a":2}\n'

describe('POST /api/v1/ingest', () => {
  test('answers what was accepted and what could not be read', async () => {
    client = await startServer()
    const { status, json } = await client.ask('/api/v1/ingest?format=kong', { method: 'POST', body: lines })
    expect(status).toBe(200)
    expect(json).toEqual({ accepted: 2, unreadable: 1 })
  })

  test.each(['application/x-ndjson', 'application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
    'takes lines sent as %s',
    async (type) => {
      client = await startServer()
      const { json } = await client.ask('/api/v1/ingest', {
        method: 'POST',
        body: lines,
        headers: { 'content-type': type },
      })
      expect(json).toEqual({ accepted: 2, unreadable: 1 })
    },
  )

  test('passes the format on, auto when none is named', async () => {
    const formats: string[] = []
    const ingest: HttpDeps['ingest'] = async (format, body) => {
      formats.push(format)
      for await (const _ of body);
      return { accepted: 0, unreadable: 0 }
    }
    client = await startServer({ ingest })
    await client.ask('/api/v1/ingest?format=envoy', { method: 'POST', body: lines })
    await client.ask('/api/v1/ingest', { method: 'POST' })
    expect(formats).toEqual(['envoy', 'auto'])
  })

  test('refuses a format it does not know, before it takes anything', async () => {
    client = await startServer()
    const { status, json } = await client.ask('/api/v1/ingest?format=morse', { method: 'POST', body: lines })
    expect(status).toBe(400)
    expect(json.detail).toMatch(/kong.*auto/)
  })

  test('unpacks gzip, and no other encoding', async () => {
    client = await startServer()
    const packed = { method: 'POST', body: gzipSync(lines), headers: { 'content-encoding': 'gzip' } }
    expect((await client.ask('/api/v1/ingest', packed)).json).toEqual({ accepted: 2, unreadable: 1 })
    const other = { method: 'POST', body: lines, headers: { 'content-encoding': 'br' } }
    expect((await client.ask('/api/v1/ingest', other)).status).toBe(415)
    const broken = { method: 'POST', body: gzipSync(lines).subarray(0, 20), headers: { 'content-encoding': 'gzip' } }
    expect((await client.ask('/api/v1/ingest', broken)).status).toBe(400)
  })

  const large = Buffer.alloc(70_000, 'x')
  test.each([
    ['that says its length', large, {}],
    ['in chunks', large, { 'transfer-encoding': 'chunked' }],
    ['that grows when unpacked', gzipSync(large), { 'content-encoding': 'gzip' }],
  ])('refuses a body over the limit %s', async (_, body, headers) => {
    client = await startServer({}, { ingest_limit_mib: 0.0625 })
    const { status, json } = await client.ask('/api/v1/ingest', { method: 'POST', body, headers })
    expect(status).toBe(413)
    expect(json.detail).toMatch(/larger than 65536 bytes/)
  })

  test('tells the reader of the body when the caller hangs up', async () => {
    let failed: (error: unknown) => void = () => {}
    const failure = new Promise((resolve) => {
      failed = resolve
    })
    let begun: () => void = () => {}
    const start = new Promise<void>((resolve) => {
      begun = resolve
    })
    const ingest: HttpDeps['ingest'] = async (_, body) => {
      try {
        for await (const _ of body) begun()
      } catch (error) {
        failed(error)
        throw error
      }
      return { accepted: 1, unreadable: 0 }
    }
    client = await startServer({ ingest })
    const upload = request(`${client.url}/api/v1/ingest`, { method: 'POST', headers: { 'content-length': '1000' } })
    upload.on('error', () => {})
    upload.write('half a li')
    await start
    upload.destroy()
    expect(await failure).toMatchObject({ message: 'The body broke off or could not be unpacked.' })
  })
})
