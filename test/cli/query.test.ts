import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from '../http/support/client.ts'
import { noon, worldDeps } from '../http/support/world.ts'
import { describeWithChdb } from '../support/available.ts'
import { tempDir } from '../support/run-context.ts'

/** Runs `tollwatch query`, and splits a table into its cells. */
async function query(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' }
  const into = (name: keyof typeof text) =>
    new Writable({
      write: (chunk, _, done) => {
        text[name] += String(chunk)
        done()
      },
    })
  const stdin = new PassThrough()
  stdin.end()
  const code = await runProgram(argv, { stdin, stdout: into('out'), stderr: into('err') })
  return { code, ...text }
}

const rowsOf = (table: string) => {
  const lines = table.trimEnd().split('\n')
  return lines.map((line) => line.trim().split(/\s{2,}/))
}

describe('tollwatch query on a daemon', () => {
  let client: Client | undefined
  afterEach(() => client?.close())
  const start = async (replace: Parameters<typeof startServer>[0] = {}) => {
    client = await startServer({ clock: new ManualClock(noon), ...replace })
    return ['--url', client.url, '--from', '2026-05-01T11:00:00Z', '--to', '2026-05-01T12:00:00Z']
  }

  test('shows names beside the ids of tenants where one is known', async () => {
    const { code, out, err } = await query('query', 'summary', '--by', 'tenant', ...(await start()))
    expect([code, err]).toEqual([0, ''])
    const [head, ...rows] = rowsOf(out)
    expect(head).toEqual(['tenant', 'tenant_name', 'requests', 'payment_required', 'ratio'])
    expect(rows.find(([tenant]) => tenant === 'acme')?.[1]).toBe('Acme Instruments Ltd')
  })

  test('shows the same for refused calls and for alerts', async () => {
    const at = '2026-05-01T11:30:00.000Z'
    const labels = { tenant: 'acme' }
    const change = { time: at, fingerprint: 'f', rule: 'Spike', state: 'firing', severity: 'page', labels, value: 1 }
    const queries = {
      ...worldDeps().queries,
      alerts: async () => ({ rows: [{ ...change, summary: 'acme: refused' }] }),
    }
    const where = await start({ queries })
    const [events, event] = rowsOf((await query('query', 'events', '--tenant', 'acme', ...where)).out)
    expect([events?.slice(0, 3), event?.slice(1, 3)]).toEqual([
      ['time', 'tenant', 'tenant_name'],
      ['acme', 'Acme Instruments Ltd'],
    ])
    const [alerts, alert] = rowsOf((await query('query', 'alerts', ...where)).out)
    expect(alerts?.slice(-3)).toEqual(['tenant_name', 'summary', 'fingerprint'])
    expect(alert?.slice(-3)).toEqual(['Acme Instruments Ltd', 'acme: refused', 'f'])
  })

  test('has no column for names where none is known', async () => {
    const where = await start()
    const named = async (...argv: string[]) => (await query('query', ...argv, ...where)).out.includes('tenant_name')
    expect(await named('summary', '--by', 'tenant', '--tenant', 'dunlin')).toBe(false)
    expect(await named('summary', '--by', 'api')).toBe(false)
    expect(await named('trends', '--by', 'cause')).toBe(false)
    expect(await named('summary', '--by', 'tenant', '--tenant', 'acme')).toBe(true)
  })

  test('gives programs the same keys and columns whether a name is known or not', async () => {
    const where = await start()
    for (const [tenant, name] of [
      ['acme', 'Acme Instruments Ltd'],
      ['ember', null],
    ] as const) {
      const argv = ['query', 'summary', '--by', 'tenant', '--tenant', tenant, ...where]
      expect(JSON.parse((await query(...argv, '--json')).out)).toMatchObject([{ tenant, tenant_name: name }])
      const [head, row] = (await query(...argv, '--format', 'csv')).out.split('\n')
      expect(head).toBe('tenant,requests,payment_required,ratio,tenant_name')
      expect(row?.split(',').at(-1)).toBe(name ?? '')
    }
  })
})

describeWithChdb('tollwatch query on a store', () => {
  test('takes the names from the directory of the settings, and answers without them while it is broken', async () => {
    const dir = tempDir('names')
    mkdirSync(join(dir, 'conf'))
    const settings = join(dir, 'conf', 'tollwatch.yaml')
    writeFileSync(settings, 'tenants: { file: tenants.yaml }\n')
    const tenants = join(dir, 'conf', 'tenants.yaml')
    writeFileSync(tenants, 'tenants:\n  acme: { name: Acme Instruments Ltd }\n')
    const call = (tenant: string) =>
      JSON.stringify({
        started_at: Date.now(),
        latencies: {},
        response: { status: 402 },
        consumer: { username: tenant },
      })
    const log = join(dir, 'access.log')
    writeFileSync(log, `${call('acme')}\n${call('grove')}\n`)
    const where = ['-c', settings, '--data', join(dir, 'data')]
    expect((await query('replay', ...where, log)).code).toBe(0)

    const summary = await query('query', 'summary', '--by', 'tenant', ...where)
    expect([summary.code, summary.err]).toEqual([0, ''])
    expect(rowsOf(summary.out).map((row) => row.slice(0, 2))).toEqual([
      ['tenant', 'tenant_name'],
      ['acme', 'Acme Instruments Ltd'],
      ['grove', '1'],
    ])
    const events = JSON.parse((await query('query', 'events', '--json', ...where)).out)
    expect(events.map((row: { tenant_name: string | null }) => row.tenant_name).sort()).toEqual([
      'Acme Instruments Ltd',
      null,
    ])

    writeFileSync(tenants, 'tenants:\n  acme: { nmae: Acme }\n')
    const broken = await query('query', 'summary', '--by', 'tenant', ...where)
    expect(broken.code).toBe(0)
    expect(broken.out).toContain('acme')
    expect(broken.err).toMatch(/tenants\.yaml:2: tenants\.acme\.nmae .*\n1 problem\nnames of tenants are left out\n$/)
  })
})
