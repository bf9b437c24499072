import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeDaemonNote } from '../../src/cli/daemon-file.ts'
import { runProgram } from '../../src/cli/program.ts'
import { describeWithChdb } from '../support/available.ts'
import { type ClickHouse, startClickHouse } from '../support/clickhouse-http.ts'
import { kongTraffic } from '../support/kong-traffic.ts'
import { tempDir } from '../support/run-context.ts'
import { tollwatch } from './in-process.ts'

const endMs = Math.floor(Date.now() / 60_000) * 60_000
const callers = [
  { tenant: 'acme', api: 'chat', everyMs: 10_000, refused: { code: 'quota_exceeded', each: 5 } },
  { tenant: 'bay', api: 'files', everyMs: 30_000, refused: { code: 'insufficient_funds', each: 10 } },
]
const dir = () => join(tempDir('sql'), 'data')

function logFile(): string {
  const file = join(tempDir('sql-log'), 'kong.ndjson')
  const values = kongTraffic(callers, { afterMs: endMs - 30 * 60_000, untilMs: endMs })
  writeFileSync(
    file,
    `${values.flatMap((value) => (JSON.parse(value) as unknown[]).map((one) => JSON.stringify(one))).join('\n')}\n`,
  )
  return file
}

async function withInput(text: string, ...argv: readonly string[]): Promise<{ code: number; out: string }> {
  const stdin = new PassThrough()
  stdin.end(text)
  let out = ''
  const stdout = new Writable({
    write(chunk, _, done) {
      out += String(chunk)
      done()
    },
  })
  const code = await runProgram(argv, { stdin, stdout, stderr: new PassThrough() })
  return { code, out }
}

const refused =
  'SELECT tenant, sum(payment_required) AS refused FROM tollwatch.rollup_1m GROUP BY tenant HAVING refused > 0 ORDER BY tenant'

describeWithChdb('tollwatch sql', () => {
  const data = dir()
  beforeAll(async () => {
    expect((await tollwatch('replay', '--data', data, '--format', 'kong', logFile())).code).toBe(0)
  })

  test('prints what the statement answers, in every format', async () => {
    const { code, out, err } = await tollwatch('sql', '--data', data, '--format', 'csv', refused)
    expect([code, err]).toEqual([0, ''])
    expect(out).toBe('tenant,refused\nacme,36\nbay,6\n')
    const numbers = 'SELECT toUInt64(18446744073709551615) AS big, 1 AS x, 2 AS x_, [1, 2] AS list, NULL AS nothing'
    expect(JSON.parse((await tollwatch('sql', '--data', data, '--json', numbers)).out)).toEqual([
      { big: '18446744073709551615', x: 1, x_: 2, list: [1, 2], nothing: null },
    ])
    expect((await tollwatch('sql', '--data', data, `${refused};`)).out).toMatch(/^tenant +refused\nacme +36\nbay +6\n/)
    expect((await tollwatch('sql', '--data', data, 'SELECT 1 WHERE 0')).err).toBe('No rows.\n')
  })

  test('reads the statement from its standard input', async () => {
    const { code, out } = await withInput(`${refused}\n;\n`, 'sql', '--data', data, '--format', 'ndjson')
    expect([code, out]).toEqual([0, '{"tenant":"acme","refused":36}\n{"tenant":"bay","refused":6}\n'])
  })

  test('has examples that run', async () => {
    const { out } = await tollwatch('sql', '--help')
    const statements = [...out.matchAll(/tollwatch sql "([^"]+)"/g)].map(([, statement = '']) => statement)
    expect(statements).toHaveLength(3)
    for (const statement of statements) {
      const { code, out: rows, err } = await tollwatch('sql', '--data', data, '--json', statement)
      expect([code, err], statement).toEqual([0, ''])
      expect(JSON.parse(rows).length, statement).toBeGreaterThan(0)
    }
  })

  test.each([
    ['DROP TABLE tollwatch.rollup_1m', 'DROP is not for reading'],
    ['WITH 1 AS a INSERT INTO tollwatch.state SELECT a', 'only what reads'],
    ['EXPLAIN SELECT 1 SETTINGS readonly = 0', 'readonly'],
    ["SELECT * FROM file('/etc/hostname', 'LineAsString')", 'only what reads'],
    ["SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", 'only what reads'],
    ['SELECT nothing_of_this_name FROM tollwatch.rollup_1m', 'nothing_of_this_name'],
    ['SELEKT', 'SELEKT is not for reading'],
  ])('refuses with exit code 2 and changes nothing: %s', async (statement, words) => {
    const { code, out, err } = await tollwatch('sql', '--data', data, statement)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(words)
    expect((await tollwatch('sql', '--data', data, '--format', 'csv', refused)).out).toContain('acme,36')
  })

  test('leaves the store to a daemon that has it, and says how to ask instead', async () => {
    const taken = dir()
    writeDaemonNote(taken, { pid: process.pid, url: 'http://127.0.0.1:1' })
    const { code, err } = await tollwatch('sql', '--data', taken, 'SELECT 1')
    expect(code).toBe(1)
    expect(err).toContain(
      `process id ${process.pid} at http://127.0.0.1:1 has the store open: ask it with tollwatch query --url`,
    )
    expect(existsSync(join(taken, 'store'))).toBe(false)
    expect((await tollwatch('sql', '--data', dir(), 'SELECT 1')).err).toContain('there is no history in')
  })
})

describeWithChdb('tollwatch sql on a server', () => {
  let server: ClickHouse
  beforeAll(async () => {
    server = await startClickHouse()
  })
  afterAll(() => server?.stop())

  test('reads, and is kept from writing by the server itself', async () => {
    const settings = join(tempDir('sql-server'), 'tollwatch.yaml')
    writeFileSync(settings, `history: { clickhouse: { url: "${server.url}" } }\n`)
    expect((await tollwatch('replay', '-c', settings, '--format', 'kong', logFile())).code).toBe(0)
    expect((await tollwatch('sql', '-c', settings, '--format', 'csv', refused)).out).toBe(
      'tenant,refused\nacme,36\nbay,6\n',
    )
    const { code, err } = await tollwatch('sql', '-c', settings, 'WITH 1 AS a INSERT INTO tollwatch.state SELECT a')
    expect([code, err]).toEqual([2, expect.stringContaining('only what reads')])
  })
})
