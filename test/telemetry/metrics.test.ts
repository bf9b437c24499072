import { describe, expect, test } from 'vitest'
import type { MetricsInputs } from '../../src/telemetry/inputs.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import type { SeriesTotals } from '../../src/window/view.ts'
import { describeWithPromtool } from '../support/available.ts'
import { checkMetrics } from '../support/promtool.ts'
import { alert, inputs, series, view } from './inputs.ts'

/** The names that dashboards and outside checks rely on, with their labels. */
const contract = {
  tollwatch_gateway_requests_total: ['tenant', 'api'],
  tollwatch_payment_required_total: ['tenant', 'api', 'cause'],
  tollwatch_payment_required_ratio: ['tenant', 'api', 'window'],
  tollwatch_records_total: ['result'],
  tollwatch_refusals_apart_total: ['kind'],
  tollwatch_kafka_lag_records: ['topic', 'partition'],
  tollwatch_watermark_delay_seconds: [],
  tollwatch_series: [],
  tollwatch_series_folded_total: [],
  tollwatch_history_flush_duration_seconds_bucket: ['le'],
  tollwatch_history_oldest_unwritten_seconds: [],
  tollwatch_alerts: ['rule', 'severity', 'state'],
  tollwatch_notifications_total: ['receiver', 'result'],
}

function metricsOf(replace: Partial<MetricsInputs>, topSeries = 100): Metrics {
  return new Metrics(inputs(replace), { topSeries, version: '0.0.0-test', startedMs: 0 })
}

function lively(): Metrics {
  const metrics = metricsOf({
    lifetime: () => [series('acme', 'chat', 1_004, 60), series('a"b\\c\nd', '/x', 3)],
    view: () => view((lengthMs) => [series('acme', 'chat', lengthMs / 1_000, 15), series('quiet', 'chat', 0, 0)]),
    lag: () => [{ topic: 'gateway-logs', partition: 3, records: 17 }],
    watermarkDelaySeconds: () => 31.5,
    series: () => 2,
    foldedTotal: () => 5,
    oldestUnwrittenSeconds: () => 0.25,
    alerts: () => [alert('Spike', 'firing'), alert('Spike', 'firing'), alert('Spike', 'resolved')],
  })
  metrics.records('ok', 7)
  metrics.records('not-json', 2)
  metrics.refusalsApart('challenge', 4)
  metrics.flushed(0.02)
  metrics.notified('ops-slack', 'sent')
  return metrics
}

/** The sample lines of one metric. */
function samples(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

describe('metrics', () => {
  test('writes the text that dashboards were made for', async () => {
    const text = await lively().text()
    const steady = text.replace(/^(process_|nodejs_)(\w+) .*$/gm, '$1$2 N').replace(/node="[^"]*"/, 'node="V"')
    await expect(steady).toMatchFileSnapshot('./metrics.golden.txt')
  })

  test.each(Object.entries(contract))('has %s with its labels', async (name, labels) => {
    const [line] = samples(await lively().text(), name)
    expect([...(line ?? '').matchAll(/(\w+)="/g)].map((match) => match[1])).toEqual(labels)
    expect(line).toBeDefined()
  })

  test('tells nothing about the host', async () => {
    expect(await lively().text()).not.toMatch(/target_info|host_name|otel_scope/)
  })

  test('drops the ratio of a tenant that went silent and of an alert that is gone', async () => {
    let totals = [series('acme', 'chat', 100, 60)]
    let alerts = [alert('Spike', 'firing')]
    const metrics = metricsOf({ lifetime: () => totals, view: () => view(() => totals), alerts: () => alerts })
    expect(samples(await metrics.text(), 'tollwatch_payment_required_ratio')).toHaveLength(4)
    totals = []
    alerts = []
    const text = await metrics.text()
    expect(samples(text, 'tollwatch_payment_required_ratio')).toEqual([])
    expect(samples(text, 'tollwatch_alerts')).toEqual([])
  })

  test('keeps every one of 3,000 series apart when asked to', async () => {
    const totals: SeriesTotals[] = []
    for (let i = 0; i < 3_000; i++) totals.push(series(`t${i}`, 'chat', 1 + i))
    const text = await metricsOf({ lifetime: () => totals }, 5_000).text()
    expect(samples(text, 'tollwatch_gateway_requests_total')).toHaveLength(3_000)
    expect(text).not.toContain('overflow')
  })

  test('begins its event counters at zero, so that the first event is seen', async () => {
    const lines = samples(await metricsOf({}).text(), 'tollwatch_records_total')
    expect(lines).toContain('tollwatch_records_total{result="not-json"} 0')
  })
})

describeWithPromtool('promtool', () => {
  test.each([
    ['a busy daemon', lively()],
    ['one that has seen nothing', metricsOf({})],
  ])('is content with the metrics of %s', async (_, metrics) => {
    expect(await checkMetrics(await metrics.text())).toBe('')
  })
})
