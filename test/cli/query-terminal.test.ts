import { PassThrough, Writable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { paintOn, printable } from '../../src/cli/colour.ts'
import { runProgram } from '../../src/cli/program.ts'
import { sparkline } from '../../src/cli/sparkline.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from '../http/support/client.ts'
import { noon, worldDeps } from '../http/support/world.ts'

describe('A line of blocks', () => {
  test('shows the largest as a whole block and only nothing as the lowest', () => {
    expect(sparkline([0, 1, 4, 8, 1000])).toBe('▁▂▂▂█')
    expect(sparkline([0, 0])).toBe('▁▁')
    expect(sparkline([])).toBe('')
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 300 }), (counts) => {
        const line = [...sparkline(counts)]
        expect(line.length).toBe(Math.ceil(counts.length / Math.ceil(counts.length / 60)))
        expect(line.includes('█')).toBe(counts.some((count) => count > 0))
        if (counts.length <= 60) expect(line.map((block) => block === '▁')).toEqual(counts.map((count) => count === 0))
      }),
    )
  })
})

describe('tollwatch query on a terminal', () => {
  let client: Client | undefined
  beforeEach(() => vi.stubEnv('NO_COLOR', '').stubEnv('TERM', 'xterm'))
  afterEach(async () => {
    vi.unstubAllEnvs()
    await client?.close()
    client = undefined
  })

  async function query(isTTY: boolean, ...argv: readonly string[]): Promise<string> {
    client ??= await startServer({ clock: new ManualClock(noon) })
    let out = ''
    const write = (chunk: unknown, _: unknown, done: () => void) => {
      out += String(chunk)
      done()
    }
    const stdout = Object.assign(new Writable({ write }), { isTTY })
    const stdin = new PassThrough()
    stdin.end()
    const span = ['--from', '2026-05-01T11:00:00Z', '--to', '2026-05-01T12:00:00Z']
    const code = await runProgram(['query', ...argv, '--url', client.url, ...span], {
      stdin,
      stdout,
      stderr: new PassThrough(),
    })
    expect(code).toBe(0)
    return out
  }

  test('shows trends as a line for each series', async () => {
    vi.stubEnv('NO_COLOR', '1')
    const out = await query(true, 'trends', '--by', 'cause', '--tenant', 'acme')
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^cause +requests +payment_required +ratio +trend *$/)
    expect(lines[1]).toMatch(/^quota_exceeded +[\d,]+ +[\d,]+ +[\d.]+ % +[▁▂▃▄▅▆▇█]{60}$/u)
    expect(lines.at(-1)).toContain('a step is 1m')
    expect(out).not.toContain('\u001b')
    const points = JSON.parse(await query(false, 'trends', '--by', 'cause', '--tenant', 'acme', '--json'))
    const sum = points
      .filter((point: { cause: string }) => point.cause === 'quota_exceeded')
      .reduce((all: number, point: { payment_required: number }) => all + point.payment_required, 0)
    expect(lines[1]).toContain(` ${sum.toLocaleString('en-US')} `)
  })

  test('has colours for people and none in a pipe or where they are not wished', async () => {
    const argv = ['summary', '--by', 'tenant']
    const plain = await query(false, ...argv)
    expect(plain).not.toContain('\u001b')
    const coloured = await query(true, ...argv)
    expect(coloured).toContain('\u001b[31m')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(plain)
    vi.stubEnv('NO_COLOR', '1')
    expect(await query(true, ...argv)).toBe(plain)
    expect(paintOn({ stdout: { isTTY: true } } as never, { TERM: 'dumb' })('a', 'red')).toBe('a')
  })

  test('prints names from logs without what would move the cursor', async () => {
    const tenant = 'acme\u001b[2J\u202egnp\r\n'
    expect(printable(tenant)).toBe('acme\ufffd[2J\ufffdgnp\ufffd\ufffd')
    const rows = [{ tenant, requests: 10, payment_required: 1, ratio: 0.1 }]
    client = await startServer({
      clock: new ManualClock(noon),
      queries: { ...worldDeps().queries, summary: async () => ({ rows }) },
    })
    const table = await query(false, 'summary', '--by', 'tenant')
    expect(table).not.toContain('\u001b')
    expect(JSON.parse(await query(false, 'summary', '--by', 'tenant', '--json'))[0].tenant).toBe(tenant)
  })
})
