import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbedded } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { describeWithChdb } from '../support/available.ts'
import { hour, lastHour, rangeOf } from './store.ts'

describeWithChdb('pages of history', () => {
  let directory: string
  let history: History
  const clock = new ManualClock(lastHour + hour)
  const span = { fromMs: lastHour, toMs: lastHour + hour }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tollwatch-paging-'))
    const database = await openEmbedded(join(directory, 'store'))
    await migrate(database, historyOptions.parse({}).retention)
    history = new History(database, { clock, epoch: 0 })
    // Many rows of the same millisecond, in two lanes with the same offsets.
    const calls = Array.from({ length: 23 }, (_, at) => ({
      tenant: at % 2 === 0 ? 'acme' : 'ember',
      at: lastHour + Math.floor(at / 10) * 1_000,
      cause: 'quota_exceeded' as const,
    }))
    await history.land(rangeOf('s', 0, calls, { letters: 7 }))
    await history.land(rangeOf('s', 0, calls, { lane: 1, letters: 7 }))
    const alert = { episode: 'e', rule: 'R', severity: 'page', value: 1, observed: 1, requests: 1, expected: null }
    await history.logAlerts(
      Array.from({ length: 11 }, (_, at) => ({
        ...{ ...alert, atMs: lastHour + Math.floor(at / 4), fingerprint: `f${at % 3}`, summary: String(at) },
        ...{ state: at % 2 === 0 ? 'firing' : 'resolved', rule: at < 5 ? 'R' : 'S', labels: { tenant: 'acme' } },
      })),
    )
  })
  afterAll(async () => {
    await history.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** All rows, page by page; null ends it. */
  async function walk<Row>(
    ask: (page: { limit: number; after?: string }) => Promise<{ rows: readonly Row[]; next?: string | null }>,
    limit: number,
  ): Promise<readonly Row[]> {
    const all: Row[] = []
    let after: string | undefined
    for (let pages = 0; pages < 100; pages++) {
      const { rows, next } = await ask({ limit, ...(after === undefined ? {} : { after }) })
      expect(rows.length).toBeLessThanOrEqual(limit)
      all.push(...rows)
      if (next === null || next === undefined) return all
      expect(rows).toHaveLength(limit)
      after = next
    }
    throw new Error('the pages do not end')
  }

  test.each([1, 4, 7, 46, 100])('events come each once in pages of %i', async (limit) => {
    const whole = (await history.queries.events({ ...span, limit: 1_000 })).rows
    expect(whole).toHaveLength(46)
    if (limit === 1) return
    expect(await walk((page) => history.queries.events({ ...span, ...page }), limit)).toEqual(whole)
    const own = await walk((page) => history.queries.events({ ...span, tenant: 'acme', ...page }), limit)
    expect(own).toHaveLength(24)
  })

  test('dead letters and changes of alerts do too', async () => {
    expect(await walk((page) => history.queries.deadLetters({ ...span, ...page }), 3)).toHaveLength(14)
    const changes = await walk((page) => history.queries.alerts({ ...span, ...page }), 2)
    expect(changes).toEqual((await history.queries.alerts({ ...span, limit: 100 })).rows)
    expect(new Set(changes.map(({ summary }) => summary)).size).toBe(changes.length)
    const ofS = await walk((page) => history.queries.alerts({ ...span, rule: 'S', fingerprint: 'f1', ...page }), 1)
    expect(ofS.length).toBeGreaterThan(0)
    for (const { rule, fingerprint } of ofS) expect([rule, fingerprint]).toEqual(['S', 'f1'])
  })

  test('a cursor of another list is refused', async () => {
    const { next } = await history.queries.alerts({ ...span, limit: 1 })
    await expect(history.queries.events({ ...span, limit: 1, after: next ?? '' })).rejects.toThrow(/none of this list/)
  })

  test('says since when and until when a tenant was seen, when rules fired, and why letters died', async () => {
    expect(await history.facts.seen('acme')).toEqual({ firstMs: lastHour, lastMs: lastHour })
    expect(await history.facts.seen('nobody')).toBeNull()
    const fired = await history.facts.lastFired()
    expect([fired.get('R'), fired.get('S')]).toEqual([lastHour + 1, lastHour + 2])
    const reasons = await history.facts.deadLetterReasons(lastHour)
    expect([...reasons.values()]).toEqual([14])
    expect((await history.facts.deadLetterReasons(lastHour + hour)).size).toBe(0)
  })
})
