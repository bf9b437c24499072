/** The dashboard of history and causes, from ClickHouse: trends, who and why, what changed, and whether it is whole. */
import { StackingMode } from '@grafana/grafana-foundation-sdk/common'
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { alertMarks } from './alert-marks.ts'
import { inRange, names, ofChosen, refused, rollup } from './history-sql.ts'
import { changes, proof, whoAndWhy } from './history-tables.ts'
import { pointLinks, toBoard, toPage } from './links.ts'
import { columnsByCause, dashboard, lines, number } from './pieces.ts'
import { clickhouse, sql } from './queries.ts'
import { shareAgainstWeeksBefore } from './share-panel.ts'
import { causeChoice, choice, datasource, pageAddress, tier } from './variables.ts'

export function historyDashboard(): DashboardBuilder {
  const board = dashboard({
    uid: 'tollwatch-history',
    title: 'Tollwatch: history and causes',
    description:
      'Exact history of 402 per tenant, API and cause from ClickHouse: trends, who and why, what changed, and the proof that nothing is missing.',
    from: 'now-24h',
    refresh: '1m',
  })
    .withVariable(datasource('clickhouse'))
    .withVariable(choice('tenant', clickhouse, names('tenant')))
    .withVariable(choice('api', clickhouse, names('api', ofChosen('tenant'))))
    .withVariable(causeChoice())
    .withVariable(tier())
    .withVariable(pageAddress())
    .annotation(alertMarks())
  totals(board)
  trends(board)
  whoAndWhy(board)
  changes(board)
  proof(board)
  return board
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
  const byCause = `
    SELECT $__timeInterval(bucket) AS time, cause, sum(payment_required) AS refused
    FROM ${rollup}
    ${inRange} AND cause != '' AND ${ofChosen('cause')}
    GROUP BY time, cause
    ORDER BY time`
  const onPage = pointLinks(
    toPage('Trends on the page', { view: 'trends', cause: '${__field.labels.cause:percentencode}' }),
  )
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
        .dataLinks(onPage)
        .withTarget(sql('A', 'timeseries', byCause)),
    )
    .withPanel(shareAgainstWeeksBefore(8))
    .withPanel(
      columnsByCause(
        {
          title: 'What the refusals are made of',
          description: 'Each cause as its part of all refusals. A change of mix shows also where their number stays.',
          width: 8,
          height: 8,
        },
        'short',
        StackingMode.Percent,
      )
        .datasource(clickhouse)
        .interval('5m')
        .dataLinks(onPage)
        .withTarget(sql('A', 'timeseries', byCause)),
    )
    .withPanel(
      lines(
        {
          title: 'Refused, worst eight tenants',
          description: 'The eight tenants with the most refusals in the chosen time.',
          width: 8,
          height: 8,
        },
        'short',
      )
        .datasource(clickhouse)
        .interval('1m')
        .dataLinks(
          pointLinks(
            toBoard('All about this tenant', 'tollwatch-tenant', ['clickhouse', 'cause', 'tier'], {
              tenant: '${__field.labels.tenant:percentencode}',
            }),
          ),
        )
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
