import type { Alert } from '../alert/alert.ts'
import { type WindowView, windowLengthsMs } from '../window/view.ts'
import type { ExportedSeries } from './exported-series.ts'
import { type Family, type Point, single } from './family.ts'
import type { MetricsInputs } from './inputs.ts'

/** Everything that is read at the moment of a scrape. */
export function scrapedFamilies(inputs: MetricsInputs, exported: ExportedSeries): readonly Family[] {
  return [
    ...seriesFamilies(inputs, exported),
    {
      name: 'tollwatch_kafka_lag_records',
      help: 'Records of the partition that are not read yet.',
      kind: 'gauge',
      points: inputs.lag().map(({ topic, partition, records }) => ({
        labels: { topic, partition: String(partition) },
        value: records,
      })),
    },
    single(
      'gauge',
      'tollwatch_watermark_delay_seconds',
      'How far the watermark is behind the clock.',
      inputs.watermarkDelaySeconds(),
    ),
    single('gauge', 'tollwatch_series', 'Series held in the windows.', inputs.series()),
    single(
      'counter',
      'tollwatch_series_folded_total',
      'Records counted under a folded name because a series limit was reached.',
      inputs.foldedTotal(),
    ),
    single(
      'gauge',
      'tollwatch_history_oldest_unwritten_seconds',
      'Age of the oldest event that history does not hold yet; 0 when all is written.',
      inputs.oldestUnwrittenSeconds(),
    ),
    {
      name: 'tollwatch_alerts',
      help: 'Alerts by rule, severity and state.',
      kind: 'gauge',
      points: alertPoints(inputs.alerts()),
    },
  ]
}

function seriesFamilies(inputs: MetricsInputs, exported: ExportedSeries): readonly Family[] {
  const lifetime = inputs.lifetime()
  exported.admit(lifetime)
  const rows = exported.withRest(lifetime)
  const view = inputs.view()
  return [
    {
      name: 'tollwatch_gateway_requests_total',
      help: 'Requests seen in gateway access logs.',
      kind: 'counter',
      points: rows.map(({ tenant, api, requests }) => ({ labels: { tenant, api }, value: requests })),
    },
    {
      name: 'tollwatch_payment_required_total',
      help: 'Requests refused with a watched status, by cause.',
      kind: 'counter',
      points: rows.flatMap(({ tenant, api, causes }) =>
        causes.map(({ cause, count }) => ({ labels: { tenant, api, cause }, value: count })),
      ),
    },
    {
      name: 'tollwatch_payment_required_ratio',
      help: 'Share of requests refused in the rolling window, 0 to 1; only where the window has a request.',
      kind: 'gauge',
      points: view === null ? [] : ratioPoints(view, exported),
    },
  ]
}

function ratioPoints(view: WindowView, exported: ExportedSeries): readonly Point[] {
  const { endMs } = view
  if (endMs === null) return []
  const points: Point[] = []
  for (const [window, lengthMs] of Object.entries(windowLengthsMs)) {
    for (const row of exported.withRest(view.totals(endMs - lengthMs, endMs))) {
      if (row.requests < 1) continue
      const labels = { tenant: row.tenant, api: row.api, window }
      points.push({ labels, value: row.paymentRequired / row.requests })
    }
  }
  return points
}

function alertPoints(alerts: readonly Alert[]): readonly Point[] {
  const points = new Map<string, { labels: Record<string, string>; value: number }>()
  for (const { rule, severity, state } of alerts) {
    const key = JSON.stringify([rule, severity, state])
    const point = points.get(key) ?? { labels: { rule, severity, state }, value: 0 }
    points.set(key, point)
    point.value += 1
  }
  return [...points.values()]
}
