/** Alerts of `alert_log` drawn into charts. */
import { AnnotationQueryBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { clickhouse, sql } from './queries.ts'

/** @param where which alerts, as SQL over `alert_log` */
export function alertMarks(where = '1'): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Alerts')
    .datasource(clickhouse)
    .enable(true)
    .iconColor('#CC3311')
    .target(
      sql(
        'Anno',
        'table',
        `
        SELECT at AS time, concat(rule, ': ', summary) AS text, concat(state, ',', severity) AS tags
        FROM tollwatch.alert_log FINAL
        WHERE $__timeFilter_ms(at) AND state IN ('firing', 'resolved') AND ${where}
        ORDER BY time LIMIT 500`,
      ),
    )
}
