import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeDaemonNote } from '../../src/cli/daemon-file.ts'
import { silentLog } from '../../src/fault/log.ts'
import { openHistory } from '../../src/history/history.ts'
import { historyOptions } from '../../src/history/options.ts'
import { systemClock } from '../../src/time/clock.ts'
import { lastHour, rangeOf } from '../history/store.ts'
import { describeWithChdb } from '../support/available.ts'
import { startClickHouse } from '../support/clickhouse-http.ts'
import { tempDir } from '../support/run-context.ts'
import { tollwatch } from './in-process.ts'

test('Commands that need the store alone refuse while a daemon has its directory open', async () => {
  const data = tempDir('noted')
  writeDaemonNote(data, { pid: process.pid, url: 'http://127.0.0.1:1' })
  for (const args of [
    ['forget', '--tenant', 'acme'],
    ['repair', '--from', '-1h'],
  ]) {
    const { code, err } = await tollwatch('history', ...args, '--data', data)
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`process id ${process.pid} has the store open: stop it first`),
    ])
  }
})

describeWithChdb('On a server', () => {
  test('maintenance refuses beside a daemon, goes ahead once it has ended, and keeps a new one waiting', async () => {
    const server = await startClickHouse()
    try {
      const options = historyOptions.parse({ clickhouse: { url: server.url } })
      const behaviour = { clock: systemClock, log: silentLog, wait: false }
      const daemon = await openHistory(options, behaviour)
      await daemon.land(rangeOf('file:a', 0, [{ tenant: 'acme', cause: 'quota_exceeded' }, { tenant: 'zinc' }]))
      const config = join(tempDir('server'), 'tollwatch.yaml')
      writeFileSync(config, `history: { clickhouse: { url: "${server.url}" } }\n`)
      const forget = () => tollwatch('history', 'forget', '-c', config, '--tenant', 'acme', '--yes')
      const refused = await forget()
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('gave a sign of life')])
      await daemon.close()

      expect(await forget()).toMatchObject({ code: 0 })
      expect((await tollwatch('history', 'verify', '-c', config)).code).toBe(0)
      expect(await server.query("SELECT count() FROM tollwatch.rollup_1m WHERE tenant = 'acme'")).toBe('0\n')

      const mark = JSON.stringify({ id: 'x', what: 'history forget', atMs: Date.now() })
      await server.query(
        `INSERT INTO tollwatch.state (kind, key, version, value) VALUES ('maintenance', 'mark', ${Date.now() * 2000}, '${mark}')`,
      )
      await expect(openHistory(options, behaviour)).rejects.toThrow('is being changed by "tollwatch history forget"')
      expect(lastHour).toBeLessThan(Date.now())
    } finally {
      await server.stop()
    }
  })

  test('a user without the right to make tables can read what is there', async () => {
    const server = await startClickHouse()
    try {
      const options = historyOptions.parse({ clickhouse: { url: server.url } })
      const behaviour = { clock: systemClock, log: silentLog, wait: false }
      await (await openHistory(options, behaviour)).close()
      await server.fail({ mode: 'error', match: 'CREATE', times: 100, code: 497 })
      await server.fail({ mode: 'error', match: 'ALTER', times: 100, code: 497 })
      const reader = await openHistory(options, { ...behaviour, purpose: 'read' })
      expect((await reader.verify()).ok).toBe(true)
      await reader.close()
      // A daemon too, as long as the tables are as its settings say.
      await (await openHistory(options, behaviour)).close()
    } finally {
      await server.stop()
    }
  })
})
