/** Alerts about Tollwatch itself: what nobody would be told of if it could not tell anybody. */
import { grown, type PromRule } from './promql.ts'

const attempts = (result: string) => grown(['receiver'], `tollwatch_notifications_total{result${result}"sent"}`, '15m')

export const aboutItself: readonly PromRule[] = [
  {
    alert: 'TollwatchAbsent',
    // Without a word about jobs: whatever its name, a Tollwatch that is scraped says what it is.
    expr: 'absent(tollwatch_build_info)',
    for: '2m',
    labels: { severity: 'page' },
    annotations: {
      summary: 'Prometheus sees no Tollwatch: it does not run, or cannot be scraped. No rule watches refusals.',
      runbook: 'runbooks/input_stalled.md',
    },
  },
  {
    alert: 'HistoryLags',
    expr: 'max by (job, instance) (tollwatch_history_oldest_unwritten_seconds) > 300',
    for: '5m',
    labels: { severity: 'ticket' },
    annotations: {
      summary:
        'Records have been waiting for {{ humanizeDuration $value }} to be stored. Nothing is lost; look at ClickHouse and at /readyz.',
      runbook: 'runbooks/input_stalled.md',
    },
  },
  {
    alert: 'NotificationsFailing',
    expr: `${attempts('!=')} >= 3\nunless on (receiver) ${attempts('=')} > 0`,
    for: '1m',
    labels: { severity: 'page' },
    annotations: {
      summary:
        'No message reaches {{ $labels.receiver }}: {{ printf "%.0f" $value }} attempts failed in 15 minutes. `tollwatch test-receiver {{ $labels.receiver }}` says why.',
    },
  },
  {
    alert: 'RecordsUnreadable',
    expr: `sum by (job, instance) (increase(tollwatch_records_total{result!~"ok|skipped"}[15m]))
  / sum by (job, instance) (increase(tollwatch_records_total[15m])) > 0.01
and sum by (job, instance) (increase(tollwatch_records_total{result!~"ok|skipped"}[15m])) >= 20`,
    for: '5m',
    labels: { severity: 'ticket' },
    annotations: {
      summary:
        '{{ $value | humanizePercentage }} of the records cannot be read: what they tell is missing everywhere. `tollwatch query dead-letters` shows them.',
    },
  },
  {
    alert: 'SeriesFolded',
    expr: 'sum by (job, instance) (increase(tollwatch_series_folded_total[1h])) > 0',
    labels: { severity: 'info' },
    annotations: {
      summary:
        'A limit of series is reached: {{ printf "%.0f" $value }} records of the last hour count under __other__. Raise the limit, or find who makes up names.',
    },
  },
]
