/** All about one tenant, from ClickHouse: since when, on which APIs, why, who calls, which alerts. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { alertMarks } from './alert-marks.ts'
import { inRange, names, ofChosen, refused, rollup, weeksBefore } from './history-sql.ts'
import { pointLinks, toPage } from './links.ts'
import { columnsByCause, dashboard, lines, number } from './pieces.ts'
import { clickhouse, sql } from './queries.ts'
import { shareAgainstWeeksBefore } from './share-panel.ts'
import { alertsOfTenant, callers, events, whichAndWhy } from './tenant-tables.ts'
import { causeChoice, choice, datasource, pageAddress, single, tier } from './variables.ts'

export function tenantDashboard(): DashboardBuilder {
  const board = dashboard({
    uid: 'tollwatch-tenant',
    title: 'Tollwatch: tenant drill-down',
    description:
      'All about one tenant: refused since when, on which APIs, why, by which of its callers, and which alerts.',
    from: 'now-24h',
    refresh: '1m',
  })
    .withVariable(datasource('clickhouse'))
    .withVariable(single('tenant', clickhouse, names('tenant')))
    .withVariable(choice('api', clickhouse, names('api', ofChosen('tenant'))))
    .withVariable(causeChoice())
    .withVariable(tier())
    .withVariable(pageAddress())
    .annotation(alertMarks("tenant IN (${tenant:singlequote}, '')"))
  totals(board)
  trends(board)
  whichAndWhy(board)
  callers(board)
  events(board)
  alertsOfTenant(board)
  return board
}

function totals(board: DashboardBuilder): void {
  const about = (title: string, description: string) => ({ title, description, width: 4, height: 4 })
  const share = (range: string) =>
    `sumIf(payment_required, ${range} AND ${ofChosen('cause')}) / nullIf(sumIf(requests, ${range}), 0)`
  const now = '$__timeFilter(bucket)'
  board
    .withRow(new RowBuilder('$tenant, in the chosen time'))
    .withPanel(
      number(about('Refused', 'Requests of this tenant answered 402, of the chosen causes.'), 'short')
        .datasource(clickhouse)
        .dataLinks(pointLinks(toPage('This tenant on the page', { view: 'tenant', tenant: '${tenant:percentencode}' })))
        .withTarget(sql('A', 'table', `SELECT ${refused} AS refused\nFROM ${rollup}\n${inRange}`)),
    )
    .withPanel(
      number(about('of requests', 'All requests of this tenant on the chosen APIs, refused or not.'), 'short')
        .datasource(clickhouse)
        .withTarget(sql('A', 'table', `SELECT sum(requests) AS total\nFROM ${rollup}\n${inRange}`)),
    )
    .withPanel(
      number(about('Share refused', 'Refused of all requests of this tenant.'), 'percentunit')
        .datasource(clickhouse)
        .decimals(1)
        .withTarget(
          sql('A', 'table', `SELECT ${refused} / nullIf(sum(requests), 0) AS share\nFROM ${rollup}\n${inRange}`),
        ),
    )
    .withPanel(
      number(
        about(
          'Against a week before',
          'The share refused as a multiple of that of the same time a week before; none where nothing was refused then.',
        ),
        'suffix:×',
      )
        .datasource(clickhouse)
        .decimals(1)
        .noValue('nothing to compare with')
        .withTarget(
          sql(
            'A',
            'table',
            `
            SELECT ${share(now)} / nullIf(${share(`(${weeksBefore('1')})`)}, 0) AS factor
            FROM ${rollup}
            WHERE bucket >= $__fromTime - toIntervalWeek(1) AND bucket <= $__toTime
              AND ${ofChosen('tenant')} AND ${ofChosen('api')}`,
          ),
        ),
    )
    .withPanel(
      number(
        about('First refused', 'The first refusal in the chosen time, in steps of the detail chosen.'),
        'dateTimeFromNow',
      )
        .datasource(clickhouse)
        .noValue('not refused')
        .withTarget(sql('A', 'table', seen('min'))),
    )
    .withPanel(
      number(
        about('Last refused', 'The last refusal in the chosen time, in steps of the detail chosen.'),
        'dateTimeFromNow',
      )
        .datasource(clickhouse)
        .noValue('not refused')
        .withTarget(sql('A', 'table', seen('max'))),
    )
}

/** Epoch milliseconds, which is what the unit takes; nothing at all where nothing was refused. */
function seen(end: 'min' | 'max'): string {
  return `
    SELECT toUnixTimestamp(${end}(bucket)) * 1000 AS seen
    FROM ${rollup}
    ${inRange} AND payment_required > 0 AND ${ofChosen('cause')}
    HAVING count() > 0`
}

function trends(board: DashboardBuilder): void {
  board
    .withRow(new RowBuilder('Since when'))
    .withPanel(
      columnsByCause(
        {
          title: 'Refused, by cause',
          description: 'Requests answered 402 in each column. Alerts of this tenant and of everybody are drawn in.',
          width: 24,
          height: 9,
        },
        'short',
      )
        .datasource(clickhouse)
        .interval('1m')
        .dataLinks(
          pointLinks(
            toPage('This tenant on the page', {
              view: 'tenant',
              tenant: '${tenant:percentencode}',
              cause: '${__field.labels.cause:percentencode}',
            }),
          ),
        )
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
    .withPanel(shareAgainstWeeksBefore(12))
    .withPanel(
      lines(
        {
          title: 'Requests by answer',
          description:
            'All requests of this tenant by class of status; 402s are among the 4xx. A drop of 2xx with no rise of 4xx means that the client stopped.',
          width: 12,
          height: 8,
        },
        'short',
      )
        .datasource(clickhouse)
        .interval('1m')
        .overrideByName('2xx', [{ id: 'color', value: { mode: 'fixed', fixedColor: '#8e8e8e' } }])
        .overrideByName('4xx', [{ id: 'color', value: { mode: 'fixed', fixedColor: '#EE7733' } }])
        .overrideByName('5xx', [{ id: 'color', value: { mode: 'fixed', fixedColor: '#882255' } }])
        .withTarget(
          sql(
            'A',
            'timeseries',
            `
            SELECT $__timeInterval(bucket) AS time, sum(n2xx) AS \`2xx\`, sum(n4xx) AS \`4xx\`, sum(n5xx) AS \`5xx\`
            FROM ${rollup}
            ${inRange}
            GROUP BY time
            HAVING sum(requests) > 0
            ORDER BY time`,
          ),
        ),
    )
}
