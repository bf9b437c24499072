import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { loadTenants, TenantFile } from '../../src/tenants/tenant-file.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { tempDir } from '../support/run-context.ts'

const named = (name: string) => `tenants:\n  acme: {name: ${name}}\n`

async function directory(text: string) {
  const path = join(tempDir('tenants'), 'tenants.yaml')
  writeFileSync(path, text)
  const loaded = await loadTenants(path)
  if (!loaded.ok) throw new Error('the file is broken')
  const said: string[] = []
  const log = {
    ...silentLog,
    info: (message: string) => void said.push(`info ${message}`),
    error: (message: string) => void said.push(`error ${message}`),
  }
  const clock = new ManualClock(1_791_188_136_000)
  const tenants = new TenantFile(path, loaded, { clock, log })
  return { path, tenants, clock, said }
}

test('finds a tenant, and nobody else', async () => {
  const { tenants } = await directory(named('Acme'))
  expect(tenants.find('acme')).toMatchObject({ id: 'acme', name: 'Acme' })
  expect([tenants.find('Acme'), tenants.find('constructor'), tenants.size]).toEqual([null, null, 1])
})

test('takes over a new version, and looks no closer at the same one', async () => {
  const { path, tenants, said } = await directory(named('Acme'))
  await tenants.look()
  expect(said).toEqual([])
  writeFileSync(path, `${named('Acme Holding')}  blue-heron:\n`)
  await tenants.look()
  expect(tenants.find('acme')?.name).toBe('Acme Holding')
  expect(tenants.size).toBe(2)
  expect(said).toEqual([`info tenants: ${path} was read again: 2 tenants`])
})

test('names those whose subscription has an end, also of a new version', async () => {
  const { path, tenants } = await directory('tenants:\n  acme: {expires: 2026-12-31}\n  birch:\n')
  const ends = () => tenants.ending().map(({ id, expires }) => `${id} ${expires?.text}`)
  expect(ends()).toEqual(['acme 2026-12-31'])
  writeFileSync(path, 'tenants:\n  acme: {expires: 2027-12-31}\n  birch: {expires: 2026-06-30}\n')
  await tenants.look()
  expect(ends()).toEqual(['acme 2027-12-31', 'birch 2026-06-30'])
})

test('takes over a version of the same length, and one that was moved into place', async () => {
  const { path, tenants } = await directory(named('Acme'))
  writeFileSync(path, named('Bcme'))
  utimesSync(path, 1_791_188_000, 1_791_188_000)
  await tenants.look()
  expect(tenants.find('acme')?.name).toBe('Bcme')
  writeFileSync(`${path}.new`, named('Ccme'))
  utimesSync(`${path}.new`, 1_791_188_000, 1_791_188_000)
  renameSync(`${path}.new`, path)
  await tenants.look()
  expect(tenants.find('acme')?.name).toBe('Ccme')
})

test('keeps the version before while the new one is broken, and says so once', async () => {
  const { path, tenants, said } = await directory(named('Acme'))
  writeFileSync(path, 'tenants:\n  acme: {nmae: x, plna: y}\n')
  await tenants.look()
  await tenants.look()
  expect(tenants.find('acme')?.name).toBe('Acme')
  expect(tenants.problem).toMatch(
    /version before are still used: .*tenants\.yaml:2: tenants\.acme\.nmae .*\(and 1 more\)/,
  )
  expect(said).toEqual([`error tenants: ${tenants.problem}`])
  writeFileSync(path, named('Acme again'))
  await tenants.look()
  expect([tenants.problem, tenants.find('acme')?.name]).toEqual([null, 'Acme again'])
})

test('keeps the version before while the file is gone', async () => {
  const { path, tenants, said } = await directory(named('Acme'))
  rmSync(path)
  await tenants.look()
  await tenants.look()
  expect(tenants.find('acme')?.name).toBe('Acme')
  expect(tenants.problem).toContain('cannot be read')
  expect(said).toHaveLength(1)
  writeFileSync(path, named('Back'))
  await tenants.look()
  expect([tenants.problem, tenants.find('acme')?.name]).toEqual([null, 'Back'])
})

test('looks every five seconds until it is stopped', async () => {
  const { path, tenants, clock } = await directory(named('Acme'))
  const stop = new AbortController()
  const looks: number[] = []
  tenants.look = async () => void looks.push(clock.now())
  const watching = tenants.watch(stop.signal)
  writeFileSync(path, named('Other'))
  const begin = clock.now()
  await clock.advance(12_000)
  expect(looks).toEqual([begin + 5_000, begin + 10_000])
  stop.abort()
  await watching
  await clock.advance(60_000)
  expect(looks).toHaveLength(2)
})

test('tells a file that is not there, and one that is broken', async () => {
  const path = join(tempDir('tenants'), 'none.yaml')
  expect(await loadTenants(path)).toMatchObject({
    ok: false,
    problems: [{ file: path, line: null, message: expect.stringContaining('ENOENT') }],
  })
  writeFileSync(path, 'tenants:\n  - a\n')
  expect(await loadTenants(path)).toMatchObject({ ok: false, problems: [{ file: path, line: 1 }] })
})
