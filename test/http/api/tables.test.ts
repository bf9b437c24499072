import { afterEach, describe, expect, test } from 'vitest'
import type { EventRow, Queries } from '../../../src/history/query.ts'
import { chosenFormat, writeTable } from '../../../src/http/table.ts'
import { ManualClock } from '../../../src/time/clock.ts'
import { formatInstant } from '../../../src/time/instant.ts'
import { type Client, startServer } from '../support/client.ts'
import { noon, worldDeps } from '../support/world.ts'

let client: Client | undefined
afterEach(() => client?.close())

const clock = new ManualClock(noon)

describe('rows as a file', () => {
  test.each([
    ['events', 'time,tenant,tenant_name,api,cause,cause_code'],
    ['summary?by=tenant,cause', 'tenant,tenant_name,cause,requests,payment_required,ratio'],
    ['trends?by=cause&from=-5m', 'time,cause,requests,payment_required,ratio'],
    ['dead-letters', 'time,reason,source,partition,offset'],
    ['alerts/history', 'time,fingerprint,rule,state'],
  ])('%s are given as CSV and as NDJSON', async (path, head) => {
    client = await startServer({ clock })
    const glue = path.includes('?') ? '&' : '?'
    const json = (await client.ask(`/api/v1/${path}`)).json
    const count = json.rows?.length ?? json.series.flatMap(({ points }: { points: unknown[] }) => points).length
    const csv = await client.ask(`/api/v1/${path}${glue}format=csv`)
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8; header=present')
    expect(csv.headers['content-disposition']).toMatch(/^attachment; filename="tollwatch-[a-z-]+\.csv"$/)
    const lines = csv.text.split('\r\n')
    expect(lines[0]).toMatch(new RegExp(`^${head}`))
    expect(lines).toHaveLength(count + 2)
    const ndjson = await client.ask(`/api/v1/${path}${glue}format=ndjson`)
    expect(ndjson.headers['content-type']).toMatch(/^application\/x-ndjson/)
    const rows = ndjson.text.split('\n').filter((line) => line !== '')
    expect(rows).toHaveLength(count)
    for (const row of rows) expect(typeof JSON.parse(row)).toBe('object')
  })

  test('the Accept header decides where no format is named', async () => {
    client = await startServer({ clock })
    const ask = (accept: string, query = '') => client?.ask(`/api/v1/summary${query}`, { headers: { accept } })
    expect((await ask('text/csv'))?.headers['content-type']).toMatch(/^text\/csv/)
    expect((await ask('text/csv', '?format=json'))?.headers['content-type']).toMatch(/^application\/json/)
    expect((await ask('*/*'))?.headers['vary']).toBe('accept')
    expect((await client.ask('/api/v1/summary?format=xml')).json.errors[0].parameter).toBe('format')
  })

  test.each([
    ['', 'json'],
    ['text/html, */*;q=0.1', 'json'],
    ['text/csv;q=0.9', 'csv'],
    ['application/x-ndjson, text/csv', 'ndjson'],
    ['application/json, text/csv', 'json'],
  ] as const)('%j asks for %s', (accept, format) => expect(chosenFormat(undefined, accept)).toBe(format))

  test('no cell is run by a spreadsheet, and every cell comes back as it was', () => {
    const columns = ['name', 'n']
    const rows = [{ name: '=1+1', n: -1 }, { name: 'a "b", c\nd', n: null }, { name: '@x' }]
    expect(writeTable({ columns, rows }, 'csv')).toBe('name,n\r\n\'=1+1,-1\r\n"a ""b"", c\nd",\r\n\'@x,\r\n')
  })
})

describe('pages', () => {
  const event = (at: number): EventRow => ({
    ...{ time: formatInstant(noon - at), tenant: 'acme', api: 'chat', cause: 'unknown', kind: 'payment_required' },
    ...{ cause_code: null, cause_source: null, method: null, consumer: null, plan: null, latency_ms: null },
    ...{ request_id: `r${at}`, format: 'kong' },
  })
  const next = Buffer.from(JSON.stringify([1, 2, 0, 'AB'])).toString('base64url')
  const asked: unknown[] = []
  const events: Queries['events'] = async (select) => {
    asked.push(select)
    return { rows: [event(select.after === undefined ? 1 : 2)], next: select.after === undefined ? next : null }
  }
  const queries = { ...worldDeps({ clock }).queries, events }

  test('go on where the one before ended', async () => {
    client = await startServer({ clock, queries })
    const first = await client.ask('/api/v1/events?limit=1')
    expect(first.json.next).toBe(next)
    const second = await client.ask(`/api/v1/events?limit=1&cursor=${first.json.next}`)
    expect(second.json).toMatchObject({ rows: [{ request_id: 'r2' }], next: null })
    expect(asked).toMatchObject([{ limit: 1 }, { limit: 1, after: next }])
  })

  test('of files are linked in the header', async () => {
    client = await startServer({ clock, queries })
    const { headers } = await client.ask('/api/v1/events?limit=1&format=csv&tenant=a%26b')
    expect(headers['link']).toBe(`</api/v1/events?limit=1&format=csv&tenant=a%26b&cursor=${next}>; rel="next"`)
    const last = await client.ask(`/api/v1/events?format=csv&cursor=${next}`)
    expect(last.headers['link']).toBeUndefined()
  })

  test.each(['x', 'bm90IGpzb24', 'WzFd', 'W10', Buffer.from('[1,2,"0","AB"]').toString('base64url')])(
    'refuse the cursor %s',
    async (cursor) => {
      client = await startServer({ clock, queries })
      const { status, json } = await client.ask(`/api/v1/events?cursor=${cursor}`)
      expect([status, json.errors[0].parameter]).toEqual([400, 'cursor'])
    },
  )
})

describe('the tag of an answer', () => {
  test('tells that nothing has changed, without the answer', async () => {
    client = await startServer({ clock })
    const path = '/api/v1/summary?from=2026-05-01T10:00:00Z&to=2026-05-01T11:00:00Z&by=tenant'
    const first = await client.ask(path)
    const tag = String(first.headers['etag'])
    expect(tag).toMatch(/^"[\w-]{20,}"$/)
    const again = await client.ask(path, { headers: { 'if-none-match': `"other", W/${tag}` } })
    expect([again.status, again.text, again.headers['etag']]).toEqual([304, '', tag])
    expect((await client.ask(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    const csv = await client.ask(`${path}&format=csv`, { headers: { 'if-none-match': tag } })
    expect(csv.status).toBe(200)
  })

  test('is there for the document too, and nothing is kept by browsers', async () => {
    client = await startServer({ clock })
    const { headers } = await client.ask('/api/v1/openapi.json')
    expect(headers['etag']).toBeDefined()
    expect((await client.ask('/api/v1/events')).headers['cache-control']).toBe('no-store')
  })
})
