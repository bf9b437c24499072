import { describe, expect, test } from 'vitest'
import { clusterPlace, type Database, type Place, singlePlace } from '../../src/history/database.ts'
import { probe, refuseWithoutDedup } from '../../src/history/probe.ts'

/** A server that answers as told; `knows` decides which settings it has. */
function server(answers: {
  version?: string
  knows?: (setting: string) => boolean
  engine?: string
  place?: Place
}): Database {
  const { version = '24.8.1.2684', knows = () => true, engine = '', place = singlePlace } = answers
  const tables = ['rollup_10s', 'rollup_1m', 'rollup_1h', 'ledger', 'events_402', 'dead_letter']
  return {
    place,
    command: async () => {},
    insert: async () => {},
    close: async () => {},
    query: async <Row>(sql: string, params: Readonly<Record<string, unknown>> = {}) => {
      if (sql.includes('version()')) return [{ version }] as Row[]
      if (sql.includes('system.settings')) {
        return (params['names'] as string[]).filter(knows).map((name) => ({ name })) as Row[]
      }
      return tables.map((name) => ({ name, engine_full: engine })) as Row[]
    },
  }
}

describe('probe', () => {
  test.each(['24.8.1.2684', '24.12.1', '25.3.2.39', '26.7.2.1'])('takes a server of version %s', async (version) => {
    await probe(server({ version }))
  })

  test.each(['24.7.9.1', '23.12.1', '18.16.1'])('refuses a server of version %s', async (version) => {
    await expect(probe(server({ version }))).rejects.toMatchObject({
      code: 'store-refused',
      retryable: false,
      message: expect.stringContaining(`ClickHouse ${version} is too old: Tollwatch needs 24.8 or later`),
    })
  })

  test('refuses a server that does not know a setting, by its name', async () => {
    const knows = (setting: string) => setting !== 'insert_deduplication_token'
    await expect(probe(server({ knows }))).rejects.toThrow('does not know the settings insert_deduplication_token:')
  })
})

describe('refuseWithoutDedup', () => {
  const merge = 'AggregatingMergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10000'
  const replicated =
    "ReplicatedAggregatingMergeTree('/p', '{replica}') ORDER BY a SETTINGS replicated_deduplication_window = 10000"

  test.each([merge, replicated])('takes %s', async (engine) => refuseWithoutDedup(server({ engine })))

  test.each([
    ['a window of 0', merge.replace('10000', '0'), 'MODIFY SETTING non_replicated_deduplication_window = 10000'],
    ['no window', 'AggregatingMergeTree ORDER BY a', 'MODIFY SETTING non_replicated_deduplication_window = 10000'],
    [
      'the window of the other kind of table',
      replicated.replace('replicated_', 'non_replicated_'),
      'MODIFY SETTING replicated_deduplication_window = 10000',
    ],
  ])('refuses %s, with the statement that mends it', async (_, engine, fix) => {
    await expect(refuseWithoutDedup(server({ engine }))).rejects.toThrow(fix)
  })

  test('addresses a table of a cluster where it lies', async () => {
    const refused = refuseWithoutDedup(server({ engine: 'ReplicatedMergeTree', place: clusterPlace('main') }))
    await expect(refused).rejects.toThrow("ALTER TABLE local_tollwatch.rollup_10s ON CLUSTER 'main' MODIFY SETTING")
  })
})
