import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { mcpHandler } from '../../src/mcp/handler.ts'
import { startServer } from '../http/support/client.ts'
import { worldDeps } from '../http/support/world.ts'

vi.mock('@modelcontextprotocol/sdk/server/mcp.js', () => {
  throw new Error('Cannot find package')
})

const fix = 'run "npm install @modelcontextprotocol/sdk"'

test('Without the optional package the command says how to install it', async () => {
  let err = ''
  const stderr = new PassThrough()
  stderr.on('data', (chunk: Buffer) => {
    err += String(chunk)
  })
  const stdin = new PassThrough()
  stdin.end()
  const code = await runProgram(['mcp', '--url', 'http://127.0.0.1:1'], { stdin, stdout: new PassThrough(), stderr })
  expect(code).toBe(2)
  expect(err).toContain(fix)
})

test('Without the optional package the daemon runs, and says so to who asks', async () => {
  const deps = worldDeps()
  const daemon = await startServer({ ...deps, mcp: mcpHandler(() => deps) })
  try {
    const headers = { 'content-type': 'application/json' }
    const { status, json } = await daemon.ask('/mcp', { method: 'POST', headers, body: '{"id":1}' })
    expect([status, json.detail]).toEqual([501, expect.stringContaining(fix)])
    expect((await daemon.ask('/api/v1/live')).status).toBe(200)
  } finally {
    await daemon.close()
  }
})
