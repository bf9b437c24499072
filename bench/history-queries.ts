import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, openEmbedded } from '../src/history/database.ts'
import { History } from '../src/history/history.ts'
import { migrate } from '../src/history/migrate.ts'
import { systemClock } from '../src/time/clock.ts'
import { dayMs, hourMs, minuteMs } from '../src/time/duration.ts'
import { tempDir } from '../test/support/run-context.ts'
import { config } from './daemon.ts'
import { type Figure, msText } from './figures.ts'
import { startCost } from './measure.ts'
import type { Progress } from './progress.ts'

const tenants = 2_000
/** APIs of a tenant; the last two rows of a tenant are refusals on its first API. */
const apis = 12
const keysPerTenant = apis + 2
const keys = tenants * keysPerTenant
/** Of how many 10 s slices of a series one has records; so the finest tier comes to 20 million rows a day. */
const sparseness = 12
const days = 30
/** How often filling the tables moves the progress on: the hours of the last day, and the days before it. */
export const fillSteps = 24 + days - 1

/** How long history takes to answer, and to prove itself whole, over some 75 million rows. */
export async function historyQueriesFigure({
  rounds,
  quick,
  progress,
}: {
  rounds: number
  quick: boolean
  progress: Progress
}): Promise<Figure> {
  const directory = tempDir('bench-queries')
  const database = await openEmbedded(join(directory, 'store'))
  try {
    await migrate(database, { ...config.history.retention, rollup_10s: dayMs })
    const endMs = Math.floor(systemClock.now() / hourMs) * hourMs
    const share = quick ? 20 : 1
    await fill(database, { endMs, share, progress })
    const history = new History(database, { clock: systemClock, epoch: 0 })
    const samples = questions(history, endMs).map(({ name, ask }) => ({
      ...{ name, ask },
      ...{ wallMs: [] as number[], cpuMs: [] as number[] },
    }))
    for (let round = 0; round <= rounds; round++) {
      for (const sample of samples) {
        const ended = startCost()
        await sample.ask()
        const { wallMs, cpuMs } = ended()
        if (round === 0) continue
        sample.wallMs.push(wallMs)
        sample.cpuMs.push(cpuMs)
      }
      progress.step()
    }
    return figureOf(samples, await rowsOf(database))
  } finally {
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

function questions(history: History, endMs: number): readonly { name: string; ask: () => Promise<unknown> }[] {
  const { queries } = history
  const tenant = { fromMs: endMs - dayMs, toMs: endMs, tenant: 'tenant-1234', limit: 100 }
  const fleet = { fromMs: endMs - days * dayMs, toMs: endMs, limit: 100 }
  const hour = { fromMs: endMs - hourMs, toMs: endMs, limit: 100 }
  return [
    {
      name: 'one tenant, 24 h: trends by API, step 5m',
      ask: () => queries.trends({ ...tenant, by: ['api'], stepMs: 5 * minuteMs }),
    },
    {
      name: 'one tenant, 24 h: trends by cause, step 1m',
      ask: () => queries.trends({ ...tenant, by: ['cause'], stepMs: minuteMs }),
    },
    { name: 'one tenant, 24 h: trends, step 10s', ask: () => queries.trends({ ...tenant, by: [], stepMs: 10_000 }) },
    {
      name: 'one tenant, 24 h: summary by API and cause',
      ask: () => queries.summary({ ...tenant, by: ['api', 'cause'] }),
    },
    {
      name: 'fleet, 30 days: trends by cause, step 1h',
      ask: () => queries.trends({ ...fleet, by: ['cause'], stepMs: hourMs }),
    },
    { name: 'fleet, 30 days: trends, step 1d', ask: () => queries.trends({ ...fleet, by: [], stepMs: dayMs }) },
    { name: 'fleet, 30 days: summary by cause', ask: () => queries.summary({ ...fleet, by: ['cause'] }) },
    {
      name: 'fleet, 30 days: summary by tenant and cause',
      ask: () => queries.summary({ ...fleet, by: ['tenant', 'cause'] }),
    },
    {
      name: 'fleet, 30 days: summary by tenant, API and cause',
      ask: () => queries.summary({ ...fleet, by: ['tenant', 'api', 'cause'] }),
    },
    {
      name: 'fleet, last hour: trends by cause, step 10s',
      ask: () => queries.trends({ ...hour, by: ['cause'], stepMs: 10_000 }),
    },
    {
      name: 'windows after a restart: last 71 min of every series',
      ask: () => history.windowRows(endMs - 71 * minuteMs, []),
    },
    { name: 'history verify', ask: () => verified(history) },
  ]
}

async function verified(history: History): Promise<void> {
  const { problems } = await history.verify()
  if (problems.length > 0) throw new Error(`history is not in order: ${problems.slice(0, 3).join('; ')}`)
}

/**
 * A day in the finest tier, rolled up into the others, and 29 days before it in the coarser two, with a ledger that
 * accounts for all of it: one range an hour.
 */
async function fill(
  database: Database,
  { endMs, share, progress }: { endMs: number; share: number; progress: Progress },
): Promise<void> {
  const some = Math.floor(keys / share)
  for (let at = endMs - dayMs; at < endMs; at += hourMs) {
    await insert(
      database,
      'rollup_10s',
      `source, lane, ${columns}`,
      `'bench', 0, ${rowOf({ at, buckets: 360, seconds: 10 })} FROM numbers(${some} * 360)
      WHERE cityHash64(number, ${at}) % ${sparseness} = 0`,
    )
    await insert(
      database,
      'rollup_1m',
      columns,
      `toStartOfMinute(bucket), ${summed} FROM tollwatch.rollup_10s WHERE ${within(at)}
      GROUP BY toStartOfMinute(bucket), tenant, api, cause`,
    )
    await insert(
      database,
      'rollup_1h',
      columns,
      `toStartOfHour(bucket), ${summed} FROM tollwatch.rollup_1m WHERE ${within(at)}
      GROUP BY toStartOfHour(bucket), tenant, api, cause`,
    )
    progress.step()
  }
  for (let at = endMs - days * dayMs; at < endMs - dayMs; at += dayMs) {
    for (const tier of ['rollup_1m', 'rollup_1h']) {
      await insert(database, tier, columns, `${rowOf({ at, buckets: 24, seconds: 3600 })} FROM numbers(${some} * 24)`)
    }
    progress.step()
  }
  await database.command(`
    INSERT INTO tollwatch.ledger (source, lane, lo, hi, requests, payment_required, min_time, max_time, hours)
    SELECT 'bench', 0, row_number() OVER (ORDER BY at) AS n, n, req, ref, at, at, [(at, req, ref)]
    FROM (SELECT bucket AS at, sum(requests) AS req, sum(payment_required) AS ref FROM tollwatch.rollup_1h GROUP BY at)`)
  await database.command(`
    INSERT INTO tollwatch.events_402 (ts, tenant, api, cause, kind, source, lane, offset, entry)
    SELECT at, 't', c, c, 'payment_required', 'bench', 0, 0, arrayJoin(range(ref))
    FROM (SELECT bucket AS at, cause AS c, sum(payment_required) AS ref FROM tollwatch.rollup_1h WHERE cause != '' GROUP BY at, c)
    SETTINGS max_partitions_per_insert_block = 100`)
  for (const tier of ['rollup_10s', 'rollup_1m', 'rollup_1h'])
    await database.command(`OPTIMIZE TABLE tollwatch.${tier}`)
}

const columns = 'bucket, tenant, api, cause, requests, payment_required, n2xx, n4xx'
const summed = 'tenant, api, cause, sum(requests), sum(payment_required), sum(n2xx), sum(n4xx)'

/** The columns of row `number`: key by key, and of each key so many buckets from `at` on. */
function rowOf({ at, buckets, seconds }: { at: number; buckets: number; seconds: number }): string {
  const key = `intDiv(number, ${buckets}) % ${keysPerTenant}`
  return `fromUnixTimestamp(${at / 1000}) + (number % ${buckets}) * ${seconds},
    concat('tenant-', toString(intDiv(intDiv(number, ${buckets}), ${keysPerTenant}))),
    concat('/v1/route-', toString(if(${key} < ${apis}, ${key}, 0))),
    if(${key} < ${apis}, '', if(${key} = ${apis}, 'quota_exceeded', 'insufficient_funds')),
    if(${key} < ${apis}, 20, 0), if(${key} < ${apis}, 0, 1), if(${key} < ${apis}, 19, 0), if(${key} < ${apis}, 1, 0)`
}

function within(at: number): string {
  return `bucket >= fromUnixTimestamp(${at / 1000}) AND bucket < fromUnixTimestamp(${(at + hourMs) / 1000})`
}

function insert(database: Database, table: string, names: string, select: string): Promise<void> {
  return database.command(`INSERT INTO tollwatch.${table} (${names}) SELECT ${select} SETTINGS insert_deduplicate = 0`)
}

async function rowsOf(database: Database): Promise<string> {
  const rows = await database.query<{ name: string; n: number; bytes: number }>(
    `SELECT table AS name, sum(rows) AS n, sum(bytes_on_disk) AS bytes FROM system.parts
     WHERE active AND database = 'tollwatch' AND rows > 100000 GROUP BY table ORDER BY table`,
  )
  return rows
    .map(({ name, n, bytes }) => `${name} ${(n / 1e6).toFixed(1)} M rows (${(bytes / 1e6).toFixed(0)} MB)`)
    .join(', ')
}

function figureOf(
  samples: readonly { name: string; wallMs: readonly number[]; cpuMs: readonly number[] }[],
  rows: string,
): Figure {
  return {
    title: 'Questions to history',
    note: `Embedded store; ${keys.toLocaleString('en')} series and causes of ${tenants.toLocaleString('en')} tenants: ${rows}. In brackets the extremes.`,
    columns: ['question', 'ms wall', 'ms CPU'],
    rows: samples.map(({ name, wallMs, cpuMs }) => [name, msText(wallMs), msText(cpuMs)]),
    data: samples.map(({ name, wallMs, cpuMs }) => ({ name, wallMs, cpuMs })),
  }
}
