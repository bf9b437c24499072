/** The lower half of the live dashboard: the traffic, and Tollwatch itself. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { lines, prometheus, promRange } from './pieces.ts'

/** How much traffic there is at all. */
export function traffic(board: DashboardBuilder, requests: string): void {
  board
    .withRow(new RowBuilder('Traffic'))
    .withPanel(
      lines(
        {
          title: 'Requests a second, by API',
          description: 'All requests in the gateway logs. A drop can mean that the logs stopped, not the traffic.',
          width: 12,
          height: 7,
        },
        'reqps',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', '{{api}}', `topk(8, sum by (api) (rate(${requests}[$__rate_interval])))`)),
    )
    .withPanel(
      lines(
        {
          title: 'Requests a second, largest tenants',
          description: 'The eight tenants with the most requests.',
          width: 12,
          height: 7,
        },
        'reqps',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', '{{tenant}}', `topk(8, sum by (tenant) (rate(${requests}[$__rate_interval])))`)),
    )
}

/** Whether what the other panels show can be trusted. */
export function tollwatchItself(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Tollwatch itself'))
    .withPanel(
      lines(
        {
          title: 'Log records a second',
          description:
            'What became of each record read. Unreadable ones are in `dead_letter` with their place and reason.',
          width: 8,
          height: 7,
        },
        'cps',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', '{{result}}', 'sum by (result) (rate(tollwatch_records_total[$__rate_interval]))')),
    )
    .withPanel(
      lines(
        {
          title: 'Records not read yet',
          description: 'Kafka lag. Growing steadily means that Tollwatch is too slow or that its store is away.',
          width: 8,
          height: 7,
        },
        'short',
      )
        .datasource(prometheus)
        .withTarget(
          promRange('A', '{{topic}}/{{partition}}', 'sum by (topic, partition) (tollwatch_kafka_lag_records)'),
        ),
    )
    .withPanel(
      lines(
        {
          title: 'Behind the clock',
          description:
            'How old the newest closed slice is, and how long an event has been waiting to be stored. Rules see nothing newer than the watermark.',
          width: 8,
          height: 7,
        },
        's',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', 'watermark', 'max(tollwatch_watermark_delay_seconds)'))
        .withTarget(promRange('B', 'oldest unwritten', 'max(tollwatch_history_oldest_unwritten_seconds)')),
    )
    .withPanel(
      lines(
        {
          title: 'Writing history',
          description: 'Time of one write to ClickHouse: half of them, and all but one in twenty, took less.',
          width: 8,
          height: 7,
        },
        's',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', 'half', flushQuantile(0.5)))
        .withTarget(promRange('B', '95 %', flushQuantile(0.95))),
    )
    .withPanel(
      lines(
        {
          title: 'Series',
          description:
            'Tenant and API pairs held in memory, and records counted under a folded name since a limit was reached.',
          width: 8,
          height: 7,
        },
        'short',
      )
        .datasource(prometheus)
        .withTarget(promRange('A', 'held', 'max(tollwatch_series)'))
        .withTarget(promRange('B', 'folded an hour', 'sum(increase(tollwatch_series_folded_total[1h]))')),
    )
    .withPanel(
      lines(
        {
          title: 'Notifications an hour',
          description: 'Messages by receiver and what became of them. Anything but delivered deserves a look.',
          width: 8,
          height: 7,
        },
        'short',
      )
        .datasource(prometheus)
        .withTarget(
          promRange(
            'A',
            '{{receiver}} {{result}}',
            'sum by (receiver, result) (increase(tollwatch_notifications_total[1h]))',
          ),
        ),
    )
}

function flushQuantile(quantile: number): string {
  return `histogram_quantile(${quantile}, sum by (le) (rate(tollwatch_history_flush_duration_seconds_bucket[5m])))`
}
