import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { openEmbedded } from '../../src/history/database.ts'
import { openHistory } from '../../src/history/history.ts'
import { historyOptions } from '../../src/history/options.ts'
import { systemClock } from '../../src/time/clock.ts'
import { hour, lastHour, rangeOf } from '../history/store.ts'
import { describeWithChdb } from '../support/available.ts'
import { tempDir } from '../support/run-context.ts'
import { tollwatch } from './in-process.ts'

describeWithChdb('tollwatch history', () => {
  const data = tempDir('cli-history')
  const open = (retention = {}) =>
    openHistory(historyOptions.parse({ data_dir: data, retention }), {
      clock: systemClock,
      log: silentLog,
      wait: false,
    })
  const damage = async (sql: string) => {
    const database = await openEmbedded(join(data, 'store'))
    await database.command(`${sql} SETTINGS mutations_sync = 1`).finally(() => database.close())
  }
  const span = ['--from', new Date(lastHour - 3 * hour).toISOString(), '--to', new Date(lastHour).toISOString()]

  beforeAll(async () => {
    const history = await open({ rollup_10s: '20d' })
    for (let i = 0; i < 3; i++) {
      const at = lastHour - (3 - i) * hour
      const calls = [
        { tenant: 'acme', at, cause: 'quota_exceeded' as const },
        { tenant: 'zinc', at },
      ]
      await history.land(rangeOf('kafka:test', 2 * i, calls))
    }
    await history.land(rangeOf('kafka:test', 6, [{ tenant: 'zinc', at: lastHour }]))
    await history.close()
  })

  test('verify prints lanes, comparisons and the verdict, and leaves the retention of the store alone', async () => {
    const { code, out } = await tollwatch('history', 'verify', '--data', data)
    expect(code).toBe(0)
    expect(out).toMatch(/kafka:test +0 +4 +0 +6 +7 +3/)
    expect(out).toMatch(/rollup_10s and rollup_1m +\S+ +4 +0 +0 +equal/)
    expect(out).toContain('History is whole: no gap, no overlap, the tables agree.')
    const database = await openEmbedded(join(data, 'store'))
    const [table] = await database.query<{ e: string }>(
      "SELECT engine_full AS e FROM system.tables WHERE database = 'tollwatch' AND name = 'rollup_10s'",
    )
    await database.close()
    expect(table?.e).toContain(`toIntervalSecond(${20 * 86_400})`)
  })

  test('repair says what differs, mends it, and then finds nothing', async () => {
    await damage("ALTER TABLE tollwatch.rollup_1m DELETE WHERE tenant = 'zinc'")
    expect((await tollwatch('history', 'verify', '--data', data)).code).toBe(1)
    const dry = await tollwatch('history', 'repair', '--data', data, ...span, '--dry-run')
    expect(dry.code).toBe(1)
    // As long as the minute tier is wrong it cannot mend the hour tier.
    expect([dry.out.match(/would be repaired/g)?.length, dry.out.match(/^LEFT/gm)?.length]).toEqual([3, 3])
    const done = await tollwatch('history', 'repair', '--data', data, ...span, '--tier', '1m', '--json')
    expect(done.code).toBe(0)
    expect(JSON.parse(done.out)).toMatchObject([{ tier: 'rollup_1m', from_tier: 'rollup_10s', dry_run: false }])
    const again = await tollwatch('history', 'repair', '--data', data, ...span)
    expect([again.code, again.out.match(/nothing differs/g)?.length]).toEqual([0, 3])
    // The hour of the newest range is not in the span, and would be left.
    const newest = await tollwatch('history', 'repair', '--data', data, '--from', '-1d', '--tier', '1m')
    expect(newest.code).toBe(1)
    expect(newest.out).toContain('the newest range of kafka:test lane 0 lies in it')
    const vouched = await tollwatch('history', 'repair', '--data', data, '--from', '-1d', '--settled')
    expect(vouched.code).toBe(0)
    expect((await tollwatch('history', 'verify', '--data', data)).code).toBe(0)
  })

  test('forget counts, and erases with --yes', async () => {
    const asked = await tollwatch('history', 'forget', '--data', data, '--tenant', 'acme')
    expect(asked.code).toBe(2)
    expect(asked.out).toMatch(/rollup_10s +6\n/)
    expect(asked.out).toContain('Nothing was erased. It cannot be undone: repeat the command with --yes.')
    const done = await tollwatch('history', 'forget', '--data', data, '--tenant', 'acme', '--yes', '--json')
    expect(done.code).toBe(0)
    expect(JSON.parse(done.out)).toMatchObject({ erased: true, resumed: false, rows: { rollup_10s: 6, events_402: 3 } })
    const verified = await tollwatch('history', 'verify', '--data', data, '--json')
    expect(verified.code).toBe(0)
    expect(JSON.parse(verified.out)).toMatchObject({ ok: true, problems: [], erasures: 1 })
    const summary = await tollwatch('query', 'summary', '--data', data, '--from', '-1d', '--by', 'tenant', '--json')
    expect(JSON.parse(summary.out)).toMatchObject([{ tenant: 'zinc', requests: 4 }])
  })

  test('wrong calls are told what to write', async () => {
    const call = async (...args: readonly string[]) => {
      const { code, err } = await tollwatch('history', ...args)
      return [code, err.trim()]
    }
    expect(await call('repair', '--data', data, '--from', 'soon')).toEqual([
      ...[2, 'tollwatch: --from is no time; write it like 2026-11-21T14:00:00Z or -6h'],
    ])
    expect(await call('repair', '--data', data, '--from', '-1h', '--to', '-2h')).toEqual([
      ...[2, 'tollwatch: --from must be earlier than --to'],
    ])
    expect(await call('forget', '--data', data, '--tenant', '__other__', '--yes')).toEqual([
      ...[2, 'tollwatch: __other__ is no tenant but the sum of many that were folded'],
    ])
    expect((await call('forget', '--data', join(data, 'none'), '--tenant', 'acme'))[1]).toContain(
      'there is no history in',
    )
  })
})
