import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clusterPlace, type Database, openEmbedded, singlePlace } from '../../src/history/database.ts'
import { History } from '../../src/history/history.ts'
import { historyOptions } from '../../src/history/options.ts'
import { groundStatements, migrations, schemaText } from '../../src/history/schema.ts'
import { systemClock } from '../../src/time/clock.ts'
import { describeWithChdb } from '../support/available.ts'
import { tempDir } from '../support/run-context.ts'
import { lastHour, rangeOf } from './store.ts'

const { retention } = historyOptions.parse({})
const cluster = clusterPlace('main')

/** A schema for a cluster as one server without Keeper can make it: Merge tables stand in for the Distributed ones. */
function alone(sql: string): string {
  return sql
    .replaceAll(/ ON CLUSTER '[^']*'/g, '')
    .replace(/ENGINE = Replicated(\w+)\('[^']*', '\{replica\}'(?:, )?/, 'ENGINE = $1(')
    .replaceAll(
      /(?<!non_)replicated_deduplication_window = (\d+), replicated_deduplication_window_seconds = \d+/g,
      'non_replicated_deduplication_window = $1',
    )
    .replace(/ENGINE = Distributed\('main', '(\w+)', '(\w+)'\)/, "ENGINE = Merge('$1', '^$2$$')")
}

describeWithChdb('The schema for a cluster', () => {
  test('is replicated on every replica, read through Distributed tables, and takes inserts into one replica', async () => {
    await expect(schemaText(cluster, retention)).toMatchFileSnapshot('../golden/cli/schema-cluster.sql')
  })

  test('is understood by ClickHouse, statement by statement', async () => {
    const database = await openEmbedded(join(tempDir('schema'), 'store'))
    for (const text of schemaText(cluster, retention).split(/;\n/)) {
      if (text.trim() === '') continue
      const tree = await database.query<{ explain: string }>(
        `EXPLAIN AST ${text}`.replace(/^EXPLAIN AST \s*/, 'EXPLAIN AST '),
      )
      expect(tree.length).toBeGreaterThan(0)
    }
    await database.close()
  })

  test('holds what lands through one replica, and history reads, verifies, repairs and erases it', async () => {
    const database = await openEmbedded(join(tempDir('schema'), 'store'))
    const statements = [...groundStatements(cluster), ...migrations(cluster).flatMap((step) => step.statements)]
    for (const sql of statements) await database.command(alone(sql))
    const seen: string[] = []
    const there: Database = {
      place: cluster,
      command: async (sql) => {
        seen.push(sql.trim())
        if (!sql.startsWith('SYSTEM SYNC')) await database.command(alone(sql).replaceAll(/insert_quorum[^,]*, /g, ''))
      },
      query: (sql, params, seconds) => {
        return database.query(sql.replaceAll(/clusterAllReplicas\('main', (system\.\w+)\)/g, '$1'), params, seconds)
      },
      insert: (insert) =>
        database.insert({ ...insert, table: insert.table.replace(/^tollwatch\./, 'local_tollwatch.') }),
      close: () => database.close(),
    }
    const history = new History(there, { clock: systemClock, epoch: 0 })
    const calls = [{ tenant: 'acme', cause: 'quota_exceeded' as const }, { tenant: 'zinc' }]
    await history.land(rangeOf('kafka:test', 0, calls))
    await history.land(rangeOf('kafka:test', 0, calls))
    await history.land(rangeOf('kafka:test', 2, [{ tenant: 'zinc', at: lastHour + 3_600_000 }]))
    expect((await history.verify()).problems).toEqual([])
    expect(await history.position('kafka:test', 0)).toBe(3)
    expect(await history.windowRows(lastHour, [])).toHaveLength(4)

    await database.command('ALTER TABLE local_tollwatch.rollup_1m DELETE WHERE 1 SETTINGS mutations_sync = 1')
    await history.repair({ tier: 'rollup_1m', fromMs: lastHour, toMs: lastHour + 1, dryRun: false, settled: false })
    await history.forget('acme')
    const { problems } = await history.verify()
    // The newest hour was not repaired.
    expect(problems.filter((problem) => !problem.includes('rollup_1m has 0'))).toEqual([])
    expect(seen).toContain('SYSTEM SYNC REPLICA local_tollwatch.ledger LIGHTWEIGHT')
    expect(seen.filter((sql) => /^ALTER TABLE local_tollwatch\.\w+ ON CLUSTER 'main' DELETE/.test(sql))).toHaveLength(4)
    expect(
      seen.filter((sql) => sql.startsWith('INSERT INTO local_tollwatch.') && sql.includes("insert_quorum = 'auto'")),
    ).toHaveLength(5)
    await history.close()
  })
})

test('The schema for one server is what the daemon makes, with the retention of the settings', () => {
  const text = schemaText(singlePlace, { ...retention, rollup_10s: 86_400_000, events: null })
  for (const { statements } of migrations(singlePlace)) for (const sql of statements) expect(text).toContain(sql)
  expect(text).toContain('ALTER TABLE tollwatch.rollup_10s MODIFY TTL bucket + INTERVAL 86400 SECOND')
  expect(text).not.toContain('ALTER TABLE tollwatch.events_402 MODIFY TTL')
  expect(text).toContain("INSERT INTO tollwatch.migration (name) VALUES ('0001_history.sql'), ('0002_proof.sql')")
  expect(text).not.toMatch(/ON CLUSTER|Replicated|Distributed/)
})
