import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { Clock } from '../../src/time/clock.ts'
import { type Client, startServer } from './support/client.ts'
import { noon, worldAlert } from './support/world.ts'

// Everything here comes from the OpenAPI document: what it promises is tried with values in range and out of it.

type Json = Record<string, unknown>

interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Json }[]
  /** What a JSON body may hold; null for none. */
  readonly body: Json | null
  readonly answers: Readonly<Record<string, Json>>
}

/** A clock that goes on by itself, so that no limit of requests a second is met. */
function runningClock(): Clock {
  let now = noon
  return {
    now: () => {
      now += 250
      return now
    },
    sleep: () => new Promise(() => {}),
  }
}

const clock = runningClock()
const { fingerprint } = worldAlert(clock)

/** Values that are right for parameters of this name, where their schema does not list them. */
const right: Readonly<Record<string, readonly string[]>> = {
  ...{ from: ['-1h', '2026-05-01T10:00:00Z', `${noon - 60_000}`], to: ['now', '-1m'], step: ['1m', '10s', '1h'] },
  ...{ window: ['10s', '5m', '1h'], by: ['tenant', 'tenant,api', 'cause', ''], tenant: ['acme', 'ember', 'a/b'] },
  ...{ api: ['chat'], cause: ['quota_exceeded'], limit: ['1', '100', '1000'], sparkline: ['0', '60'], q: ['ac', ''] },
  ...{ id: ['d0', 's1'], fingerprint: [fingerprint, 'f'], rule: ['PaymentRefusalsHigh'], cursor: [] },
}

const rubbish = fc.oneof(
  fc.constantFrom('', ' ', '-1', '0', '1e3', 'NaN', 'null', 'undefined', '__proto__', '../..', '%00', '9'.repeat(40)),
  fc.constantFrom('2026-02-31', '-999999999999d', '+99999w', '275760-09-14', 'now-1h', '0.5s', "' OR 1=1", '\u0000'),
  fc.constantFrom('W10', 'WzFd', 'W251bGxd', 'eyJhIjoxfQ'),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll(/\p{Surrogate}/gu, '')),
)

function valuesFor({ name, schema }: { name: string; schema: Json }): fc.Arbitrary<string> {
  const listed = Array.isArray(schema['enum']) ? schema['enum'].map(String) : (right[name] ?? [])
  const fitting = listed.length === 0 ? [] : [{ weight: 6, arbitrary: fc.constantFrom(...listed) }]
  return fc.oneof(...fitting, { weight: 1, arbitrary: rubbish })
}

function queryOf(operation: Operation): fc.Arbitrary<string> {
  const own = operation.parameters.filter((parameter) => parameter.in === 'query')
  const pairs = own.map((parameter) =>
    fc.option(
      valuesFor(parameter).map((value) => [parameter.name, value] as const),
      { freq: 2 },
    ),
  )
  const name = fc.constantFrom('x', 'tenant', '__proto__', 'limit')
  const stray = fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.tuple(name, rubbish) })
  return fc.tuple(...pairs, stray).map((all) => {
    const given = all.filter((one) => one !== null)
    return given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
  })
}

function pathOf({ path, parameters }: Operation): fc.Arbitrary<string> {
  const own = parameters.filter((parameter) => parameter.in === 'path')
  return fc
    .tuple(...own.map(valuesFor))
    .map((values) =>
      own.reduce((text, { name }, at) => text.replace(`{${name}}`, encodeURIComponent(values[at] ?? '')), path),
    )
}

function bodyOf({ body }: Operation): fc.Arbitrary<string | undefined> {
  if (body === null) return fc.constant(undefined)
  const properties = Object.entries((body['properties'] ?? {}) as Record<string, Json>)
  const fields = properties.map(([name, schema]) => {
    const fitting: fc.Arbitrary<unknown> =
      name === 'matchers' ? fc.constant(['tenant="acme"']) : valuesFor({ name, schema })
    const some = fc.oneof({ weight: 3, arbitrary: fitting }, { weight: 1, arbitrary: fc.jsonValue() })
    // A backtest over the day that is the default takes a while.
    return [name, name === 'from' ? fc.oneof(some, fc.constant('-10m')) : fc.option(some, { nil: undefined })]
  })
  const object = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>)
  const text = fc.oneof(rubbish, fc.constantFrom('{', '[]', 'null', '"x"', '{"a":1}'))
  return fc.oneof(
    { weight: 5, arbitrary: object.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: text },
  )
}

let client: Client
let operations: readonly Operation[] = []
let problem: z.ZodType

beforeAll(async () => {
  client = await startServer({ clock }, { reads_per_second: 100_000 })
  const { json } = await client.ask('/api/v1/openapi.json')
  problem = z.fromJSONSchema(json.components.schemas.Problem)
  operations = Object.entries<Record<string, Json>>(json.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => operationOf(method.toUpperCase(), path, operation)),
  )
})
afterAll(() => client.close())

function operationOf(method: string, path: string, operation: Json): Operation {
  const content = (holder: unknown) => (holder as { content?: Record<string, { schema: Json }> } | undefined)?.content
  const answers = Object.entries(operation['responses'] as Json).flatMap(([status, answer]) => {
    const schema = content(answer)?.['application/json']?.schema
    return schema === undefined ? [] : [[status, schema] as const]
  })
  const body = content(operation['requestBody'])?.['application/json']?.schema ?? null
  const parameters = operation['parameters'] as Operation['parameters']
  return { method, path, parameters, body, answers: Object.fromEntries(answers) }
}

test('whatever is asked gets the answer that the document promises, or a problem that names what is wrong', async () => {
  expect(operations.length).toBeGreaterThan(25)
  const statuses = new Map<number, number>()
  for (const operation of operations) {
    // Log lines have tests of their own, and the stream does not end.
    if (operation.path.endsWith('/stream')) continue
    const schemas = new Map(
      Object.entries(operation.answers).map(([status, schema]) => [status, z.fromJSONSchema(schema)]),
    )
    const call = fc.tuple(pathOf(operation), queryOf(operation), bodyOf(operation))
    await fc.assert(
      fc.asyncProperty(call, async ([path, query, body]) => {
        const asked = `${path}${query === '' ? '' : `?${query}`}`
        const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
        const given = { method: operation.method, headers, ...(body === undefined ? {} : { body }) }
        const { status, json, headers: told } = await client.ask(asked, given)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        expect(status, asked).toBeLessThan(500)
        if (status >= 400) {
          expect(told['content-type'], asked).toMatch(/^application\/problem\+json/)
          expect(problem.safeParse(json).error, asked).toBeUndefined()
          // An unreadable body or path has no field; all else has.
          const isWhole = /is no JSON|cannot be read|Bad Request|matcher/.test(json.detail)
          if (status === 400 && !isWhole) expect(json.errors?.length, `${asked}: ${json.detail}`).toBeGreaterThan(0)
        } else if (/json/.test(String(told['content-type'])) && !/ndjson/.test(String(told['content-type']))) {
          const schema = schemas.get(String(status))
          expect(schema, `${asked} answers ${status}, which the document does not know`).toBeDefined()
          expect(schema?.safeParse(json).error, asked).toBeUndefined()
        }
      }),
      { numRuns: 20 },
    )
  }
  // Neither all right nor all wrong, or nothing would have been tried.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(100)
  expect(statuses.get(400) ?? 0).toBeGreaterThan(100)
}, 90_000)

test('each parameter that is out of range is named', async () => {
  for (const { method, path, parameters } of operations) {
    const wrong = parameters.filter(({ name }) =>
      ['from', 'to', 'limit', 'window', 'step', 'cursor', 'sparkline', 'format', 'state'].includes(name),
    )
    if (method !== 'GET' || wrong.length === 0) continue
    const query = wrong.map(({ name }) => `${name}=nonsense`).join('&')
    const { status, json } = await client.ask(`${path.replace(/\{\w+\}/, 'acme')}?${query}`)
    expect(status, path).toBe(400)
    const named = json.errors.map((flaw: { parameter: string }) => flaw.parameter)
    expect([...new Set(named)].sort(), path).toEqual(wrong.map(({ name }) => name).sort())
  }
})
