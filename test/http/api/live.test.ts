import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon } from '../support/world.ts'

describe('GET /api/v1/live', () => {
  let client: Client
  beforeAll(async () => {
    client = await startServer()
  })
  afterAll(() => client.close())

  test('answers the last five minutes up to the newest record, worst first', async () => {
    const { status, json } = await client.ask('/api/v1/live')
    expect(status).toBe(200)
    expect(Object.keys(json)).toEqual(['at', 'watermark', 'window_ms', 'series', 'total', 'rows'])
    expect(json).toMatchObject({ at: formatInstant(noon), watermark: formatInstant(noon - 24_000), window_ms: 300_000 })
    const refused = json.rows.map((row: { payment_required: number }) => row.payment_required)
    expect(refused).toEqual([...refused].sort((a, b) => b - a))
    expect(json.rows[0]).toMatchObject({ tenant: 'acme', api: 'chat' })
  })

  test('gives each row its causes, which add up to its refusals', async () => {
    const { json } = await client.ask('/api/v1/live?window=1h')
    for (const row of json.rows) {
      const counts = Object.values<number>(row.causes)
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(row.payment_required)
      expect(row.ratio).toBeCloseTo(row.payment_required / row.requests)
    }
  })

  test('gives each row the name of its tenant, null where none is known', async () => {
    const { json } = await client.ask('/api/v1/live')
    expect(Object.keys(json.rows[0])).toEqual([
      'tenant',
      'tenant_name',
      'api',
      'requests',
      'payment_required',
      'ratio',
      'causes',
      'since',
      'normal',
    ])
    const names = json.rows.map((row: { tenant: string; tenant_name: string | null }) => [row.tenant, row.tenant_name])
    expect(names).toEqual(
      expect.arrayContaining([
        ['acme', 'Acme Instruments Ltd'],
        ['dunlin', null],
        ['ember', null],
      ]),
    )
  })

  test('counts rows that it leaves out in the total', async () => {
    const all = (await client.ask('/api/v1/live')).json
    const { json } = await client.ask('/api/v1/live?limit=2')
    expect(json.rows).toHaveLength(2)
    expect(json.total).toEqual(all.total)
    expect(json.series).toBe(all.rows.length)
  })

  test('keeps to one tenant when asked to', async () => {
    const { json } = await client.ask('/api/v1/live?tenant=ember')
    expect(json.rows.map((row: { tenant: string }) => row.tenant)).toEqual(['ember'])
    expect(json.total.requests).toBe(json.rows[0].requests)
  })

  test.each([
    ['window=7s', 'window', /multiple of 10s/],
    ['window=2h', 'window', /api\/v1\/summary/],
    ['window=soon', 'window', /no duration/],
    ['limit=0', 'limit', /1 to 10000/],
    ['windows=5m', 'windows', /not known/],
  ])('refuses ?%s', async (query, parameter, detail) => {
    const { status, json } = await client.ask(`/api/v1/live?${query}`)
    expect(status).toBe(400)
    expect(json.errors[0]).toEqual({ parameter, detail: expect.stringMatching(detail) })
  })
})

test('answers null times and no rows before the first record', async () => {
  const client = await startServer({ view: () => null, watermarkMs: () => null })
  const { json } = await client.ask('/api/v1/live')
  expect(json).toMatchObject({ at: null, watermark: null, rows: [], total: { requests: 0, ratio: null } })
  await client.close()
})
