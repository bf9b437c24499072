import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { describeWithChdb, describeWithKafka } from '../support/available.ts'
import { startClickHouse } from '../support/clickhouse-http.ts'
import { createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { type Daemon, startTollwatch, tollwatch } from '../support/tollwatch.ts'
import { mixedTraffic } from './mixed-traffic.ts'

const records = 60_000
const partitions = 4

interface Summary {
  rows: { tenant: string; api: string; cause: string; requests: number; payment_required: number }[]
}

function call(id: string, atMs: number): string {
  return JSON.stringify({
    request: { id, method: 'POST', uri: '/chat', headers: {} },
    response: { status: 200, headers: {}, size: 12 },
    latencies: { kong: 1, proxy: 8, request: 9 },
    route: { name: 'chat' },
    consumer: { username: 'acme' },
    started_at: atMs,
    source: 'upstream',
  })
}

describeWithChdb('History', () => {
  describeWithKafka('on a real broker', () => {
    test('holds each of 60,000 records of a backlog once after the daemon was killed twice on its way through them', {
      timeout: 240_000,
    }, async () => {
      const brokers = await sharedKafka()
      const topic = topicName('kill')
      await createTopic(brokers, topic, partitions)
      const now = Math.floor(Date.now() / 60_000) * 60_000
      const { values, truth } = mixedTraffic(records, partitions, now - 20 * 60_000, now)
      for (const [partition, list] of values.entries()) await produce(brokers, topic, list, { partition })

      const dir = tempDir('exactly-once')
      const config = `source: { kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 6s } }\nhistory: { flush_interval: 300ms, flush_rows: 500, data_dir: ./data }\n`
      const start = () => startTollwatch({ dir, config, waitUntilReady: false })
      const landed = async (daemon: Daemon): Promise<number> => {
        const span = `from=${now - 3_600_000}&to=${now + 3_600_000}`
        const { rows } = await daemon
          .get<Summary>(`/api/v1/summary?${span}&by=`)
          .catch(() => ({ rows: [] as Summary['rows'] }))
        return rows.reduce((sum, row) => sum + row.requests, 0)
      }
      // Random moments, but early enough that there is something left to do: each after a share of what is missing.
      let before = 0
      for (let round = 0; round < 2; round++) {
        const daemon = await start()
        const share = before + Math.floor(((records - before) / 3) * (0.3 + Math.random()))
        before = await waitFor(
          `${share} records`,
          async () => ((await landed(daemon)) >= share ? landed(daemon) : null),
          {
            timeoutMs: 60_000,
            everyMs: 20,
          },
        )
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
        await daemon.kill()
      }
      expect(before).toBeLessThan(records)

      const daemon = await start()
      await waitFor('all records', async () => (await landed(daemon)) >= truth.records, { timeoutMs: 90_000 })
      const span = `from=${now - 3_600_000}&to=${now + 3_600_000}&limit=1000`
      const byCause = await daemon.get<Summary>(`/api/v1/summary?${span}&by=tenant,api,cause`)
      const bySeries = await daemon.get<Summary>(`/api/v1/summary?${span}&by=tenant,api`)
      const found = new Map<string, number>()
      for (const row of bySeries.rows) found.set(`${row.tenant} ${row.api} `, row.requests)
      for (const row of byCause.rows)
        if (row.cause !== '') found.set(`${row.tenant} ${row.api} ${row.cause}`, row.payment_required)
      expect(new Map([...found].sort())).toEqual(new Map([...truth.series].sort()))
      expect((await daemon.stop()).code).toBe(0)

      const verified = await tollwatch(['history', 'verify', '--data', './data', '--json'], { cwd: dir })
      const report = JSON.parse(verified.stdout)
      expect(report.problems).toEqual([])
      expect(verified.code).toBe(0)
      expect(report.totals.ledger).toEqual({ requests: truth.records, payment_required: truth.refused })
      expect(report.totals.rollup_1m).toEqual({ requests: truth.records, payment_required: truth.refused })
      expect(report.totals.events_402.payment_required).toBe(truth.refused)
      expect(report.lanes.reduce((sum: number, lane: { dead_letters: number }) => sum + lane.dead_letters, 0)).toBe(
        truth.unreadable,
      )
    })

    test('passes over transaction markers and records that were given up, and counts what a gateway sends twice twice', {
      timeout: 120_000,
    }, async () => {
      const brokers = await sharedKafka()
      const topic = topicName('markers')
      await createTopic(brokers, topic)
      const now = Date.now()
      const values = (first: number) => Array.from({ length: 5 }, (_, i) => call(`req-${first + i}`, now - 60_000))
      const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer({
        ...{ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 },
      })
      await producer.connect()
      for (const [first, end] of [
        [0, 'commit'],
        [5, 'abort'],
        [10, 'abort'],
        [15, 'commit'],
      ] as const) {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: values(first).map((value) => ({ value })) })
        await transaction[end]()
      }
      await producer.disconnect()
      // The same request once more, as a gateway delivers it that had no answer: Tollwatch keeps no list of requests.
      await produce(brokers, topic, [call('req-0', now - 60_000)])

      const daemon = await startTollwatch({
        config: `source: { kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 6s } }\nhistory: { flush_interval: 300ms, data_dir: ./data }\n`,
        waitUntilReady: false,
      })
      const counted = async () => {
        const { rows } = await daemon.get<Summary>('/api/v1/summary?from=-1h&to=now&by=')
        return rows.reduce((sum, row) => sum + row.requests, 0)
      }
      await waitFor('the records', async () => (await counted()) >= 11, { timeoutMs: 60_000 })
      expect(await counted()).toBe(11)
      expect((await daemon.stop()).code).toBe(0)
      const verified = await tollwatch(['history', 'verify', '--data', './data', '--json'], { cwd: daemon.dir })
      const report = JSON.parse(verified.stdout)
      expect(report.problems).toEqual([])
      expect(report.totals.ledger.requests).toBe(11)
    })

    test('lands the same through the official client over HTTP, and catches up after the server was away', {
      timeout: 120_000,
    }, async () => {
      const brokers = await sharedKafka()
      const topic = topicName('server')
      await createTopic(brokers, topic, 2)
      const now = Math.floor(Date.now() / 60_000) * 60_000
      const { values, truth } = mixedTraffic(4_000, 2, now - 10 * 60_000, now)
      for (const [partition, list] of values.entries()) await produce(brokers, topic, list, { partition })
      const server = await startClickHouse()
      try {
        const config = `source: { kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 6s } }\nhistory: { flush_interval: 300ms, flush_rows: 500, clickhouse: { url: "${server.url}" } }\n`
        const daemon = await startTollwatch({ config, waitUntilReady: false })
        const counted = async () => {
          const sql =
            'SELECT sum(requests) AS r, sum(payment_required) AS p FROM tollwatch.rollup_1m FORMAT JSONEachRow'
          return JSON.parse(await server.query(sql)) as { r: string; p: string }
        }
        await waitFor('all records', async () => Number((await counted()).r) >= truth.records, { timeoutMs: 60_000 })
        const totals = await counted()
        expect([Number(totals.r), Number(totals.p)]).toEqual([truth.records, truth.refused])
        await server.kill()
        const later = mixedTraffic(2_000, 2, now, now + 60_000)
        for (const [partition, list] of later.values.entries()) await produce(brokers, topic, list, { partition })
        const all = truth.records + later.truth.records
        // Live windows do not wait for history.
        await waitFor('live counts', async () => {
          const live = await daemon.get<{ total: { requests: number } }>('/api/v1/live?window=1h')
          return live.total.requests === all
        })
        await waitFor('the reason', async () => {
          const answer = await fetch(`${daemon.url}/readyz`)
          return answer.status === 503 && (await answer.text()).includes('cannot be written')
        })
        await server.restart()
        await waitFor('the debt to be written', async () => Number((await counted()).r) >= all, { timeoutMs: 60_000 })
        expect(Number((await counted()).r)).toBe(all)
        await daemon.ready()
        expect((await daemon.stop()).code).toBe(0)
      } finally {
        await server.stop()
      }
    })
  })
})
