import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../../src/fault/fault.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { httpOptions } from '../../src/http/options.ts'
import { createServer } from '../../src/http/server.ts'
import { type Client, startServer } from './support/client.ts'
import { worldDeps } from './support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

describe('probes', () => {
  test('are well', async () => {
    client = await startServer()
    expect((await client.ask('/healthz')).json).toEqual({ ok: true })
    expect(await client.ask('/readyz')).toMatchObject({ status: 200, json: { ready: true, reasons: [] } })
  })

  test('give every reason why the daemon is not ready, while it lives', async () => {
    client = await startServer({ ready: () => ['Kafka does not answer', 'history is away'] })
    const { status, json, headers } = await client.ask('/readyz')
    expect(status).toBe(503)
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(json.reasons).toEqual(['Kafka does not answer', 'history is away'])
    expect((await client.ask('/healthz')).status).toBe(200)
  })
})

test('tells what runs and how far it has come', async () => {
  client = await startServer({}, { title: 'Tolls of Example' })
  const { json } = await client.ask('/api/v1/status')
  expect(json).toMatchObject({
    title: 'Tolls of Example',
    version: '0.1.0-test',
    demo: true,
    ready: true,
    lag_records: 12,
  })
})

describe('errors', () => {
  test.each([
    ['/nowhere', 'GET', 404],
    ['/api/v1/live/', 'GET', 404],
    ['/../../etc/passwd', 'GET', 404],
    ['/assets/..%2f..%2fpackage.json', 'GET', 404],
    ['/api/v1/live', 'POST', 405],
    ['/api/v1/silences/s1', 'GET', 405],
    ['/api/v1/%zz', 'GET', 400],
  ])('answer %s %s as a problem with status %i', async (path, method, status) => {
    client = await startServer()
    const answer = await client.ask(path, { method })
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) })
    expect(answer.status).toBe(status)
  })

  test('say which methods there are', async () => {
    client = await startServer()
    const { headers } = await client.ask('/api/v1/silences', { method: 'PUT' })
    expect(headers['allow']).toBe('GET, POST, DELETE')
  })

  test('reach the log without the query of the request', async () => {
    const said: unknown[] = []
    const log: HttpDeps['log'] = { ...worldDeps().log, error: (message, fields) => said.push({ message, ...fields }) }
    client = await startServer({
      log,
      alerts: () => {
        throw new Error('broken')
      },
    })
    expect((await client.ask('/api/v1/alerts?state=firing')).status).toBe(500)
    expect(said).toMatchObject([{ message: 'request failed', path: '/api/v1/alerts' }])
    expect(JSON.stringify(said)).not.toContain('state')
  })
})

describe('the page', () => {
  test('is served with its files, the hashed ones for good', async () => {
    client = await startServer()
    const page = await client.ask('/')
    expect(page).toMatchObject({ status: 200, headers: { 'cache-control': 'no-cache', 'content-type': /html/ } })
    const script = await client.ask('/assets/a.js')
    expect(script.headers['cache-control']).toMatch(/immutable/)
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
  })

  test('says so when it was not built', async () => {
    client = await startServer({}, {}, new Map())
    const { status, json } = await client.ask('/')
    expect(status).toBe(503)
    expect(json.detail).toMatch(/npm run build/)
    expect((await client.ask('/api/v1/live')).status).toBe(200)
  })
})

test('names the setting when the address is taken', async () => {
  client = await startServer()
  const options = httpOptions.parse({ listen: new URL(client.url).host })
  const second = createServer(worldDeps(), options, new Map())
  await expect(second.listen()).rejects.toThrow(Fault)
  await expect(createServer(worldDeps(), options, new Map()).listen()).rejects.toThrow(/http\.listen/)
})

test('answers what is under way before it closes', async () => {
  let finish: () => void = () => {}
  let begun: () => void = () => {}
  const start = new Promise<void>((resolve) => {
    begun = resolve
  })
  const ingest: HttpDeps['ingest'] = () =>
    new Promise((resolve) => {
      begun()
      finish = () => resolve({ accepted: 1, unreadable: 0 })
    })
  client = await startServer({ ingest })
  const answer = client.ask('/api/v1/ingest', { method: 'POST', body: '{}' })
  await start
  const closed = client.close()
  finish()
  expect((await answer).json).toEqual({ accepted: 1, unreadable: 0 })
  await closed
})
