import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AlertLogRow } from '../../src/history/query.ts'
import { narrowed } from '../../src/http/tenant-view.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { formatInstant } from '../../src/time/instant.ts'
import { type Client, startServer } from './support/client.ts'
import { readEvents } from './support/event-reader.ts'
import { noon, worldAlert, worldDeps } from './support/world.ts'

const clock = new ManualClock(noon)
const token = 'acme-token-of-many-letters'
const headers = { authorization: `Bearer ${token}` }

/** Everybody else in the world of the tests, and what would tell of them together. */
const others = [
  'borealis-foods',
  'cinder',
  'dunlin',
  'ember',
  'fjord',
  'grove',
  'halcyon',
  'quiet-co',
  'Quiet & Co',
  'oncall',
]

const own = worldAlert(clock)
const foreign = worldAlert(clock, {
  fingerprint: 'foreign',
  labels: { tenant: 'ember', api: 'chat', cause: 'unknown' },
  annotations: { summary: 'ember is refused on chat' },
})
const fleet = worldAlert(clock, {
  fingerprint: 'fleet',
  labels: { cause: 'quota_exceeded' },
  annotations: { summary: 'acme, ember and 12 more are refused' },
})
/** One that names others among its contributors, as none about a tenant should. */
const chatty = worldAlert(clock, {
  fingerprint: 'chatty',
  numbers: {
    ...own.numbers,
    top: [...own.numbers.top, { tenant: 'ember', api: 'chat', cause: 'unknown', count: 9 }],
  },
})
const alerts = [own, foreign, fleet, chatty]

const logged: readonly AlertLogRow[] = alerts.map((alert) => ({
  ...{ time: formatInstant(noon - 60_000), fingerprint: alert.fingerprint, rule: alert.rule, state: 'firing' },
  ...{ severity: 'page', labels: alert.labels, value: 1, summary: alert.annotations['summary'] ?? '' },
}))

const world = worldDeps({ clock })
const replaced = {
  clock,
  alerts: () => alerts,
  explain: (fingerprint: string) => [`about ${fingerprint}`, 'shared by 5000 series of ember and others'],
  queries: {
    ...world.queries,
    alerts: async ({ tenant, fingerprint }: { tenant?: string; fingerprint?: string }) => ({
      rows: logged.filter(
        (row) =>
          (tenant ?? row.labels['tenant']) === row.labels['tenant'] &&
          (fingerprint ?? row.fingerprint) === row.fingerprint,
      ),
      next: null,
    }),
    minutes: async ({ tenant }: { tenant?: string }) => ({
      complete: true,
      rows: ['acme', 'ember']
        .filter((id) => (tenant ?? id) === id)
        .map((id) => ({ tenant: id, api: 'chat', cause: '', minutes: [0], counts: [1] })),
    }),
  },
}

describe('a token of one tenant', () => {
  let client: Client
  beforeAll(async () => {
    const tokens = [{ name: 'acme-portal', token, scopes: ['tenant:acme'] }]
    client = await startServer(replaced, { tokens, reads_per_second: 10_000 })
  })
  afterAll(() => client.close())

  test('sees its own rows on each path that it may ask', async () => {
    const rowsOf = async (path: string) => (await client.ask(path, { headers })).json.rows
    for (const path of ['live', 'summary?by=tenant', 'events', 'alerts/history', 'minutes']) {
      const rows = await rowsOf(`/api/v1/${path}`)
      expect(rows.length, path).toBeGreaterThan(0)
      for (const row of rows) expect(row.tenant ?? row.labels.tenant, path).toBe('acme')
    }
    const { json } = await client.ask('/api/v1/alerts', { headers })
    expect(json.alerts.map((alert: { fingerprint: string }) => alert.fingerprint).sort()).toEqual([
      own.fingerprint,
      'chatty',
    ])
    const live = (await client.ask('/api/v1/live', { headers })).json
    const all =
      worldDeps({ clock })
        .view()
        ?.totals(noon - 300_000, noon) ?? []
    expect(live.series).toBe(1)
    expect(live.total.requests).toBe(all.find(({ tenant }) => tenant === 'acme')?.requests)
  })

  test('finds no other in any answer, whatever it asks', async () => {
    const { json: document } = await client.ask('/api/v1/openapi.json', { headers })
    const queries = ['', '?tenant=acme', '?tenant=ember', '?tenant=ember&tenant=acme', '?by=tenant', '?q=ember']
    const more = ['?api=chat', '?cause=unknown', '?rule=PaymentRefusalSpike', '?fingerprint=foreign', '?format=csv']
    let answered = 0
    for (const template of Object.keys(document.paths)) {
      // The probes are for everybody, and the stream does not end.
      if (/^\/(?:healthz|readyz)$|stream$/.test(template)) continue
      const paths = [
        'acme',
        'ember',
        'EMBER',
        'acme%2F..%2Fember',
        '__other__',
        own.fingerprint,
        'foreign',
        'fleet',
        'd0',
      ]
      for (const value of template.includes('{') ? paths : ['']) {
        for (const query of [...queries, ...more]) {
          const path = template.replace(/\{\w+\}/, value) + query
          const { status, text } = await client.ask(path, { headers })
          expect([200, 400, 403, 404, 405], `${path}: ${status}`).toContain(status)
          if (status === 200) answered++
          // What it said itself may be said back to it.
          for (const name of others.filter((one) => !path.includes(one))) {
            expect(text.includes(name), `${path} tells of ${name}`).toBe(false)
          }
          if (status === 200) expect(text.includes('ember'), `${path} tells of ember`).toBe(false)
        }
      }
    }
    expect(answered).toBeGreaterThan(20)
  })

  test.each([
    ['/api/v1/live?tenant=ember', 403],
    ['/api/v1/trends?tenant=ember', 403],
    ['/api/v1/tenants/ember', 403],
    ['/api/v1/alerts/foreign/explain', 404],
    ['/api/v1/alerts/foreign/chart', 404],
    ['/api/v1/alerts/fleet/chart', 404],
  ])('is refused %s with %i', async (path, status) => {
    expect((await client.ask(path, { headers })).status).toBe(status)
  })

  test('hears of itself alone on the stream, and not of the daemon', async () => {
    const reader = await readEvents(`${client.url}/api/v1/stream`, headers)
    await reader.until(2)
    const text = reader.text()
    reader.close()
    expect(reader.events().map(({ event }) => event)).toEqual(['live', 'alerts'])
    for (const name of others) expect(text).not.toContain(name)
    expect(text).toContain('acme')
  })

  test('is told what happened to it, and neither how the fleet is judged nor who was woken', async () => {
    const { json } = await client.ask(`/api/v1/alerts/${own.fingerprint}/explain`, { headers })
    expect(json).toMatchObject({ sentences: [`about ${own.fingerprint}`], ways: [], messages: [] })
  })
})

describe('the daemon as one tenant may see it', () => {
  const view = narrowed(worldDeps({ ...replaced }), 'acme')

  test('asks history for that tenant alone, whatever an endpoint asks', async () => {
    const span = { fromMs: noon - 3_600_000, toMs: noon }
    const { rows } = await view.queries.events({ ...span, tenant: 'ember', limit: 100 })
    expect(new Set(rows.map(({ tenant }) => tenant))).toEqual(new Set(['acme']))
    const summary = await view.queries.summary({ ...span, by: ['tenant'], limit: 100 })
    expect(summary.rows.map(({ tenant }) => tenant)).toEqual(['acme'])
  })

  test('refuses what is about more than one', () => {
    const refused = [
      () => view.ready(),
      () => view.progress(),
      () => view.health(),
      () => view.verify(),
      () => view.rules.list(),
      () => view.audit.list(),
      () => view.silences.list(),
      () => view.drills.find('d0'),
      () => view.facts.lastFired(),
      () => view.queries.deadLetters({ fromMs: 0, toMs: 1, limit: 1 }),
      () => view.refusalsByMinute({ tenant: 'ember', api: 'chat' }, noon, 1),
    ]
    for (const ask of refused) expect(ask).toThrow(/sees that tenant alone/)
  })

  test('knows nobody else', () => {
    expect([...view.directory()].map(({ id }) => id)).toEqual(['acme'])
    expect(view.tenants.find('dunlin')).toBeNull()
    expect(view.rules.usual({ tenant: 'ember', api: 'chat' }, { requests: 1, spanMs: 1 })).toBeNull()
    expect(view.rules.band('foreign')).toBeNull()
    expect(view.account(own.fingerprint)).toBeNull()
  })
})
