import { afterEach, describe, expect, test } from 'vitest'
import { Fault } from '../../../src/fault/fault.ts'
import { ManualClock } from '../../../src/time/clock.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldDeps } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

const clock = new ManualClock(noon)

describe('GET /api/v1/tenants', () => {
  const rows = async (query = '') => (await client?.ask(`/api/v1/tenants${query}`))?.json.rows
  const ids = async (query = '') => (await rows(query)).map(({ tenant }: { tenant: string }) => tenant)

  test('lists those of the last hour and of the directory, those with alerts first', async () => {
    client = await startServer({ clock })
    const all = await rows()
    expect(all[0]).toMatchObject({ tenant: 'acme', tenant_name: 'Acme Instruments Ltd', firing: 1 })
    expect(all.map(({ tenant }: { tenant: string }) => tenant)).toEqual(expect.arrayContaining(['grove', 'quiet-co']))
    const rest = all.slice(1).map((row: { payment_required: number }) => row.payment_required)
    expect(rest).toEqual([...rest].sort((a, b) => b - a))
    expect(all.at(-1)).toMatchObject({ tenant: 'quiet-co', requests: 0, ratio: null })
  })

  test('finds them by a part of the id or the name', async () => {
    client = await startServer({ clock })
    expect(await ids('?q=INSTRU')).toEqual(['acme'])
    expect(await ids('?q=o')).toEqual(expect.arrayContaining(['borealis-foods', 'grove', 'quiet-co']))
    expect(await ids('?q=nobody')).toEqual([])
  })

  test('comes page by page, each tenant once', async () => {
    client = await startServer({ clock })
    const whole = await ids()
    const found: string[] = []
    for (let cursor = ''; ; ) {
      const { json } = await client.ask(`/api/v1/tenants?limit=2${cursor}`)
      found.push(...json.rows.map(({ tenant }: { tenant: string }) => tenant))
      if (json.next === null) break
      cursor = `&cursor=${json.next}`
    }
    expect(found).toEqual(whole)
  })

  test('does not take the sum of the folded ones for a tenant, and adds up the APIs of each', async () => {
    const view = worldDeps({ clock }).view()
    const series = (tenant: string, api: string) => ({ tenant, api, requests: 5, paymentRequired: 1, causes: [] })
    const totals = () => [series('a', 'x'), series('a', 'y'), series('__other__', '__other__')]
    client = await startServer({
      clock,
      view: () => (view === null ? null : { ...view, totals }),
      alerts: () => [],
      directory: () => [],
    })
    expect(await rows()).toEqual([
      { tenant: 'a', tenant_name: null, requests: 10, payment_required: 2, ratio: 0.2, firing: 0 },
    ])
  })
})

describe('GET /api/v1/tenants/{tenant}', () => {
  test('tells all that is known of one', async () => {
    client = await startServer({ clock })
    const { json } = await client.ask('/api/v1/tenants/acme')
    expect(json).toMatchObject({
      ...{ tenant: 'acme', tenant_name: 'Acme Instruments Ltd', plan: 'gold', expires: null },
      contact: { billing: ['ap@acme.example'] },
      quotas: [{ quota: 'month', limit: 1_000_000, used: 912_000, share: 0.912, source: 'header', probability: 0.93 }],
      alerts: [{ fingerprint: '5f1c0a9be2d47733' }],
      live: { series: 1, rows: [{ tenant: 'acme', api: 'chat' }] },
      last_seen: '2026-05-01T12:00:00.000Z',
    })
    expect(json.live.rows[0].sparkline).toHaveLength(30)
  })

  test('knows one that is in the directory alone, and one that history alone has seen', async () => {
    client = await startServer({ clock, view: () => null })
    expect((await client.ask('/api/v1/tenants/quiet-co')).json).toMatchObject({ first_seen: null, contact: null })
    expect((await client.ask('/api/v1/tenants/fjord')).json).toMatchObject({ live: { rows: [] }, tenant_name: null })
    expect((await client.ask('/api/v1/tenants/nobody')).status).toBe(404)
  })

  test('takes a name of any characters', async () => {
    const facts = {
      ...worldDeps({ clock }).facts,
      seen: async (tenant: string) => (tenant === 'a/b ü%' ? { firstMs: 0, lastMs: 0 } : null),
    }
    client = await startServer({ clock, facts })
    expect((await client.ask(`/api/v1/tenants/${encodeURIComponent('a/b ü%')}`)).json.tenant).toBe('a/b ü%')
  })

  test('still tells what is in memory while history is away', async () => {
    const away = async () => {
      throw new Fault('store-unreachable', 'ClickHouse does not answer', { retryable: true })
    }
    client = await startServer({ clock, facts: { ...worldDeps({ clock }).facts, seen: away } })
    expect((await client.ask('/api/v1/tenants/acme')).json).toMatchObject({ first_seen: null })
    expect((await client.ask('/api/v1/tenants/nobody')).status).toBe(503)
  })
})
