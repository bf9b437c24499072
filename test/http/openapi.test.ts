import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiEndpoints } from '../../src/http/api.ts'
import { LiveStream } from '../../src/http/live-stream.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from './support/client.ts'
import { noon, worldAlert, worldDeps } from './support/world.ts'

type Json = Record<string, unknown>

/** Every object in the document, with its path. */
function* objects(value: unknown, path: string): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return
  yield [path, value as Json]
  for (const [key, child] of Object.entries(value)) yield* objects(child, `${path}/${key}`)
}

const endpoints = apiEndpoints({
  title: 'Tollwatch',
  live: new LiveStream(worldDeps()),
  closing: new AbortController().signal,
})

describe('GET /api/v1/openapi.json', () => {
  let client: Client
  // biome-ignore lint/suspicious/noExplicitAny: the document is looked into at many depths
  let document: any
  beforeAll(async () => {
    client = await startServer()
    document = (await client.ask('/api/v1/openapi.json')).json
  })
  afterAll(() => client.close())

  test('is OpenAPI 3.1 and names every path of the contract', () => {
    expect(document.openapi).toBe('3.1.0')
    const paths = ['/healthz', '/readyz', '/api/v1/trends', '/api/v1/summary', '/api/v1/live', '/api/v1/alerts']
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([...paths, '/api/v1/ingest', '/api/v1/silences']),
    )
    expect(Object.keys(document.paths['/api/v1/silences'])).toEqual(['get', 'post', 'delete'])
  })

  test('has no reference that leads nowhere', () => {
    let seen = 0
    for (const [path, { $ref }] of objects(document, '#')) {
      if (typeof $ref !== 'string') continue
      const target = $ref
        .slice(2)
        .split('/')
        .reduce((at, key) => at?.[key], document)
      expect(target, `${$ref} in ${path}`).toBeDefined()
      seen++
    }
    expect(seen).toBeGreaterThan(20)
  })

  test('gives each operation a name of its own, a summary and an answer', () => {
    const operations = Object.values<Record<string, Json>>(document.paths).flatMap((path) => Object.values(path))
    const names = operations.map(({ operationId }) => operationId)
    expect(new Set(names).size).toBe(names.length)
    expect(operations).toHaveLength(endpoints.length)
    for (const { summary, responses } of operations) {
      expect(summary).toEqual(expect.any(String))
      expect(Object.keys(responses as Json)).toEqual(expect.arrayContaining(['400', '500']))
      expect(Object.keys(responses as Json).some((status) => status.startsWith('2'))).toBe(true)
    }
  })

  test('declares the parameters in its paths, and says what each parameter is by default', () => {
    for (const [path, operations] of Object.entries<Record<string, { parameters: Json[] }>>(document.paths)) {
      const declared = Object.values(operations).flatMap(({ parameters }) => parameters)
      const inPath = declared.filter((parameter) => parameter['in'] === 'path').map((parameter) => parameter['name'])
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))
    }
    const { parameters } = document.paths['/api/v1/trends'].get
    const from = parameters.find((parameter: Json) => parameter['name'] === 'from')
    expect(from).toMatchObject({ in: 'query', required: false, schema: { type: 'string', default: '-1h' } })
  })

  test.each(endpoints.filter(({ method, isStream }) => method === 'GET' && !isStream))(
    'describes what $path answers',
    async ({ path, answer }) => {
      const { fingerprint } = worldAlert(new ManualClock(noon))
      const asked = path.replace('{fingerprint}', fingerprint).replace('{id}', 'd0').replace('{tenant}', 'acme')
      const { status, json } = await client.ask(asked)
      expect(status).toBe(200)
      expect(answer.safeParse(json).error).toBeUndefined()
    },
  )

  test('asks for a token only where one is needed', async () => {
    const guarded = await startServer({}, { token: 'a-token-of-many-letters' })
    const headers = { authorization: 'Bearer a-token-of-many-letters' }
    const { json } = await guarded.ask('/api/v1/openapi.json', { headers })
    await guarded.close()
    expect(json.security).toEqual([{ token: [] }])
    expect(json.paths['/healthz'].get.security).toEqual([])
    expect(document.security).toEqual([])
  })
})
