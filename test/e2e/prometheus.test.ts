import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  describeWithChdb,
  describeWithKafka,
  describeWithPrometheus,
  describeWithPromtool,
} from '../support/available.ts'
import { type ClickHouse, startClickHouse } from '../support/clickhouse-http.ts'
import { dashboardExpressions } from '../support/dashboards.ts'
import { createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { type Caller, kongTraffic, type Span } from '../support/kong-traffic.ts'
import { waitFor } from '../support/process.ts'
import { type Prometheus, startPrometheus } from '../support/prometheus.ts'
import { checkMetrics } from '../support/promtool.ts'
import { tempDir } from '../support/run-context.ts'
import { sampleOf } from '../support/samples.ts'
import { type Daemon, startTollwatch } from '../support/tollwatch.ts'

const minute = 60_000
const week = 7 * 24 * 60 * minute

/** Two tenants on a normal day; in the incident a quarter of acme's calls fail with a declined card. */
const calm: readonly Caller[] = [
  { tenant: 'acme', api: 'chat', everyMs: 1_000, refused: { code: 'do_not_honor', each: 200 } },
  { tenant: 'globex', api: 'files', everyMs: 1_000, refused: { code: 'insufficient_quota', each: 150 } },
]
const incident: readonly Caller[] = calm.map((caller) =>
  caller.tenant === 'acme' ? { ...caller, refused: { code: 'do_not_honor', each: 2 } } : caller,
)

describeWithChdb('A daemon with an incident', () => {
  describeWithKafka('read from a real broker', () => {
    // Baselines learn in slots of five minutes: the same phase every time makes the same alert every time.
    const nowMs = Math.floor(Date.now() / (5 * minute)) * 5 * minute
    const at = (minutes: number): number => nowMs + minutes * minute
    let server: ClickHouse
    let daemon: Daemon
    let send: (callers: readonly Caller[], span: Span) => Promise<void>
    let bury: (values: readonly string[]) => Promise<void>

    beforeAll(async () => {
      const [brokers, clickhouse] = await Promise.all([sharedKafka(), startClickHouse()])
      server = clickhouse
      const topic = topicName('dashboards')
      await createTopic(brokers, topic)
      const dir = tempDir('dashboards')
      writeFileSync(join(dir, 'notify.yaml'), 'route: { receiver: log, group_wait: 0s }\n')
      const config = `
source: { kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 6s } }
window: { lateness: 0s }
history: { flush_interval: 300ms, clickhouse: { url: "${server.url}" } }
notify: { file: notify.yaml }
`
      daemon = await startTollwatch({ dir, config })
      bury = (values) => produce(brokers, topic, values)
      send = (callers, span) => bury(kongTraffic(callers, span))
      await send(calm, { afterMs: at(-35), untilMs: at(-5) })
      // The rules have seen what is normal before the incident comes.
      await waitFor('the calm half hour', async () => {
        const { watermark } = await daemon.get<{ watermark: string | null }>('/api/v1/live?window=5m')
        return watermark !== null && Date.parse(watermark) >= at(-6)
      })
      await send(incident, { afterMs: at(-5), untilMs: at(-1) })
      // What comes late by one week to four is the past that a dashboard compares with; one value is broken.
      for (const weeks of [1, 2, 3, 4])
        await send(calm, { afterMs: at(-20) - weeks * week, untilMs: at(-10) - weeks * week })
      await bury(['{"request":{"id":"cut'])
      const announced = async () =>
        (sampleOf(await daemon.metrics(), 'tollwatch_notifications_total', { result: 'sent' }) ?? 0) > 0
      await waitFor('the alert to be announced', announced, { timeoutMs: 60_000 }).catch(async (cause: unknown) => {
        const alerts = JSON.stringify(await daemon.get('/api/v1/alerts'))
        throw new Error(`${daemon.logs().slice(-3_000)}\n${alerts.slice(0, 2_000)}`, { cause })
      })
    })

    afterAll(async () => {
      await daemon?.child.kill()
      await server?.stop()
    })

    describeWithPromtool('its metrics', () => {
      test('leave promtool nothing to say', async () => {
        expect(await checkMetrics(await daemon.metrics())).toBe('')
      })
    })

    describeWithPrometheus('its metrics in a real Prometheus', () => {
      let prometheus: Prometheus
      const expressions = dashboardExpressions({ fromMs: nowMs - 60 * minute, toMs: nowMs }).filter(
        ({ kind }) => kind === 'promql',
      )

      beforeAll(async () => {
        prometheus = await startPrometheus([new URL(daemon.metricsUrl).host])
        await prometheus.scraped(2)
        // A rate needs a rise between two scrapes.
        await send(incident, { afterMs: at(-1), untilMs: at(0) })
        await waitFor('the rise to be scraped', async () => {
          const [rise] = await prometheus.query('sum(increase(tollwatch_payment_required_total[5m]))')
          const [writes] = await prometheus.query('sum(increase(tollwatch_history_flush_duration_seconds_count[5m]))')
          return (rise?.value ?? 0) > 0 && (writes?.value ?? 0) > 0
        })
      })

      afterAll(() => prometheus?.stop())

      test('answer many expressions', () => expect(expressions.length).toBeGreaterThan(20))

      test.each(expressions)('answer $name', async ({ text, needsPast }) => {
        // A Prometheus that is seconds old has no yesterday; the question is the same without it.
        const samples = await prometheus.query(needsPast ? text.replaceAll(/ offset \d+[a-z]+/g, '') : text)
        expect(samples).not.toEqual([])
        for (const { value } of samples) expect(value).not.toBeNaN()
      })
    })

    const questions = dashboardExpressions({ fromMs: nowMs - 60 * minute, toMs: nowMs + 60 * minute }).filter(
      ({ kind }) => kind === 'sql',
    )

    test('gives history that answers many questions', () => expect(questions.length).toBeGreaterThan(10))

    test.each(questions)('gives history that answers $name', async ({ text }) => {
      const rows = await waitFor(
        'rows',
        async () => {
          const lines = (await server.query(`${text}\nFORMAT JSONEachRow`)).split('\n').filter(Boolean)
          const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
          // A sum over nothing is a row, too: one that says 0 or null.
          return found.some((row) => Object.values(row).some((value) => value !== null && Number(value) !== 0)) && found
        },
        { timeoutMs: 5_000 },
      )
      expect(rows.length).toBeGreaterThan(0)
    })
  })
})
