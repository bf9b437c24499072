import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { type Database, openEmbedded } from '../../../../src/history/database.ts'
import { migrate } from '../../../../src/history/migrate.ts'
import { historyOptions } from '../../../../src/history/options.ts'
import { Questions } from '../../../../src/history/questions.ts'
import { trendsSql } from '../../../../src/http/page/trends/sql.ts'
import { systemClock } from '../../../../src/time/clock.ts'
import { describeWithChdb } from '../../../support/available.ts'
import { tempDir } from '../../../support/run-context.ts'

const minute = 60_000
const fromMs = Math.floor(systemClock.now() / minute) * minute - 30 * minute
const select = { fromMs, toMs: fromMs + 20 * minute, stepMs: minute, limit: 50 }

describeWithChdb('The SQL that the page copies', () => {
  let database: Database
  beforeAll(async () => {
    database = await openEmbedded(join(tempDir('page-sql'), 'store'))
    await migrate(database, historyOptions.parse({}).retention)
    // Each minute: a hundred calls of each tenant, some of them refused.
    const rows = ['acme', "o'brien"].flatMap((tenant, t) =>
      Array.from({ length: 20 }, (_, i) => {
        const bucket = (fromMs + i * minute) / 1_000
        const name = tenant.replace("'", "\\'")
        const refusal = (cause: string, count: number) => `(${bucket}, '${name}', 'chat', '${cause}', 0, ${count})`
        return [
          `(${bucket}, '${name}', 'chat', '', 100, 0)`,
          refusal('quota_exceeded', i + t),
          refusal('unknown', 1),
        ].join(', ')
      }),
    )
    await database.command(
      `INSERT INTO tollwatch.rollup_1m (bucket, tenant, api, cause, requests, payment_required) VALUES ${rows.join(', ')}`,
    )
    return () => database.close()
  })

  test.each([
    ['cause', {}],
    ['cause', { tenant: "o'brien" }],
    ['tenant', {}],
    ['api', { cause: 'unknown' }],
  ] as const)('by %s gives the numbers of the chart, filtered by %j', async (by, filter) => {
    const questions = new Questions(database, () => systemClock.now())
    const trends = await questions.trends({ ...select, ...filter, by: [by] })
    const chosen = { tenant: undefined, api: undefined, cause: undefined, ...filter }
    const rows = await database.query<Record<string, string | number>>(trendsSql(trends, { by, ...chosen }))
    const asked = rows
      .filter((row) => by !== 'cause' || row['cause'] !== '')
      .map((row) => [row[by], Number(row['refused']), Number(row['requests'])].join(' '))
    const shown = trends.series.flatMap(({ labels, points }) =>
      points.map((point) => [labels[by], point.payment_required, point.requests].join(' ')),
    )
    expect(asked.sort()).toEqual(shown.sort())
    expect(asked.length).toBeGreaterThanOrEqual(20)
  })
})
