import { PassThrough, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from '../http/support/client.ts'
import { noon } from '../http/support/world.ts'
import { tempDir } from '../support/run-context.ts'

const token = 'the-right-token-of-many-letters'

/** Runs `tollwatch mcp`, hands it the questions at once and hangs up. */
async function converse(argv: readonly string[], calls: readonly { name: string; arguments: object }[]) {
  const text = { out: '', err: '' }
  const into = (name: keyof typeof text) =>
    new Writable({
      write(chunk, _, done) {
        text[name] += String(chunk)
        done()
      },
    })
  const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } }
  const messages = [
    { jsonrpc: '2.0', id: 0, method: 'initialize', params: hello },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    ...calls.map((params, i) => ({ jsonrpc: '2.0', id: i + 1, method: 'tools/call', params })),
  ]
  const stdin = new PassThrough()
  stdin.end(messages.map((message) => `${JSON.stringify(message)}\n`).join(''))
  const code = await runProgram(['mcp', ...argv], { stdin, stdout: into('out'), stderr: into('err') })
  const lines = text.out.split('\n').filter((line) => line !== '')
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  const answers = new Map<number, any>(lines.map((line) => [JSON.parse(line).id, JSON.parse(line).result]))
  return { code, err: text.err, answers }
}

describe('tollwatch mcp', () => {
  let daemon: Client
  beforeAll(async () => {
    daemon = await startServer({ clock: new ManualClock(noon) }, { token })
  })
  afterAll(() => daemon.close())
  const span = { from: '2026-05-01T11:00:00Z', to: '2026-05-01T12:00:00Z' }

  test('answers all that was asked before the other side hung up, and writes nothing else', async () => {
    const { code, err, answers } = await converse(
      ['--url', daemon.url, '--token', token],
      [
        { name: 'list_alerts', arguments: {} },
        { name: 'tenant_overview', arguments: { tenant: 'acme', ...span } },
        { name: 'tenant_overview', arguments: { tenant: 'acm', ...span } },
        { name: 'explain_alert', arguments: { fingerprint: 'nosuch' } },
        { name: 'recent_refusals', arguments: { ...span, limit: 1 } },
      ],
    )
    expect([code, err, answers.size]).toEqual([0, '', 6])
    expect(answers.get(1).structuredContent).toMatchObject({ known_from: 'daemon', total: 1 })
    expect(answers.get(2).structuredContent).toMatchObject({
      tenant_name: 'Acme Instruments Ltd',
      known: { plan: 'gold' },
    })
    expect(answers.get(3)).toMatchObject({ isError: true })
    expect(answers.get(3).content[0].text).toContain('ids that fit: acme')
    expect(answers.get(4)).toMatchObject({ isError: true })
    expect(answers.get(5).structuredContent.refusals[0].tenant_name).toBe('Acme Instruments Ltd')
  })

  test('says how to be let in', async () => {
    const { code, answers } = await converse(
      ['--url', daemon.url, '--token', 'a-wrong-token-of-many-letters'],
      [{ name: 'list_alerts', arguments: {} }],
    )
    expect(code).toBe(0)
    expect(answers.get(1)).toMatchObject({ isError: true })
    expect(answers.get(1).content[0].text).toMatch(/^the daemon refuses: .*; set TOLLWATCH_TOKEN$/)
  })

  test('says when there is nobody to ask', async () => {
    const calls = [{ name: 'top_refused_tenants', arguments: {} }]
    const nobody = await converse(['--url', 'http://127.0.0.1:1'], calls)
    expect(nobody.answers.get(1).content[0].text).toContain('no daemon answers at http://127.0.0.1:1')
    const nothing = await converse(['--data', tempDir('mcp')], calls)
    expect(nothing.answers.get(1).content[0].text).toContain('there is no history in')
  })
})
