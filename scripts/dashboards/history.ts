/** The dashboard of history, from ClickHouse: trends, who and why, single events, alerts, and whether it is whole. */
import { AnnotationQueryBuilder, type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { inRange, ofChosen, refused, rollup, series } from './history-sql.ts'
import { alerts, events, proof, whoAndWhy } from './history-tables.ts'
import {
  causeChoice,
  choice,
  clickhouse,
  columnsByCause,
  dashboard,
  datasource,
  lines,
  number,
  oneOf,
  pageAddress,
  sql,
} from './pieces.ts'

export function historyDashboard(): DashboardBuilder {
  const board = dashboard({
    uid: 'tollwatch-history',
    title: 'Tollwatch: history',
    description:
      'Exact history of 402 per tenant, API and cause from ClickHouse: trends, who and why, single events, alerts, and the proof that nothing is missing.',
    from: 'now-24h',
    refresh: '1m',
  })
    .withVariable(datasource('clickhouse', 'grafana-clickhouse-datasource', 'ClickHouse'))
    .withVariable(choice('tenant', clickhouse, names('tenant')))
    .withVariable(choice('api', clickhouse, names('api')))
    .withVariable(causeChoice())
    .withVariable(
      oneOf(
        'tier',
        'detail',
        [
          ['10 s, kept for days', '10s'],
          ['1 min, kept for months', '1m'],
          ['1 h, kept for years', '1h'],
        ],
        '1m',
      ),
    )
    .withVariable(pageAddress())
    .annotation(
      new AnnotationQueryBuilder()
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
            FROM tollwatch.alert_log
            WHERE $__timeFilter_ms(at) AND state IN ('firing', 'resolved')
            ORDER BY time LIMIT 500`,
          ),
        ),
    )
  totals(board)
  trends(board)
  whoAndWhy(board)
  events(board)
  alerts(board)
  proof(board)
  return board
}

/** Names that were seen in the chosen time, from the coarsest tier: a day's first hour may lie before the range. */
function names(column: string): string {
  return `SELECT DISTINCT ${column} FROM tollwatch.rollup_1h WHERE bucket >= $__fromTime - INTERVAL 1 HOUR AND bucket <= $__toTime ORDER BY ${column} LIMIT 5000`
}

function totals(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 6, height: 4 })
  board
    .withRow(new RowBuilder('In the chosen time'))
    .withPanel(
      number(about('Refused', 'Requests answered 402, of the chosen causes.'), 'short')
        .datasource(clickhouse)
        .withTarget(sql('A', 'table', `SELECT ${refused} AS refused\nFROM ${rollup}\n${inRange}`)),
    )
    .withPanel(
      number(
        about(
          'of requests',
          'All requests of the chosen tenants and APIs, refused or not; the choice of causes does not matter here.',
        ),
        'short',
      )
        .datasource(clickhouse)
        .withTarget(sql('A', 'table', `SELECT sum(requests) AS total\nFROM ${rollup}\n${inRange}`)),
    )
    .withPanel(
      number(about('Share refused', 'Refused of all requests.'), 'percentunit')
        .datasource(clickhouse)
        .decimals(2)
        .withTarget(
          sql('A', 'table', `SELECT ${refused} / nullIf(sum(requests), 0) AS share\nFROM ${rollup}\n${inRange}`),
        ),
    )
    .withPanel(
      number(about('Tenants refused', 'Tenants with at least one refusal of the chosen causes.'), 'short')
        .datasource(clickhouse)
        .withTarget(
          sql(
            'A',
            'table',
            `SELECT uniqExactIf(tenant, payment_required > 0 AND ${ofChosen('cause')}) AS tenants\nFROM ${rollup}\n${inRange}`,
          ),
        ),
    )
}

function trends(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Trends'))
    .withPanel(
      columnsByCause(
        {
          title: 'Refused, by cause',
          description: 'Requests answered 402 in each column. Alerts that fired are drawn in.',
          width: 24,
          height: 9,
        },
        'short',
      )
        .datasource(clickhouse)
        .interval('1m')
        .withTarget(
          sql(
            'A',
            'timeseries',
            `
            SELECT $__timeInterval(bucket) AS time, cause, sum(payment_required) AS refused
            FROM ${rollup}
            ${inRange} AND cause != '' AND ${ofChosen('cause')}
            GROUP BY time, cause
            ORDER BY time`,
          ),
        ),
    )
    .withPanel(
      lines(
        {
          title: 'Share refused, against the four weeks before',
          description:
            'The line is the chosen time; grey lines are the least and the most of the same times in the four weeks before. No line where no request was.',
          width: 12,
          height: 8,
        },
        'percentunit',
      )
        .datasource(clickhouse)
        .interval('1m')
        .overrideByRegexp('/least|most/', [
          { id: 'color', value: { mode: 'fixed', fixedColor: '#8e8e8e' } },
          { id: 'custom.lineWidth', value: 1 },
        ])
        .withTarget(
          sql(
            'A',
            'timeseries',
            `
            SELECT $__timeInterval(bucket) AS time, ${refused} / sum(requests) AS share
            FROM ${rollup}
            ${inRange}
            GROUP BY time
            HAVING sum(requests) > 0
            ORDER BY time`,
          ),
        )
        .withTarget(
          sql(
            'B',
            'timeseries',
            `
            SELECT time, min(share) AS least, max(share) AS most
            FROM (
              SELECT $__timeInterval(bucket + toIntervalWeek(weeks)) AS time, weeks, ${refused} / sum(requests) AS share
              FROM ${rollup}
              ARRAY JOIN [1, 2, 3, 4] AS weeks
              WHERE bucket >= $__fromTime - toIntervalWeek(weeks) AND bucket <= $__toTime - toIntervalWeek(weeks) AND ${series}
              GROUP BY time, weeks
              HAVING sum(requests) > 0
            )
            GROUP BY time
            ORDER BY time`,
          ),
        ),
    )
    .withPanel(
      lines(
        {
          title: 'Refused, worst eight tenants',
          description: 'The eight tenants with the most refusals in the chosen time.',
          width: 12,
          height: 8,
        },
        'short',
      )
        .datasource(clickhouse)
        .interval('1m')
        .withTarget(
          sql(
            'A',
            'timeseries',
            `
            SELECT $__timeInterval(bucket) AS time, tenant, ${refused} AS refused
            FROM ${rollup}
            ${inRange} AND tenant IN (
              SELECT tenant FROM ${rollup}
              ${inRange}
              GROUP BY tenant HAVING ${refused} > 0 ORDER BY ${refused} DESC LIMIT 8
            )
            GROUP BY time, tenant
            ORDER BY time`,
          ),
        ),
    )
}
