import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../../../src/fault/fault.ts'
import type { Queries } from '../../../src/history/query.ts'
import { ManualClock } from '../../../src/time/clock.ts'
import { hourMs, minuteMs } from '../../../src/time/duration.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldDeps } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

/** A server whose history only writes down what it was asked. */
async function recording(): Promise<{ client: Client; asked: unknown[] }> {
  const asked: unknown[] = []
  const write =
    <Answer>(answer: Answer) =>
    async (select: unknown) => {
      asked.push(select)
      return answer
    }
  const empty = { from: '', to: '', step_ms: 0, series: [] }
  const queries: Queries = {
    trends: write(empty),
    summary: write({ rows: [] }),
    events: write({ rows: [] }),
    alerts: write({ rows: [] }),
    minutes: write({ complete: true, rows: [] }),
    deadLetters: write({ rows: [] }),
  }
  client = await startServer({ queries, clock: new ManualClock(noon) })
  return { client, asked }
}

describe('the questions to history', () => {
  test.each([
    ['trends', { stepMs: 30_000, by: [], limit: 100 }],
    ['summary', { by: [], limit: 100 }],
    ['minutes', {}],
    ['events', { limit: 100 }],
    ['alerts/history', { limit: 100 }],
    ['dead-letters', { limit: 100 }],
  ])('%s look at the last hour when nothing is said', async (name, rest) => {
    const { client, asked } = await recording()
    expect((await client.ask(`/api/v1/${name}`)).status).toBe(200)
    expect(asked).toEqual([{ fromMs: noon - hourMs, toMs: noon, ...rest }])
  })

  test('take times as ISO, as epoch milliseconds and relative to now', async () => {
    const { client, asked } = await recording()
    await client.ask('/api/v1/summary?from=2026-05-01T10:00:00Z&to=now')
    await client.ask(`/api/v1/summary?from=${noon - hourMs}&to=-10m`)
    expect(asked).toMatchObject([
      { fromMs: noon - 2 * hourMs, toMs: noon },
      { fromMs: noon - hourMs, toMs: noon - 10 * minuteMs },
    ])
  })

  test('take filters and groups', async () => {
    const { client, asked } = await recording()
    await client.ask('/api/v1/trends?by=tenant,cause&tenant=a%26b&api=x&cause=quota_exceeded&step=5m&limit=7')
    await client.ask('/api/v1/summary?by=tenant&by=api')
    expect(asked).toMatchObject([
      { by: ['tenant', 'cause'], tenant: 'a&b', api: 'x', cause: 'quota_exceeded', stepMs: 5 * minuteMs, limit: 7 },
      { by: ['tenant', 'api'] },
    ])
  })

  test.each([
    ['-15m', 10_000],
    ['-1h', 30_000],
    ['-3h', minuteMs],
    ['-24h', 10 * minuteMs],
    ['-30d', 6 * hourMs],
  ])('choose a readable step from %s', async (from, stepMs) => {
    const { client, asked } = await recording()
    await client.ask(`/api/v1/trends?from=${from}`)
    expect(asked).toMatchObject([{ stepMs }])
  })

  test('name everything that is wrong at once', async () => {
    const { client, asked } = await recording()
    const { status, json } = await client.ask(
      '/api/v1/trends?from=yesterday&step=x&by=tenant,color&limit=-1&tenant=&x=1',
    )
    expect(status).toBe(400)
    const wrong = json.errors.map((flaw: { parameter: string }) => flaw.parameter)
    expect(new Set(wrong)).toEqual(new Set(['from', 'step', 'by', 'limit', 'tenant', 'x']))
    expect(asked).toEqual([])
  })

  test.each([
    ['from=-1h&to=-2h', 'from'],
    ['from=now', 'from'],
    ['step=15s', 'step'],
    ['from=-30d&step=10s', 'step'],
    ['by=tenant,tenant', 'by'],
    ['tenant=a&tenant=b', 'tenant'],
    ['to=2999-01-01', 'to'],
  ])('refuse ?%s', async (query, parameter) => {
    const { client } = await recording()
    const { status, json, headers } = await client.ask(`/api/v1/trends?${query}`)
    expect(status).toBe(400)
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(json.errors[0].parameter).toBe(parameter)
  })
})

describe('the minutes', () => {
  test('are asked for an hour at most, from a whole minute', async () => {
    const { client, asked } = await recording()
    const { status, json } = await client.ask(`/api/v1/minutes?from=${noon - hourMs - 1}&to=${noon}`)
    expect({ status, parameter: json.errors[0].parameter }).toEqual({ status: 400, parameter: 'to' })
    await client.ask(`/api/v1/minutes?from=${noon - 90_001}&to=${noon}&tenant=acme`)
    expect(asked).toEqual([{ fromMs: noon - 2 * minuteMs, toMs: noon, tenant: 'acme' }])
  })
})

describe('when history fails', () => {
  const failing = async (error: Error) => {
    const { queries } = worldDeps()
    client = await startServer({
      queries: {
        ...queries,
        summary: async () => {
          throw error
        },
      },
    })
    return client.ask('/api/v1/summary')
  }

  test('answers 503 and when to come again while the store is away', async () => {
    const fault = new Fault('store-unreachable', 'ClickHouse does not answer', { retryable: true })
    const { status, json, headers } = await failing(fault)
    expect(status).toBe(503)
    expect(json.detail).toBe('ClickHouse does not answer')
    expect(headers['retry-after']).toBe('5')
  })

  test('keeps the words of an unforeseen error to itself', async () => {
    const { status, text } = await failing(new Error("syntax error near 'secret-tenant'"))
    expect(status).toBe(500)
    expect(text).not.toContain('secret-tenant')
  })
})

test('answers trends, summaries and events in the shape of the contract', async () => {
  client = await startServer()
  const trends = (await client.ask('/api/v1/trends?by=cause&from=-15m')).json
  expect(Object.keys(trends)).toEqual(['from', 'to', 'step_ms', 'series'])
  expect(Object.keys(trends.series[0].points[0])).toEqual(['time', 'requests', 'payment_required', 'ratio'])
  const summary = (await client.ask('/api/v1/summary?by=tenant,api')).json
  const keys = ['tenant', 'api', 'requests', 'payment_required', 'ratio', 'tenant_name']
  expect(Object.keys(summary.rows[0])).toEqual(keys)
  const events = (await client.ask('/api/v1/events?tenant=acme&limit=3')).json
  expect(events.rows).toHaveLength(3)
})

describe('the names of tenants', () => {
  const namesIn = (rows: { tenant: string; tenant_name: string | null }[]) =>
    new Map(rows.map(({ tenant, tenant_name }) => [tenant, tenant_name]))

  test('stand beside their ids in summaries and events, and are null where none is known', async () => {
    client = await startServer()
    for (const path of ['summary?by=tenant', 'summary?by=cause,tenant', 'events?limit=1000']) {
      const names = namesIn((await client.ask(`/api/v1/${path}`)).json.rows)
      expect(names.get('acme'), path).toBe('Acme Instruments Ltd')
      // One has an entry without a name, the other none at all.
      expect([names.get('dunlin'), names.get('ember')], path).toEqual([null, null])
    }
  })

  test('are left out where a summary is not by tenant', async () => {
    client = await startServer()
    const { rows } = (await client.ask('/api/v1/summary?by=api')).json
    for (const row of rows) expect(row).not.toHaveProperty('tenant_name')
  })

  test('are those of the directory at the moment of the answer', async () => {
    let name = 'Old Name'
    const find = (id: string) => ({ id, name, plan: null, timezone: null, contacts: new Map() })
    client = await startServer({ tenants: { find } })
    const first = async () => (await client?.ask('/api/v1/events?limit=1'))?.json.rows[0].tenant_name
    expect(await first()).toBe('Old Name')
    name = 'New Name'
    expect(await first()).toBe('New Name')
  })

  test('stand in the changes of alerts that are about one tenant', async () => {
    const change = (labels: Record<string, string>) => {
      const words = { fingerprint: 'f', rule: 'Spike', state: 'firing', severity: 'page', summary: '' }
      return { time: formatInstant(noon), ...words, labels, value: 1 }
    }
    const rows = [change({ tenant: 'acme' }), change({ tenant: 'ember' }), change({ cause: 'unknown' })]
    client = await startServer({ queries: { ...worldDeps().queries, alerts: async () => ({ rows }) } })
    const answer = (await client.ask('/api/v1/alerts/history')).json.rows
    expect(answer.map((row: { tenant_name: string | null }) => row.tenant_name)).toEqual([
      'Acme Instruments Ltd',
      null,
      null,
    ])
  })
})
