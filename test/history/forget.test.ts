import { expect, test } from 'vitest'
import { History } from '../../src/history/history.ts'
import { systemClock } from '../../src/time/clock.ts'
import { describeWithChdb } from '../support/available.ts'
import { hour, lastHour, mortal, rangeOf, testStore } from './store.ts'

describeWithChdb('forgetTenant', () => {
  const store = testStore()
  const tables = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'events_402', 'alert_log', 'dead_letter', 'state', 'erasure']

  async function history(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      const at = lastHour - i * hour
      await store.history.land(
        rangeOf(
          'kafka:test',
          6 * i,
          [
            { tenant: 'acme', at },
            { tenant: 'acme', at, api: 'images', cause: 'quota_exceeded' },
            { tenant: 'zinc', at, cause: 'quota_exceeded' },
            { tenant: 'zinc', at: at + 60_000 },
            { tenant: 'acme-eu', at },
          ],
          { letters: 1, raw: i === 0 ? '{"tenant": "acme"' : '{"tenant": "acme-eu"' },
        ),
      )
    }
    const alert = { episode: '', rule: 'spike', state: 'firing', severity: 'page', value: 1, observed: 1, requests: 2 }
    await store.history.logAlerts([
      {
        ...alert,
        atMs: lastHour,
        fingerprint: 'f1',
        labels: { tenant: 'acme' },
        expected: null,
        summary: 'acme is refused',
      },
      {
        ...alert,
        atMs: lastHour,
        fingerprint: 'f2',
        labels: {},
        expected: null,
        summary: 'most of all acme, then zinc',
      },
      {
        ...alert,
        atMs: lastHour,
        fingerprint: 'f3',
        labels: { tenant: 'acme-eu' },
        expected: null,
        summary: 'acme-eu is refused',
      },
    ])
    const instance = (tenant: string) => JSON.stringify({ rule: 'spike', instance: { alert: { labels: { tenant } } } })
    const chunk = JSON.stringify({
      from: 0,
      keys: ['["acme","chat"]', '["acme-eu","chat"]', null],
      numbers: 'AAacme+/acme==',
    })
    await store.history.state.put([
      { kind: 'alert', key: 'f1', value: instance('acme') },
      { kind: 'alert', key: 'f3', value: instance('acme-eu') },
      { kind: 'baseline', key: 'spike/0', value: chunk },
      { kind: 'group', key: '["acme"]', value: '{"subject":"402s of acme. See http://127.0.0.1/?tenant=acme&x=1"}' },
      { kind: 'file', key: 'abc', value: '12' },
    ])
  }

  /** Every place in the tables where the name stands as a word of its own. */
  async function mentions(): Promise<string[]> {
    const found: string[] = []
    for (const table of tables) {
      const rows = await store.database.query<Record<string, unknown>>(`SELECT * FROM tollwatch.${table}`)
      for (const row of rows) {
        // By chance a name may stand in base64.
        const text = JSON.stringify(row).replaceAll('AAacme+/acme==', '')
        if (/(?<![\w-])acme(?![\w-])/.test(text)) found.push(`${table}: ${text}`)
      }
    }
    const logged = await store.database.query<{ command: string }>(
      "SELECT command FROM system.mutations WHERE database = 'tollwatch' AND command LIKE '%acme%'",
    )
    return [...found, ...logged.map(({ command }) => command)]
  }

  test('erases a tenant from every table and no other, and history stays whole', async () => {
    await history()
    expect(await mentions()).not.toEqual([])
    expect(await store.history.rowsOfTenant('acme')).toMatchObject({
      rollup_10s: 9,
      events_402: 3,
      alert_log: 1,
      state: 3,
    })
    const { rows, resumed } = await store.history.forget('acme')
    expect(resumed).toBe(false)
    expect(rows).toEqual({
      ...{ rollup_10s: 9, rollup_1m: 9, rollup_1h: 9, events_402: 3, alert_log: 1, state: 3 },
      ...{ 'texts of alert_log': 1, 'texts of dead_letter': 1, 'consumers of events_402': 0 },
    })
    expect(await mentions()).toEqual([])
    const report = await store.history.verify()
    expect(report.problems).toEqual([])
    expect(report.erasures).toBe(1)

    const { rows: left } = await store.history.queries.summary({
      ...{ fromMs: lastHour - 5 * hour, toMs: lastHour + hour, by: ['tenant'], limit: 10 },
    })
    expect(left).toMatchObject([
      { tenant: 'zinc', requests: 6, payment_required: 3 },
      { tenant: 'acme-eu', requests: 3, payment_required: 0 },
    ])
    expect(await store.count("count() AS n FROM tollwatch.alert_log WHERE summary = 'acme-eu is refused'")).toBe(1)
    expect(await store.count("count() AS n FROM tollwatch.dead_letter FINAL WHERE raw != ''")).toBe(2)
  })

  test('keeps what else the state holds', async () => {
    await history()
    await store.history.forget('acme')
    const { state } = store.history
    expect([...(await state.load('alert')).keys()]).toEqual(['f3'])
    const chunk = JSON.parse((await state.load('baseline')).get('spike/0') ?? '')
    expect(chunk).toEqual({
      from: 0,
      keys: [expect.stringMatching(/^\["erased-[0-9a-f]{8}","chat"\]$/), '["acme-eu","chat"]', null],
      numbers: 'AAacme+/acme==',
    })
    const [[key, group] = []] = [...(await state.load('group'))]
    expect(key).toMatch(/^\["erased-[0-9a-f]{8}"\]$/)
    expect(group).toMatch(/402s of erased-[0-9a-f]{8}\. See .*tenant=erased-[0-9a-f]{8}&x=1/)
    expect(await state.load('file')).toEqual(new Map([['abc', '12']]))
  })

  test('a second time finds nothing; a tenant that comes back is counted, verified and erased again', async () => {
    await history()
    await store.history.forget('acme')
    expect((await store.history.forget('acme')).rows).toMatchObject({ rollup_10s: 0, events_402: 0, state: 0 })
    await store.history.land(rangeOf('kafka:test', 18, [{ tenant: 'acme', cause: 'payment_failed' }]))
    expect((await store.history.verify()).problems).toEqual([])
    expect((await store.history.forget('acme')).rows).toMatchObject({ rollup_10s: 2, events_402: 1 })
    const { problems, erasures } = await store.history.verify()
    expect([problems, erasures]).toEqual([[], 2])
    await expect(store.history.forget('__other__')).rejects.toThrow('no tenant')
  })

  test('dying at any statement, it is completed by the next run', { timeout: 120_000 }, async () => {
    const call = { tenant: 'acme', cause: 'payment_failed' } as const
    await store.history.state.put([{ kind: 'group', key: 'g', value: '["acme"]' }])
    for (let at = 1, died = true; died; at++) {
      // Each time there is something to erase again.
      await store.history.land(rangeOf('kafka:test', at, [call]))
      const database = mortal(store.database, at)
      const dying = new History(database, { clock: systemClock, epoch: 0 })
      died = await dying.forget('acme').then(
        () => false,
        () => true,
      )
      const { resumed } = died ? await store.history.forget('acme') : { resumed: false }
      // Before the note is written there is nothing to resume; after it has gone, neither.
      expect([at, resumed]).toEqual([at, died && at > 1 && at < 11])
      expect(await store.count("count() AS n FROM tollwatch.rollup_1h WHERE tenant = 'acme'")).toBe(0)
    }
    expect((await store.history.verify()).problems).toEqual([])
  })

  test('an erasure that was interrupted is asked for by verify', async () => {
    await store.history.land(rangeOf('kafka:test', 0, [{ tenant: 'acme' }]))
    const dying = new History(mortal(store.database, 2), { clock: systemClock, epoch: 0 })
    await expect(dying.forget('acme')).rejects.toThrow('died')
    expect((await store.history.verify()).problems).toEqual([
      'the erasure of a tenant was interrupted: run "tollwatch history forget --tenant acme" again',
    ])
  })
})
