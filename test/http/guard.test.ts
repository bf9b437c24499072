import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Fault } from '../../src/fault/fault.ts'
import { httpOptions } from '../../src/http/options.ts'
import { Tokens } from '../../src/http/tokens.ts'
import { tempDir } from '../support/run-context.ts'
import { type Client, startServer } from './support/client.ts'

const token = 'a-token-of-many-letters'

describe('without a token', () => {
  let client: Client
  beforeEach(async () => {
    client = await startServer({}, { allowed_hosts: ['Tollwatch.example'] })
  })
  afterEach(() => client.close())

  test.each(['127.0.0.1', 'localhost:9999', '[::1]:8402', 'tollwatch.example'])(
    'answers under the name %s',
    async (host) => {
      expect((await client.ask('/api/v1/live', { headers: { host } })).status).toBe(200)
    },
  )

  test.each(['rebound.example:8402', '127.0.0.1.rebound.example', 'evil'])('refuses the name %s', async (host) => {
    const { status, headers } = await client.ask('/api/v1/live', { headers: { host } })
    expect(status).toBe(421)
    expect(headers['content-type']).toMatch(/problem\+json/)
    expect((await client.ask('/', { headers: { host } })).status).toBe(421)
    expect((await client.ask('/healthz', { headers: { host } })).status).toBe(200)
  })

  test.each([
    { origin: 'https://elsewhere.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
  ])('refuses a change that comes from another page: %j', async (headers) => {
    for (const [method, path] of [
      ['POST', '/api/v1/ingest'],
      ['POST', '/api/v1/silences'],
      ['DELETE', '/api/v1/silences/s1'],
    ]) {
      expect((await client.ask(path ?? '', { method: method ?? '', headers })).status).toBe(403)
    }
  })

  test('takes a change from its own page', async () => {
    const headers = { origin: client.url, 'sec-fetch-site': 'same-origin' }
    expect((await client.ask('/api/v1/ingest', { method: 'POST', headers, body: '{}\n' })).status).toBe(200)
  })

  test('sends its guards with every answer, also with errors', async () => {
    for (const path of ['/', '/healthz', '/api/v1/live', '/api/v1/live?x=1', '/nowhere']) {
      const { headers } = await client.ask(path)
      expect(headers['content-security-policy']).toMatch(/script-src 'self'.*frame-ancestors 'none'/)
      expect(headers['content-security-policy']).not.toMatch(/unsafe/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    }
  })
})

describe('with a token', () => {
  let client: Client
  beforeEach(async () => {
    client = await startServer({}, { token })
  })
  afterEach(() => client.close())

  test('answers those who send it', async () => {
    const { status } = await client.ask('/api/v1/live', { headers: { authorization: `Bearer ${token}` } })
    expect(status).toBe(200)
  })

  test.each([
    {},
    { authorization: 'Bearer wrong' },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${token}x` },
  ])('turns away %j', async (headers) => {
    for (const path of ['/api/v1/live', '/api/v1/status', '/api/v1/openapi.json', '/nowhere']) {
      const answer = await client.ask(path, { headers })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
      expect(answer.text).not.toContain(token)
    }
  })

  test('answers probes and shows the empty page without it', async () => {
    for (const path of ['/healthz', '/readyz', '/', '/assets/a.js']) {
      expect((await client.ask(path)).status).toBe(200)
    }
  })
})

describe('the settings', () => {
  test.each([
    [{ listen: '0.0.0.0:8402' }, 'listen'],
    [{ listen: 'here' }, 'listen'],
    [{ token: 'short' }, 'token'],
    [{ token, token_file: 'x' }, 'token'],
    [{ tokn: token }, ''],
  ])('refuse %j', (settings, path) => {
    const { error } = httpOptions.safeParse(settings)
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path)
  })

  test('let the server listen anywhere with a token', () => {
    expect(httpOptions.safeParse({ listen: '0.0.0.0:8402', token }).success).toBe(true)
    expect(httpOptions.safeParse({ listen: '[::1]:8402' }).success).toBe(true)
  })

  test('read the token from a file', () => {
    const path = join(tempDir('http-token'), 'token')
    const tokens = (token_file: string) => new Tokens(httpOptions.parse({ token_file }))
    writeFileSync(path, `${token}\n`)
    expect(tokens(path).find(token)?.name).toBe('http.token')
    expect(tokens(path).find(`${token}x`)).toBeNull()
    writeFileSync(path, 'short\n')
    expect(() => tokens(path)).toThrow(Fault)
    expect(() => tokens(`${path}-none`)).toThrow(/cannot be read/)
  })
})
