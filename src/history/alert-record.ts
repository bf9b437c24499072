import { clickhouseTime } from './clickhouse-time.ts'

/** A change of an alert as `tollwatch.alert_log` keeps it; times are event times. */
export interface AlertRecord {
  readonly atMs: number
  readonly fingerprint: string
  readonly episode: string
  readonly rule: string
  readonly state: string
  readonly severity: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly observed: number
  readonly requests: number
  readonly expected: number | null
  readonly summary: string
}

export const alertColumns = [
  ...['at', 'fingerprint', 'episode', 'rule', 'state', 'severity', 'tenant', 'api', 'cause', 'labels', 'value'],
  ...['observed', 'requests', 'expected', 'summary'],
]

export function alertValues(record: AlertRecord): unknown[] {
  const { labels } = record
  return [
    ...[clickhouseTime(record.atMs), record.fingerprint, record.episode, record.rule, record.state, record.severity],
    ...[labels['tenant'] ?? '', labels['api'] ?? '', labels['cause'] ?? '', labels, record.value],
    ...[record.observed, record.requests, record.expected, record.summary],
  ]
}
