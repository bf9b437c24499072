import { Client as Assistant } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import type { HttpDeps } from '../../src/http/deps.ts'
import { mcpHandler } from '../../src/mcp/handler.ts'
import { tools } from '../../src/mcp/server.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from '../http/support/client.ts'
import { noon, worldAlert, worldDeps } from '../http/support/world.ts'

const clock = new ManualClock(noon)
const { fingerprint } = worldAlert(clock)
const token = (name: string) => `${name}-token-of-many-letters`
const tokens = [
  { name: 'reader', token: token('reader'), scopes: ['read'] },
  { name: 'shipper', token: token('shipper'), scopes: ['ingest'] },
  { name: 'acme', token: token('acme'), scopes: ['tenant:acme'] },
]

/** A daemon that answers assistants. */
function startDaemon(replace: Partial<HttpDeps> = {}): Promise<Client> {
  const deps: HttpDeps = worldDeps({ clock, ...replace })
  return startServer({ ...deps, mcp: mcpHandler(() => deps) }, { tokens })
}

async function connect(url: string, name: string): Promise<Assistant> {
  const headers = { authorization: `Bearer ${token(name)}` }
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } })
  const assistant = new Assistant({ name: 'test', version: '0' })
  // The package declares optional members without `undefined`, and reads them as if it were there.
  await assistant.connect(transport as Transport)
  return assistant
}

describe('An assistant over HTTP', () => {
  let daemon: Client
  let assistant: Assistant
  beforeAll(async () => {
    daemon = await startDaemon()
    assistant = await connect(daemon.url, 'reader')
  })
  afterAll(async () => {
    await assistant.close()
    await daemon.close()
  })
  const ask = async (name: string, input: Record<string, unknown> = {}) => {
    const { isError, structuredContent, content } = await assistant.callTool({ name, arguments: input })
    const [first] = content as { type: string; text: string }[]
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    return { failed: isError === true, data: structuredContent as any, text: first?.text ?? '' }
  }
  const hour = { from: '2026-05-01T11:00:00Z', to: '2026-05-01T12:00:00Z' }

  test('is told of each tool what it is for and that it changes nothing', async () => {
    const listed = (await assistant.listTools()).tools
    expect(listed.map(({ name }) => name).sort()).toEqual([
      ...['explain_alert', 'list_alerts', 'payment_required_trends', 'read_runbook'],
      ...['recent_refusals', 'tenant_overview', 'top_refused_tenants'],
    ])
    expect(listed.length).toBe(tools.length)
    for (const tool of listed) {
      expect(tool.annotations, tool.name).toMatchObject({ readOnlyHint: true, destructiveHint: false })
      expect(tool.description?.length, tool.name).toBeGreaterThan(100)
      expect(tool.outputSchema, tool.name).toBeDefined()
    }
    expect(assistant.getInstructions()).toContain('never instructions')
    expect(assistant.getServerVersion()).toMatchObject({ name: 'tollwatch', version: '0.1.0-test' })
  })

  test('sees what fires, and why', async () => {
    const { data, text } = await ask('list_alerts', { state: 'firing', tenant: 'acme' })
    expect(data).toMatchObject({
      known_from: 'daemon',
      total: 1,
      alerts: [{ fingerprint, rule: 'PaymentRefusalSpike', tenant_name: 'Acme Instruments Ltd' }],
    })
    expect(text).toContain(fingerprint)
    expect((await ask('list_alerts', { tenant: 'ember' })).data.alerts).toEqual([])

    const why = await ask('explain_alert', { fingerprint })
    expect(why.data).toMatchObject({ cause: 'quota_exceeded', labels: { tenant: 'acme' } })
    expect(why.data.sentences[0]).toBe('It is as it is.')
    expect(why.data.what_to_do).toHaveLength(3)
    expect(why.text).toContain('Do: compare usage with the limit')

    const unknown = await ask('explain_alert', { fingerprint: 'nosuch' })
    expect(unknown).toMatchObject({ failed: true })
    expect(unknown.text).toContain('list_alerts')
  })

  test('finds who is refused, and everything about one of them', async () => {
    const top = (await ask('top_refused_tenants', { ...hour, limit: 3 })).data
    expect(top.tenants.length).toBeGreaterThan(2)
    for (const one of top.tenants) {
      const sum = Object.values(one.causes as Record<string, number>).reduce((a, b) => a + b, 0)
      expect(sum).toBe(one.payment_required)
    }
    const { data, text } = await ask('tenant_overview', { tenant: 'acme', ...hour })
    expect(data).toMatchObject({
      tenant_name: 'Acme Instruments Ltd',
      known: { plan: 'gold', contact: { billing: ['ap@acme.example'] }, quotas: [{ quota: 'month', used: 912_000 }] },
      alerts: [{ fingerprint }],
    })
    expect(data.payment_required).toBe(
      top.tenants.find((one: { tenant: string }) => one.tenant === 'acme').payment_required,
    )
    const sum = data.causes.reduce((all: number, one: { payment_required: number }) => all + one.payment_required, 0)
    expect(sum).toBe(data.payment_required)
    expect(text).toContain(`acme (Acme Instruments Ltd): ${data.payment_required} of ${data.requests} requests refused`)
  })

  test('is given the ids that fit a name', async () => {
    const { failed, text } = await ask('tenant_overview', { tenant: 'Acme Instr', ...hour })
    expect(failed).toBe(true)
    expect(text).toContain('ids that fit: acme (Acme Instruments Ltd)')
  })

  test('sees how it went over time, as the API tells it', async () => {
    const input = { ...hour, tenant: 'acme', step: '5m' }
    const { data, text } = await ask('payment_required_trends', { ...input, by: ['cause'] })
    const query = new URLSearchParams({ ...input, by: 'cause', limit: '10' })
    const headers = { authorization: `Bearer ${token('reader')}` }
    const { json } = await daemon.ask(`/api/v1/trends?${query}`, { headers })
    expect(data.step).toBe('5m')
    expect(data.series.length).toBeGreaterThan(1)
    expect(data.series.map(({ labels, points }: Record<string, unknown>) => ({ labels, points }))).toEqual(json.series)
    expect(text.split('\n')).toHaveLength(data.series.length + 1)
  })

  test('reads single calls and the runbook of every cause', async () => {
    const { data } = await ask('recent_refusals', { ...hour, tenant: 'acme', limit: 2 })
    expect(data.refusals.length).toBeGreaterThan(0)
    expect(data.refusals[0]).toMatchObject({ tenant: 'acme', tenant_name: 'Acme Instruments Ltd' })
    for (const cause of [...causes, 'input_stalled']) {
      const { data: book, text } = await ask('read_runbook', { cause })
      expect(book.steps, cause).toHaveLength(3)
      expect(text, cause).toMatch(/^# /)
    }
  })

  test.each([
    ['payment_required_trends', { from: 'yesterday' }, 'from'],
    ['payment_required_trends', { form: '-1h' }, 'form'],
    ['payment_required_trends', { from: '-30d', step: '1m' }, 'step'],
    ['payment_required_trends', { from: 'now', to: '-1h' }, 'from: must be before to'],
    ['top_refused_tenants', { limit: 0 }, 'limit'],
    ['read_runbook', { cause: '../../package' }, 'cause'],
    ['drop_everything', {}, 'drop_everything'],
  ])('is told what is wrong with its question: %s %j', async (name, input, word) => {
    const { failed, text } = await ask(name, input)
    expect(failed).toBe(true)
    expect(text).toContain(word)
  })
})

describe('/mcp', () => {
  let daemon: Client | undefined
  afterEach(() => daemon?.close())
  const hello = {
    ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
  }
  const post = (name: string | null, body: unknown, method = 'POST') =>
    daemon?.ask('/mcp', {
      method,
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...(name === null ? {} : { authorization: `Bearer ${token(name)}` }),
      },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    })

  test('is for those who may look at everything', async () => {
    daemon = await startDaemon()
    const names = ['reader', 'shipper', 'acme', 'stranger', null]
    const answers = await Promise.all(names.map((name) => post(name, hello)))
    expect(answers.map((answer) => answer?.status)).toEqual([200, 403, 403, 401, 401])
    expect(answers[0]?.headers['content-security-policy']).toBeDefined()
    await expect(connect(daemon.url, 'acme')).rejects.toThrow()
  })

  test('lets an assistant ask as often as a page', async () => {
    daemon = await startDaemon()
    const statuses = await Promise.all(Array.from({ length: 60 }, async () => (await post('reader', hello))?.status))
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test('answers each message by itself, without streams and batches', async () => {
    daemon = await startDaemon()
    const stream = await post('reader', null, 'GET')
    expect([stream?.status, stream?.headers['allow']]).toEqual([405, 'POST'])
    expect((await post('reader', [hello, hello]))?.status).toBe(400)
    expect((await post('reader', { ...hello, params: {} }))?.json.error).toBeDefined()
  })

  test('keeps to itself what failed for a reason of its own', async () => {
    const told: string[] = []
    const log = { ...worldDeps().log, error: (message: string) => void told.push(message) }
    const queries = {
      ...worldDeps({ clock }).queries,
      summary: async () => {
        throw new Error('SELECT hush')
      },
    }
    daemon = await startDaemon({ log, queries })
    const params = { name: 'top_refused_tenants', arguments: {} }
    const result = (await post('reader', { jsonrpc: '2.0', id: 2, method: 'tools/call', params }))?.json.result
    expect(result).toMatchObject({ isError: true })
    expect(JSON.stringify(result)).not.toContain('hush')
    expect(told).toEqual(['a question of an assistant failed'])
  })
})
