import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tempDir } from '../support/run-context.ts'
import { tollwatch } from './in-process.ts'

test('tollwatch schema prints the tables of one server, or of the cluster that is named', async () => {
  const config = join(tempDir('schema'), 'tollwatch.yaml')
  writeFileSync(config, 'history: { retention: { rollup_10s: 5d } }\n')
  const single = await tollwatch('schema', '-c', config)
  expect(single.code).toBe(0)
  expect(single.out).toMatch(/^CREATE DATABASE IF NOT EXISTS tollwatch ENGINE = Atomic;\n/)
  expect(single.out).toContain(`MODIFY TTL bucket + INTERVAL ${5 * 86_400} SECOND`)
  const named = await tollwatch('schema', '-c', config, '--cluster', 'main')
  expect(named.out).toContain("CREATE TABLE IF NOT EXISTS local_tollwatch.ledger ON CLUSTER 'main'")

  writeFileSync(config, 'history: { clickhouse: { url: "http://127.0.0.1:1", cluster: east } }\n')
  expect((await tollwatch('schema', '-c', config)).out).toContain("ON CLUSTER 'east'")
})

test('tollwatch schema takes no cluster by a name that would be SQL', async () => {
  const { code, err } = await tollwatch('schema', '--cluster', "x' ENGINE")
  expect([code, err]).toEqual([2, 'tollwatch: --cluster is no name of a cluster\n'])
})
